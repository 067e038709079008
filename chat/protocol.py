"""The web chat's frames: total parser of what a client sends, builders of what it gets.

Client to server, each a JSON object in one text frame::

    {"type": "hello", "session": token or "", "cursor": 0}
    {"type": "text", "id": uuid, "text": "…"}
    {"type": "choice", "id": uuid, "value": "…", "label": "…"}
    {"type": "rate", "id": uuid, "turn": the turn that was answered, "value": "up" or "down"}
    {"type": "typing", "on": true}    the citizen writes; said again while they do
    {"type": "ping"}
    {"type": "leave"}    the citizen ends the conversation for good

Server to client: ``welcome``, ``history``, ``ack`` (only after the turn is durable), ``told``,
``standing`` (where they stand in the queue, whenever it changes), ``typing`` (the person writes, or
has stopped), ``pong``, ``error`` (``retry``: the same message may be sent again later).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bot.feedback import Thumb
from chat.errors import ChatError
from chat.frame import MAX_FRAME_BYTES, clean, is_cursor, is_id, members
from turns.replies import Ask, Handoff, Reply, Say, Told
from turns.standing import Standing

MAX_TEXT_CHARS = 1000
MAX_VALUE_CHARS = 200
MAX_TOKEN_CHARS = 1000


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
class Typing:
    """The citizen writes, or has stopped."""

    on: bool


@dataclass(frozen=True, slots=True)
class Ping:
    """Are you there?"""


@dataclass(frozen=True, slots=True)
class Leave:
    """The conversation is over."""


ClientFrame = Hello | Text | Choice | Rate | Typing | Ping | Leave


def parse(frame: str | bytes) -> ClientFrame:
    """One client frame; raises :class:`ChatError` for anything that is not one."""
    fields = members(frame)
    match fields.get("type"):
        case "hello":
            return Hello(_string(fields, "session", MAX_TOKEN_CHARS), _cursor(fields))
        case "text":
            return _text(fields)
        case "choice":
            return _choice(fields)
        case "rate":
            return _rate(fields)
        case "typing":
            return Typing(fields.get("on") is True)
        case "ping":
            return Ping()
        case "leave":
            return Leave()
        case _:
            raise ChatError("frame_unknown", "unknown type of frame")


def _text(fields: dict[str, Any]) -> Text:
    known = _id(fields)
    text = clean(_string(fields, "text", MAX_FRAME_BYTES, known))
    if not text:
        raise ChatError("text_empty", "nothing was written", known)
    if len(text) > MAX_TEXT_CHARS:
        raise ChatError("text_too_long", f"at most {MAX_TEXT_CHARS} characters", known)
    return Text(known, text)


def _choice(fields: dict[str, Any]) -> Choice:
    known = _id(fields)
    value = clean(_string(fields, "value", MAX_VALUE_CHARS, known))
    if not value:
        raise ChatError("text_empty", "nothing was chosen", known)
    return Choice(known, value, clean(_string(fields, "label", MAX_VALUE_CHARS, known)))


def _rate(fields: dict[str, Any]) -> Rate:
    known = _id(fields)
    value = fields.get("value")
    if value not in ("up", "down"):
        raise ChatError("frame_malformed", "value: up or down", known)
    return Rate(known, _id(fields, "turn"), value)


def _id(fields: dict[str, Any], name: str = "id") -> str:
    value = fields.get(name)
    if not is_id(value):
        raise ChatError("frame_malformed", f"{name}: 8 to 64 letters, digits, - or _")
    return value


def _string(fields: dict[str, Any], name: str, limit: int, known: str = "") -> str:
    value = fields.get(name, "")
    if not isinstance(value, str) or len(value) > limit:
        raise ChatError("frame_malformed", f"{name}: a string of at most {limit}", known)
    return value


def _cursor(fields: dict[str, Any]) -> int:
    value = fields.get("cursor", 0)
    if not is_cursor(value):
        raise ChatError("frame_malformed", "cursor: a whole number from 0")
    return value


def welcome(session: str, conversation: str, cursor: int, *, ended: bool) -> dict[str, Any]:
    """The session stands; what follows comes after ``cursor``; ``ended``: nobody listens now."""
    return {
        "type": "welcome",
        "session": session,
        "conversation": conversation,
        "cursor": cursor,
        "ended": ended,
    }


def ack(known: str) -> dict[str, Any]:
    """The message is written down: it need never be sent again."""
    return {"type": "ack", "id": known}


def pong() -> dict[str, Any]:
    """I am here."""
    return {"type": "pong"}


def error(code: str, text: str, *, known: str = "", retry: bool = False) -> dict[str, Any]:
    """Something went wrong; ``text`` is for the citizen, ``retry``: the message may come again."""
    return {"type": "error", "code": code, "text": text, "id": known, "retry": retry}


def history(turns: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Everything said since the cursor, the citizen's own turns too, in order."""
    return {"type": "history", "turns": list(turns)}


def told(item: Told) -> dict[str, Any]:
    """One reply as a citizen may see it."""
    return {
        "type": "told",
        "cursor": item.cursor,
        "speaker": item.speaker,
        "at": item.at.isoformat(),
        "in_reply_to": item.in_reply_to,
        "last": item.last,
        "reply": shown(item.reply),
    }


def standing(item: Standing | None, text: str) -> dict[str, Any]:
    """Where the citizen stands; ``state`` is '' for who waits for nobody. ``text`` is for them."""
    if item is None:
        return {"type": "standing", "state": "", "text": ""}
    return {
        "type": "standing",
        "state": item.state,
        "position": item.position,
        "estimate_s": item.estimate_s,
        "staffed": item.staffed,
        "agent": item.agent_name,
        "text": text,
    }


def typing(*, on: bool) -> dict[str, Any]:
    """Whether the person writes."""
    return {"type": "typing", "on": on}


def shown(reply: Reply) -> dict[str, Any]:
    """What of a reply belongs on a page: no speech, no internal ids; ``published``: it is an
    editor's answer, which the citizen may rate.
    """
    match reply:
        case Say():
            return {"type": "say", "id": reply.id, "text": reply.text,
                    "published": bool(reply.answer)}  # fmt: skip
        case Ask():
            options = [{"label": o.label, "value": o.value} for o in reply.options]
            return {"type": "ask", "id": reply.id, "text": reply.text, "options": options,
                    "expects": reply.expects}  # fmt: skip
        case Handoff():
            return {"type": "handoff", "id": reply.id, "number": reply.number,
                    "urgency": reply.urgency}  # fmt: skip
        case _:
            return {"type": reply.type, "id": reply.id}
