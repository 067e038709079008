"""What became of a call, told to those who watch it."""

from __future__ import annotations

from telephony.parts import CallParts
from turns.calls import CallEvent, CallState
from turns.calls import Leg as Role


class Report:
    """Tells the office of one call; see ``turns.calls.CallEvent`` for what the words mean."""

    def __init__(self, parts: CallParts, conversation: str) -> None:
        self._parts = parts
        self._id = conversation

    def __call__(
        self, state: CallState, role: Role, *, cause: str = "", command: str = "",
        target: str = "", done: bool = False,
    ) -> None:  # fmt: skip
        """One event, now."""
        self._parts.office.told(
            CallEvent(self._id, state, role, self._parts.now(), cause, command, target, done)
        )
