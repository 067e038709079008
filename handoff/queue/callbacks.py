"""Whom to call back: once for each number, until somebody reached them."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Engine, select
from sqlalchemy.orm import Session

from config.queue import QueueRules
from handoff.alarms import raise_alarm
from handoff.queue.model import CallbackRow, QueueError
from handoff.queue.rows import (
    LOCK,
    change,
    is_agent,
    lock_conversation,
    newest,
    note,
)
from store.engine import reading, writing
from store.locks import FOR_CHANGE, one_at_a_time
from store.marks import marks_of, normalised
from store.tables import Callback, HandoffEntry, WorkOrder

UNDONE = ("open", "taken")
_LEAST_DIGITS = 3


def is_number(phone: str) -> bool:
    """Whether ``phone`` can be dialled; a withheld number or a chat's identity cannot."""
    number = normalised(phone)
    return number.lstrip("+").isdigit() and len(number) >= _LEAST_DIGITS


def ask_callback(
    engine: Engine, conversation: str, phone: str, now: datetime, rules: QueueRules
) -> bool:
    """The citizen would rather be called back at ``phone`` than wait; the bot has them again.

    False where they do not wait (any more), or ``phone`` is no number.
    """
    if not is_number(phone):
        return False
    with writing(engine) as session:
        talk = lock_conversation(session, conversation)
        one_at_a_time(session, LOCK)
        row = newest(session, conversation, ("waiting", "offered"))
        if row is None:
            return False
        call_back(session, row, phone, "asked", now, rules)
        if talk is not None and talk.ended_at is None:
            talk.state = "bot"
        return True


def call_back(
    session: Session, row: HandoffEntry, phone: str, reason: str, now: datetime, rules: QueueRules
) -> bool:
    """Note that ``row``'s citizen is to be called back; False for no number. Locks are held.

    An open call-back to the number only counts up: they tried again.
    """
    if not is_number(phone):
        return False
    known = session.scalar(
        select(Callback).where(_of(session, phone), Callback.state.in_(UNDONE)).limit(1)
    )
    within_s = rules.callbacks.within_s
    if row.urgency == "danger":
        within_s = min(within_s, rules.callbacks.danger_within_s)
    due_at = now + timedelta(seconds=within_s)
    if known is not None:
        known.calls += 1
        known.changed_at = now
        known.due_at = min(known.due_at or due_at, due_at)
    else:
        session.add(
            Callback(phone=normalised(phone), conversation_id=row.conversation_id,
                     order_id=row.order_id, handoff_id=row.id, reason=reason, state="open",
                     created_at=now, changed_at=now, due_at=due_at),
        )  # fmt: skip
    change(session, row, "callback", now, data={"reason": reason, "again": known is not None},
           state="callback", agent="", offer="", offer_until=None,
           ended_at=row.ended_at or now)  # fmt: skip
    return True


def met(session: Session, phone: str, now: datetime) -> None:
    """The citizen called again and talks with a person: nobody has to call them any more."""
    if not is_number(phone):
        return
    undone = select(Callback).where(_of(session, phone), Callback.state.in_(UNDONE))
    for row in session.scalars(undone.with_for_update(key_share=True)).all():
        row.state, row.changed_at = "done", now
        _tell(session, row, "callback_met", now, "system")


def open_callbacks(engine: Engine, now: datetime) -> tuple[CallbackRow, ...]:
    """Those to be called back, the most urgent first; also those that somebody has taken."""
    with reading(engine) as session:
        rows = session.scalars(
            select(Callback)
            .where(Callback.state.in_(UNDONE))
            .order_by(Callback.due_at, Callback.id)
        ).all()
        return tuple(callback_of(row, now) for row in rows)


