"""Tells acts apart: ``features``, TF-IDF, a linear support vector machine, and how sure it is.

Its margins become probabilities by a softmax with one temperature for all acts, measured by
``bot.rasa.measure`` on sentences that were left out of the training. A logistic regression did no
better and took ten times as long.
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


def classifier(c: float = C) -> Pipeline:
    """Untrained; ``c``: the inverse regularisation."""
    return make_pipeline(
        TfidfVectorizer(analyzer=analyse, sublinear_tf=True, dtype=np.float32),
        LinearSVC(C=c, class_weight="balanced", random_state=0),
    )


def probabilities(margins: Any, temperature: float = TEMPERATURE) -> Any:
    """Each row of ``margins`` (an array, one column an act) as probabilities."""
    raised = np.exp(temperature * (margins - margins.max(axis=1, keepdims=True)))
    return raised / raised.sum(axis=1, keepdims=True)
