"""What the wall shows of this moment: who waits, who talks, what is dangerous, what is late."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, func, select

from config.city import City
from handoff.alarms import open_alarms
from handoff.links.linkage import Link, links_of
from handoff.order.veiled import veiled_titles
from handoff.queue.model import OPEN as WAITING
from handoff.queue.model import Entry, Goal, Overview
from handoff.queue.service import overview
from store.engine import reading
from store.tables import WorkOrder
from turns.calls import CallInfo
from web import labels
from web.due import OPEN
from web.orderlist import due_soon, overdue

DANGER_SHOWN = 12
ALARMS_SHOWN = 30
STAGES = {"bot": "助手", "waiting": "等待", "ringing": "接通中", "person": "人工", "ended": "结束"}


@dataclass(frozen=True, slots=True)
class Late:
    """How many orders' deadlines are near, and how many have passed."""

    soon: int
    overdue: int


def now_figures(
    engine: Engine, city: City, now: datetime, calls: Sequence[CallInfo] | None
) -> dict[str, Any]:
    """The live part of the wall, as JSON; ``calls`` is None where the telephones do not answer."""
    seen = overview(engine, now, city.queue)
    late = late_orders(engine, now)
    return {
        "at": now.isoformat(),
        "calls": None if calls is None else [_call(info, now) for info in calls],
        "waiting": waiting_by_channel(seen.entries, now),
        "agents": agents_of(seen, now),
        "by_status": seen.by_status,
        "goals": {"calls": goal(seen.calls), "chats": goal(seen.chats)},
        "callbacks": {"open": seen.callbacks, "overdue": seen.callbacks_overdue},
        "late": {"soon": late.soon, "overdue": late.overdue},
        "danger": danger_orders(engine),
        "alarms": [
            {"id": one.id, "kind": one.kind, "object": one.object, "text": one.text,
             "at": one.at.isoformat()}
            for one in open_alarms(engine)[:ALARMS_SHOWN]
        ],
    }  # fmt: skip


def small(figures: Mapping[str, Any]) -> dict[str, Any]:
    """What every agent may see of it: no colleague by name, no call, no alarm of the house."""
    shown = ("at", "waiting", "by_status", "goals", "callbacks", "late", "today")
    kept = {name: figures[name] for name in shown if name in figures}
    return {**kept, "danger": [], "alarms": [], "agents": [], "calls": []}


def waiting_by_channel(entries: Iterable[Entry], now: datetime) -> list[dict[str, Any]]:
    """Who has nobody yet, by channel, and the longest of them, s."""
    found: dict[str, list[float]] = {"phone": [], "web": []}
    for entry in entries:
        if entry.state in WAITING:
            found.setdefault(entry.channel or "web", []).append(entry.waited_s(now))
    return [
        {"channel": channel, "label": labels.channel(channel), "count": len(waits),
         "longest_s": round(max(waits, default=0))}
        for channel, waits in found.items()
    ]  # fmt: skip


def agents_of(seen: Overview, now: datetime) -> list[dict[str, Any]]:
    """Everybody who is signed in, with what they do; who does most stands first."""
    talks: dict[str, list[str]] = {}
    for entry in seen.entries:
        if entry.agent and entry.state in ("accepted", "connected"):
            talks.setdefault(entry.agent, []).append(labels.channel(entry.channel))
    order = {"online": 1, "busy": 0, "wrapup": 2, "break": 3}
    present = [agent for agent in seen.agents if agent.status != "offline"]
    present.sort(key=lambda one: (not talks.get(one.login), order.get(one.status, 4), one.name))
    return [
        {"name": agent.name, "status": agent.status, "since_s": _seconds(now - agent.since),
         "talks": talks.get(agent.login, [])}
        for agent in present
    ]  # fmt: skip


def goal(kept: Goal) -> dict[str, Any]:
    """How a channel kept its goal today, with its denominator."""
    return {"goal_s": kept.goal_s, "entered": kept.entered, "answered": kept.answered,
            "within": kept.within, "abandoned": kept.abandoned,
            "of": kept.answered + kept.abandoned_late, "share": kept.share}  # fmt: skip


def late_orders(engine: Engine, now: datetime) -> Late:
    """The counts of the orders' list, of all orders that are still open."""
    with reading(engine) as session:
        open_ = WorkOrder.state.in_(OPEN)
        soon, late = (
            session.scalar(select(func.count()).select_from(WorkOrder).where(open_, condition))
            for condition in (due_soon(now), overdue(now))
        )
    return Late(soon or 0, late or 0)


def danger_orders(engine: Engine) -> list[dict[str, Any]]:
    """Orders in danger that nobody has answered yet, the newest first, with who knows of them."""
    with reading(engine) as session:
        rows = session.scalars(
            select(WorkOrder)
            .where(WorkOrder.urgency == "danger", WorkOrder.state.in_(OPEN))
            .where(WorkOrder.merged_into.is_(None))
            .order_by(WorkOrder.created_at.desc())
            .limit(DANGER_SHOWN)
        ).all()
        titles = veiled_titles(session, rows)
    return [_danger(row, titles[row.id], links_of(engine, row.id)) for row in rows]


def _danger(row: WorkOrder, title: str, links: Iterable[Link]) -> dict[str, Any]:
    return {
        "number": row.number, "title": title, "at": row.created_at.isoformat(),
        "state": row.state, "department": row.department,
        "links": [{"party": link.party, "state": link.state} for link in links],
    }  # fmt: skip


def _call(info: CallInfo, now: datetime) -> dict[str, Any]:
    return {"caller": info.caller, "line": info.line, "stage": info.state,
            "label": STAGES.get(info.state, info.state), "parties": list(info.parties),
            "seconds": _seconds(now - info.began), "held": bool(info.held)}  # fmt: skip


def _seconds(span: timedelta) -> int:
    return max(0, round(span.total_seconds()))