def take_callback(engine: Engine, callback: int, login: str, now: datetime) -> CallbackRow:
    """``login`` calls them back now. Again is harmless.

    Raises :class:`QueueError` ``entry_unknown``, ``agent_unknown``, ``offer_gone`` (somebody else
    was faster, or it is done).
    """
    with writing(engine) as session:
        if not is_agent(session, login):
            raise QueueError("agent_unknown")
        row = _locked(session, callback)
        if row.state == "taken" and row.agent == login:
            return callback_of(row, now)
        if row.state != "open":
            raise QueueError("offer_gone")
        row.state, row.agent, row.changed_at = "taken", login, now
        _tell(session, row, "callback_taken", now, login)
        return callback_of(row, now)


def finish_callback(
    engine: Engine,
    callback: int,
    login: str,
    reached: bool,  # the one thing that is told
    note: str,
    now: datetime,
    rules: QueueRules,
) -> CallbackRow:
    """They were reached, or not: then again later, until ``rules.callbacks.tries`` have failed.

    Raises :class:`QueueError` ``entry_unknown``, ``not_yours``, ``entry_changed``.
    """
    with writing(engine) as session:
        row = _locked(session, callback)
        if row.state == "taken" and row.agent != login:
            raise QueueError("not_yours")
        if row.state != "taken":
            raise QueueError("entry_changed")
        row.changed_at, row.note = now, note or row.note
        if reached:
            row.state = "done"
            _tell(session, row, "callback_done", now, login, note)
            return callback_of(row, now)
        row.tries += 1
        _tell(session, row, "callback_failed", now, login, note)
        if row.tries >= rules.callbacks.tries:
            row.state = "failed"
            _give_up(session, row, now)
        else:
            row.state, row.agent = "open", ""
            row.due_at = now + timedelta(seconds=rules.callbacks.retry_s)
        return callback_of(row, now)


def _give_up(session: Session, row: Callback, now: datetime) -> None:
    """Nobody will call them any more: a person decides what becomes of them."""
    number = session.scalar(select(WorkOrder.number).where(WorkOrder.id == row.order_id)) or ""
    text = f"回拨{row.tries}次都没有联系上市民，不再自动安排回拨"
    raise_alarm(session, f"callback_failed:{row.id}", "callback_failed", number, text, now)


def reopen(session: Session, now: datetime, rules: QueueRules) -> tuple[Callback, ...]:
    """Call-backs that somebody took and never finished are open again. Locks are held."""
    before = now - timedelta(seconds=rules.callbacks.taken_s)
    rows = session.scalars(
        select(Callback).where(Callback.state == "taken", Callback.changed_at <= before)
    ).all()
    for row in rows:
        _tell(session, row, "callback_reopened", now, "system")
        row.state, row.agent, row.changed_at = "open", "", now
    return tuple(rows)


def callback_of(row: Callback, now: datetime) -> CallbackRow:
    """The row as a plain value."""
    return CallbackRow(
        id=row.id, phone=row.phone, conversation=row.conversation_id, order=row.order_id,
        handoff=row.handoff_id, reason=row.reason, state=row.state, agent=row.agent,
        calls=row.calls, tries=row.tries, note=row.note, created_at=row.created_at,
        due_at=row.due_at, overdue=row.due_at is not None and row.due_at < now,
    )  # fmt: skip


def _of(session: Session, phone: str) -> ColumnElement[bool]:
    marks = marks_of(session.get_bind(), phone)  # type: ignore[arg-type]  # a connection has the dialect too
    return Callback.mark.in_(marks) if marks else Callback.phone == normalised(phone)


def _locked(session: Session, callback: int) -> Callback:
    one_at_a_time(session, LOCK)
    row = session.get(Callback, callback, with_for_update=FOR_CHANGE, populate_existing=True)
    if row is None:
        raise QueueError("entry_unknown")
    return row


def _tell(
    session: Session, row: Callback, event: str, now: datetime, actor: str, text: str = ""
) -> None:
    entry = session.get_one(HandoffEntry, row.handoff_id)
    note(session, entry, event, now, actor=actor, text=text,
         data={"callback": row.id, "tries": row.tries})  # fmt: skip
