"""Learn the weights of ``bot.urgent_opinion``: ``python -m bot.urgent_train`` (``--curve`` to see
by cross-validation what they are worth).

One logistic model for danger, one for the wish for a person, one a topic. Each sentence is also
learned with a quarter of its characters struck (as if misheard: the sound stays), with words
before and after it, and beside another sentence, so that a long story around it does not matter.
Needs scikit-learn; the same sentences always give the same weights.
"""

from __future__ import annotations

import hashlib
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from bot.urgent_grams import BUCKETS, CONCEPTS, STRUCK, Signs, buckets, placed, signs, windows
from bot.urgent_opinion import KINDS, TOPIC_BUCKETS, WEIGHTS, Floats, Ints, Opinion, save, share

PHRASES = Path(__file__).with_name("urgent_phrases")
FOLDS = 5

_NONE = "none"
_OPENINGS = (
    "你好我想反映一个情况", "喂你好", "那个", "是这样的啊", "我跟你说", "麻烦问一下",
    "不好意思打扰了", "请问", "同志你好", "哎呀", "我是老人听不太清", "你们是12345吧", "嗯怎么说呢",
    "师傅",
)  # fmt: skip
_CLOSINGS = (
    "怎么办", "归谁管", "你们管不管", "快点", "麻烦你们看一下", "谢谢", "该找谁", "可以吗", "啊",
    "这个事", "你们来看看", "给个说法", "是不是该打这个电话", "我也不懂",
)  # fmt: skip
_STRIKE = 0.25
_STRIKE_BESIDE = 0.1
_ALIKE = 0.5
_COMMON = 200
_STRETCHES = 0.4
_BALANCE = {"danger": (0.15, False), "person": (0.5, True)}
_TOPIC_BALANCE = 0.3


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence to learn from: its ``kind`` (danger, person, none) and ``topic``."""

    text: str
    kind: str
    topic: str


@dataclass(frozen=True, slots=True)
class Sample:
    """A sentence as it is learned: its buckets and how much it weighs."""

    found: tuple[int, ...]
    kind: str
    topic: str
    weight: float


def read_sentences(folder: Path = PHRASES) -> tuple[Sentence, ...]:
    """All sentences of ``folder``/kind/topic.txt, one a line; raises ValueError where one stands
    under two kinds.
    """
    found: dict[str, Sentence] = {}
    for path in sorted(folder.glob("*/*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            text = line.strip()
            if not text or text.startswith("#"):
                continue
            sentence = Sentence(text, path.parent.name, path.stem)
            known = found.setdefault(text, sentence)
            if known.kind != sentence.kind:
                raise ValueError(f"{path.name}: {text} stands under {known.kind} as well")
    return tuple(found.values())


def digest(sentences: Iterable[Sentence]) -> str:
    """A name for what is learned from: the sentences and the concepts."""
    summed = hashlib.sha256()
    for sentence in sentences:
        summed.update(f"{sentence.kind}/{sentence.topic}/{sentence.text}\n".encode())
    summed.update(CONCEPTS.read_bytes())
    return summed.hexdigest()


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
    chance = random.Random(12345)  # noqa: S311 - repeatable variety, no secret
    known = [signs(sentence.text) for sentence in sentences]
    calm = [one for one, s in zip(known, sentences, strict=True) if s.kind == _NONE]
    samples: list[Sample] = []
    for sentence, whole in zip(sentences, known, strict=True):
        for variant, weight in _variants(whole, sentence.kind, calm, chance):
            found = tuple(buckets(variant))
            samples.append(Sample(found, sentence.kind, sentence.topic, weight))
    return samples


def _variants(
    whole: Signs, kind: str, calm: Sequence[Signs], chance: random.Random
) -> list[tuple[Signs, float]]:
    """``whole`` as it is told otherwise, and how much each way weighs."""
    before = signs(chance.choice(_OPENINGS))
    after = signs(chance.choice(_CLOSINGS))
    framed = chance.choice([(before, whole), (whole, after), (before, whole, after)])
    variants = [
        (whole, 1.0),
        (_struck(_joined(whole), _STRIKE, chance), 0.5),
        (_joined(*framed), 0.5),
    ]
    if kind == _NONE:  # every stretch of a calm story is calm; which one of a danger is not known
        variants += [(stretch, _STRETCHES) for stretch in windows(whole)]
    if kind != "person" and calm:
        variants += [(_beside(whole, calm, chance), 0.4), (_beside(whole, calm, chance), 0.4)]
    return variants


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
    chosen = [s for s in samples if s.kind == "danger" and s.weight > 0.4]
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
    """A group for every sentence, the same for those that sound nearly alike."""
    sounds = [_pairs(sentence.text) for sentence in sentences]
    holding: dict[str, list[int]] = defaultdict(list)
    group = list(range(len(sentences)))
    for i, pairs in enumerate(sounds):
        shared = Counter(j for pair in pairs if len(holding[pair]) < _COMMON for j in holding[pair])
        for j, count in shared.items():
            if count >= _ALIKE * len(pairs | sounds[j]):
                old, new = group[j], group[i]
                group = [new if g == old else g for g in group]
        for pair in pairs:
            holding[pair].append(i)
    return group


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
