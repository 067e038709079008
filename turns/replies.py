"""What the front door tells a citizen: the turn on its way out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from turns.manner import Adjust

Expects = Literal["open", "yes_no", "digits", "address", "choice"]
Urgency = Literal["normal", "urgent", "danger"]
Speaker = Literal["citizen", "bot", "agent", "system"]
Again = Literal["", "sentence", "place"]
"""For what was said before and is told once more: go on where the caller cut it off, from the
beginning of the sentence or from the word; what was heard to its end is left out. '' says it all.
"""


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to choose: what is shown or spoken, and what comes back as ``Heard.text``."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Say:
    """A sentence that expects nothing.

    ``text`` is for reading; ``speech``, where it differs, for the ear. ``answer`` is the id of the
    published answer that is said. ``interruptible`` is False for what must be heard to the end.
    ``adjust``: from here on a caller is spoken to slower or louder. ``wait_s``: a caller's silence
    after it is no turn before so many seconds (0: as always).
    """

    id: str
    text: str
    speech: str = ""
    answer: str = ""
    interruptible: bool = True
    adjust: tuple[Adjust, ...] = ()
    again: Again = ""
    wait_s: float = 0.0
    type: Literal["say"] = "say"


@dataclass(frozen=True, slots=True)
class CardField:
    """One field of a card: ``value`` '' where it was not told, ``mended`` set on the card."""

    name: str
    label: str
    value: str
    mended: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """A complaint as it was noted, to be confirmed or mended; ``files`` came along with it."""

    kind: str
    fields: tuple[CardField, ...]
    files: int = 0


@dataclass(frozen=True, slots=True)
class Ask:
    """A question; ``expects`` picks the recogniser's grammar and the patience at the turn's end.

    ``card``: what is asked about, for who can see it; ``text`` tells the same in words.
    """

    id: str
    text: str
    options: tuple[Option, ...] = ()
    expects: Expects = "open"
    speech: str = ""
    interruptible: bool = True
    again: Again = ""
    card: Card | None = None
    type: Literal["ask"] = "ask"


@dataclass(frozen=True, slots=True)
class Handoff:
    """A person takes over; the work order already exists under ``order``.

    ``number`` is empty while the database has not given one. ``reason`` is a stable code:
    asked, danger, misses, silences, anger, digits, failure.
    """

    id: str
    reason: str
    urgency: Urgency = "normal"
    order: str = ""
    number: str = ""
    type: Literal["handoff"] = "handoff"


QUEUE = "queue"
"""The target of a ``Connect`` for who waits in the queue until somebody at a desk takes them."""


@dataclass(frozen=True, slots=True)
class Connect:
    """Connect the caller's voice to ``target``, a SIP URI from the city's configuration.

    ``QUEUE``: nobody is called yet; the caller waits, and may go on talking with the bot.
    """

    id: str
    target: str
    type: Literal["connect"] = "connect"


@dataclass(frozen=True, slots=True)
class Bye:
    """The conversation is over: hang up, or close the chat."""

    id: str
    type: Literal["bye"] = "bye"


Reply = Say | Ask | Handoff | Connect | Bye


@dataclass(frozen=True, slots=True)
class Told:
    """A reply as it stands in the conversation: who said it, when, and the cursor behind it.

    ``in_reply_to`` is the ``Heard.id`` it answers ('' when nobody asked, for example a greeting).
    ``last`` marks the end of what answers that turn.
    """

    cursor: int
    conversation: str
    speaker: Speaker
    reply: Reply
    at: datetime
    in_reply_to: str = ""
    last: bool = False
