"""The list of work orders: narrowed down, sorted, by page or by cursor. Synchronous."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Engine,
    Integer,
    Select,
    Text,
    and_,
    case,
    cast,
    false,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session

from config.orders import OrderRules
from store.engine import reading
from store.marks import marks_of, normalised
from store.seal import seal_of
from store.tables import Conversation, WorkOrder, WorkOrderField
from web.accounts import Member
from web.due import OPEN, SIGNING, SOON, Due, deadline
from web.secrecy import open_to

PAGE_SIZE = 50
MAX_SEARCH_CHARS = 60
SEALED_SEARCH_ORDERS = 5000
"""Sealed titles cannot be searched by the database: so many of the newest are opened and read."""
VIEWS = ("", "mine", "soon", "overdue", "repeats", "secret")
"""What an agent looks for first; '' is everything, the others leave out what is archived, unless
that is the state asked for."""
SORTS = ("newest", "oldest", "due", "urgency")
ARCHIVED = "归档"
_FOUND_MOST = 1000
_SHORTEST_NUMBER = 7
_LONG_NUMBER = 13
_ORDER_NUMBER = re.compile(r"20\d{7,11}")
_WHOLE_PHONE = re.compile(r"1[3-9]\d{9}|0\d{9,11}")
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the list is narrowed to; '' is everything; ``page`` counts from 1.

    ``login`` is whose orders ``view`` mine means. ``department`` has the order as 主办 or 协办.
    ``may_see`` (None: all) are the orders that may be found by who reported them.
    """

    search: str = ""
    urgency: str = ""
    kind: str = ""
    page: int = 1
    state: str = ""
    view: str = ""
    department: str = ""
    code: str = ""
    channel: str = ""
    sort: str = "newest"
    login: str = ""
    may_see: ColumnElement[bool] | None = None

    def of(self, member: Member, rules: OrderRules) -> Wanted:
        """As ``member`` may look: a telephone number finds no secret order that is not theirs."""
        return replace(self, login=member.login, may_see=open_to(member, rules))

    @property
    def narrowed(self) -> bool:
        """Whether anything is left out."""
        return any((self.search, self.urgency, self.kind, self.state, self.view,
                    self.department, self.code, self.channel))  # fmt: skip


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
        base = _base(engine, session, wanted)
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
        rows = tuple(row_of(order, state) for order, state in found)
    return OrderPage(rows, total, page, pages, counts)


def orders_after(
    engine: Engine, wanted: Wanted, now: datetime, cursor: str = "", limit: int = PAGE_SIZE
) -> tuple[tuple[OrderRow, ...], str]:
    """Up to ``limit`` orders after ``cursor``, newest first, and the next cursor ('' at the end).

    Orders that come meanwhile shift nothing. Raises :class:`ValueError` for a broken cursor.
    """
    after = _read_cursor(cursor)
    with reading(engine) as session:
        where = [*_base(engine, session, wanted), *_choices(wanted, now)]
        if after is not None:
            at, number = after
            older = and_(WorkOrder.created_at == at, WorkOrder.number < number)
            where.append(or_(WorkOrder.created_at < at, older))
        found = session.execute(
            with_conversation().where(*where).order_by(*_order("newest")).limit(limit + 1)
        ).all()
    rows = tuple(row_of(order, state) for order, state in found[:limit])
    return rows, _cursor(rows[-1]) if len(found) > limit else ""


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


def overdue(now: datetime) -> ColumnElement[bool]:
    """Orders whose deadline has passed, as :func:`web.due.deadline` has it."""
    return _due_by(now)


def due_soon(now: datetime) -> ColumnElement[bool]:
    """Orders whose deadline is near and has not passed."""
    return and_(_due_by(now + SOON), ~_due_by(now))


def _due_by(moment: datetime) -> ColumnElement[bool]:
    final = func.coalesce(WorkOrder.extended_to, WorkOrder.due_at, _NEVER)
    signing = and_(WorkOrder.state == SIGNING, func.coalesce(WorkOrder.sign_by, _NEVER) < moment)
    late = or_(and_(WorkOrder.state.in_(OPEN), final < moment), signing)
    return and_(late, WorkOrder.merged_into.is_(None))


def _view(view: str, login: str, now: datetime) -> ColumnElement[bool]:
    """What ``view`` narrows to; an unknown one to nothing."""
    known: dict[str, ColumnElement[bool]] = {
        "": true(),
        "mine": and_(WorkOrder.agent == login, WorkOrder.agent != ""),
        "soon": due_soon(now),
        "overdue": overdue(now),
        "repeats": WorkOrder.repeat_count > 1,
        "secret": WorkOrder.secret.is_(True),
    }
    return known.get(view, false())


