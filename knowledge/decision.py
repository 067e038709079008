"""When to answer, when to ask back, when to pass: numbers chosen on labelled phrasings."""

from __future__ import annotations

import math
from dataclasses import dataclass

from knowledge.naming import Named


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Least chances (0 to 1), chosen on ``tests/knowledge/dev.tsv``.

    ``matter`` and ``aspect``: both reached, the answer is said. ``some_matter``: below it nothing
    is offered. ``carried``: the chance of the talk's matter where a turn names none.
    ``telling``: the least evidence (see :class:`Naming`) that a turn names another matter.
    ``strange``: the share of unknown signs from which on a turn is no follow-up. ``nothing``: the
    chance of no aspect from which on the talk's aspect is taken, or the citizen asked.
    """

    matter: float = 0.55
    aspect: float = 0.42
    some_matter: float = 0.2
    carried: float = 0.9
    telling: float = 2.0
    strange: float = 0.34
    nothing: float = 0.4


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic curve over what a name's match is worth; fitted on the labelled phrasings."""

    bias: float = -7.5
    cover: float = 6.0
    explained: float = 3.0
    margin: float = 5.0
    written: float = 1.0
    exact: float = 0.5

    def chance(self, best: Named, rival: Named | None) -> float:
        """How likely ``best`` is what was meant, seen beside its strongest ``rival``."""
        margin = best.strength - (rival.strength if rival else 0.0)
        worth = (
            self.bias + self.cover * best.cover + self.explained * best.explained
            + self.margin * margin + self.written * best.written
            + self.exact * min(best.exact, 6)
        )  # fmt: skip
        return 1.0 / (1.0 + math.exp(-worth))
