"""Write the conversation's record: what was heard, what was told. Synchronous."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.claims import Claim
from bot.history import PAUSED
from config.queue import QueueRules
from handoff.queue import service
from store.engine import writing
from store.locks import FOR_CHANGE
from store.tables import Conversation, Recording, Turn
from turns import wire
from turns.context import Context
from turns.heard import Heard
from turns.replies import Reply, Speaker
from turns.understood import Understood


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


def commit_heard(engine: Engine, heard: Heard, claim: Claim | None = None) -> bool:
    """Write the citizen's turn; False if its id is there already. Raises KeyError if unknown.

    ``claim``: who answers it, for whom that matters.
    """
    try:
        with writing(engine) as session:
            if _locked(session, heard.conversation) is None:
                raise KeyError(heard.conversation)
            if _turn_of(session, heard.conversation, heard.id):
                return False
            row = _heard_row(heard)
            if claim is not None:
                row.answerer, row.answer_by = claim.by, claim.until
            session.add(row)
    except IntegrityError:
        return False
    return True


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


def commit_told(
    engine: Engine,
    conversation: str,
    replies: tuple[Reply, ...],
    *,
    speaker: Speaker,
    at: datetime,
    in_reply_to: str = "",
    answerer: str = "",
) -> bool:
    """Write what is told, in order; the last one is marked so that readers know it is all.

    It ends the claim on turn ``in_reply_to``. False, and nothing is written, where ``answerer``
    has lost that turn to another process.
    """
    with writing(engine) as session:
        _locked(session, conversation)
        turn = _turn_of(session, conversation, in_reply_to) if in_reply_to and answerer else None
        if turn is not None and turn.answerer:
            if turn.answerer != answerer:
                return False
            turn.answer_by = None
        for position, reply in enumerate(replies, 1):
            session.add(
                Turn(
                    conversation_id=conversation,
                    speaker=speaker,
                    kind=reply.type,
                    heard=None,
                    in_reply_to=in_reply_to,
                    last=position == len(replies),
                    text=getattr(reply, "text", ""),
                    reply=wire.dump(reply),
                    at=at,
                    audio_start_ms=None,
                    audio_end_ms=None,
                )
            )
            session.flush()  # seq is the order in which things were told
    return True


def commit_understood(engine: Engine, heard: Heard, known: Understood, context: Context) -> None:
    """Note how a turn was understood, and what the talk is about now."""
    with writing(engine) as session:
        conversation = _locked(session, heard.conversation)
        turn = _turn_of(session, heard.conversation, heard.id)
        if turn is not None:
            turn.understood = wire.dump(known)
            turn.decision = known.decision
        if conversation is not None:
            conversation.context = wire.dump(context)
            conversation.slots = [wire.dump(field) for field in known.slots]


def note_context(engine: Engine, conversation: str, context: Context) -> None:
    """Note what the talk is about now, beside how its turns were understood."""
    with writing(engine) as session:
        row = _locked(session, conversation)
        if row is not None:
            row.context = wire.dump(context)


def commit_noted(engine: Engine, heard: Heard, known: Understood) -> None:
    """Note how a turn was understood that belongs to an order, not to the talk's form."""
    with writing(engine) as session:
        _locked(session, heard.conversation)
        turn = _turn_of(session, heard.conversation, heard.id)
        if turn is not None:
            turn.understood, turn.decision = wire.dump(known), known.decision


def note_pause(engine: Engine, heard: Heard) -> None:
    """Note that with this turn the citizen only wanted us to wait."""
    with writing(engine) as session:
        _locked(session, heard.conversation)
        turn = _turn_of(session, heard.conversation, heard.id)
        if turn is not None:
            turn.decision = PAUSED


def note_timings(
    engine: Engine, conversation: str, heard: str, timings: dict[str, float], answerer: str = ""
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Add to what a citizen's turn cost, by part, in ms; what was noted before, and is now.

    It ends the claim of ``answerer``, also where nothing was told.
    """
    with writing(engine) as session:
        _locked(session, conversation)
        turn = _turn_of(session, conversation, heard)
        if turn is None:
            return {}, {}
        if answerer and turn.answerer == answerer:
            turn.answer_by = None
        before = turn.timings
        turn.timings = {**before, **timings}
        return before, turn.timings


def count(engine: Engine, conversation: str, *, misses: int, silences: int) -> None:
    """Set how many misses and silences stand in a row."""
    with writing(engine) as session:
        row = _locked(session, conversation)
        if row is not None:
            row.misses, row.silences = misses, silences


def end_conversation(
    engine: Engine, conversation: str, at: datetime, rules: QueueRules | None = None
) -> bool:
    """The call or chat is over; whether somebody waited for a person, or had one.

    Who waited is called back, whoever had them gets wrap-up. Ending twice keeps the first time.
    """
    with writing(engine) as session:
        row = _locked(session, conversation)
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
        row = _locked(session, conversation)
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


def _locked(session: Session, conversation: str) -> Conversation | None:
    """The conversation, for this transaction alone.

    What is written to one conversation is committed in the order of its ``seq``: readers go on
    behind the last one they saw, and would never see one that was numbered before and committed
    after it.
    """
    return session.get(Conversation, conversation, with_for_update=FOR_CHANGE)


def _turn_of(session: Session, conversation: str, heard: str) -> Turn | None:
    return session.scalar(
        select(Turn).where(Turn.conversation_id == conversation, Turn.heard == heard)
    )
