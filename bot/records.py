"""Write the conversation's record: that it begins and ends, what is heard. Synchronous."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from bot import rows
from bot.claims import Claim
from bot.outset import Outset, outset_of
from config.queue import QueueRules
from handoff.queue import service
from store.engine import writing
from store.tables import Conversation, Recording
from turns import wire
from turns.context import Context
from turns.heard import Heard
from turns.replies import Reply, Told


@dataclass(frozen=True, slots=True)
class Opening:
    """Who talks to us, by what way, and from which region (code; '' where unknown)."""

    conversation: str
    channel: str
    line: str
    citizen: str
    at: datetime
    region: str = ""


def open_conversation(engine: Engine, opening: Opening, greeting: Reply | None = None) -> bool:
    """Make the conversation, and tell ``greeting`` first of all; False if it exists already."""
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
            session.flush()
            if greeting is not None:
                told = Told(0, opening.conversation, "bot", greeting, opening.at, last=True)
                rows.add_told(session.connection(), told)
    except IntegrityError:
        return False
    return True


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
            connection = rows.hold(session, heard.conversation)
            talk = rows.find_talk(connection, heard.conversation)
            if talk is None:
                raise KeyError(heard.conversation)
            rows.add_turn(connection, _heard_row(heard, claim))
            return Committed(None if talk.claimed else outset_of(session, talk))
    except IntegrityError:
        return None


def _heard_row(heard: Heard, claim: Claim | None) -> dict[str, Any]:
    audio = heard.audio
    return {
        "conversation_id": heard.conversation,
        "speaker": "citizen",
        "kind": heard.kind,
        "heard": heard.id,
        "text": heard.text,
        "confidence": heard.confidence,
        "alternatives": [wire.dump(other) for other in heard.alternatives],
        "attachments": [wire.dump(item) for item in heard.attachments],
        "at": heard.at,
        "recording": audio.recording if audio else "",
        "audio_start_ms": audio.start_ms if audio else None,
        "audio_end_ms": audio.end_ms if audio else None,
        "answerer": claim.by if claim else "",
        "answer_by": claim.until if claim else None,
    }


def end_conversation(
    engine: Engine, conversation: str, at: datetime, rules: QueueRules | None = None
) -> bool:
    """The call or chat is over; whether somebody waited for a person, or had one.

    Who waited is called back, whoever had them gets wrap-up. Ending twice keeps the first time.
    """
    with writing(engine) as session:
        row = rows.locked(session, conversation)
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
        row = rows.locked(session, conversation)
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