def _choices(wanted: Wanted, now: datetime) -> list[ColumnElement[bool]]:
    """The choices that the page counts."""
    chosen = [
        column == value
        for column, value in ((WorkOrder.urgency, wanted.urgency), (WorkOrder.kind, wanted.kind),
                              (WorkOrder.state, wanted.state))
        if value
    ]  # fmt: skip
    if wanted.view:
        chosen += [_view(wanted.view, wanted.login, now), *_not_archived(wanted)]
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
    sums = [func.sum(cast(case((_view(view, wanted.login, now), 1), else_=0), Integer))
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
        final = func.coalesce(WorkOrder.extended_to, WorkOrder.due_at, _NEVER)
        closed = case((WorkOrder.state.in_(OPEN), 0), else_=1)
        return closed, final, *newest
    if sort == "urgency":
        rank = case((WorkOrder.urgency == "danger", 0), (WorkOrder.urgency == "urgent", 1), else_=2)
        return rank, *newest
    if sort == "oldest":
        return WorkOrder.created_at, WorkOrder.number
    return newest


def _base(engine: Engine, session: Session, wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.channel:
        conditions.append(WorkOrder.channel == wanted.channel)
    if wanted.code:
        conditions.append(WorkOrder.code == wanted.code)
    if wanted.department:
        conditions.append(_has_department(wanted.department))
    words = wanted.search.strip()[:MAX_SEARCH_CHARS]
    if words:
        conditions.append(_search(engine, session, words, wanted))
    return conditions


def _has_department(name: str) -> ColumnElement[bool]:
    """As 主办, or among the 协办, which are kept as JSON (escaped, or plainly by PostgreSQL)."""
    listed = cast(WorkOrder.departments, Text)
    return or_(
        WorkOrder.department == name,
        listed.contains(json.dumps(name), autoescape=True),
        listed.contains(json.dumps(name, ensure_ascii=False), autoescape=True),
    )


def _search(engine: Engine, session: Session, words: str, wanted: Wanted) -> ColumnElement[bool]:
    """Part of the number, words of the title, or a telephone number (sealed: the whole of it)."""
    if _ORDER_NUMBER.fullmatch(words):
        return WorkOrder.number.between(words, words + "9" * _LONG_NUMBER)
    sealed = seal_of(engine) is not None
    found: list[ColumnElement[bool]] = [WorkOrder.number.contains(words, autoescape=True)]
    by_phone = _by_phone(engine, words, sealed=sealed)
    if by_phone and _is_whole(engine, words):
        return and_(or_(*by_phone), true() if wanted.may_see is None else wanted.may_see)
    if by_phone:
        found.append(and_(or_(*by_phone), true() if wanted.may_see is None else wanted.may_see))
    if not sealed:
        found += [WorkOrder.title.contains(words, autoescape=True),
                  WorkOrder.summary.contains(words, autoescape=True)]  # fmt: skip
        return or_(*found)
    newest = select(WorkOrder.id, WorkOrder.title).order_by(WorkOrder.created_at.desc())
    rows = session.execute(newest.limit(SEALED_SEARCH_ORDERS))
    titled = [order for order, title in rows if words.casefold() in title.casefold()]
    return or_(*found, WorkOrder.id.in_(titled[:_FOUND_MOST]))


def _is_whole(engine: Engine, words: str) -> bool:
    """A whole telephone number where numbers are marked: an index finds it, nothing else is it."""
    return bool(marks_of(engine, words) and _WHOLE_PHONE.fullmatch(normalised(words)))


def _by_phone(engine: Engine, words: str, *, sealed: bool) -> list[ColumnElement[bool]]:
    number = normalised(words)
    if not number.isdecimal() or len(number) >= _LONG_NUMBER:
        return []  # words, or the number of an order
    marks = marks_of(engine, words)
    told: list[ColumnElement[bool]] = [WorkOrderField.mark.in_(marks)] if marks else []
    if not sealed and not _is_whole(engine, words) and len(number) >= _SHORTEST_NUMBER:
        plainly = WorkOrderField.value.contains(number, autoescape=True)
        told.append(and_(WorkOrderField.name == "phone", plainly))
    found: list[ColumnElement[bool]] = []
    if told:
        found.append(WorkOrder.id.in_(select(WorkOrderField.order_id).where(or_(*told))))
    if marks:
        called = select(Conversation.id).where(Conversation.citizen_mark.in_(marks))
        found.append(WorkOrder.conversation_id.in_(called))
    return found


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
