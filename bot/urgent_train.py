"""Learn the weights of ``bot.urgent_opinion``: ``python -m bot.urgent_train`` (``--curve`` to see
by cross-validation what they are worth).

One logistic model for danger, one for the wish for a person, one a topic. Each sentence is also
learned with a quarter of its characters struck (as if misheard: the sound stays), with words
before and after it, and beside another sentence, so that a long story around it does not matter.
Needs scikit-learn; the same sentences always give the same weights.
"""

from __future__ import annotations

import random
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from zlib import crc32

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from bot.urgent_grams import BUCKETS, STRUCK, Signs, buckets, placed, signs, windows
from bot.urgent_opinion import KINDS, TOPIC_BUCKETS, WEIGHTS, Floats, Ints, Opinion, save, share
from bot.urgent_sentences import NONE, Sentence, around, digest, read_sentences

FOLDS = 5

_STRIKE = 0.25
_STRIKE_BESIDE = 0.1
_ALIKE = 0.5
_COMMON = 200
_STRETCHES = 0.4
_WAY = 0.3  # one of many ways to tell one line weighs less than a sentence of its own
_BALANCE = {"danger": (0.1, False), "person": (1.5, True)}
_TOPIC_BALANCE = 0.3


Frames = Sequence[Sequence[Signs]]


@dataclass(frozen=True, slots=True)
class Sample:
    """A sentence as it is learned: its buckets, how much it weighs, and whether other sentences
    do not stand beside it (``alone``).
    """

    found: tuple[int, ...]
    kind: str
    topic: str
    weight: float
    alone: bool


def learn(sentences: Sequence[Sentence]) -> Opinion:
    """The weights that ``sentences`` give."""
    samples = _samples(sentences)
    matrix = _matrix([sample.found for sample in samples], BUCKETS)
    weights = np.array([sample.weight for sample in samples])
    fits = [
        _fit(matrix, np.array([s.kind == kind for s in samples]), weights, *_BALANCE[kind])
        for kind in KINDS
    ]
    kinds, step = _steps(np.stack([coefficients for coefficients, _ in fits], axis=1))
    topics, names, topic_bias, topic_step = _topics(samples)
    return Opinion(
        kinds, topics, np.array([step, topic_step]), np.array([bias for _, bias in fits]),
        topic_bias, names, digest(sentences),
    )  # fmt: skip


def _samples(sentences: Sequence[Sentence]) -> list[Sample]:
    known = [signs(sentence.text) for sentence in sentences]
    calm = [one for one, s in zip(known, sentences, strict=True) if s.kind == NONE]
    frames = tuple([signs(text) for text in around(name)] for name in ("before", "after"))
    samples: list[Sample] = []
    for sentence, whole in zip(sentences, known, strict=True):
        for variant, weight in _variants(whole, sentence.kind, calm, frames, _chance(sentence)):
            found = tuple(buckets(variant))
            rarer = _WAY if sentence.line and sentence.line != sentence.text else 1.0
            alone = weight > _STRETCHES
            samples.append(Sample(found, sentence.kind, sentence.topic, weight * rarer, alone))
    return samples


def _chance(sentence: Sentence) -> random.Random:
    """Its own for each, or one more sentence would change how all behind it are told."""
    return random.Random(crc32(sentence.text.encode()))  # noqa: S311 - repeatable variety, no secret


def _variants(
    whole: Signs, kind: str, calm: Sequence[Signs], frames: Frames, chance: random.Random
) -> list[tuple[Signs, float]]:
    """``whole`` as it is told otherwise, and how much each way weighs."""
    variants = [
        (whole, 1.0),
        (_struck(_joined(whole), _STRIKE, chance), 0.5),
        (_framed(whole, frames, chance), 0.5),
        (_framed(whole, frames, chance), 0.5),
    ]
    if kind == NONE:  # every stretch of a calm story is calm; which one of a danger is not known
        variants += [(stretch, _STRETCHES) for stretch in windows(whole)]
    if kind != "person" and calm:
        variants += [(_beside(whole, calm, chance), 0.4), (_beside(whole, calm, chance), 0.4)]
    return variants


def _framed(whole: Signs, frames: Frames, chance: random.Random) -> Signs:
    """``whole`` with something before it, after it, or both."""
    before, after = (chance.choice(some) for some in frames)
    return _joined(*chance.choice([(before, whole), (whole, after), (before, whole, after)]))


def _beside(whole: Signs, calm: Sequence[Signs], chance: random.Random) -> Signs:
    """``whole`` somewhere in a longer story of one to three calm sentences."""
    story = [chance.choice(calm) for _ in range(chance.randint(1, 3))]
    story.insert(chance.randint(0, len(story)), whole)
    return _struck(_joined(*story), _STRIKE_BESIDE, chance)


def _struck(whole: Signs, share: float, chance: random.Random) -> Signs:
    chars = tuple(STRUCK if chance.random() < share else char for char in whole.chars)
    return placed(chars, whole.heard)


def _joined(*parts: Signs) -> Signs:
    chars = tuple(char for part in parts for char in part.chars)
    return placed(chars, tuple(sound for part in parts for sound in part.heard))


