"""Tells acts apart: ``features``, TF-IDF, a linear support vector machine, and how sure it is.

Its margins become probabilities by a softmax with one temperature for all acts, measured by
``bot.rasa.measure`` on sentences that were left out of the training. A logistic regression did no
better and took ten times as long.

Long turns are looked at twice: a story about one thing often ends with the wish for another
(…老板不给钱，我想问问去哪里投诉), so what stands last counts half as much again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from bot.rasa.features import analyse

C = 1.0
"""Inverse regularisation."""
TEMPERATURE = 5.0
"""What margins are multiplied with."""
_LONG = 30  # characters from which a turn is looked at twice
_LAST = 16  # characters of the second look
_WEIGHT = 0.5  # of the second look


def classifier(c: float = C) -> Pipeline:
    """Untrained; ``c``: the inverse regularisation."""
    return make_pipeline(
        TfidfVectorizer(analyzer=analyse, sublinear_tf=True, dtype=np.float32),
        LinearSVC(C=c, class_weight="balanced", random_state=0),
    )


def margins(model: Pipeline, texts: list[str]) -> Any:
    """How far each text stands on each act's side: an array, a row each, a column an act."""
    told = model.decision_function(texts)
    long = [i for i, text in enumerate(texts) if len(text) > _LONG]
    if long:
        last = model.decision_function([texts[i][-_LAST:] for i in long])
        told[long] = (told[long] + _WEIGHT * last) / (1 + _WEIGHT)
    return told


def probabilities(told: Any, temperature: float = TEMPERATURE) -> Any:
    """Each row of ``told`` (see :func:`margins`) as probabilities."""
    raised = np.exp(temperature * (told - told.max(axis=1, keepdims=True)))
    return raised / raised.sum(axis=1, keepdims=True)
