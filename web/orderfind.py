"""Which orders are wanted: what the list is narrowed to, as conditions of the database."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import (
    ColumnElement,
    Engine,
    Text,
    and_,
    cast,
    false,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session

from config.orders import OrderRules
from store.marks import marks_of, normalised
from store.seal import seal_of
from store.tables import Conversation, WorkOrder, WorkOrderField
from web.accounts import Member
from web.due import OPEN, SIGNING, SOON
from web.secrecy import open_to

MAX_SEARCH_CHARS = 60
SEALED_SEARCH_ORDERS = 5000
"""Sealed titles cannot be searched by the database: so many of the newest are opened and read."""
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
_FOUND_MOST = 1000
_SHORTEST_NUMBER = 7
_LONG_NUMBER = 13
_ORDER_NUMBER = re.compile(r"20\d{7,11}")
_WHOLE_PHONE = re.compile(r"1[3-9]\d{9}|0\d{9,11}")


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
        """As ``member`` may look: neither a telephone number nor words find a secret order that is
        not theirs."""
        return replace(self, login=member.login, may_see=open_to(member, rules))

    @property
    def narrowed(self) -> bool:
        """Whether anything is left out."""
        return any((self.search, self.urgency, self.kind, self.state, self.view,
                    self.department, self.code, self.channel))  # fmt: skip


def overdue(now: datetime) -> ColumnElement[bool]:
    """Orders whose deadline has passed, as :func:`web.due.deadline` has it."""
    return _due_by(now)


def due_soon(now: datetime) -> ColumnElement[bool]:
    """Orders whose deadline is near and has not passed."""
    return and_(_due_by(now + SOON), ~_due_by(now))


def _due_by(moment: datetime) -> ColumnElement[bool]:
    final = func.coalesce(WorkOrder.extended_to, WorkOrder.due_at, NEVER)
    signing = and_(WorkOrder.state == SIGNING, func.coalesce(WorkOrder.sign_by, NEVER) < moment)
    late = or_(and_(WorkOrder.state.in_(OPEN), final < moment), signing)
    return and_(late, WorkOrder.merged_into.is_(None))


def view_is(view: str, login: str, now: datetime) -> ColumnElement[bool]:
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


def narrowed(engine: Engine, session: Session, wanted: Wanted) -> list[ColumnElement[bool]]:
    """What is wanted beside the choices that the page counts (state, kind, urgency, view)."""
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
    plain = true() if wanted.may_see is None else or_(~WorkOrder.secret, wanted.may_see)
    if not sealed:
        texts = (WorkOrder.title, WorkOrder.summary)
        told = or_(*(text.contains(words, autoescape=True) for text in texts))
        return or_(*found, and_(told, plain))
    newest = select(WorkOrder.id, WorkOrder.title).order_by(WorkOrder.created_at.desc())
    rows = session.execute(newest.limit(SEALED_SEARCH_ORDERS))
    titled = [order for order, title in rows if words.casefold() in title.casefold()]
    return or_(*found, and_(WorkOrder.id.in_(titled[:_FOUND_MOST]), plain))


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
