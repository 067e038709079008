"""How likely each matter and aspect is, and when to answer, to ask back, to pass.

Two small conditional logit models: what names, the classifier and old questions say of every
matter in question is weighed against what says that none is meant; the same for the aspects of a
matter. ``qianmen knowledge calibrate`` fits the weights and the thresholds on labelled questions.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import mul

import numpy as np
from numpy.typing import NDArray

from knowledge.asking import NOTHING
from turns.understood import ASPECTS

MATTER_WORTHS = (
    "cover", "explained", "exact", "strength", "linear", "near",
    "strength_lead", "linear_lead", "near_lead", "unanchored",
)  # fmt: skip
"""What speaks for a matter; a ``lead`` is over the best other one."""

NONE_WORTHS = (
    "bias", "evidence", "outside", "generic", "strange", "best_near", "best_linear",
)  # fmt: skip
"""What speaks for none of them."""

ASPECT_WORTHS = ("linear", "lead", "near", "answered")
"""What speaks for an aspect; ``near`` is below 0 where the matter's nearest question asks for
another."""

NOTHING_WORTHS = ("bias", "linear")
"""What speaks for no aspect at all."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Least chances, 0 to 1.

    ``answer``: of matter and aspect together, for an answer to be said; ``offer``: of the matter,
    for options to be offered; ``matter``: from which on it counts as known (its answers alone are
    offered). ``aspect``: from which on it counts as asked for. ``follow_matter``: enough for
    another matter of the same family inside a talk. ``carried``: the chance of the talk's matter
    where a turn names none. ``telling``: the least evidence (see :class:`Naming`) that a turn
    names another matter. ``strange``: the share of unknown signs from which on a turn is no
    follow-up. ``nothing``: the chance of no aspect from which on the talk's aspect is taken, or
    the citizen asked.
    """

    answer: float = 0.75
    offer: float = 0.3
    matter: float = 0.7
    aspect: float = 0.4
    follow_matter: float = 0.6
    carried: float = 0.9
    telling: float = 2.0
    strange: float = 0.34
    nothing: float = 0.4


@dataclass(frozen=True, slots=True)
class Calibration:
    """Weights in the order of ``MATTER_WORTHS``, ``NONE_WORTHS``, ``ASPECT_WORTHS`` and
    ``NOTHING_WORTHS``, and the thresholds.
    """

    matter: tuple[float, ...] = (
        0.807, 1.072, -0.34, 0.488, 2.675, -0.448, 0.723, 1.17, -0.274, -0.829,
    )  # fmt: skip
    none: tuple[float, ...] = (1.202, -0.168, 1.647, -0.425, 0.733, 0.405, -0.24)
    aspect: tuple[float, ...] = (2.686, 0.742, -0.189, 0.308)
    nothing: tuple[float, ...] = (0.335, 2.054)
    thresholds: Thresholds = field(default_factory=Thresholds)

    def matters(
        self, codes: Sequence[str], worths: NDArray[np.float64], none: NDArray[np.float64]
    ) -> tuple[tuple[str, float], ...]:
        """How likely each of ``codes`` is meant, best first; the rest up to 1 is for none.

        ``worths``: codes × ``MATTER_WORTHS``; ``none``: ``NONE_WORTHS``.
        """
        if not codes:
            return ()
        totals = np.append(worths @ np.array(self.matter), none @ np.array(self.none))
        chances = _shares(totals)[:-1]
        pairs = [(code, float(chance)) for code, chance in zip(codes, chances, strict=True)]
        return tuple(sorted(pairs, key=lambda pair: (-pair[1], pair[0])))

    def aspects(self, worths: Iterable[Iterable[float]], nothing: float) -> dict[str, float]:
        """How likely each aspect is asked for, and ``NOTHING``; they sum to 1.

        ``worths``: ``ASPECTS`` × ``ASPECT_WORTHS``; ``nothing``: the score of no aspect.
        """
        totals = [sum(map(mul, worth, self.aspect)) for worth in worths]
        totals.append(self.nothing[0] + nothing * self.nothing[1])
        top = max(totals)
        raised = [math.exp(total - top) for total in totals]
        whole = sum(raised)
        shares = (one / whole for one in raised)
        return dict(zip((*ASPECTS, NOTHING), shares, strict=True))


def leads(values: Sequence[float]) -> list[float]:
    """How far each value is before the best other one; 0 where it is alone."""
    if len(values) < 2:
        return [0.0] * len(values)
    second, first = sorted(values)[-2:]
    found = [value - first for value in values]
    found[values.index(first)] = first - second
    return found


def aspect_worths(
    scores: Mapping[str, float], near: Mapping[str, float], answered: frozenset[str]
) -> list[tuple[float, float, float, float]]:
    """``ASPECTS`` × ``ASPECT_WORTHS``. ``near``: how near the matter's old questions of an aspect
    come; ``answered``: the aspects that have an answer.
    """
    linear = [scores.get(aspect, -1.0) for aspect in ASPECTS]
    best = max(near.values(), default=0.0)
    return [
        (own, lead, near.get(aspect, 0.0) - best, float(aspect in answered))
        for aspect, own, lead in zip(ASPECTS, linear, leads(linear), strict=True)
    ]


def _shares(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    raised: NDArray[np.float64] = np.exp(totals - totals.max())
    shares: NDArray[np.float64] = raised / raised.sum()
    return shares
