"""The agent's desk, measured at its WebSocket: a real web process, real pages, citizens who chat.

What is measured: from a citizen's 转人工 to the offer on an agent's screen, from a citizen's words
to the agent's transcript, and, with many desks open, how soon each shows what changed.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime

from redis.asyncio import Redis
from sqlalchemy import select, update

from bot.bus import STREAM
from qianmen.bench.deskcalls import call_figures
from qianmen.bench.deskrig import Desk, Frame, Office, desk, office
from qianmen.bench.figures import Figure, Figures, spread
from qianmen.bench.queueload import LOAD_RULES
from qianmen.bench.queueservice import arrive
from qianmen.citizen.chat import ChatLine, open_chat
from store.engine import reading, writing
from store.tables import Alarm, HandoffEntry, OrderEvent

OFFER_GOAL_MS, TEXT_GOAL_MS, UPDATE_GOAL_MS = 300, 300, 500
_WAIT_S = 20.0
_FILL_S = 240.0
_AT_ONCE = 5
_PROBE_S = 2.0
_SPOKEN = ("我家楼下的烧烤摊晚上油烟特别大", "就在建业小区九号楼", "已经一个星期了", "谢谢您")


@dataclass(frozen=True, slots=True)
class DeskPlan:
    """``talks`` with a quiet floor; then ``agents`` with ``waiting``, ``per_minute`` for
    ``seconds`` (0: none).
    """

    talks: int = 20
    agents: int = 200
    waiting: int = 500
    per_minute: int = 50
    seconds: float = 60.0


@dataclass(slots=True)
class Seen:
    """What was measured, ms."""

    offer: list[float] = field(default_factory=list)
    text: list[float] = field(default_factory=list)
    update: list[float] = field(default_factory=list)
    free: list[float] = field(default_factory=list)
    lost: int = 0
    doubled: int = 0
    refused: int = 0


async def run_desk(plan: DeskPlan, calls: int = 10, database: str = "") -> Figures:
    """Desks with and without load, and ``calls`` at a telephone. No peer does the same work."""
    return Figures((*await desk_figures(plan, database), *await call_figures(calls)))


async def desk_figures(plan: DeskPlan, database: str = "") -> tuple[Figure, ...]:
    """The figures; on SQLite in a folder that goes again, or on the empty database of ``database``
    (for the load; the quiet talks always have a file of their own).
    """
    seen = Seen()
    if plan.talks:
        async with office(["a0000"]) as found, desk(found, "a0000") as one:
            await _quiet(found, one, plan, seen)
    if plan.seconds:
        logins = [f"a{number:04d}" for number in range(plan.agents)]
        async with office(logins, database) as found:
            await _loaded(found, logins, plan, seen)
    return figures_of(plan, seen)


def figures_of(plan: DeskPlan, seen: Seen) -> tuple[Figure, ...]:
    """The figures of what was measured; nothing for what was not."""
    figures = (
        *spread("desk 转人工 to offer", seen.offer, (50, 95), {95: f"≤ {OFFER_GOAL_MS}"}),
        *spread("desk words to text", seen.text, (50, 95), {95: f"≤ {TEXT_GOAL_MS}"}),
    )
    if not plan.seconds:
        return figures
    return (
        *figures,
        Figure("desk load desks", plan.agents, ""),
        Figure("desk load waiting", plan.waiting, ""),
        *spread("desk load update", seen.update, (50, 95, 99), {95: f"≤ {UPDATE_GOAL_MS}"}),
        *spread("desk load ready to offer", seen.free, (50, 95)),
        Figure("desk load offers lost", seen.lost, "", "0"),
        Figure("desk load offers doubled", seen.doubled, "", "0"),
        Figure("desk load actions refused", seen.refused, "", "0"),
    )


async def _quiet(found: Office, one: Desk, plan: DeskPlan, seen: Seen) -> None:
    """One citizen after the other, one agent."""
    await one.ask(type="status", value="online")
    for _ in range(plan.talks):
        async with open_chat(found.url) as line, asyncio.timeout(_WAIT_S):
            offered = one.when(lambda frame: frame["offer"])
            began = time.perf_counter()
            await line.say("转人工")
            seen.offer.append((await offered - began) * 1000)
            await one.ask(type="accept", offer=one.desk["offer"]["offer"])
            await one.when(lambda frame: frame["mine"])
            handoff = one.desk["mine"][0]["handoff"]
            await _talk(one, line, handoff, seen)
            await one.ask(type="finish", handoff=handoff, result="answered")
            await one.ask(type="ready")
            await one.when(lambda frame: not frame["mine"] and frame["status"] == "online")


async def _talk(one: Desk, line: ChatLine, handoff: str, seen: Seen) -> None:
    """The citizen writes; each message is looked for on the agent's page."""
    arrived: dict[str, asyncio.Future[float]] = {}

    def note(_: Desk, frame: Frame, now: float) -> None:
        if frame["type"] == "turns":
            for turn in frame["turns"]:
                future = arrived.get(turn["text"])
                if future is not None and not future.done():
                    future.set_result(now)

    one.on_frame = note
    await one.send(type="watch", handoff=handoff, cursor=0)
    await asyncio.sleep(0.3)  # the page has opened the talk
    for text in _SPOKEN:
        arrived[text] = future = asyncio.get_running_loop().create_future()
        began = time.perf_counter()
        await line.write(text)
        seen.text.append((await future - began) * 1000)
    one.on_frame = None
    await one.send(type="watch", handoff="")


