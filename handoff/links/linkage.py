"""Danger on its way to 110 and the departments: one row for each party, beside the order.

Only ``acknowledged`` may be told to a citizen: a machine never tells that help is coming before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from config.links import Links, Party
from handoff.alarms import raise_alarm
from handoff.links.updates import danger_told, link_id
from store.engine import reading, writing
from store.locks import FOR_CHANGE
from store.tables import Linkage, OrderEvent, Outbox, WorkOrder

OPEN = ("waiting", "sent")
"""The states in which somebody must still see to it that it arrives."""
NOT_CONFIGURED = "没有配置110联动，请马上电话通报"


@dataclass(frozen=True, slots=True)
class Ack:
    """A party that has said that it has the order; ``reference`` is its own number."""

    party: str
    reference: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Link:
    """Where one party stands: ``state`` waiting, sent, acknowledged, refused, failed, transferred.

    ``direction`` out (we told them) or in (they gave it to us); ``fault`` the last stable code.
    """

    party: str
    direction: str
    state: str
    reference: str
    fault: str
    tries: int
    created_at: datetime
    acknowledged_at: datetime | None


def write(
    session: Session, order: WorkOrder, *, danger: str, now: datetime, rules: Links
) -> tuple[str, ...]:
    """Put ``order`` on its way to whomever ``danger`` concerns, in the caller's transaction.

    ``danger`` is the topic of ``bot.urgent`` ('' where it is not known: everybody is told). Written
    twice it goes once; of another danger, whoever was told of the first is told too. Returns the
    parties' names; with none, people are alarmed at once.
    """
    danger_told(session, order, danger, now)
    departments = [order.department, *(str(each) for each in order.departments or ())]
    parties = [party for party in rules.parties if party.is_told(danger, departments)]
    fresh = [party for party in parties if _add(session, order, party, now)]
    if not parties:
        raise_alarm(session, f"link:{order.id}", "link_unconfigured", order.number,
                    f"工单{order.number}有危险：{NOT_CONFIGURED}", now)  # fmt: skip
    if fresh:
        names = [party.name for party in fresh]
        _note(session, order.id, "linked", now, danger=danger, parties=names)
        _tell_others(session, order, danger, now)
    return tuple(party.name for party in parties)


def push(
    engine: Engine, order: str, party: str, *, by: str, now: datetime, rules: Links
) -> str:  # fmt: skip
    """Somebody sends ``order`` (its id) to ``party`` by hand, also again; its state, or ''.

    '' where the city knows no such party or order. What was acknowledged is not sent again.
    """
    known = rules.party(party)
    with writing(engine) as session:
        row = session.get(WorkOrder, order, with_for_update=FOR_CHANGE)
        if row is None or known is None:
            return ""
        if not _add(session, row, known, now):
            link = session.get(Linkage, link_id(order, party), with_for_update=FOR_CHANGE)
            if link is None or link.state == "acknowledged":
                return "acknowledged" if link else ""
            link.state, link.next_at, link.fault = "waiting", now, ""
            link.created_at, link.alarmed_at = now, None
        _note(session, order, "linked", now, actor=by, parties=[party], danger="")
    return "waiting"


def acknowledged(engine: Engine, order: str) -> tuple[Ack, ...]:
    """Who has said that they have ``order`` (its id), the first one first."""
    query = (
        select(Linkage)
        .where(Linkage.order_id == order, Linkage.direction == "out",
               Linkage.state == "acknowledged")
        .order_by(Linkage.acknowledged_at, Linkage.party)
    )  # fmt: skip
    with reading(engine) as session:
        found: dict[str, Ack] = {}
        for row in session.scalars(query):
            if row.acknowledged_at is not None:
                found.setdefault(row.party, Ack(row.party, row.reference, row.acknowledged_at))
        return tuple(found.values())


def links_of(engine: Engine, order: str) -> tuple[Link, ...]:
    """Where every party stands with ``order`` (its id)."""
    query = select(Linkage).where(Linkage.order_id == order).order_by(Linkage.party)
    with reading(engine) as session:
        return tuple(
            Link(row.party, row.direction, row.state, row.reference, row.fault, row.tries,
                 row.created_at, row.acknowledged_at)
            for row in session.scalars(query)
        )  # fmt: skip


def transferred(engine: Engine, order: str, party: str, *, by: str, now: datetime) -> None:
    """The desk gave the caller to ``party`` by telephone: they have it, by word of mouth.

    It is no acknowledgement: a citizen who is not on that line is told nothing by it. What was on
    its way goes on, so that they have it in writing as well.
    """
    with writing(engine) as session:
        if session.get(WorkOrder, order, with_for_update=FOR_CHANGE) is None:
            return
        link = session.get(Linkage, f"{link_id(order, party)}.voice")
        if link is None:
            session.add(
                Linkage(id=f"{link_id(order, party)}.voice", order_id=order, party=party,
                        state="transferred", created_at=now, sent_at=now),
            )  # fmt: skip
        _note(session, order, "transferred", now, actor=by, party=party)


def acknowledge(
    session: Session, link: Linkage, order: WorkOrder, reference: str, now: datetime, **more: object
) -> bool:
    """Note that the party has the order, in the caller's transaction; False where it was known.

    ``more``: what else the event keeps. The citizen is told by whoever finds the outbox's entry
    (``tell.acknowledged``).
    """
    if link.state == "acknowledged":
        return False
    link.state, link.next_at, link.fault = "acknowledged", None, ""
    link.acknowledged_at, link.reference = now, reference
    if link.party == "110" and reference and not order.reference:
        order.reference = reference
    _note(session, order.id, "link_acknowledged", now, actor=link.party, reference=reference,
          **more)  # fmt: skip
    if _acknowledged_else(session, link):
        return True  # an update's: the citizen was told before that they have it
    payload = {"link": link.id, "order": order.id, "number": order.number, "party": link.party}
    session.add(Outbox(key=f"tell:{link.id}:{now.timestamp():.0f}", topic="tell.acknowledged",
                       payload=payload, created_at=now))  # fmt: skip
    return True


def _acknowledged_else(session: Session, link: Linkage) -> bool:
    """Whether the party has said before that it has the order."""
    found = session.scalar(
        select(Linkage.id)
        .where(Linkage.order_id == link.order_id, Linkage.party == link.party,
               Linkage.direction == "out", Linkage.state == "acknowledged", Linkage.id != link.id)
        .limit(1)
    )  # fmt: skip
    return found is not None


def _add(session: Session, order: WorkOrder, party: Party, now: datetime) -> bool:
    key = link_id(order.id, party.name)
    if session.get(Linkage, key) is not None:
        return False
    session.add(
        Linkage(id=key, order_id=order.id, party=party.name, created_at=now, next_at=now),
    )
    session.flush()
    return True


def _tell_others(session: Session, order: WorkOrder, danger: str, now: datetime) -> None:
    key = f"danger:{order.id}"
    if session.scalar(select(Outbox.id).where(Outbox.key == key)) is None:
        payload = {"order": order.id, "number": order.number, "danger": danger}
        session.add(Outbox(key=key, topic="order.danger", payload=payload, created_at=now))


def _note(
    session: Session, order: str, event: str, now: datetime, *, actor: str = "bot", **data: object
) -> None:
    session.add(OrderEvent(order_id=order, at=now, actor=actor, event=event, data=data))
