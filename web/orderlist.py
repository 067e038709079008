"""The list of work orders: narrowed down, sorted, by page or by cursor. Synchronous."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Engine,
    Integer,
    Row,
    Select,
    and_,
    case,
    cast,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session

from handoff.order.veiled import veils
from store.engine import reading
from store.tables import Conversation, WorkOrder
from web.due import OPEN, Due, deadline
from web.orderfind import MAX_SEARCH_CHARS as MAX_SEARCH_CHARS
from web.orderfind import NEVER, narrowed, view_is
from web.orderfind import SEALED_SEARCH_ORDERS as SEALED_SEARCH_ORDERS
from web.orderfind import Wanted as Wanted
from web.orderfind import due_soon as due_soon
from web.orderfind import overdue as overdue

PAGE_SIZE = 50
VIEWS = ("", "mine", "soon", "overdue", "repeats", "secret")
"""What an agent looks for first; '' is everything, the others leave out what is archived, unless
that is the state asked for."""
SORTS = ("newest", "oldest", "due", "urgency")
ARCHIVED = "归档"


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order as the list shows it."""

    number: str
    created_at: datetime
    channel: str
    line: str
    kind: str
    urgency: str
    state: str
    title: str
    matter: str
    department: str
    conversation: str
    conversation_state: str
    departments: tuple[str, ...] = ()
    code: str = ""
    agent: str = ""
    secret: bool = False
    sign_by: datetime | None = None
    due_at: datetime | None = None
    extended_to: datetime | None = None
    repeat_count: int = 1
    urged: int = 0
    level: int = 0
    edition: int = 1
    changed_at: datetime | None = None

    def due(self, now: datetime) -> Due | None:
        """The deadline that counts at ``now``."""
        return deadline(self.state, self.sign_by, self.due_at, self.extended_to, now)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many orders each choice would show, the other choices standing as they are."""

    views: Mapping[str, int] = field(default_factory=dict)
    states: Mapping[str, int] = field(default_factory=dict)
    urgencies: Mapping[str, int] = field(default_factory=dict)
    kinds: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OrderPage:
    """One page of the list; ``total`` orders fit what is wanted, on ``pages`` pages."""

    rows: tuple[OrderRow, ...]
    total: int
    page: int
    pages: int
    counts: Counts = Counts()


def list_orders(engine: Engine, wanted: Wanted, now: datetime) -> OrderPage:
    """One page, with the counts of every choice.

    Where the city set a key, a search finds parts of numbers, whole telephone numbers, and titles
    among the newest ``SEALED_SEARCH_ORDERS``.
    """
    with reading(engine) as session:
        base = narrowed(engine, session, wanted)
        counts, total = _counts(session, base, wanted, now)
        pages = max(1, -(-total // PAGE_SIZE))
        page = min(max(1, wanted.page), pages)
        found = session.execute(
            with_conversation()
            .where(*base, *_choices(wanted, now))
            .order_by(*_order(wanted.sort))
            .limit(PAGE_SIZE)
            .offset((page - 1) * PAGE_SIZE)
        ).all()
        rows = _rows(session, found, wanted)
    return OrderPage(rows, total, page, pages, counts)


def orders_after(
    engine: Engine, wanted: Wanted, now: datetime, cursor: str = "", limit: int = PAGE_SIZE
) -> tuple[tuple[OrderRow, ...], str]:
    """Up to ``limit`` orders after ``cursor``, newest first, and the next cursor ('' at the end).

    Orders that come meanwhile shift nothing. Raises :class:`ValueError` for a broken cursor.
    """
    after = _read_cursor(cursor)
    with reading(engine) as session:
        where = [*narrowed(engine, session, wanted), *_choices(wanted, now)]
        if after is not None:
            at, number = after
            older = and_(WorkOrder.created_at == at, WorkOrder.number < number)
            where.append(or_(WorkOrder.created_at < at, older))
        found = session.execute(
            with_conversation().where(*where).order_by(*_order("newest")).limit(limit + 1)
        ).all()
        rows = _rows(session, found[:limit], wanted)
    return rows, _cursor(rows[-1]) if len(found) > limit else ""


def _rows(
    session: Session, found: Sequence[Row[WorkOrder, str]], wanted: Wanted
) -> tuple[OrderRow, ...]:
    """Secret orders that are not for who asks stand behind their veil."""
    secret = [order.id for order, _ in found if order.secret]
    if wanted.may_see is not None and secret:
        seen = select(WorkOrder.id).where(WorkOrder.id.in_(secret), wanted.may_see)
        secret = sorted({*secret} - set(session.scalars(seen)))
    over = veils(session, secret if wanted.may_see is not None else ())
    rows = ((order.id, row_of(order, state)) for order, state in found)
    return tuple(
        replace(row, title=over[id_].over(row.title)) if id_ in over else row for id_, row in rows
    )


def with_conversation() -> Select[WorkOrder, str]:
    """Orders, each with the state of its conversation."""
    return select(WorkOrder, Conversation.state).join(
        Conversation, Conversation.id == WorkOrder.conversation_id
    )


def row_of(order: WorkOrder, state: str) -> OrderRow:
    """The order as the list shows it; ``state`` is its conversation's."""
    return OrderRow(
        number=order.number, created_at=order.created_at, channel=order.channel, line=order.line,
        kind=order.kind, urgency=order.urgency, state=order.state, title=order.title,
        matter=order.matter, department=order.department, conversation=order.conversation_id,
        conversation_state=state, departments=tuple(str(name) for name in order.departments or ()),
        code=order.code, agent=order.agent, secret=order.secret, sign_by=order.sign_by,
        due_at=order.due_at, extended_to=order.extended_to, repeat_count=order.repeat_count,
        urged=order.urged, level=order.level, edition=order.edition, changed_at=order.changed_at,
    )  # fmt: skip


