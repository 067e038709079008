"""Read the conversation's record: its state, what was told, what was heard. Synchronous."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Select, func, select

from bot.joined import SPOKEN
from store.engine import reading
from store.tables import Attachment, Conversation, HandoffEntry, Turn
from turns import wire
from turns.context import Context
from turns.heard import Attachment as SentFile
from turns.heard import AudioSpan, Heard
from turns.orders import OrderField
from turns.replies import Told

PAUSED = "paused"
"""The decision on a turn by which a caller only wanted us to wait."""
_FIRST, _MOST_NEW = 200, 5000
CONTINUED = "continued"
"""The decision of a turn that a later one goes on with and takes the place of."""


@dataclass(frozen=True, slots=True)
class State:
    """A conversation as it stands; ``state`` is bot, waiting, agent or ended."""

    conversation: str
    channel: str
    line: str
    citizen: str
    state: str
    started_at: datetime
    context: Context
    slots: tuple[OrderField, ...]
    misses: int
    silences: int


def read_state(engine: Engine, conversation: str) -> State | None:
    """The conversation as it stands, or None."""
    with reading(engine) as session:
        row = session.get(Conversation, conversation)
        return state_of(row) if row else None


def state_of(row: Any) -> State:
    """The conversation as its row tells."""
    return State(
        conversation=row.id,
        channel=row.channel,
        line=row.line,
        citizen=row.citizen,
        state=row.state,
        started_at=row.started_at,
        context=wire.load(Context, row.context),
        slots=tuple(wire.load(OrderField, slot) for slot in row.slots),
        misses=row.misses,
        silences=row.silences,
    )


def told_after(engine: Engine, conversation: str, cursor: int) -> tuple[Told, ...]:
    """What was told after ``cursor``, in order."""
    with reading(engine) as session:
        rows = session.scalars(
            select(Turn)
            .where(Turn.conversation_id == conversation, Turn.seq > cursor)
            .where(Turn.speaker != "citizen", Turn.kind != SPOKEN)
            .order_by(Turn.seq)
        ).all()
        return tuple(_told(row) for row in rows)


def _told(row: Turn) -> Told:
    return Told(
        cursor=row.seq,
        conversation=row.conversation_id,
        speaker=row.speaker,  # type: ignore[arg-type]  # written from a Speaker
        reply=wire.load_reply(row.reply),
        at=row.at,
        in_reply_to=row.in_reply_to,
        last=row.last,
    )


def cut_off(engine: Engine, conversation: str) -> bool:
    """Whether the caller heard only a part of what answered the latest turn that has an answer."""
    with reading(engine) as session:
        told = session.scalar(
            select(Turn.in_reply_to)
            .where(Turn.conversation_id == conversation, Turn.speaker == "bot")
            .where(Turn.in_reply_to.not_in(_paused(conversation)))
            .order_by(Turn.seq.desc())
            .limit(1)
        )
        timings = session.scalar(
            select(Turn.timings)
            .where(Turn.conversation_id == conversation, Turn.speaker == "citizen")
            .where(Turn.heard == (told or ""))
        )
        return bool((timings or {}).get("heard_share", 1.0) < 1.0)


def _paused(conversation: str) -> Select[str | None]:
    return select(Turn.heard).where(
        Turn.conversation_id == conversation, Turn.speaker == "citizen", Turn.decision == PAUSED
    )


def citizen_turns(engine: Engine, conversation: str) -> tuple[tuple[Heard, dict[str, Any]], ...]:
    """Every citizen turn with how it was understood (dumped; {} where it was not).

    Without those that a later turn took the place of.
    """
    with reading(engine) as session:
        rows = session.scalars(
            select(Turn)
            .where(Turn.conversation_id == conversation, Turn.speaker == "citizen")
            .where(Turn.decision != CONTINUED)
            .order_by(Turn.seq)
        ).all()
        channel = session.get(Conversation, conversation)
        names = (channel.channel, channel.line) if channel else ("", "")
        return tuple((heard_of(row, *names), row.understood) for row in rows)


def unanswered(engine: Engine, conversation: str) -> tuple[Heard, ...]:
    """Citizen turns without a complete answer: a process died before it gave one.

    What was told to a person is not the bot's to answer, also when they are gone.
    """
    done = _answered_ids(engine, conversation)
    talks = _talks(engine, conversation)
    turns = citizen_turns(engine, conversation)
    return tuple(
        heard for heard, _ in turns
        if heard.id not in done
        and not any(began <= heard.at and (end is None or heard.at < end) for began, end in talks)
    )  # fmt: skip


def _talks(engine: Engine, conversation: str) -> list[tuple[datetime, datetime | None]]:
    """When the citizen had a person: from, until."""
    with reading(engine) as session:
        rows = session.execute(
            select(HandoffEntry.connected_at, HandoffEntry.ended_at).where(
                HandoffEntry.conversation_id == conversation,
                HandoffEntry.connected_at.is_not(None),
            )
        )
        return [(row.connected_at, row.ended_at) for row in rows]


def _answered_ids(engine: Engine, conversation: str) -> set[str]:
    with reading(engine) as session:
        return set(
            session.scalars(
                select(Turn.in_reply_to).where(Turn.conversation_id == conversation, Turn.last)
            )
        )


def newest(engine: Engine, after: int) -> list[tuple[int, str]]:
    """Cursor and conversation of the turns behind ``after``; the latest few for 0."""
    wanted = select(Turn.seq, Turn.conversation_id).order_by(Turn.seq.desc())
    with reading(engine) as session:
        rows = session.execute(wanted.where(Turn.seq > after).limit(_MOST_NEW if after else _FIRST))
        return [(seq, name) for seq, name in rows]


def files_sent(engine: Engine, conversation: str) -> int:
    """How many files the citizen sent that are still there."""
    with reading(engine) as session:
        return (
            session.scalar(
                select(func.count())
                .select_from(Attachment)
                .where(Attachment.conversation_id == conversation, Attachment.deleted_at.is_(None))
            )
            or 0
        )


def heard_of(row: Turn, channel: str, line: str) -> Heard:
    """A citizen's turn as it was heard."""
    audio = (
        AudioSpan(row.recording, row.audio_start_ms, row.audio_end_ms)
        if row.audio_start_ms is not None and row.audio_end_ms is not None
        else None
    )
    return Heard(
        id=row.heard or "",
        conversation=row.conversation_id,
        channel=channel,
        line=line,
        kind=row.kind,  # type: ignore[arg-type]  # written from a Heard
        text=row.text,
        at=row.at,
        confidence=row.confidence,
        attachments=tuple(wire.load(SentFile, item) for item in row.attachments),
        audio=audio,
    )
