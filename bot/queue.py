"""The queue for a person, as the conversation core needs it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from turns.standing import Standing

QUEUE_NEWS = "#queue"
"""What wakes on the bus whoever serves the queue: an entry or an agent has changed."""


class Queue(Protocol):
    """Who may take a citizen, and where one stands. Synchronous: each reads or writes the database
    and may raise ``SQLAlchemyError``.
    """

    def staffed(self, channel: str, now: datetime, /) -> bool:
        """Whether somebody is there who may take a citizen of ``channel``, and can be told."""

    def standing(self, conversation: str, now: datetime, /) -> Standing | None:
        """Where the citizen stands; None for who neither waits for a person nor has one."""

    def ask_callback(self, conversation: str, phone: str, now: datetime, /) -> bool:
        """They wait no longer and are called back on ``phone``; False where they do not wait."""


class NoQueue:
    """Nobody sits at a desk: callers go to their line's hunt group."""

    def staffed(self, _channel: str, _now: datetime, /) -> bool:
        """Nobody."""
        return False

    def standing(self, _conversation: str, _now: datetime, /) -> Standing | None:
        """Nowhere."""
        return None

    def ask_callback(self, _conversation: str, _phone: str, _now: datetime, /) -> bool:
        """There is nobody to be asked."""
        return False
