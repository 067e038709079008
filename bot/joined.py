"""The record of a conversation while people talk: what they say, how they came and went.

Synchronous, as ``bot.records``.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError

from config.queue import PHONE, QueueRules
from handoff.order.writing import latest
from handoff.queue import service
from handoff.queue.model import ACTIVE, OPEN
from handoff.veil import veil_of
from store.engine import reading, writing
from store.locks import FOR_CHANGE
from store.tables import Conversation, HandoffEntry, OrderEvent, Turn, WorkOrderField
from turns.orders import OrderBrief
from turns.overheard import Overheard

PAGE = "web"
"""The channel whose citizens have a page open, or have gone."""
SPOKEN = "speech"
"""The kind of a turn that was spoken to the citizen by a person: nothing is to be told of it."""


def commit_overheard(engine: Engine, words: Overheard) -> bool:
    """Write what a person said on the telephone; False if its id is there already.

    Raises KeyError where the conversation is unknown.
    """
    try:
        with writing(engine) as session:
            if session.get(Conversation, words.conversation, with_for_update=FOR_CHANGE) is None:
                raise KeyError(words.conversation)
            session.add(_turn(words))
    except IntegrityError:
        return False
    return True


def _turn(words: Overheard) -> Turn:
    return Turn(
        conversation_id=words.conversation,
        speaker="agent",
        kind=SPOKEN,
        heard=words.id,
        text=words.text,
        confidence=words.confidence,
        at=words.at,
        recording=words.audio.recording if words.audio else "",
        audio_start_ms=words.audio.start_ms if words.audio else None,
        audio_end_ms=words.audio.end_ms if words.audio else None,
    )


def parted(
    engine: Engine, conversation: str, at: datetime, rules: QueueRules | None = None
) -> None:
    """The person is gone and the citizen still there: the bot has the conversation again."""
    with writing(engine) as session:
        service.part(session, conversation, at, rules or QueueRules())


def with_people(engine: Engine, *, calls: bool) -> tuple[str, ...]:
    """Conversations whose citizens wait for a person or have one: calls, or chats with a page.

    Who writes from elsewhere (WeChat) has no page that could be closed: they are always there.
    """
    channel = HandoffEntry.channel == PHONE if calls else HandoffEntry.channel == PAGE
    with reading(engine) as session:
        return tuple(
            session.scalars(
                select(HandoffEntry.conversation_id)
                .where(HandoffEntry.state.in_(ACTIVE), channel)
                .distinct()
            )
        )


def given_back(engine: Engine, conversation: str) -> bool:
    """Whether the desk gave the citizen back to the bot, and they are its own again."""
    with reading(engine) as session:
        state = session.scalar(
            select(HandoffEntry.state)
            .where(HandoffEntry.conversation_id == conversation)
            .order_by(HandoffEntry.created_at.desc(), HandoffEntry.id.desc())
            .limit(1)
        )
        return state == "bot"


def not_connected(engine: Engine, conversation: str, at: datetime, cause: str) -> None:
    """Nobody could be reached: the citizen goes on waiting, and each order says why."""
    with writing(engine) as session:
        if session.get(Conversation, conversation, with_for_update=FOR_CHANGE) is None:
            return
        waiting = select(HandoffEntry).where(
            HandoffEntry.conversation_id == conversation, HandoffEntry.state.in_(OPEN)
        )
        for entry in session.scalars(waiting):
            session.add(
                OrderEvent(
                    order_id=entry.order_id, at=at, actor="system", event="not_connected",
                    data={"cause": cause},
                )
            )  # fmt: skip


def order_brief(engine: Engine, conversation: str) -> OrderBrief | None:
    """What a person who sees no screen must know of the citizen's order, or None.

    Who reported a secret order is told to them only in danger, when they may have to call back.
    """
    with reading(engine) as session:
        order = latest(session, conversation)
        if order is None:
            return None
        fields = session.scalars(select(WorkOrderField).where(WorkOrderField.order_id == order.id))
        values = {field.name: field.value for field in fields}
        if order.secret and order.urgency != "danger":
            over = veil_of(values).over
            values = {name: over(values.get(name, "")) for name in ("where", "what")}
        return OrderBrief(
            number=order.number,
            kind=order.kind,
            urgency=order.urgency,  # type: ignore[arg-type]  # written from an Urgency
            where=values.get("where", ""),
            what=values.get("what", ""),
            phone=values.get("phone", ""),
        )
