"""What a browser may send over the web chat's socket, once it was read (`chat.protocol`)."""

from __future__ import annotations

from dataclasses import dataclass

from bot.feedback import Thumb


@dataclass(frozen=True, slots=True)
class Hello:
    """Begin or resume: ``session`` is the signed token ('' for a new one)."""

    session: str
    cursor: int


@dataclass(frozen=True, slots=True)
class Text:
    """Something typed; ``id`` makes sending it again harmless."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A button pressed: the option's value, and its label as the citizen saw it."""

    id: str
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Rate:
    """A thumb on the answer to ``turn``; ``value`` up or down."""

    id: str
    turn: str
    value: Thumb


@dataclass(frozen=True, slots=True)
class Place:
    """Where the citizen is, or what it is about; ``lat``, ``lon`` in degrees, None if unknown."""

    id: str
    lat: float | None
    lon: float | None
    label: str


@dataclass(frozen=True, slots=True)
class Mend:
    """One field of the card put right."""

    id: str
    field: str
    value: str


@dataclass(frozen=True, slots=True)
class LinkCode:
    """The citizen wants a code for another chat of theirs."""


@dataclass(frozen=True, slots=True)
class Typing:
    """The citizen writes, or has stopped."""

    on: bool


@dataclass(frozen=True, slots=True)
class Ping:
    """Are you there?"""


@dataclass(frozen=True, slots=True)
class Leave:
    """The conversation is over."""


Said = Text | Choice | Place | Mend
"""What is written down as a turn."""
ClientFrame = Hello | Said | Rate | Typing | Ping | LinkCode | Leave
