"""Which aspect a text asks for: one small classifier for all matters.

Characters and fuzzy syllables, each in runs of 1 to 3, TF-IDF, logistic regression. It learns from
``aspects.yaml`` at start. Every phrasing is also shown beside names of matters, so that those
weigh nothing, and once with part of its characters struck out and only their sounds left.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from config.yamlfile import read
from knowledge.signs import Signs, signs
from turns.understood import ASPECTS, Aspect

PATH = Path(__file__).resolve().parent / "aspects.yaml"
NOTHING = ""
"""The class of texts that ask for no aspect."""

_STRUCK = "□"
_STRUCK_SHARE = 0.3
_REGULARISATION = 8.0
_CLAUSE = re.compile(r"[，。！？；,.!?;]+")
_LONG = 14
_BRING = r"(?:带|拿|交|用|传|开|填|没有?|有没有|要不要|用不用|需不需要|需要|要|除了|还有|出示|提供)"


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    aspects: dict[Aspect, tuple[str, ...]] = Field(min_length=len(ASPECTS))
    nothing: tuple[str, ...]
    papers: tuple[str, ...]
    common: tuple[str, ...] = ()
    telling: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Phrasings:
    """How people ask: phrasings by aspect, talk without one, the papers one brings, words
    said of any matter, signs that tell a matter although one asks with them, and signs that only
    join words.
    """

    aspects: Mapping[str, tuple[str, ...]]
    nothing: tuple[str, ...]
    papers: tuple[str, ...]
    common: tuple[str, ...] = ()
    telling: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Every phrasing, whatever its aspect."""
        return tuple(text for texts in self.aspects.values() for text in texts) + self.nothing


@cache
def read_phrasings(path: Path = PATH) -> Phrasings:
    """Read the phrasings; raises :class:`config.errors.ConfigError`."""
    given = read(path, _File)
    aspects = {str(aspect): texts for aspect, texts in given.aspects.items()}
    return Phrasings(aspects, given.nothing, given.papers, given.common, given.telling, given.idle)


class AspectModel:
    """Probabilities of each aspect for a text. Immutable once made."""

    def __init__(self, phrasings: Phrasings, names: Sequence[str]) -> None:
        """Learn from ``phrasings``; ``names`` are names of matters to stand beside them."""
        examples, labels = _examples(phrasings, names)
        vectorizer = TfidfVectorizer(analyzer=_features, sublinear_tf=True)
        rows = vectorizer.fit_transform(examples)
        model = LogisticRegression(
            C=_REGULARISATION, class_weight="balanced", max_iter=200, tol=1e-3
        )
        model.fit(rows, labels)
        self._labels = tuple(str(label) for label in model.classes_)
        self._vocabulary: dict[str, int] = vectorizer.vocabulary_
        self._idf: NDArray[np.float64] = vectorizer.idf_
        self._weights: NDArray[np.float64] = np.ascontiguousarray(model.coef_.T)
        self._bias: NDArray[np.float64] = model.intercept_
        without = "|".join(sorted(map(re.escape, phrasings.papers), key=len, reverse=True))
        self._brought = re.compile(rf"({_BRING}[^，。？！,.?!]{{0,4}}?)(?:{without})+")

    def ask(self, text: str) -> dict[str, float]:
        """Probabilities of the aspects and of ``NOTHING``; they sum to 1.

        A long text with punctuation is a story with a question in it: the clause that asks
        most clearly counts as much as the whole.
        """
        parts = [text]
        if len(text) > _LONG:
            parts += [part for part in _CLAUSE.split(text) if len(part) > 1][-6:]
        rows = np.stack([self._chances(signs(part)) for part in parts])
        chances = rows[0]
        if len(parts) > 2:  # the whole and one clause are the same text
            nothing = self._labels.index(NOTHING)
            asked = np.delete(rows[1:], nothing, axis=1).max(axis=1)
            chances = (chances + rows[1 + int(asked.argmax())]) / 2
        return {label: float(chance) for label, chance in zip(self._labels, chances, strict=True)}

    def _chances(self, text: Signs) -> NDArray[np.float64]:
        """What scikit-learn's transform and predict_proba give, without their checks (2 ms)."""
        counted = Counter(at for at in map(self._vocabulary.get, _features(text)) if at is not None)
        at = np.fromiter(counted.keys(), dtype=np.int64, count=len(counted))
        times = np.fromiter(counted.values(), dtype=np.float64, count=len(counted))
        row = (1.0 + np.log(times)) * self._idf[at]
        length = float(np.linalg.norm(row)) or 1.0
        worth = (row / length) @ self._weights[at] + self._bias
        worth = np.exp(worth - worth.max())
        chances: NDArray[np.float64] = worth / worth.sum()
        return chances

    def without_papers(self, text: str) -> str:
        """``text`` without papers that one brings along: 要带身份证吗 names no matter."""
        return self._brought.sub(r"\1", text)


def _features(text: Signs) -> list[str]:
    edged = Signs(("^", *text.chars, "$"), ("^", *text.syllables, "$"))
    found: list[str] = []
    for _, _, chars, sounds in edged.grams():
        if _STRUCK not in chars:
            found.append(chars)
        found.append(f"~{sounds}")
    return found


def _examples(phrasings: Phrasings, names: Sequence[str]) -> tuple[list[Signs], list[str]]:
    chance = random.Random(12345)  # noqa: S311 - the same model at every start, no secret
    examples: list[Signs] = []
    labels: list[str] = []
    labelled = [(text, label) for label, texts in phrasings.aspects.items() for text in texts]
    labelled += [(text, NOTHING) for text in phrasings.nothing]
    for text, label in labelled:
        beside = chance.choice(names) if names else ""
        before = chance.choice(names) if names else ""
        for variant in (text, f"{before}{text}", _struck(text, chance), f"{text}{beside}"):
            examples.append(variant if isinstance(variant, Signs) else signs(variant))
            labels.append(label)
    for name in names:
        examples.append(signs(name))
        labels.append(NOTHING)
    return examples, labels


def _struck(text: str, chance: random.Random) -> Signs:
    whole = signs(text)
    chars = (_STRUCK if chance.random() < _STRUCK_SHARE else char for char in whole.chars)
    return Signs(tuple(chars), whole.syllables)
