"""What happened on one day of the city's, counted: requests, answering, resolving, satisfaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from config.orders import Unreached
from handoff.order.rates import CONTENT, Rate, rates, visits_of
from store.engine import reading
from store.tables import (
    Conversation,
    Feedback,
    HandoffEntry,
    OrderEvent,
    Survey,
    Turn,
    WorkOrder,
)

SCORES = ("satisfied", "fair", "dissatisfied")


@dataclass(frozen=True, slots=True)
class Day:
    """One day. Every share is kept as its two counts, so that days can be added up.

    ``spoken``: conversations that ended in which the citizen said something; ``resolved``: those of
    them in which no person was asked for. ``calls`` and ``chats``: how many were to be answered by
    a person, and how many were in time. ``scores``: surveys right after a talk, by score ('' not
    answered). Of the day's return visits, as ``handoff.order.rates`` counts them: ``responded`` in
    time, ``solved``, ``satisfied``.
    """

    day: date
    kinds: Mapping[str, int] = field(default_factory=dict)
    codes: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)
    orders: int = 0
    repeats: int = 0
    spoken: int = 0
    resolved: int = 0
    calls: tuple[int, int] = (0, 0)
    chats: tuple[int, int] = (0, 0)
    scores: Mapping[str, int] = field(default_factory=dict)
    responded: tuple[int, int] = (0, 0)
    solved: tuple[int, int] = (0, 0)
    satisfied: tuple[int, int] = (0, 0)
    thumbs: tuple[int, int] = (0, 0)


def bounds(day: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """When the city's day begins and ends."""
    start = datetime.combine(day, time(), zone)
    return start, datetime.combine(day + timedelta(days=1), time(), zone)


def count_day(
    engine: Engine, day: date, zone: tzinfo, goals_s: tuple[int, int], unreached: Unreached
) -> Day:
    """Count one day; ``goals_s``: within how long calls and chats are to be answered, s;
    ``unreached``: how visited orders count whose citizen could not be reached.
    """
    with reading(engine) as session:

        def within(column: InstrumentedAttribute[datetime]) -> ColumnElement[bool]:
            start, end = bounds(day, zone)
            return and_(column >= start, column < end)

        orders = within(WorkOrder.created_at)
        kinds = _counted(session, WorkOrder.kind, orders)
        spoken, resolved = _resolved(session, within(Conversation.started_at))
        calls, chats = _answered(session, within(HandoffEntry.created_at), goals_s)
        visited = rates(visits_of(session, within(OrderEvent.at)), unreached)
        talks = and_(within(Survey.asked_at), Survey.key.not_like("visit:%"))
        thumbs = _counted(session, Feedback.value, within(Feedback.at))
        repeats = session.scalar(
            select(func.count()).select_from(WorkOrder).where(orders, WorkOrder.repeat_count > 1)
        )
        return Day(
            day=day,
            kinds=kinds,
            codes=_counted(session, WorkOrder.code, and_(orders, WorkOrder.code != "")),
            reasons=_counted(session, HandoffEntry.reason, within(HandoffEntry.created_at)),
            orders=sum(kinds.values()),
            repeats=repeats or 0,
            spoken=spoken,
            resolved=resolved,
            calls=calls,
            chats=chats,
            scores=_counted(session, Survey.score, talks),
            responded=_pair(visited.responded),
            solved=_pair(visited.solved),
            satisfied=_pair(visited.satisfied),
            thumbs=(thumbs.get("up", 0), thumbs.get("down", 0)),
        )


def _counted(
    session: Session, column: InstrumentedAttribute[str], where: ColumnElement[bool]
) -> dict[str, int]:
    rows = session.execute(select(column, func.count()).where(where).group_by(column))
    return {str(value): int(count) for value, count in rows}


def _resolved(session: Session, where: ColumnElement[bool]) -> tuple[int, int]:
    said = (
        select(Turn.seq)
        .where(Turn.conversation_id == Conversation.id, Turn.speaker == "citizen")
        .exists()
    )
    asked = select(HandoffEntry.id).where(HandoffEntry.conversation_id == Conversation.id).exists()
    spoken = select(func.count()).select_from(Conversation).where(
        where, Conversation.ended_at.is_not(None), said
    )  # fmt: skip
    return session.scalar(spoken) or 0, session.scalar(spoken.where(~asked)) or 0


def _answered(
    session: Session, where: ColumnElement[bool], goals_s: tuple[int, int]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """As the queue's own goal: those answered or lost late, and of them those answered in time."""
    rows = session.execute(
        select(HandoffEntry.channel, HandoffEntry.state, HandoffEntry.created_at,
               HandoffEntry.connected_at, HandoffEntry.ended_at).where(where)
    )  # fmt: skip
    counts = [[0, 0], [0, 0]]
    for channel, state, created, connected, ended in rows:
        place = 0 if channel == "phone" else 1
        until = connected or (ended if state in ("abandoned", "callback") else None)
        if until is None:
            continue
        in_time = (until - created).total_seconds() <= goals_s[place]
        counts[place][0] += connected is not None or not in_time
        counts[place][1] += connected is not None and in_time
    return (counts[0][0], counts[0][1]), (counts[1][0], counts[1][1])


def summed(days: Sequence[Day]) -> dict[str, Any]:
    """The days together, as JSON, every share beside its denominator."""
    scores = Counter[str]()
    for one in days:
        scores.update({name: one.scores.get(name, 0) for name in SCORES})
    told = sum(scores.values())
    return {
        "orders": sum(one.orders for one in days),
        "repeats": sum(one.repeats for one in days),
        "resolved": _share(sum(one.resolved for one in days), sum(one.spoken for one in days)),
        "calls": _share(sum(one.calls[1] for one in days), sum(one.calls[0] for one in days)),
        "chats": _share(sum(one.chats[1] for one in days), sum(one.chats[0] for one in days)),
        "surveyed": _share(sum(scores[name] for name in CONTENT), told),
        "responded": _added(one.responded for one in days),
        "satisfied": _added(one.satisfied for one in days),
        "solved": _added(one.solved for one in days),
        "thumbs": _share(sum(one.thumbs[0] for one in days), sum(sum(one.thumbs) for one in days)),
        "scores": dict(scores),
        "reasons": dict(sum((Counter(one.reasons) for one in days), Counter[str]())),
    }  # fmt: skip


def by_day(days: Sequence[Day]) -> list[dict[str, Any]]:
    """Each day for the charts."""
    return [
        {
            "day": one.day.isoformat(), "kinds": dict(one.kinds), "orders": one.orders,
            "repeats": one.repeats, "calls": _share(one.calls[1], one.calls[0]),
            "chats": _share(one.chats[1], one.chats[0]),
            "resolved": _share(one.resolved, one.spoken),
            "surveyed": _share(
                sum(one.scores.get(name, 0) for name in CONTENT),
                sum(one.scores.get(name, 0) for name in SCORES),
            ),
            "satisfied": _added((one.satisfied,)),
        }
        for one in days
    ]  # fmt: skip


def _pair(rate: Rate) -> tuple[int, int]:
    return rate.of, rate.count


def _added(pairs: Iterable[tuple[int, int]]) -> dict[str, Any]:
    known = list(pairs)
    return _share(sum(part for _, part in known), sum(of for of, _ in known))


def _share(part: int, of: int) -> dict[str, Any]:
    return {"part": part, "of": of, "share": part / of if of else None}
