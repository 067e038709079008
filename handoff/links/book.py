"""What is due to be sent, and what became of it: the courier's book. Synchronous.

Whoever claims a row leases it: its next try is moved behind the lease, and the claim committed,
before anything is sent. A courier that dies then loses nothing: the row is due again when the
lease is over, under the same id. Several couriers pass over what another one is just claiming
(SKIP LOCKED; SQLite's writers stand in line).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, Select, select
from sqlalchemy.orm import Session

from config.links import Links, Party, Target
from handoff.alarms import raise_alarm
from handoff.links import message, updates
from handoff.links.deliver import Step
from handoff.links.linkage import OPEN, acknowledge
from store.engine import reading, writing
from store.locks import FOR_CHANGE
from store.tables import Delivery, Linkage, OrderEvent, Outbox, WorkOrder

TELL = "tell.%"
"""Topics of the outbox that are the citizen's, not another system's."""
_BATCH = 100
Others = Callable[[Session, Outbox], tuple[str, ...]]


def nobody_else(_session: Session, _entry: Outbox) -> tuple[str, ...]:
    """Webhooks alone are told."""
    return ()


@dataclass(frozen=True, slots=True)
class Claim:
    """One try that this courier makes: the ``tries``-th; ``since`` when it first became due."""

    id: str
    name: str
    body: bytes
    tries: int
    since: datetime


def fan_out(engine: Engine, links: Links, now: datetime, others: Others = nobody_else) -> int:
    """Make a delivery of each new outbox entry for each target that wants it; how many entries.

    ``others`` names who is told beside the webhooks' targets.
    """
    fresh = Outbox.sent_at.is_(None) & Outbox.topic.not_like(TELL)
    if not _any(engine, select(Outbox.id).where(fresh)):
        return 0
    query = select(Outbox).where(fresh).order_by(Outbox.id).limit(_BATCH)
    with writing(engine) as session:
        entries = session.scalars(query.with_for_update(skip_locked=True)).all()
        for entry in entries:
            names = [target.name for target in links.targets if target.is_told(entry.topic)]
            session.add_all(
                Delivery(id=delivery_id(entry.key, name), outbox_id=entry.id, target=name,
                         next_at=now, created_at=now)
                for name in (*names, *others(session, entry))
            )  # fmt: skip
            entry.sent_at = now
        return len(entries)


def delivery_id(key: str, target: str) -> str:
    """The stable id of one message to one target."""
    return hashlib.sha256(f"delivery:{key}:{target}".encode()).hexdigest()[:32]


def forget_strangers(engine: Engine, links: Links, others: Collection[str] = ()) -> int:
    """Give up what waits for targets that the city no longer lists; how many.

    ``others``: who is told beside the webhooks' targets.
    """
    names = [*others, *(target.name for target in links.targets)]
    gone = (Delivery.state == "waiting") & Delivery.target.not_in(names)
    if not _any(engine, select(Delivery.id).where(gone)):
        return 0
    with writing(engine) as session:
        rows = session.scalars(select(Delivery).where(gone)).all()
        for row in rows:
            row.state, row.fault = "given_up", "target_unknown"
        return len(rows)


def claim_news(
    engine: Engine, target: Target, links: Links, now: datetime, limit: int
) -> tuple[Claim, ...]:
    """Lease what is due to ``target``, the oldest first."""
    due = (
        (Delivery.target == target.name) & (Delivery.state == "waiting")
        & (Delivery.next_at <= now)
    )  # fmt: skip
    if not _any(engine, select(Delivery.id).where(due)):
        return ()
    query = select(Delivery).where(due).order_by(Delivery.next_at).limit(limit)
    with writing(engine) as session:
        rows = session.scalars(query.with_for_update(skip_locked=True)).all()
        return tuple(_claim_news(session, row, target, links, now) for row in rows)


def claim_danger(
    engine: Engine, party: Party, links: Links, now: datetime, limit: int
) -> tuple[Claim, ...]:
    """Lease what is due to ``party``, the oldest first."""
    due = (
        (Linkage.party == party.name) & (Linkage.direction == "out") & Linkage.state.in_(OPEN)
        & (Linkage.next_at <= now)
    )  # fmt: skip
    if not _any(engine, select(Linkage.id).where(due)):
        return ()
    query = select(Linkage).where(due).order_by(Linkage.next_at).limit(limit)
    with writing(engine) as session:
        rows = session.scalars(query.with_for_update(skip_locked=True)).all()
        return tuple(_claim_danger(session, row, party, links, now) for row in rows)


def _any(engine: Engine, query: Select[str] | Select[int]) -> bool:
    """Look before writing: on SQLite a writer makes others wait, and most looks find nothing."""
    with reading(engine) as session:
        return session.scalar(query.limit(1)) is not None


def _claim_news(
    session: Session, row: Delivery, target: Target, links: Links, now: datetime
) -> Claim:
    row.tries += 1
    row.next_at = now + timedelta(seconds=links.lease_s)
    entry = session.get_one(Outbox, row.outbox_id)
    body = message.of_news(
        session, target, delivery=row.id, topic=entry.topic, payload=entry.payload, at=now
    )
    return Claim(row.id, target.name, body, row.tries, row.created_at)


def _claim_danger(
    session: Session, row: Linkage, party: Party, links: Links, now: datetime
) -> Claim:
    row.tries += 1
    row.next_at = now + timedelta(seconds=links.lease_s)
    order = session.get_one(WorkOrder, row.order_id)
    body = message.of_danger(
        session, order, party, delivery=row.id, dangers=updates.topics(session, order.id),
        update=updates.about(session, row), at=now,
    )  # fmt: skip
    return Claim(row.id, party.name, body, row.tries, row.created_at)


def settle_news(engine: Engine, claim: Claim, step: Step, now: datetime) -> None:
    """Write down what became of a claim; not where its lease was over and somebody else tries."""
    with writing(engine) as session:
        row = session.get(Delivery, claim.id, with_for_update=FOR_CHANGE)
        if row is None or row.state != "waiting" or (row.tries != claim.tries and step.next_at):
            return
        row.state, row.status, row.fault = step.state, step.status, step.fault
        row.next_at = step.next_at or row.next_at
        if step.state == "sent":
            row.sent_at = now
        if step.state == "given_up":
            raise_alarm(session, f"webhook:{row.target}:{now:%Y%m%d}", "webhook_given_up",
                        row.target, f"推送给{row.target}一直不成功，已放弃", now)  # fmt: skip


def settle_danger(
    engine: Engine, claim: Claim, step: Step, party: Party, now: datetime
) -> bool:  # fmt: skip
    """The same for danger; whether a person was alarmed.

    An acknowledgement counts whoever got it, and nothing takes it back.
    """
    with writing(engine) as session:
        row = session.get(Linkage, claim.id, with_for_update=FOR_CHANGE)
        if row is None or row.state not in (*OPEN, "failed"):
            return False
        order = session.get_one(WorkOrder, row.order_id)
        if step.state == "acknowledged":
            row.sent_at = row.sent_at or now
            acknowledge(session, row, order, step.reference, now)
            return False
        if row.tries != claim.tries and step.next_at is not None:
            return False
        row.state, row.fault, row.next_at = step.state, step.fault, step.next_at
        if step.state == "sent":
            row.sent_at = row.sent_at or now
        if step.state not in ("refused", "failed"):
            return False
        _note(session, row, step.state, now)
        return _alarm(session, row, order, party.label, now)


def alarm_overdue(engine: Engine, links: Links, now: datetime) -> int:
    """Show a person each danger that was not acknowledged in time; how many.

    Any process may ask: the courier does, and the keeper, which outlives it.
    """
    open_ = (
        (Linkage.direction == "out") & Linkage.state.in_((*OPEN, "failed", "refused"))
        & Linkage.alarmed_at.is_(None)
    )  # fmt: skip
    least = min((party.alarm_after_s for party in links.parties), default=30.0)
    late = open_ & (Linkage.created_at <= now - timedelta(seconds=least))
    if not _any(engine, select(Linkage.id).where(late)):
        return 0
    with writing(engine) as session:
        rows = session.scalars(select(Linkage).where(late).with_for_update(skip_locked=True)).all()
        return sum(_alarm_if_late(session, row, links.party(row.party), now) for row in rows)


def _alarm_if_late(
    session: Session, row: Linkage, party: Party | None, now: datetime
) -> bool:  # fmt: skip
    patience = timedelta(seconds=party.alarm_after_s if party else 30)
    if row.created_at + patience > now:
        return False
    order = session.get_one(WorkOrder, row.order_id)
    return _alarm(session, row, order, party.label if party else row.party, now)


_WHY = {
    "refused": "拒收",
    "failed": "一直发不出去，已停止重试",
    "sent": "已送达，还没有确认",
    "waiting": "还没有送达",
}


def _alarm(session: Session, row: Linkage, order: WorkOrder, label: str, now: datetime) -> bool:
    kind = {"refused": "link_refused", "failed": "link_failed"}.get(
        row.state, "link_unacknowledged"
    )
    row.alarmed_at = now
    text = f"危险工单{order.number}：{label}{_WHY.get(row.state, '')}，请马上电话通报"
    return raise_alarm(
        session, f"{kind}:{row.id}:{row.created_at.timestamp():.0f}", kind, order.number, text, now
    )


def _note(session: Session, row: Linkage, state: str, now: datetime) -> None:
    session.add(
        OrderEvent(order_id=row.order_id, at=now, actor=row.party, event=f"link_{state}",
                   data={"party": row.party, "fault": row.fault})
    )  # fmt: skip