def _matrix(rows: Sequence[Sequence[int]], width: int) -> csr_matrix:
    ends = np.cumsum([0, *map(len, rows)])
    columns = np.concatenate([np.array(row, dtype=np.int64) for row in rows])
    shares = np.concatenate([np.full(len(row), share(len(row))) for row in rows])
    return csr_matrix((shares, columns, ends), shape=(len(rows), width))


def _fit(
    matrix: csr_matrix, wanted: Floats, weights: Floats, balance: float, telling: bool
) -> tuple[Floats, float]:
    """Coefficients and bias; ``telling``: buckets count by how much they tell (NB-SVM, Wang and
    Manning 2012), which helps where sentences are short.
    """
    scale = _telling(matrix, wanted, weights) if telling else np.ones(matrix.shape[1])
    model = LogisticRegression(C=balance, solver="liblinear", random_state=0)
    model.fit(matrix.multiply(scale).tocsr(), wanted, sample_weight=weights)
    return model.coef_[0] * scale, float(model.intercept_[0])


def _telling(matrix: csr_matrix, wanted: Floats, weights: Floats) -> Floats:
    inside = matrix.T @ (weights * wanted) + 0.5
    outside = matrix.T @ (weights * (1 - wanted)) + 0.5
    ratio = np.log(inside / inside.sum() / (outside / outside.sum()))
    return np.asarray(np.clip(ratio, -4, 4) / 2)


def _topics(samples: Sequence[Sample]) -> tuple[Ints, tuple[str, ...], Floats, float]:
    chosen = [s for s in samples if s.kind == "danger" and s.alone]
    names = tuple(sorted({s.topic for s in chosen}))
    rows = [sorted({bucket % TOPIC_BUCKETS for bucket in s.found}) for s in chosen]
    model = LogisticRegression(C=_TOPIC_BALANCE, max_iter=60, tol=1e-3)
    model.fit(_matrix(rows, TOPIC_BUCKETS), [names.index(s.topic) for s in chosen])
    topics, step = _steps(model.coef_.T)
    return topics, names, np.asarray(model.intercept_), step


def _steps(coefficients: Floats) -> tuple[Ints, float]:
    step = float(np.abs(coefficients).max()) / 127
    return np.rint(coefficients / step).astype(np.int8), step


def groups(sentences: Sequence[Sentence]) -> list[int]:
    """A group for every sentence, the same for those of one line or that sound nearly alike."""
    sounds = [_pairs(sentence.text) for sentence in sentences]
    holding: dict[str, list[int]] = defaultdict(list)
    lines: dict[str, int] = {}
    above = list(range(len(sentences)))
    for i, pairs in enumerate(sounds):
        alike = {lines.setdefault(sentences[i].line, i)} if sentences[i].line else set()
        shared = Counter(j for pair in pairs if len(holding[pair]) < _COMMON for j in holding[pair])
        alike.update(j for j, n in shared.items() if n >= _ALIKE * len(pairs | sounds[j]))
        for j in alike:
            above[_top(above, i)] = _top(above, j)
        for pair in pairs:
            holding[pair].append(i)
    return [_top(above, i) for i in range(len(sentences))]


def _top(above: list[int], i: int) -> int:
    while above[i] != i:
        above[i] = i = above[above[i]]
    return i


def _pairs(text: str) -> frozenset[str]:
    heard = ["^", *signs(text).heard, "$"]
    return frozenset(f"{a} {b}" for a, b in pairwise(heard))


def cross_validate(sentences: Sequence[Sentence]) -> Floats:
    """(sentences, 2): the scores for danger and for a person that each sentence gets from the
    others, none of which sounds nearly like it.
    """
    alike = groups(sentences)
    names = sorted(set(alike))
    random.Random(1).shuffle(names)  # noqa: S311 - repeatable folds, no secret
    fold = {name: i % FOLDS for i, name in enumerate(names)}
    scores = np.zeros((len(sentences), 2))
    for number in range(FOLDS):
        left_out = [i for i, group in enumerate(alike) if fold[group] == number]
        kept = [s for s, group in zip(sentences, alike, strict=True) if fold[group] != number]
        opinion = learn(kept)
        for i in left_out:
            score = opinion.score(sentences[i].text)
            scores[i] = score.danger, score.person
    return scores


def main() -> None:
    """Write the weights; with ``--curve`` print recall against false alarms instead."""
    sentences = read_sentences()
    if "--curve" in sys.argv[1:]:
        _print_curve(sentences, cross_validate(sentences))
        return
    save(learn(sentences), WEIGHTS)
    count = Counter(sentence.kind for sentence in sentences)
    print(f"{WEIGHTS.name}: {WEIGHTS.stat().st_size} bytes from {dict(count)}")  # noqa: T201 - a command's output


def _print_curve(sentences: Sequence[Sentence], scores: Floats) -> None:
    kinds = np.array([sentence.kind for sentence in sentences])
    for column, kind in enumerate(KINDS):
        wanted = scores[kinds == kind, column]
        others = scores[kinds != kind, column]
        for alarms in (0.005, 0.01, 0.015, 0.02, 0.03, 0.05):
            limit = float(np.quantile(others, 1 - alarms))
            recall = float((wanted > limit).mean())
            print(f"{kind} false alarms {alarms:.1%} limit {limit:.2f} noticed {recall:.1%}")  # noqa: T201 - a command's output


if __name__ == "__main__":
    main()