def _choices(wanted: Wanted, now: datetime) -> list[ColumnElement[bool]]:
    """The choices that the page counts."""
    chosen = [
        column == value
        for column, value in ((WorkOrder.urgency, wanted.urgency), (WorkOrder.kind, wanted.kind),
                              (WorkOrder.state, wanted.state))
        if value
    ]  # fmt: skip
    if wanted.view:
        chosen += [view_is(wanted.view, wanted.login, now), *_not_archived(wanted)]
    return chosen


def _not_archived(wanted: Wanted) -> list[ColumnElement[bool]]:
    return [] if wanted.state == ARCHIVED else [WorkOrder.state != ARCHIVED]


def _counts(
    session: Session, base: list[ColumnElement[bool]], wanted: Wanted, now: datetime
) -> tuple[Counts, int]:
    """Groups of state, urgency and kind: how many, and of what is not archived each view's.

    The first is read from an index alone; the second looks at orders, but at few.
    """
    keys = (WorkOrder.state, WorkOrder.urgency, WorkOrder.kind)
    everything = select(*keys, func.count()).where(*base).group_by(*keys)
    sums = [func.sum(cast(case((view_is(view, wanted.login, now), 1), else_=0), Integer))
            for view in VIEWS[1:]]  # fmt: skip
    viewed = select(*keys, *sums).where(*base, *_not_archived(wanted)).group_by(*keys)
    groups = {_key(row): {"": int(row[3])} for row in session.execute(everything)}
    for row in session.execute(viewed):
        groups[_key(row)] |= {name: int(row[3 + n]) for n, name in enumerate(VIEWS[1:])}
    return _tally(groups, wanted)


def _key(row: Any) -> tuple[str, str, str]:
    return row[0], row[1], row[2]


def _tally(
    groups: Mapping[tuple[str, str, str], Mapping[str, int]], wanted: Wanted
) -> tuple[Counts, int]:
    """Each choice's count with the other choices as they are, and the count of all of them."""
    chosen = (wanted.state, wanted.urgency, wanted.kind)
    facets: list[dict[str, int]] = [{}, {}, {}]
    views = dict.fromkeys(VIEWS, 0)
    for key, figures in groups.items():
        misses = [n for n in range(3) if chosen[n] and chosen[n] != key[n]]
        if not misses:
            views = {name: views[name] + figures.get(name, 0) for name in VIEWS}
        for n in range(3):
            if misses in ([], [n]):
                facets[n][key[n]] = facets[n].get(key[n], 0) + figures.get(wanted.view, 0)
    return Counts(views, *facets), views.get(wanted.view, 0)


def _order(sort: str) -> tuple[Any, ...]:
    newest = (WorkOrder.created_at.desc(), WorkOrder.number.desc())
    if sort == "due":
        final = func.coalesce(WorkOrder.extended_to, WorkOrder.due_at, NEVER)
        closed = case((WorkOrder.state.in_(OPEN), 0), else_=1)
        return closed, final, *newest
    if sort == "urgency":
        rank = case((WorkOrder.urgency == "danger", 0), (WorkOrder.urgency == "urgent", 1), else_=2)
        return rank, *newest
    if sort == "oldest":
        return WorkOrder.created_at, WorkOrder.number
    return newest


def _cursor(row: OrderRow) -> str:
    told = f"{row.created_at.astimezone(UTC).isoformat()}|{row.number}"
    return base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[datetime, str] | None:
    if not cursor:
        return None
    try:
        told = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        at, _, number = told.partition("|")
        moment = datetime.fromisoformat(at)
    except (binascii.Error, UnicodeError, ValueError) as error:
        raise ValueError("the cursor is broken") from error
    if moment.tzinfo is None or not number.isdecimal():
        raise ValueError("the cursor is broken")
    return moment, number
