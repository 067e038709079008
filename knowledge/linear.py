"""A linear classifier over features, and its training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from knowledge.features import Row

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


@dataclass(frozen=True, slots=True)
class Linear:
    """``weights``: features × labels, ``bias``: labels; both float32. Scores lie about -1 to 1."""

    labels: tuple[str, ...]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def scores(self, row: Row) -> NDArray[np.float32]:
        """One score a label: above 0 where the text belongs to it."""
        known = row.at < len(self.weights)  # features that came after the training
        scores: NDArray[np.float32] = row.weight[known] @ self.weights[row.at[known]] + self.bias
        return scores


def fit(
    rows: Sequence[Row], labels: Sequence[str], width: int, strength: float, *, balanced: bool
) -> Linear:
    """Train one against all others for every label. ``width``: the vocabulary's size;
    ``strength``: the larger, the closer to the examples. The same input gives the same model.
    """
    from sklearn.svm import LinearSVC  # with scipy 100 MB: only who trains loads it

    names = tuple(sorted(set(labels)))
    if len(names) < 2:
        flat = np.zeros((width, len(names)), dtype=np.float32)
        return Linear(names, flat, np.zeros(len(names), dtype=np.float32))
    model = LinearSVC(
        C=strength, tol=1e-2, random_state=0, class_weight="balanced" if balanced else None
    )
    model.fit(_matrix(rows, width), [names.index(label) for label in labels])
    weights = model.coef_.T.astype(np.float32)
    bias = model.intercept_.astype(np.float32)
    if len(names) == 2:
        weights, bias = np.hstack([-weights, weights]), np.concatenate([-bias, bias])
    return Linear(names, np.ascontiguousarray(weights), bias)


def _matrix(rows: Sequence[Row], width: int) -> csr_matrix:
    from scipy.sparse import csr_matrix  # as above

    ends = np.cumsum([0, *(len(row.at) for row in rows)])
    at = np.concatenate([row.at for row in rows])
    weight = np.concatenate([row.weight for row in rows]).astype(np.float64)
    return csr_matrix((weight, at, ends), shape=(len(rows), width))
