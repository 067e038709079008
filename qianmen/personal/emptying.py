"""Take what a citizen said and is out of the record; its skeleton stays.

Rows are kept, so that order numbers stay gapless and the statistics (how many, when, which act,
which answer) stay true.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from qianmen.personal.wechat import forget_wechat
from store.tables import (
    Attachment,
    Callback,
    Conversation,
    HandoffEntry,
    OrderEvent,
    Survey,
    Turn,
    WorkOrder,
    WorkOrderField,
)

# What remains of a reply and of how a turn was understood: codes and ids, no words.
_REPLY = ("type", "id", "answer", "expects", "reason", "urgency", "order", "number", "target")
_UNDERSTOOD = ("act", "decision", "matter", "aspect", "answer", "order")
# Fields of an order that are about the matter, not about the citizen.
_IMPERSONAL = frozenset(
    {"kind", "matter", "department", "departments", "code", "urgency", "secret", "visit"}
)


def empty_conversation(session: Session, conversation: str, now: datetime) -> None:
    """Who it was and every word of it, whoever said it: the front door repeats what it heard."""
    row = session.get_one(Conversation, conversation)
    row.citizen, row.context, row.slots, row.erased_at = "", {}, [], now
    for turn in session.scalars(select(Turn).where(Turn.conversation_id == conversation)):
        turn.text, turn.alternatives, turn.attachments = "", [], []
        turn.reply, turn.understood = bare_reply(turn.reply), bare_understood(turn.understood)
    for sent in session.scalars(
        select(Attachment).where(Attachment.conversation_id == conversation)
    ):
        sent.text = ""
    forget_wechat(session, conversation)
    for entry in session.scalars(
        select(HandoffEntry).where(HandoffEntry.conversation_id == conversation)
    ):
        entry.note = ""
    for callback in session.scalars(
        select(Callback).where(Callback.conversation_id == conversation)
    ):
        callback.phone, callback.note = "", ""
    for asked in session.scalars(select(Survey).where(Survey.conversation_id == conversation)):
        asked.why = ""


def bare_reply(reply: dict[str, Any]) -> dict[str, Any]:
    """A dumped reply without its words; still one that ``turns.wire`` loads."""
    bare = {name: reply[name] for name in _REPLY if name in reply}
    return {**bare, "text": ""} if "text" in reply else bare


def bare_understood(understood: dict[str, Any]) -> dict[str, Any]:
    """How a turn was understood, without what was taken from it."""
    return {name: understood[name] for name in _UNDERSTOOD if name in understood}


def empty_order(session: Session, order: str, now: datetime) -> None:
    """The title and what the fields hold of the citizen; number, kind and history stay."""
    row = session.get_one(WorkOrder, order)
    row.title, row.summary, row.erased_at = "", "", now
    for field in session.scalars(select(WorkOrderField).where(WorkOrderField.order_id == order)):
        field.quote, field.former = "", []
        if field.name not in _IMPERSONAL:
            field.value = ""
    for step in session.scalars(select(OrderEvent).where(OrderEvent.order_id == order)):
        step.text = ""