async def _loaded(found: Office, logins: list[str], plan: DeskPlan, seen: Seen) -> None:
    async with AsyncExitStack() as stack:
        bus = await stack.enter_async_context(Redis.from_url(found.redis))
        desks = [await stack.enter_async_context(desk(found, login)) for login in logins]
        await _fill(found, bus, desks, plan)
        probes = asyncio.create_task(_probe(found, bus, desks, plan, seen))
        await _work(found, bus, desks, plan, seen)
        await probes
    _count(found, seen)


async def _fill(found: Office, bus: Redis, desks: list[Desk], plan: DeskPlan) -> None:
    """Everybody talks, and the others wait."""
    async with asyncio.timeout(_FILL_S):
        for first in range(0, len(desks), _AT_ONCE):
            group = desks[first : first + _AT_ONCE]
            for one in group:
                await one.ask(type="status", value="online")
            await _enter(found, bus, [f"first{first + number}" for number in range(len(group))])
            await asyncio.gather(*(_take(one) for one in group))
    await _enter(found, bus, [f"wait{number}" for number in range(plan.waiting)])
    async with asyncio.timeout(_FILL_S):
        await desks[0].when(lambda frame: frame["waiting"]["chats"] >= plan.waiting)


async def _enter(found: Office, bus: Redis, names: list[str]) -> None:
    """Citizens come, as another process writes them down: then Redis wakes the web process."""
    await asyncio.to_thread(_write_entries, found, names)
    await _wake(bus)


def _write_entries(found: Office, names: list[str]) -> None:
    for name in names:  # each by itself, as they come: nobody holds the database for long
        with writing(found.engine) as session:
            arrive(session, name, datetime.now(UTC), LOAD_RULES, "web")


async def _wake(bus: Redis) -> None:
    await bus.xadd(STREAM, {"c": "#queue"})


async def _take(one: Desk) -> bool:
    """Accept what is offered; whether it was given."""
    await one.when(lambda frame: frame["offer"])
    answer = await one.ask(type="accept", offer=one.desk["offer"]["offer"])
    await one.when(lambda frame: frame["mine"])
    return str(answer["type"]) == "done"


async def _work(found: Office, bus: Redis, desks: list[Desk], plan: DeskPlan, seen: Seen) -> None:
    """Talks end and citizens come at the rate asked for."""
    step, under_way = 60.0 / plan.per_minute, []
    begun = time.perf_counter()
    for turn in range(int(plan.seconds / step)):
        await asyncio.sleep(max(0.0, begun + turn * step - time.perf_counter()))
        await _enter(found, bus, [f"new{turn}"])
        under_way.append(asyncio.create_task(_hand_over(desks[turn % len(desks)], seen)))
    await asyncio.gather(*under_way)


async def _hand_over(one: Desk, seen: Seen) -> None:
    """The agent finishes, is ready, and gets the next citizen."""
    try:
        async with asyncio.timeout(_WAIT_S):
            handoff = one.desk["mine"][0]["handoff"]
            ended = await one.ask(type="finish", handoff=handoff, result="answered")
            free = one.when(lambda frame: frame["offer"])
            began = time.perf_counter()
            ready = await one.ask(type="ready")
            seen.free.append((await free - began) * 1000)
            taken = await _take(one)
            seen.refused += [ended["type"], ready["type"]].count("refused") + (not taken)
    except (TimeoutError, IndexError):  # nobody came, or whom they had was taken from them
        seen.lost += 1


async def _probe(found: Office, bus: Redis, desks: list[Desk], plan: DeskPlan, seen: Seen) -> None:
    """Something that every desk must show, once in a while: an alarm."""
    begun, number = time.perf_counter(), 0
    while time.perf_counter() - begun < plan.seconds:
        number += 1
        text = f"probe {number}"
        waits = [one.when(_shows(text)) for one in desks]
        await asyncio.to_thread(_alarm, found, text)
        began = time.perf_counter()
        await _wake(bus)
        async with asyncio.timeout(_WAIT_S):
            seen.update += [(at - began) * 1000 for at in await asyncio.gather(*waits)]
        await asyncio.sleep(_PROBE_S)


def _shows(text: str) -> Callable[[Frame], bool]:
    return lambda frame: any(one["text"] == text for one in frame["alarms"])


def _alarm(found: Office, text: str) -> None:
    """One open alarm at a time: those before were seen by somebody."""
    now = datetime.now(UTC)
    with writing(found.engine) as session:
        session.execute(update(Alarm).where(Alarm.seen_at.is_(None)).values(seen_at=now))
        session.add(Alarm(key=text, kind="probe", text=text, at=now))


def _count(found: Office, seen: Seen) -> None:
    """Nobody is gone, nobody has two, nobody was accepted twice."""
    with reading(found.engine) as session:
        held = Counter(
            session.scalars(
                select(HandoffEntry.agent).where(
                    HandoffEntry.state.in_(("offered", "accepted", "connected"))
                )
            )
        )
        accepted = Counter(
            session.scalars(select(OrderEvent.order_id).where(OrderEvent.event == "taken"))
        )
    seen.doubled += sum(count > 1 for count in (*held.values(), *accepted.values()))
