"""A queue for a person that stands as a test says."""

from __future__ import annotations

from datetime import datetime

from turns.standing import Standing


class FakeQueue:
    """Everybody stands where ``stands`` says; nobody is there to take them unless ``staffed_by``.

    ``fails`` is raised by whatever is asked.
    """

    def __init__(self) -> None:
        self.staffed_by: set[str] = set()
        self.stands: Standing | None = None
        self.fails: Exception | None = None
        self.callbacks: list[tuple[str, str]] = []

    def staffed(self, channel: str, _now: datetime) -> bool:
        """Whether the channel is among those with somebody."""
        self._fail()
        return channel in self.staffed_by

    def standing(self, _conversation: str, _now: datetime) -> Standing | None:
        """As told."""
        self._fail()
        return self.stands

    def ask_callback(self, conversation: str, phone: str, _now: datetime) -> bool:
        """They leave the queue."""
        self._fail()
        waits = self.stands is not None and self.stands.waits
        if waits:
            self.callbacks.append((conversation, phone))
            self.stands = None
        return waits

    def _fail(self) -> None:
        if self.fails is not None:
            raise self.fails
