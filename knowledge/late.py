"""Matters that came after the training: each learned by itself against the old questions.

It takes a fraction of a second, so what an editor publishes is understood at once; the next
training takes the matter in with all others.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from knowledge.learned import Learned
from knowledge.linear import Linear, fit
from knowledge.matters import MatterEntry
from knowledge.memory import Memory
from knowledge.signs import signs

_OTHERS = ""
_STRENGTH = 1.0
_MOST = 8
_MOST_QUESTIONS = 20_000


def learn_late(learned: Learned, memory: Memory, matters: Sequence[MatterEntry]) -> Linear | None:
    """A score for each of ``matters`` that has questions and that ``learned`` has not met, if
    there are any. The eight last ones at most: of more, and among very many questions, names and
    near questions alone must do.
    """
    known = set(learned.matters.labels)
    late = [one for one in matters if one.code not in known and one.questions][-_MOST:]
    old = any(one.matter in known for one in memory.questions)
    if not late or not old or len(memory.questions) > _MOST_QUESTIONS:
        return None
    alone = [_alone(memory, matter) for matter in late]
    return Linear(
        tuple(matter.code for matter in late),
        np.stack([one.weights[:, -1] for one in alone], axis=1),
        np.array([one.bias[-1] for one in alone], dtype=np.float32),
    )


def _alone(memory: Memory, matter: MatterEntry) -> Linear:
    """One matter against all others; its label is the last."""
    rows = [one.row for one in memory.questions]
    labels = [one.matter if one.matter == matter.code else _OTHERS for one in memory.questions]
    for name in matter.names:
        rows.append(memory.vocabulary.row(signs(name)))
        labels.append(matter.code)
    return fit(rows, labels, len(memory.vocabulary), _STRENGTH, balanced=True)
