"""Write a work order exactly once, with its number, history and outbox entry in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from config.city import City
from handoff.order.finishing import handed_over, told_anew
from handoff.order.writing import (
    Terms,
    add_missing,
    enter_queue,
    latest,
    queue_locked,
    raise_in_queue,
    talk_locked,
    told,
    write_new,
)
from store.engine import writing
from turns.orders import OrderDraft, WrittenOrder


def write(
    engine: Engine,
    draft: OrderDraft,
    *,
    now: datetime,
    city: City | None = None,
    danger: str = "",
    accepted: datetime | None = None,
) -> WrittenOrder:
    """Write ``draft``, or return what its ``key`` wrote before (``repeated``).

    ``now`` is aware and in the city's zone: its day is the number's day. The number is
    ``YYYYMMDD`` and five digits, gapless within the day, since it is counted up in the same
    transaction that inserts the order. ``city``: whose deadlines, repeats and links hold; the
    defaults without one. ``danger``: its topic in urgent.yaml, '' where unknown. ``accepted``: when
    the citizen told it, where that was before ``now`` (the journal): deadlines count from then.
    A form that was finished after its citizen had been handed over completes that order.
    """
    terms = Terms.of(city, now, danger, accepted)

    def step(session: Session) -> WrittenOrder:
        talk_locked(session, draft.conversation)
        order = handed_over(session, draft)
        if order is None:
            return write_new(session, draft, terms)
        told_anew(session, order, draft, terms)
        return told(order, repeated=True)

    return _exactly_once(engine, step)


def write_handoff(
    engine: Engine,
    draft: OrderDraft,
    *,
    handoff: str,
    reason: str,
    now: datetime,
    city: City | None = None,
    danger: str = "",
    accepted: datetime | None = None,
    queued: bool = True,
) -> WrittenOrder:
    """Write the order of a hand-over and the citizen's entry in the queue, both or neither.

    A conversation that already wrote an order (a finished complaint form) is handed over with that
    one, unless it is closed meanwhile; fields that ``draft`` knows and the order lacks are added.
    ``handoff`` is the entry's id: asked twice, it stands in the queue once; without ``queued`` not
    at all, and danger is only shown to who has them. The rest as :func:`write`.
    """
    terms = Terms.of(city, now, danger, accepted)

    def step(session: Session) -> WrittenOrder:
        talk_locked(session, draft.conversation)
        queue_locked(session, draft)
        order = latest(session, draft.conversation)
        wanted = draft
        if order is not None and order.closed_at is not None:
            wanted, order = replace(draft, key=f"{draft.key}#{order.number}"), None
        written = told(order, repeated=True) if order else write_new(session, wanted, terms)
        if order:
            add_missing(session, order, draft, terms)
        if queued:
            enter_queue(session, draft, written, handoff, reason, terms)
        else:
            raise_in_queue(session, draft, reason, draft.urgency, terms)
        return written

    return _exactly_once(engine, step)


def _exactly_once(engine: Engine, step: Callable[[Session], WrittenOrder]) -> WrittenOrder:
    try:
        with writing(engine) as session:
            written = step(session)
    except IntegrityError:  # somebody else wrote the same key first: theirs is the truth
        with writing(engine) as session:
            written = step(session)
    return written
