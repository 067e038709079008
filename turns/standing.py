"""Where a citizen stands who waits for a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from turns.replies import Urgency

StandingState = Literal["waiting", "offered", "accepted", "connected", "wrapup"]
WAITING: tuple[StandingState, ...] = ("waiting", "offered")
"""No person has taken them yet."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A citizen's entry in the queue, as they may know of it.

    ``position`` counts from 1, the head; ``estimate_s`` is None where nobody can tell. ``agent`` is
    the login of who has taken them, ``agent_name`` what the citizen may call them. ``staffed``:
    somebody is there who may take them; ``attended``: if nobody is, somebody is at a desk and busy.
    """

    handoff: str
    state: StandingState
    position: int = 1
    estimate_s: float | None = None
    agent: str = ""
    agent_name: str = ""
    waited_s: float = 0.0
    urgency: Urgency = "normal"
    staffed: bool = True
    attended: bool = False

    @property
    def waits(self) -> bool:
        """Whether nobody has taken them yet."""
        return self.state in WAITING
