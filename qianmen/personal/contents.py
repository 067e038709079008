"""What is known of one citizen, as one JSON document."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from qianmen.personal.find import Concerned
from qianmen.personal.wechat import known_of_wechat
from store.tables import (
    Attachment,
    Callback,
    Conversation,
    OrderEvent,
    Recording,
    Turn,
    WorkOrder,
    WorkOrderField,
)


def contents(session: Session, concerned: Concerned) -> dict[str, Any]:
    """A conversation with its turns, orders and recordings.

    Of somebody else's conversation only what is about this citizen: the order with their number,
    and the turns that its fields were taken from. No recording, and not who called.
    """
    row = session.get_one(Conversation, concerned.conversation)
    orders = [_order(session, order) for order in concerned.orders]
    turns = session.scalars(
        select(Turn).where(Turn.conversation_id == row.id).order_by(Turn.seq)
    ).all()
    known: dict[str, Any] = {
        "id": row.id, "relation": concerned.relation, "channel": row.channel, "line": row.line,
        "started_at": _iso(row.started_at), "ended_at": _iso(row.ended_at),
        "erased_at": _iso(row.erased_at), "orders": orders,
    }  # fmt: skip
    if concerned.relation == "told":
        quoted = {field["turn"] for order in orders for field in order["fields"]}
        return known | {"turns": [_turn(turn) for turn in turns if turn.heard in quoted]}
    return known | {
        "citizen": row.citizen,
        "context": row.context,
        "slots": row.slots,
        "turns": [_turn(turn) for turn in turns],
        "recordings": _recordings(session, row.id),
        "callbacks": _callbacks(session, row.id),
        "attachments": _attachments(session, row.id),
        "wechat": known_of_wechat(session, row.id),
    }


def _turn(turn: Turn) -> dict[str, Any]:
    return {
        "speaker": turn.speaker, "kind": turn.kind, "text": turn.text, "at": _iso(turn.at),
        "confidence": turn.confidence, "alternatives": turn.alternatives,
        "attachments": turn.attachments, "reply": turn.reply, "understood": turn.understood,
        "recording": turn.recording, "start_ms": turn.audio_start_ms, "end_ms": turn.audio_end_ms,
    }  # fmt: skip


def _order(session: Session, order: str) -> dict[str, Any]:
    row = session.get_one(WorkOrder, order)
    fields = session.scalars(
        select(WorkOrderField).where(WorkOrderField.order_id == order).order_by(WorkOrderField.id)
    )
    events = session.scalars(
        select(OrderEvent).where(OrderEvent.order_id == order).order_by(OrderEvent.id)
    )
    return {
        "number": row.number, "created_at": _iso(row.created_at), "kind": row.kind,
        "urgency": row.urgency, "state": row.state, "title": row.title, "matter": row.matter,
        "summary": row.summary, "secret": row.secret,
        "department": row.department, "erased_at": _iso(row.erased_at),
        "fields": [
            {"name": f.name, "value": f.value, "turn": f.turn, "quote": f.quote, "at": _iso(f.at),
             "confidence": f.confidence, "rule": f.rule, "confirmed_by": f.confirmed_by,
             "former": f.former}
            for f in fields
        ],
        "events": [
            {"at": _iso(e.at), "actor": e.actor, "event": e.event, "from_state": e.from_state,
             "to_state": e.to_state, "text": e.text}
            for e in events
        ],
    }  # fmt: skip


def _recordings(session: Session, conversation: str) -> list[dict[str, Any]]:
    rows = session.scalars(
        select(Recording)
        .where(Recording.conversation_id == conversation)
        .order_by(Recording.started_at)
    )
    return [
        {"id": row.id, "path": row.path, "started_at": _iso(row.started_at),
         "duration_ms": row.duration_ms, "deleted_at": _iso(row.deleted_at)}
        for row in rows
    ]  # fmt: skip


def _attachments(session: Session, conversation: str) -> list[dict[str, Any]]:
    rows = session.scalars(
        select(Attachment).where(Attachment.conversation_id == conversation).order_by(Attachment.at)
    )
    return [
        {"id": row.id, "kind": row.kind, "media_type": row.media_type, "path": row.path,
         "text": row.text, "at": _iso(row.at), "deleted_at": _iso(row.deleted_at)}
        for row in rows
    ]  # fmt: skip


def _callbacks(session: Session, conversation: str) -> list[dict[str, Any]]:
    rows = session.scalars(
        select(Callback).where(Callback.conversation_id == conversation).order_by(Callback.id)
    )
    return [
        {"phone": row.phone, "reason": row.reason, "state": row.state, "calls": row.calls,
         "tries": row.tries, "note": row.note, "created_at": _iso(row.created_at)}
        for row in rows
    ]  # fmt: skip


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
