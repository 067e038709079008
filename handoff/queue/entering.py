"""How a citizen gets into the queue, inside the transaction that writes their order."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from config.queue import QueueRules
from handoff.queue.model import ACTIVE
from handoff.queue.rows import LOCK, change, lock_conversation, newest, note
from handoff.queue.wish import Wish, wish
from store.locks import one_at_a_time
from store.tables import Conversation, HandoffEntry, Outbox, Turn, WorkOrder


def enter(
    session: Session,
    *,
    handoff: str,
    conversation: str,
    order: str,
    channel: str,
    reason: str,
    urgency: str,
    skills: tuple[str, ...] = (),
    now: datetime,
    rules: QueueRules,
) -> str:
    """Put the citizen into the queue, in the caller's transaction; returns the entry's id.

    Who stands in it already, or talks with a person, stays where they are (danger makes the entry
    urgent); asked twice, nothing happens twice. Who comes again after their first entry is over
    gets a new one, ``handoff`` with a count behind it. ``skills`` are wanted beside those that the
    rules read from what was said, from matter and department. The conversation's state becomes
    waiting; history and outbox are written too.
    """
    talk = lock_conversation(session, conversation)
    known = newest(session, conversation, ACTIVE)
    if known is not None:
        raise_to_danger(session, known, reason, urgency, now, rules)
        return known.id
    found = _wish(session, talk, order, urgency, now, rules)
    row = HandoffEntry(
        id=_free_id(session, handoff), conversation_id=conversation, order_id=order,
        channel=channel, reason=reason, urgency=urgency, state="waiting", agent="",
        skills=list(dict.fromkeys((*skills, *found.skills))), priority=found.priority, tried=[],
        due_at=now + timedelta(seconds=rules.goal_s(channel, urgency)), edition=1,
        created_at=now, changed_at=now,
    )  # fmt: skip
    session.add(row)
    if talk is not None and talk.state in ("bot", "ended"):
        talk.state = "waiting"
    session.add(
        Outbox(key=f"handoff:{row.id}", topic="handoff.requested", created_at=now, sent_at=None,
               payload={"handoff": row.id, "order": order}),
    )  # fmt: skip
    note(session, row, "handed_over", now, actor="bot", data={"reason": reason})
    session.flush()
    return row.id


def raise_to_danger(
    session: Session,
    row: HandoffEntry,
    reason: str,
    urgency: str,
    now: datetime,
    rules: QueueRules,
) -> None:
    """Danger makes the entry urgent, in the caller's transaction; the conversation is locked.

    Who waits is to be answered as danger is from now on, and people hear of it if they are not.
    """
    if urgency != "danger" or row.urgency == "danger":
        return
    one_at_a_time(session, LOCK)
    session.refresh(row)
    change(session, row, "raised_to_danger", now, actor="bot", data={"reason": reason},
           urgency="danger")  # fmt: skip
    row.due_at = now + timedelta(seconds=rules.goal_s(row.channel, "danger"))
    row.alarmed_at = None


def _free_id(session: Session, handoff: str) -> str:
    """``handoff``, or with the next count behind it: an entry that is over stays as it was."""
    taken = set(
        session.scalars(
            select(HandoffEntry.id).where(
                or_(
                    HandoffEntry.id == handoff,
                    HandoffEntry.id.startswith(f"{handoff}#", autoescape=True),
                )
            )
        )
    )
    return handoff if not taken else f"{handoff}#{len(taken) + 1}"


def _wish(
    session: Session,
    talk: Conversation | None,
    order: str,
    urgency: str,
    now: datetime,
    rules: QueueRules,
) -> Wish:
    written = session.get(WorkOrder, order)
    said = (
        session.scalars(
            select(Turn.text).where(Turn.conversation_id == talk.id, Turn.speaker == "citizen")
        )
        if talk is not None
        else ()
    )
    return wish(
        said,
        matter=written.matter if written else "",
        department=written.department if written else "",
        urgency=urgency,
        repeats=_repeats(session, talk, now, rules),
        rules=rules,
    )


def _repeats(session: Session, talk: Conversation | None, now: datetime, rules: QueueRules) -> int:
    """How often this citizen asked for a person before, in other conversations."""
    if talk is None or not talk.citizen_mark:
        return 0
    since = now - timedelta(seconds=rules.priorities.repeat_within_s)
    query = (
        select(func.count())
        .select_from(HandoffEntry)
        .join(Conversation, Conversation.id == HandoffEntry.conversation_id)
        .where(
            Conversation.citizen_mark == talk.citizen_mark,
            Conversation.id != talk.id,
            HandoffEntry.created_at >= since,
        )
    )
    return session.scalar(query) or 0
