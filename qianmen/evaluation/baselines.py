"""Two flat classifiers trained on the same questions: what a usual FAQ bot would make of it.

Each gives one class ``matter:aspect`` (or nothing) with a score. Nine of ten questions train it;
on the tenth it gets its threshold: the lowest at which at most 2 % are answered wrongly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from knowledge.matters import MatterEntry
from qianmen.evaluation.labels import Label
from qianmen.evaluation.scoring import Judged, Outcome, counted, wilson

NOTHING = "nothing:nothing"
WRONG_ALLOWED = 0.02
OPTIONS = 3
_HELD_BACK = 10


@dataclass(frozen=True, slots=True)
class Guess:
    """The best classes for a text, best first, and the first one's score."""

    classes: tuple[str, ...]
    score: float


Classifier = Callable[[Sequence[str]], list[Guess]]
Pair = tuple[str, str]
"""A question and its class."""


def training(matters: Sequence[MatterEntry], outside: Sequence[str]) -> list[Pair]:
    """The published questions with their classes, and what is none of them."""
    asked = [
        (text, f"{matter.code}:{aspect}")
        for matter in matters
        for aspect, texts in matter.questions.items()
        for text in texts
    ]
    return asked + [(text, NOTHING) for text in outside]


def apart(pairs: Sequence[Pair]) -> tuple[list[Pair], list[Pair]]:
    """What trains, and every tenth question, which finds the threshold."""
    train = [pair for at, pair in enumerate(pairs) if at % _HELD_BACK]
    return train, [pair for at, pair in enumerate(pairs) if not at % _HELD_BACK]


def threshold(guesses: Sequence[Guess], right: Sequence[str]) -> float:
    """The lowest score from which on at most 2 % of all are answered wrongly."""
    order = sorted(
        ((guess.score, guess.classes[0] != wanted) for guess, wanted in
         zip(guesses, right, strict=True) if guess.classes[0] != NOTHING),
        reverse=True,
    )  # fmt: skip
    allowed, wrong, least = WRONG_ALLOWED * len(right), 0, float("inf")
    for score, is_wrong in order:
        wrong += is_wrong
        if wrong > allowed:
            break
        least = score
    return least


def outcome(guess: Guess, least: float) -> Outcome:
    """What a citizen gets: the answer above the threshold, else the best three to choose from."""
    matter, _, aspect = guess.classes[0].partition(":")
    if guess.classes[0] == NOTHING:
        return Outcome("other", "miss")
    if guess.score >= least:
        return Outcome("policy", "answer", matter, aspect)
    return Outcome("policy", "ask", options=tuple(guess.classes[:OPTIONS]))


def summary(name: str, judged: Sequence[Judged], outside: Sequence[Judged]) -> dict[str, Any]:
    """The figures beside ours; ``outside``: out of scope."""
    counts, n = counted(judged), len(judged)
    answered = sum(one.outcome.decision == "answer" for one in outside)
    low, high = wilson(counts["exact"], n)
    return {
        "name": name, "n": n, "exact": _share(counts["exact"], n),
        "low": round(low, 4), "high": round(high, 4),
        "exact_or_offered": _share(counts["exact"] + counts["offered"], n),
        "wrong": _share(counts["wrong"], n),
        "outside_n": len(outside), "outside_answered": _share(answered, len(outside)),
    }  # fmt: skip


def judged_by(
    classifier: Classifier, least: float, labels: Sequence[Label], *, forced: bool = False
) -> list[Judged]:
    """Labels with what the classifier makes of them; ``forced``: without a threshold."""
    guesses = classifier([label.text for label in labels])
    floor = -float("inf") if forced else least
    return [
        Judged(label, outcome(guess, floor)) for label, guess in zip(labels, guesses, strict=True)
    ]


def looked_up(known: Mapping[str, Guess]) -> Classifier:
    """What was classified before, again."""
    return lambda texts: [known[text] for text in texts]


def characters(train: Sequence[Pair]) -> Classifier:
    """Character TF-IDF (1 to 3) and a linear support vector machine."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.svm import LinearSVC

    vectors = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True)
    model = LinearSVC(C=1.0, random_state=12345)
    model.fit(vectors.fit_transform([text for text, _ in train]), [wanted for _, wanted in train])

    def classify(texts: Sequence[str]) -> list[Guess]:
        scores = np.atleast_2d(model.decision_function(vectors.transform(texts)))
        best = np.argsort(-scores, axis=1)[:, : OPTIONS + 1]
        return [
            Guess(tuple(map(str, model.classes_[row])), float(scores[at, row[0]]))
            for at, row in enumerate(best)
        ]

    return classify


def _share(count: int, n: int) -> float:
    return round(count / n, 4) if n else 0.0
