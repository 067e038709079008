"""What the courier measures of itself; what the database holds of it, the keeper measures."""

from __future__ import annotations

from prometheus_client import Counter

from handoff.links.outcome import Acknowledged, Outcome, Refused, Sent

_TRIES = Counter(
    "qianmen_link_tries", "Tries to tell a party or a target something.", ["link", "outcome"]
)
_NAMES = {Acknowledged: "acknowledged", Sent: "sent", Refused: "refused"}


def tried(link: str, outcome: Outcome) -> None:
    """Count one try."""
    _TRIES.labels(link, _NAMES.get(type(outcome), "failed")).inc()
