"""A trained act classifier as plain arrays: one sentence in a fifth of the time.

scikit-learn checks, copies and wraps sparse matrices several times for each sentence, which is
worth its while for a thousand of them and most of the time for one. Here the same numbers are
added in the same order, so that the margins are the very same (the tests compare them).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

_Array = Any  # numpy's own types differ between the two environments


@dataclass(frozen=True, slots=True)
class Weights:
    """What :func:`bot.rasa.classifier.classifier` has learned.

    ``columns`` are the features' numbers, ``idf`` each one's weight, ``rows`` what each one adds to
    each act's margin (features x acts), ``classes`` the acts.
    """

    analyse: Callable[[str], Sequence[str]]
    columns: Mapping[str, int]
    idf: _Array
    rows: _Array
    intercept: _Array
    classes: Sequence[str]

    @classmethod
    def of(cls, trained: Pipeline) -> Weights:
        """Those of ``trained``, its arrays shared; raises ValueError: it is made otherwise."""
        (_, vectorizer), (_, machine) = trained.steps
        plan = (vectorizer.sublinear_tf, vectorizer.norm, vectorizer.use_idf, vectorizer.binary)
        if plan != (True, "l2", True, False) or not callable(vectorizer.analyzer):
            raise ValueError("not a classifier of ours")
        return cls(
            analyse=vectorizer.analyzer,
            columns=vectorizer.vocabulary_,
            idf=np.asarray(vectorizer.idf_, dtype=vectorizer.dtype),
            rows=machine.coef_.T,
            intercept=machine.intercept_,
            classes=[str(name) for name in machine.classes_],
        )

    def decision_function(self, texts: Sequence[str]) -> _Array:
        """As the pipeline's: an array, a row each text, a column each act."""
        return np.array([self._margins(text) for text in texts])

    def _margins(self, text: str) -> _Array:
        known: Counter[Any] = Counter(map(self.columns.get, self.analyse(text)))
        del known[None]  # what no training text had
        if not known:
            return self.intercept
        ordered = sorted(known, reverse=True)  # as SciPy leaves them
        indices = np.array(ordered)
        values = np.array([known[i] for i in ordered], dtype=self.idf.dtype)
        values = (np.log(values) + 1) * self.idf[indices]
        # Added one by one, in double precision, as scikit-learn does: pairwise sums end otherwise.
        length = np.sqrt(np.cumsum(np.square(values), dtype=np.float64)[-1])
        values = (values.astype(np.float64) / length).astype(self.idf.dtype)
        return (values[:, None] * self.rows[indices]).sum(axis=0) + self.intercept
