"""When a silence has become a turn of its own. Pure: the time is passed in."""

from __future__ import annotations

SILENCE_S = 8.0
"""How long a caller may say nothing after we have finished speaking."""
ANSWER_S = 6.0
"""How long the dialogue may take for an answer before the caller gets a person."""


class Patience:
    """Watches one call: who must say something next, and since when."""

    def __init__(self, now: float) -> None:
        self._since = now
        self._our_turn = True
        self._silence_s = SILENCE_S

    def caller_active(self, now: float) -> None:
        """The caller speaks, or we do: nobody is waited for."""
        self._since = now

    def heard(self, now: float) -> None:
        """A turn of the caller's was taken: it is for us to answer."""
        self._since, self._our_turn = now, True

    def told(self, now: float, wait_s: float = 0.0) -> None:
        """We have finished our answer: it is the caller's turn, ``wait_s`` long if they asked."""
        self._since, self._our_turn = now, False
        self._silence_s = max(SILENCE_S, wait_s)

    def silent(self, now: float) -> bool:
        """The caller has said nothing for too long."""
        return not self._our_turn and now - self._since >= self._silence_s

    def unanswered(self, now: float) -> bool:
        """The dialogue has said nothing for too long."""
        return self._our_turn and now - self._since >= ANSWER_S
