"""The web chat's frames: total parser of what a client sends, builders of what it gets.

Client to server, each a JSON object in one text frame::

    {"type": "hello", "session": token or "", "cursor": 0}
    {"type": "text", "id": uuid, "text": "…"}
    {"type": "choice", "id": uuid, "value": "…", "label": "…"}
    {"type": "place", "id": uuid, "lat": 39.9, "lon": 116.4, "label": "…"}    lat, lon may be null
    {"type": "mend", "id": uuid, "field": "where", "value": "…"}    one field of the card
    {"type": "link_code"}    a code by which another chat of the citizen is joined with this one
    {"type": "rate", "id": uuid, "turn": the turn that was answered, "value": "up" or "down"}
    {"type": "typing", "on": true}    the citizen writes; said again while they do
    {"type": "ping"}
    {"type": "leave"}    the citizen ends the conversation for good

Server to client: ``welcome``, ``history``, ``ack`` (only after the turn is durable), ``told``,
``standing`` (where they stand in the queue, whenever it changes), ``typing`` (the person writes, or
has stopped), ``link_code``, ``pong``, ``error`` (``retry``: the same message may be sent again,
after ``retry_after_s`` where it was too fast). Photos and voice notes come by HTTP
(``chat.uploads``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from bot.card import LABELS, LONGEST_VALUE
from chat.errors import ChatError
from chat.frame import MAX_FRAME_BYTES, clean, is_cursor, is_id, members
from chat.frames import (
    Choice,
    ClientFrame,
    Hello,
    Leave,
    LinkCode,
    Mend,
    Ping,
    Place,
    Rate,
    Text,
    Typing,
)
from turns.replies import Ask, Card, Handoff, Reply, Say, Told
from turns.standing import Standing

MAX_TEXT_CHARS = 1000
MAX_VALUE_CHARS = 200
MAX_LABEL_CHARS = 100
MAX_TOKEN_CHARS = 1000


def parse(frame: str | bytes) -> ClientFrame:
    """One client frame; raises :class:`ChatError` for anything that is not one."""
    fields = members(frame)
    kind = fields.get("type")
    read = _READERS.get(kind) if isinstance(kind, str) else None
    if read is None:
        raise ChatError("frame_unknown", "unknown type of frame")
    return read(fields)


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


def _place(fields: dict[str, Any]) -> Place:
    known = _id(fields)
    lat, lon = _degrees(fields, "lat", 90, known), _degrees(fields, "lon", 180, known)
    label = clean(_string(fields, "label", MAX_LABEL_CHARS, known))
    if (lat is None) != (lon is None) or (lat is None and not label):
        raise ChatError("frame_malformed", "a place has both coordinates, or a label", known)
    return Place(known, lat, lon, label)


def _degrees(fields: dict[str, Any], name: str, most: int, known: str) -> float | None:
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not -most <= value <= most:
        raise ChatError("frame_malformed", f"{name}: degrees up to {most}", known)
    return float(value)


def _mend(fields: dict[str, Any]) -> Mend:
    known = _id(fields)
    name, value = fields.get("field"), clean(_string(fields, "value", LONGEST_VALUE, known))
    if not isinstance(name, str) or name not in LABELS:
        raise ChatError("field_unknown", "no field of the card", known)
    if not value:
        raise ChatError("text_empty", "nothing was written", known)
    return Mend(known, name, value)


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


_READERS: dict[str, Callable[[dict[str, Any]], ClientFrame]] = {
    "hello": lambda f: Hello(_string(f, "session", MAX_TOKEN_CHARS), _cursor(f)),
    "text": _text,
    "choice": _choice,
    "place": _place,
    "mend": _mend,
    "rate": _rate,
    "typing": lambda f: Typing(f.get("on") is True),
    "link_code": lambda _: LinkCode(),
    "ping": lambda _: Ping(),
    "leave": lambda _: Leave(),
}


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


def error(
    code: str, text: str, *, known: str = "", retry: bool = False, retry_after_s: int = 0
) -> dict[str, Any]:
    """Something went wrong; ``text`` is for the citizen, ``retry``: the message may come again."""
    frame = {"type": "error", "code": code, "text": text, "id": known, "retry": retry}
    return {**frame, "retry_after_s": retry_after_s} if retry_after_s else frame


def link_code(code: str, until: datetime, text: str) -> dict[str, Any]:
    """The code that another chat of the citizen gives back before ``until``."""
    return {"type": "link_code", "code": code, "until": until.isoformat(), "text": text}


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
            asked = {"type": "ask", "id": reply.id, "text": reply.text, "options": options,
                     "expects": reply.expects}  # fmt: skip
            return {**asked, "card": _card(reply.card)} if reply.card else asked
        case Handoff():
            return {"type": "handoff", "id": reply.id, "number": reply.number,
                    "urgency": reply.urgency}  # fmt: skip
        case _:
            return {"type": reply.type, "id": reply.id}


_EDITED_AS = {"phone": "tel", "what": "long"}


def _card(card: Card) -> dict[str, Any]:
    fields = [
        {"name": one.name, "label": one.label, "value": one.value, "mended": one.mended,
         "edit": _EDITED_AS.get(one.name, "text")}
        for one in card.fields
    ]  # fmt: skip
    return {"kind": card.kind, "fields": fields, "photos": card.files}
