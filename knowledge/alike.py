"""Groups what citizens said by likeness: characters and fuzzy syllables, so that a homophone
joins what was meant. Pure.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.asking import read_phrasings
from knowledge.learning import Item, Reason, people
from knowledge.signs import signs

_FARTHEST = 0.77
"""The mean cosine distance (0 to 1) up to which two groups are one. On 700 questions of 44 matters:
two of a group are nearly always of one matter (homogeneity 0.94)."""

_SAMPLES = 12
_GUESS = 0.3
"""The mean chance (0 to 1) from which on a guess is told."""


@dataclass(frozen=True, slots=True)
class Group:
    """Turns that ask something like the same.

    ``people``: conversations it was asked in; ``title``: the turn most like all others;
    ``texts``: different wordings, the commonest first; ``matter`` and ``aspect``: what search
    thought of most for them ('' if nothing).
    """

    title: str
    people: int
    texts: tuple[str, ...]
    seqs: tuple[int, ...]
    reasons: tuple[tuple[Reason, int], ...]
    matter: str
    aspect: str


def grouped(items: Sequence[Item]) -> tuple[Group, ...]:
    """``items`` in groups, those that most people asked first."""
    if not items:
        return ()
    groups: dict[int, list[Item]] = defaultdict(list)
    for item, label in zip(items, _labels(items), strict=True):
        groups[label].append(item)
    made = [_group(found) for found in groups.values()]
    return tuple(sorted(made, key=lambda group: (-group.people, -max(group.seqs))))


def _labels(items: Sequence[Item]) -> list[int]:
    """A number for each item; those with the same number belong together."""
    from sklearn.cluster import AgglomerativeClustering  # with scipy 100 MB: only who groups
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = list(dict.fromkeys(item.text for item in items))
    if len(texts) == 1:
        return [0] * len(items)
    rows = TfidfVectorizer(analyzer=_features, sublinear_tf=True, dtype=np.float32)
    # How people ask whatever the matter is common then: 多少钱 alone makes nothing alike.
    rows.fit([*texts, *read_phrasings().all])
    likeness = rows.transform(texts)
    # Distances only between different wordings: the same words said by many cost nothing.
    distances = np.clip(1.0 - (likeness @ likeness.T).toarray(), 0.0, 1.0)
    clusters = AgglomerativeClustering(
        n_clusters=None, distance_threshold=_FARTHEST, metric="precomputed", linkage="average"
    )
    label_of = dict(zip(texts, clusters.fit_predict(distances).tolist(), strict=True))
    return [label_of[item.text] for item in items]


def _features(text: str) -> list[str]:
    found = [run for _, _, chars, sounds in signs(text).grams(2) for run in (chars, f"~{sounds}")]
    return found or [text]


def _group(items: Sequence[Item]) -> Group:
    counted = Counter(item.text for item in items)
    matter, aspect = _likeliest(items)
    reasons = Counter(item.reason for item in items)
    return Group(
        title=_title(counted),
        people=people(items),
        texts=tuple(text for text, _ in counted.most_common(_SAMPLES)),
        seqs=tuple(sorted(item.seq for item in items)),
        reasons=tuple(reasons.most_common()),
        matter=matter,
        aspect=aspect,
    )


def _title(counted: Counter[str]) -> str:
    """The wording that shares most with all others; of two the shorter."""
    runs = {text: frozenset(_features(text)) for text in counted}
    seen = Counter(
        run for text, times in counted.items() for run in runs[text] for _ in range(times)
    )
    return max(
        counted,
        key=lambda text: (
            sum(seen[run] for run in runs[text]) / (len(runs[text]) + 12),
            -len(text),
        ),
    )


def _likeliest(items: Sequence[Item]) -> tuple[str, str]:
    """What search thought of most; nothing where it was not sure enough to have offered it: a
    wrong guess set before an editor's hand would be taught.
    """
    weights: Counter[tuple[str, str]] = Counter()
    for item in items:
        for candidate in item.candidates:
            weights[candidate.matter, candidate.aspect] += candidate.score  # type: ignore[assignment]  # a Counter may count in floats
    if not weights:
        return "", ""
    best, weight = weights.most_common(1)[0]
    return best if weight / len(items) >= _GUESS else ("", "")
