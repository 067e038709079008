"""What follows from one try: when the next one is due, or that there is none. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from handoff.links.outcome import Acknowledged, Failed, Outcome, Refused, Sent

SPREAD = 0.2
"""How far jitter moves a wait either way, as a share: targets that came back are not run over."""


TAKEN_S = 15.0
"""What was taken is not sent again before: its acknowledgement is on the way."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a delivery or a link becomes; ``next_at`` None: nothing more is tried."""

    state: str
    next_at: datetime | None
    status: int = 0
    fault: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Patience:
    """``again_s`` the waits between tries, the last for all that follow; ``give_up_h`` the end."""

    again_s: Sequence[float]
    give_up_h: float

    def wait_s(self, tries: int, jitter: float) -> float:
        """Until the next try after ``tries`` of them; ``jitter`` in [0, 1)."""
        plain = self.again_s[min(max(tries, 1), len(self.again_s)) - 1]
        return plain * (1 - SPREAD + 2 * SPREAD * jitter)

    def next_at(
        self, tries: int, since: datetime, now: datetime, jitter: float, least_s: float = 0
    ) -> datetime | None:
        """When to try again, None where it has been tried long enough."""
        at = now + timedelta(seconds=max(self.wait_s(tries, jitter), least_s))
        return at if at <= since + timedelta(hours=self.give_up_h) else None


def after_delivery(
    outcome: Outcome, tries: int, since: datetime, now: datetime, patience: Patience, jitter: float
) -> Step:
    """A webhook's: any 2xx is enough; whatever else is tried again until it is given up."""
    if not isinstance(outcome, Failed):
        return Step("sent", None, outcome.status)
    at = patience.next_at(tries, since, now, jitter, outcome.retry_after_s)
    return Step("waiting" if at else "given_up", at, outcome.status, outcome.code)


def after_danger(
    outcome: Outcome, tries: int, since: datetime, now: datetime, patience: Patience, jitter: float
) -> Step:
    """A link's: only an acknowledgement or a refusal ends it; what was only taken is sent again.

    Under the same id, so that the far side has it once.
    """
    if isinstance(outcome, Acknowledged):
        return Step("acknowledged", None, outcome.status, "", outcome.reference)
    if isinstance(outcome, Refused):
        return Step("refused", None, outcome.status, outcome.code)
    if isinstance(outcome, Sent):
        at = patience.next_at(tries, since, now, jitter, 0 if outcome.fault else TAKEN_S)
        return Step("sent" if at else "failed", at, outcome.status, outcome.fault)
    at = patience.next_at(tries, since, now, jitter)
    return Step("waiting" if at else "failed", at, outcome.status, outcome.code)
