"""Everything said in a chat, read from the record for a page that comes back. Synchronous."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, select

from chat.protocol import shown
from store.engine import reading
from store.tables import Conversation, Turn
from turns.wire import WireError, load_reply

LIMIT = 500
"""A page that comes back gets at most so many turns, the latest ones."""


@dataclass(frozen=True, slots=True)
class Missed:
    """What a page that comes back has missed, oldest first; ``cursor`` stands behind it."""

    turns: tuple[dict[str, Any], ...]
    cursor: int
    ended: bool


def missed_after(engine: Engine, conversation: str, cursor: int) -> Missed:
    """What was said after ``cursor``, and whether the conversation is over."""
    with reading(engine) as session:
        rows = session.scalars(
            select(Turn)
            .where(Turn.conversation_id == conversation, Turn.seq > cursor)
            .order_by(Turn.seq.desc())
            .limit(LIMIT)
        ).all()
        labels: dict[str, str] = {}
        turns = tuple(_entry(row, labels) for row in reversed(rows))
        row = session.get(Conversation, conversation)
        ended = row is not None and row.state == "ended"
    return Missed(turns, turns[-1]["cursor"] if turns else cursor, ended)


def _entry(row: Turn, labels: dict[str, str]) -> dict[str, Any]:
    """One turn; ``labels`` gathers what the options seen so far are called."""
    reply = _reply(row)
    labels.update({option["value"]: option["label"] for option in reply.get("options", ())})
    text = labels.get(row.text, row.text) if row.kind == "choice" else row.text
    return {
        "cursor": row.seq,
        "id": row.heard or "",
        "speaker": row.speaker,
        "kind": row.kind,
        "text": text,
        "at": row.at.isoformat(),
        "in_reply_to": row.in_reply_to,
        "last": row.last,
        "reply": reply,
        "attachments": [sent(item) for item in row.attachments if isinstance(item, dict)],
    }


def sent(item: dict[str, Any]) -> dict[str, Any]:
    """Something that came along with a turn, as a page may see it."""
    kind, url = str(item.get("kind", "")), str(item.get("url", ""))
    shown_as: dict[str, Any] = {
        "id": url.rpartition("/")[2] if url.startswith("/") else "",
        "kind": "photo" if kind == "image" else kind, "text": str(item.get("text", "")),
    }  # fmt: skip
    if url.startswith("geo:"):
        lat, _, lon = url.removeprefix("geo:").partition(",")
        shown_as |= {"lat": float(lat), "lon": float(lon)}
    return shown_as


def _reply(row: Turn) -> dict[str, Any]:
    if row.speaker == "citizen" or not row.reply:
        return {}
    try:
        return shown(load_reply(row.reply))
    except WireError:  # written by another version: its words are still its words
        return {"type": "say", "id": "", "text": row.text}
