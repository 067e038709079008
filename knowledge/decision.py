"""When to answer, when to ask back, when to pass: numbers chosen on labelled phrasings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from knowledge.naming import Naming

_LONG_NAME = 6
"""Signs from which on a name that stands in the text word for word is worth no more."""

_CLEAR_LEAD = 3.0
"""The weight of one telling word more than the rival has."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Least chances (0 to 1), chosen on ``tests/knowledge/dev.tsv``.

    ``matter`` and ``aspect``: both reached, the answer is said. ``some_matter``: below it nothing
    is offered. ``follow_matter``: enough for another matter of the same family inside a talk.
    ``carried``: the chance of the talk's matter where a turn names none.
    ``telling``: the least evidence (see :class:`Naming`) that a turn names another matter.
    ``strange``: the share of unknown signs from which on a turn is no follow-up. ``nothing``: the
    chance of no aspect from which on the talk's aspect is taken, or the citizen asked.
    """

    matter: float = 0.7
    aspect: float = 0.4
    some_matter: float = 0.2
    follow_matter: float = 0.6
    carried: float = 0.9
    telling: float = 2.0
    strange: float = 0.34
    nothing: float = 0.4


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic curve over what a name's match is worth; fitted on the labelled phrasings.

    Where the second best is as close as ``tie_margin`` and the text tells it apart by less than
    ``tie_lead``, the chance is at most ``tied``. ``unanchored`` is the factor where a turn lacks
    the word that its family of matters goes by (公积金).
    """

    bias: float = -11.3
    cover: float = 5.2
    explained: float = 3.6
    margin: float = 0.1
    lead: float = 1.8
    exact: float = 1.5
    evidence: float = 2.3
    tie_margin: float = 0.3
    tie_lead: float = 0.15
    tied: float = 0.55
    unanchored: float = 0.2

    def chances(self, naming: Naming, anchored: bool) -> tuple[tuple[str, float], ...]:
        """The matters found (best first) with how likely each is what was meant.

        ``anchored``: the text says the word that all matters of the best one's family share, or
        they share none.
        """
        found = naming.found
        if not found:
            return ()
        best = found[0]
        given = worth(naming)
        chance = self._chance(given)
        if given.margin < self.tie_margin and given.lead < self.tie_lead:
            chance = min(chance, self.tied)
        if not anchored:
            chance *= self.unanchored
        return tuple(
            (named.matter, min(chance, 1.0 - chance) * (named.strength / best.strength) ** 2)
            if named is not best and best.strength
            else (named.matter, chance)
            for named in found
        )

    def _chance(self, given: Worth) -> float:
        total = (
            self.bias + self.cover * given.cover + self.explained * given.explained
            + self.margin * given.margin + self.lead * given.lead + self.exact * given.exact
            + self.evidence * given.evidence
        )  # fmt: skip
        return 1.0 / (1.0 + math.exp(-total))


class Worth(NamedTuple):
    """What the curve looks at; all but ``evidence`` lie between -1 and 1.

    ``cover``, ``explained``: as in :class:`Named`. ``margin``: how far the second best is behind.
    ``lead``: how much more of the text the best explains than the second. ``exact``: the longest
    name that stands in the text. ``evidence``: how much the text says about matters (logarithm).
    """

    cover: float
    explained: float
    margin: float
    lead: float
    exact: float
    evidence: float


def worth(naming: Naming) -> Worth:
    """What the curve looks at; ``naming`` found something."""
    best, *others = naming.found
    rival = others[0].strength if others else 0.0
    margin = 1.0 - rival / best.strength if best.strength else 0.0
    lead = (best.explained - others[0].explained if others else 1.0) * naming.evidence
    exact = min(best.exact, _LONG_NAME) / _LONG_NAME
    return Worth(
        best.cover, best.explained, margin, math.tanh(lead / _CLEAR_LEAD), exact,
        math.log1p(naming.evidence),
    )  # fmt: skip
