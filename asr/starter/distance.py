"""Edit distance, for error rates."""

from __future__ import annotations

from collections.abc import Sequence


def edit_distance(reference: Sequence[object], heard: Sequence[object]) -> int:
    """Least substitutions, insertions and deletions between two sequences."""
    row = list(range(len(heard) + 1))
    for i, wanted in enumerate(reference, 1):
        diagonal, row[0] = row[0], i
        for j, got in enumerate(heard, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (wanted != got))
    return row[-1]
