"""Write the conversation's record: that it begins and ends, what is heard. Synchronous."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, bindparam, exists, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.claims import Claim
from bot.outset import Outset, outset_of
from config.queue import QueueRules
from handoff.queue import service
from store.engine import writing
from store.locks import FOR_CHANGE
from store.tables import Conversation, Recording, Turn
from turns import wire
from turns.context import Context
from turns.heard import Heard


@dataclass(frozen=True, slots=True)
class Opening:
    """Who talks to us, by what way, and from which region (code; '' where unknown)."""

    conversation: str
    channel: str
    line: str
    citizen: str
    at: datetime
    region: str = ""


def open_conversation(engine: Engine, opening: Opening) -> bool:
    """Make the conversation; False if it exists already."""
    try:
        with writing(engine) as session:
            if session.get(Conversation, opening.conversation):
                return False
            session.add(
                Conversation(
                    id=opening.conversation,
                    channel=opening.channel,
                    line=opening.line,
                    citizen=opening.citizen,
                    region=opening.region,
                    context=wire.dump(Context(region=opening.region)),
                    started_at=opening.at,
                    ended_at=None,
                )
            )
    except IntegrityError:
        return False
    return True


_CLAIMED = select(
    exists().where(Turn.conversation_id == bindparam("conversation"), Turn.answer_by.is_not(None))
)


@dataclass(frozen=True, slots=True)
class Committed:
    """A turn stands in the database. ``outset``: what answering it begins with, unless another turn
    of its conversation waits for an answer, which changes that.
    """

    outset: Outset | None


def commit_heard(engine: Engine, heard: Heard, claim: Claim | None = None) -> Committed | None:
    """Write the citizen's turn; None if its id is there already. Raises KeyError if unknown.

    ``claim``: who answers it, for whom that matters.
    """
    try:
        with writing(engine) as session:
            talk = locked(session, heard.conversation)
            if talk is None:
                raise KeyError(heard.conversation)
            alone = not session.scalar(_CLAIMED, {"conversation": heard.conversation})
            row = _heard_row(heard)
            if claim is not None:
                row.answerer, row.answer_by = claim.by, claim.until
            session.add(row)
            session.flush()
            return Committed(outset_of(session, talk) if alone else None)
    except IntegrityError:
        return None


def _heard_row(heard: Heard) -> Turn:
    audio = heard.audio
    return Turn(
        conversation_id=heard.conversation,
        speaker="citizen",
        kind=heard.kind,
        heard=heard.id,
        text=heard.text,
        confidence=heard.confidence,
        alternatives=[wire.dump(other) for other in heard.alternatives],
        attachments=[wire.dump(item) for item in heard.attachments],
        at=heard.at,
        recording=audio.recording if audio else "",
        audio_start_ms=audio.start_ms if audio else None,
        audio_end_ms=audio.end_ms if audio else None,
    )


def end_conversation(
    engine: Engine, conversation: str, at: datetime, rules: QueueRules | None = None
) -> bool:
    """The call or chat is over; whether somebody waited for a person, or had one.

    Who waited is called back, whoever had them gets wrap-up. Ending twice keeps the first time.
    """
    with writing(engine) as session:
        row = locked(session, conversation)
        if row is None:
            return False
        left = service.leave(session, conversation, at, rules or QueueRules())
        if row.ended_at is None:
            row.ended_at = at
        row.state = "ended"
        return left


def leave_queue(engine: Engine, conversation: str, at: datetime, rules: QueueRules) -> bool:
    """The citizen waits no longer, or their person is gone, and the bot has them again.

    Whether that was so.
    """
    with writing(engine) as session:
        row = locked(session, conversation)
        if row is None:
            return False
        left = service.leave(session, conversation, at, rules)
        if row.ended_at is None:
            row.state, row.misses, row.silences = "bot", 0, 0
        return left


def connect_person(engine: Engine, conversation: str, at: datetime) -> None:
    """A person has the citizen: they wait no longer, and their order says since when."""
    with writing(engine) as session:
        service.connect(session, conversation, at)


def begin_recording(
    engine: Engine, recording: str, conversation: str, path: str, at: datetime
) -> None:
    """Note a recording that begins."""
    with writing(engine) as session:
        if session.get(Recording, recording) is None:
            session.add(
                Recording(id=recording, conversation_id=conversation, path=path, started_at=at)
            )


def end_recording(engine: Engine, recording: str, duration_ms: int) -> None:
    """Note that a recording is complete."""
    with writing(engine) as session:
        row = session.get(Recording, recording)
        if row is not None:
            row.duration_ms, row.complete = duration_ms, True


def hold(session: Session, conversation: str) -> None:
    """As :func:`locked`, for who need not read it: on SQLite writers stand in line anyway."""
    if session.connection().dialect.name != "sqlite":
        locked(session, conversation)


def locked(session: Session, conversation: str) -> Conversation | None:
    """The conversation, for this transaction alone.

    What is written to one conversation is committed in the order of its ``seq``: readers go on
    behind the last one they saw, and would never see one that was numbered before and committed
    after it.
    """
    return session.get(Conversation, conversation, with_for_update=FOR_CHANGE)
