"""What is told of an order in danger after it was sent: a new danger, a number, a place.

Whoever was told of the danger is told of the new fact, once, under an id of its own; what was never
tried yet will tell it by itself, since a message is put together when it is sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.tables import Linkage, OrderEvent, WorkOrder, WorkOrderField

EVENT = "link_updated"
"""The event that names the fact, its danger, the parties, and the ids of what is sent."""
FACTS = frozenset({"phone", "contact", "where", "detail", "name", "what"})
"""The fields that whoever comes to help must know anew."""
_LINKED = ("linked", EVENT)


def link_id(order: str, party: str, fact: str = "") -> str:
    """The stable id of an order's way to a party, seen by the party on every try.

    ``fact``: what is told later, '' for the danger itself.
    """
    about = f"{party}#{fact}" if fact else party
    return hashlib.sha256(f"link:{order}:{about}".encode()).hexdigest()[:32]


def topics(session: Session, order: str) -> tuple[str, ...]:
    """The dangers told of the order, the first one first; '' is one that nobody could name."""
    rows = session.scalars(
        select(OrderEvent)
        .where(OrderEvent.order_id == order, OrderEvent.event.in_(_LINKED))
        .order_by(OrderEvent.id)
    )
    told = (row.data.get("danger") for row in rows)
    return tuple(dict.fromkeys(str(one) for one in told if one is not None))


def about(session: Session, link: Linkage) -> tuple[str, ...]:
    """What the link tells anew: names of fields, or danger; () for the danger told first."""
    rows = session.scalars(
        select(OrderEvent).where(OrderEvent.order_id == link.order_id, OrderEvent.event == EVENT)
    )
    found = (row.data.get("facts", ()) for row in rows if link.id in row.data.get("links", ()))
    return tuple(str(fact) for facts in found for fact in facts)


def is_another(session: Session, order: WorkOrder, danger: str) -> bool:
    """Whether ``danger`` is another one than those told of the order before."""
    known = topics(session, order.id)
    return bool(danger and known) and danger not in known


def danger_told(session: Session, order: WorkOrder, danger: str, now: datetime) -> None:
    """Another danger than those told before, in the caller's transaction."""
    if is_another(session, order, danger):
        _send(session, order, f"danger:{danger}", ["danger"], now, "bot", danger=danger)


def fields_told(
    session: Session, order: WorkOrder, names: Iterable[str], now: datetime, by: str = "bot"
) -> None:
    """Fields that were written or changed, in the caller's transaction; only while in danger."""
    told = sorted(FACTS & {*names})
    if order.urgency != "danger" or order.closed_at is not None or not told:
        return
    rows = session.scalars(
        select(WorkOrderField).where(
            WorkOrderField.order_id == order.id, WorkOrderField.name.in_(told)
        )
    )
    # Not by their values: nobody is to find out a number by trying what it hashes to.
    fact = ",".join(sorted(f"{row.name}:{len(row.former or ())}" for row in rows))
    if fact:
        _send(session, order, fact, told, now, by)


def _send(
    session: Session, order: WorkOrder, fact: str, facts: list[str], now: datetime, by: str,
    **more: str,
) -> None:  # fmt: skip
    told = session.scalars(
        select(Linkage).where(Linkage.order_id == order.id, Linkage.direction == "out")
    ).all()
    known = {link.id for link in told}
    parties = [
        link.party
        for link in told
        if link.id == link_id(order.id, link.party) and (link.tries or link.state != "waiting")
    ]
    fresh = {party: link_id(order.id, party, fact) for party in sorted(parties)}
    fresh = {party: id_ for party, id_ in fresh.items() if id_ not in known}
    session.add_all(
        Linkage(id=id_, order_id=order.id, party=party, created_at=now, next_at=now)
        for party, id_ in fresh.items()
    )
    if fresh or more:
        data = {"facts": facts, "parties": list(fresh), "links": list(fresh.values()), **more}
        session.add(OrderEvent(order_id=order.id, at=now, actor=by, event=EVENT, data=data))
        session.flush()
