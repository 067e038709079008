"""The wall's figures against rows counted by hand, who may see what, how often it is counted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from handoff.alarms import open_alarms, raise_alarm
from store.engine import writing
from store.tables import (
    Agent,
    Conversation,
    Feedback,
    HandoffEntry,
    Linkage,
    OrderEvent,
    Staff,
    Survey,
    Turn,
    WorkOrder,
    WorkOrderField,
)
from telephony.commands import Calls, ControlError
from tests.fakes.office import Office
from tests.web.conftest import PASSWORD, Clock, Desk, audits, sign_in
from turns.calls import CallInfo
from web.rights import Right
from web.routes import wall as routes
from web.sessions import StaffSession
from web.wall import feed as feeds
from web.wall.days import Day, by_day, count_day, summed
from web.wall.feed import Feed
from web.wall.hot import hot_classes, hot_places
from web.wall.live import small


@dataclass
class Bench:
    """Rows of a day, as a test wants them."""

    engine: Engine
    now: datetime
    count: int = field(default=0)

    def talk(self, *, ago: timedelta, channel: str = "phone", said: bool = True,
             ended: bool = True) -> str:  # fmt: skip
        self.count += 1
        name, at = f"t{self.count}", self.now - ago
        with writing(self.engine) as session:
            session.add(Conversation(id=name, channel=channel, line="12345", started_at=at,
                                     ended_at=at if ended else None))  # fmt: skip
            session.flush()
            if said:
                session.add(
                    Turn(conversation_id=name, speaker="citizen", kind="text", heard="h",
                         text="x", at=at, audio_start_ms=None, audio_end_ms=None)
                )  # fmt: skip
        return name

    def order(self, *, ago: timedelta, **more: Any) -> str:
        talk = self.talk(ago=ago, said=False)
        at = self.now - ago
        values = {"kind": "投诉", "urgency": "normal", "title": "题", "state": "办理"} | more
        with writing(self.engine) as session:
            session.add(WorkOrder(id=f"o{talk}", key=f"o{talk}", number=f"20261120{self.count:05d}",
                                  conversation_id=talk, channel="phone", line="12345",
                                  created_at=at, **values))  # fmt: skip
        return f"o{talk}"

    def handoff(self, talk: str, order: str, *, ago: timedelta, wait_s: float | None,
                channel: str = "phone", state: str = "done", **more: Any) -> None:  # fmt: skip
        at = self.now - ago
        until = at + timedelta(seconds=wait_s or 0)
        with writing(self.engine) as session:
            session.add(HandoffEntry(
                id=f"h{talk}", conversation_id=talk, order_id=order, channel=channel, state=state,
                reason=more.pop("reason", "asked"), urgency="normal", created_at=at, changed_at=at,
                connected_at=until if state in ("done", "connected") else None,
                ended_at=until if state in ("done", "abandoned") else None, **more,
            ))  # fmt: skip


@pytest.fixture
def bench(engine: Engine, now: datetime) -> Bench:
    return Bench(engine, now)


HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def test_a_day_is_what_its_rows_say(bench: Bench, office: Office, now: datetime) -> None:
    order = bench.order(ago=HOUR, kind="投诉", code="0101")
    bench.order(ago=2 * HOUR, kind="投诉", code="0101", repeat_count=2)
    asked = bench.order(ago=2 * HOUR, kind="咨询")
    bench.order(ago=13 * HOUR, kind="求助")  # 23:00 of the day before, in the city
    for wait, state in ((10, "done"), (15, "done"), (16, "done"), (3, "abandoned"),
                        (40, "abandoned")):  # fmt: skip
        bench.handoff(bench.talk(ago=HOUR), order, ago=HOUR, wait_s=wait, state=state)
    bench.handoff(bench.talk(ago=HOUR, channel="web"), order, ago=HOUR, wait_s=170, channel="web",
                  reason="misses")  # fmt: skip
    for _ in range(3):
        bench.talk(ago=HOUR)
    bench.talk(ago=HOUR, said=False)  # hung up without a word
    bench.talk(ago=HOUR, ended=False)  # still talks
    with writing(bench.engine) as session:
        for key, score in (("s1", "satisfied"), ("s2", "fair"), ("s3", ""),
                           ("s4", "dissatisfied"), ("visit:o:1", "dissatisfied")):  # fmt: skip
            session.add(Survey(key=key, conversation_id="t1", order_id=order, score=score,
                               solved=None, asked_at=now - HOUR, answered_at=None))  # fmt: skip
        for visited, data in ((order, {"reached": True, "solved": True, "score": "fair"}),
                              (asked, {"reached": True, "solved": False})):  # fmt: skip
            session.add(OrderEvent(order_id=visited, event="visit", actor="li", at=now - HOUR,
                                   data=data))  # fmt: skip
        for n, value in enumerate(("up", "up", "down")):
            session.add(Feedback(conversation_id="t1", heard=f"f{n}", value=value, at=now - HOUR))
    day = count_day(bench.engine, date(2026, 11, 20), office.city.zone, (15, 180), "left_out")
    assert day == Day(
        day=date(2026, 11, 20), kinds={"投诉": 2, "咨询": 1}, codes={"0101": 2},
        reasons={"asked": 5, "misses": 1}, orders=3, repeats=1, spoken=9, resolved=3,
        calls=(4, 2), chats=(1, 1), responded=(2, 0), solved=(2, 1), satisfied=(1, 1),
        thumbs=(2, 1),
        scores={"satisfied": 1, "fair": 1, "dissatisfied": 1, "": 1},
    )  # fmt: skip
    assert summed([day])["surveyed"] == {"part": 2, "of": 3, "share": 2 / 3}
    assert summed([day])["solved"] == {"part": 1, "of": 2, "share": 0.5}
    assert summed([day])["satisfied"] == {"part": 1, "of": 1, "share": 1.0}
    assert summed([])["satisfied"] == {"part": 0, "of": 0, "share": None}
    assert by_day([day])[0]["calls"] == {"part": 2, "of": 4, "share": 0.5}


def test_hot_classes_are_those_that_grow_most() -> None:
    before = [Day(date(2026, 11, 1), codes={"a": 30, "b": 2, "d": 9})]
    days = [Day(date(2026, 11, 8), codes={"a": 20, "b": 6, "c": 3}),
            Day(date(2026, 11, 9), codes={"a": 14, "c": 1, "d": 2, "e": 2})]  # fmt: skip
    found = hot_classes(days, before, {"a": "油烟扰民"})
    assert [(hot.code, hot.count, hot.before) for hot in found] == [
        ("a", 34, 30), ("b", 6, 2), ("c", 4, 0)]  # fmt: skip
    assert (found[0].name, found[2].growth, found[1].growth) == ("油烟扰民", None, 2.0)


def test_places_are_found_by_their_marks(bench: Bench, now: datetime) -> None:
    orders = [bench.order(ago=HOUR, title=f"第{n}件") for n in range(5)]
    with writing(bench.engine) as session:
        for order in orders:
            session.add(WorkOrderField(order_id=order, name="where", value="青年路", at=now))
            session.flush()
        for n, row in enumerate(
            session.scalars(select(WorkOrderField).order_by(WorkOrderField.id))
        ):
            row.mark = "m1.a" if n < 3 else "m1.b"
    found = hot_places(bench.engine, now - DAY, now)
    with bench.engine.connect() as connection:
        marks = connection.execute(select(WorkOrderField.mark)).scalars().all()
    assert sorted(marks) == ["m1.a"] * 3 + ["m1.b"] * 2
    assert [(one["title"], one["count"]) for one in found] == [("第2件", 3)]


class Control:
    """Telephones with two calls; or that do not answer."""

    def __init__(self, now: datetime, *, lost: bool = False) -> None:
        self.now, self.lost = now, lost

    async def calls(self) -> Calls:
        if self.lost:
            raise ControlError("redis_lost")
        began = self.now - timedelta(seconds=30)
        talk = CallInfo("c1", "n", "139****5678", "12345", "12345", "person", began, began,
                        ("李敏",))  # fmt: skip
        return Calls((talk, CallInfo("c2", "n", "", "12345", "12345", "bot", began, began)), ())


def looked_at(office: Office, control: Control | None = None) -> Feed:
    """The feed of a process with those telephones."""
    parts = office.app.state.site.floor.parts
    joints = SimpleNamespace(bus=parts.bus, control=control)
    floor = SimpleNamespace(parts=joints)
    site = office.app.state.site
    return Feed(SimpleNamespace(
        engine=site.engine, city=site.city, now=site.now, floor=floor,
    ))  # type: ignore[arg-type]  # all of a site that the feed needs  # fmt: skip


async def test_this_moment_is_what_the_rows_say(
    bench: Bench, office: Office, now: datetime
) -> None:
    danger = bench.order(ago=HOUR, urgency="danger", title="井盖缺失", state="派单",
                         sign_by=now - timedelta(minutes=45))  # fmt: skip
    bench.order(ago=HOUR, urgency="danger", state="办结")
    bench.order(ago=HOUR, due_at=now + 2 * HOUR)
    bench.order(ago=HOUR, due_at=now - HOUR)
    bench.order(ago=HOUR, due_at=now - HOUR, extended_to=now + DAY * 3)
    bench.order(ago=HOUR, due_at=now - HOUR, merged_into=danger)
    for ago, state, channel, agent in ((20, "waiting", "phone", ""), (65, "offered", "phone", "li"),
                                       (9, "waiting", "web", ""),
                                       (300, "connected", "web", "li")):  # fmt: skip
        talk = bench.talk(ago=timedelta(seconds=ago), channel=channel, ended=False)
        bench.handoff(talk, danger, ago=timedelta(seconds=ago), wait_s=8, state=state,
                      channel=channel, agent=agent)  # fmt: skip
    with writing(bench.engine) as session:
        session.add(Staff(login="li", name="李敏", password_hash="", roles=["agent"],
                          created_at=now))  # fmt: skip
        session.add(Agent(login="li", status="online", since=now - HOUR, seen_at=now,
                          idle_since=now, wrap_until=None))  # fmt: skip
        session.add(Linkage(id="l", order_id=danger, party="110", state="acknowledged",
                            created_at=now, acknowledged_at=now, next_at=None))  # fmt: skip
        raise_alarm(session, "k", "link_failed", "1", "没有送达", now)
    told = await looked_at(office, Control(now)).figures()
    assert [(one["channel"], one["count"], one["longest_s"]) for one in told["waiting"]] == [
        ("phone", 2, 65), ("web", 1, 9)]  # fmt: skip
    assert [(call["caller"], call["seconds"]) for call in told["calls"]] == [
        ("139****5678", 30), ("", 30)]  # fmt: skip
    assert told["late"] == {"soon": 1, "overdue": 2}
    assert [(one["title"], one["links"]) for one in told["danger"]] == [
        ("井盖缺失", [{"party": "110", "state": "acknowledged"}])]  # fmt: skip
    assert [alarm["text"] for alarm in told["alarms"]] == ["没有送达"]
    assert [(one["name"], one["talks"]) for one in told["agents"]] == [("李敏", ["网页"])]
    assert told["goals"]["chats"] | {} == {"goal_s": 180, "entered": 2, "answered": 1, "within": 1,
                                           "abandoned": 0, "of": 1, "share": 1.0}  # fmt: skip
    assert told["today"]["reasons"] == {"asked": 4}
    json.dumps(told)


async def test_telephones_that_do_not_answer_are_no_zero(office: Office, now: datetime) -> None:
    assert (await looked_at(office, Control(now, lost=True)).figures())["calls"] is None
    assert (await looked_at(office).figures())["calls"] is None


async def test_the_small_wall_names_nobody(bench: Bench, office: Office, now: datetime) -> None:
    bench.order(ago=HOUR, urgency="danger", title="井盖缺失", state="派单")
    told = small(await looked_at(office, Control(now)).figures())
    assert "井盖" not in str(told)
    assert "139" not in str(told)
    assert told["agents"] == told["alarms"] == told["calls"] == []
    assert "goals" in told


async def test_many_who_look_are_counted_for_once(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = []

    def figures(*given: Any) -> dict[str, Any]:
        counted.append(given)
        return {"n": len(counted)}

    monkeypatch.setattr(feeds, "now_figures", figures)
    monkeypatch.setattr(feeds, "AT_MOST_EVERY_S", 0.0)
    feed = looked_at(office)
    assert counted == []  # nobody looks yet
    async with feed.looking(), feed.looking():
        first, second = await asyncio.gather(feed.next(0), feed.next(0))
        assert first == second
        assert len(counted) == 1
        office.app.state.site.floor.parts.bus.tell("#queue")
        turn, told = await feed.next(first[0])
        assert turn > first[0]
        assert told["n"] >= 2
    assert feed._task is None  # and it has stopped


async def test_days_that_are_over_are_counted_once(
    bench: Bench, office: Office, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.order(ago=HOUR)
    bench.order(ago=8 * DAY, kind="咨询")
    seen: list[date] = []

    def count(engine: Engine, day: date, zone: Any, goals: Any, unreached: Any) -> Day:
        seen.append(day)
        return count_day(engine, day, zone, goals, unreached)

    monkeypatch.setattr(feeds, "count_day", count)
    feed = looked_at(office)
    told = await feed.period(7)
    assert [one["orders"] for one in told["days"]] == [0, 0, 0, 0, 0, 0, 1]
    assert (told["sum"]["orders"], told["before"]["orders"]) == (1, 1)
    assert len(seen) == 14
    assert await feed.period(7) is told
    clock.advance(seconds=61)
    await feed.period(7)
    assert seen[14:] == [date(2026, 11, 20)]


async def events(office: Office, right: Right, session: StaffSession) -> AsyncIterator[str]:
    request: Any = SimpleNamespace(app=office.app)
    async for event in routes._events(request, office.app.state.site, session, right):
        yield event


async def test_a_wall_ends_when_its_owner_may_look_no_more(
    bench: Bench, office: Office, staff: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "AT_MOST_EVERY_S", 0.0)
    with writing(office.engine) as session:
        row = session.scalars(select(Staff)).one()
        row.roles = ["supervisor"]
        who = StaffSession(row.id, "n" * 32, clock.now)
    stream = events(office, Right.SEE_WALL, who)
    first = await anext(stream)
    assert first.startswith("data: {")
    clock.advance(minutes=50)  # longer than the idle time-out: a wall is only looked at
    assert (await anext(stream)).startswith("data: {")
    with writing(office.engine) as session:
        session.scalars(select(Staff)).one().roles = ["agent"]
    clock.advance(minutes=2)
    assert "event: over" in await anext(stream)
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


@pytest.mark.parametrize(
    ("role", "wall", "little"),
    [("agent", 403, 200), ("supervisor", 200, 200), ("editor", 403, 403), ("approver", 403, 403),
     ("administrator", 403, 403)],
)  # fmt: skip
def test_who_sees_which_wall(
    office: Office, visitor: TestClient, staff: str, role: str, wall: int, little: int
) -> None:
    with writing(office.engine) as session:
        session.scalars(select(Staff)).one().roles = [role]
        raise_alarm(session, "k", "link_failed", "1", "没有送达", office.now())
    assert sign_in(visitor, staff, PASSWORD) == 303
    desk = Desk(office, visitor)
    assert desk.get("/wall").status_code == wall
    assert desk.get("/wall?big=1").status_code == wall
    assert desk.get("/wall/days?length=7").status_code == wall
    assert desk.get("/wall/small").status_code == little
    if wall == 403:
        assert desk.get("/wall/live").status_code == 403
    if little == 403:
        assert desk.get("/wall/small/live").status_code == 403
    alarm = open_alarms(office.engine)[0].id
    form = {"token": desk.token}
    seen = desk.client.post(f"/wall/alarms/{alarm}/seen", data=form,
                            headers={"accept": "application/json"})  # fmt: skip
    assert seen.status_code == (204 if wall == 200 else 403)
    assert len(open_alarms(office.engine)) == (0 if wall == 200 else 1)
    assert len(audits(office.engine, "alarm_seen")) == (1 if wall == 200 else 0)


def test_only_the_periods_there_are(desk: Desk) -> None:
    with writing(desk.office.engine) as session:
        session.scalars(select(Staff)).one().roles = ["supervisor"]
    assert desk.get("/wall/days?length=8").status_code == 422
    assert desk.get("/wall/days?length=x").status_code == 422
    told = desk.get("/wall/days?length=30").json()
    assert len(told["days"]) == 30


def test_every_figure_says_what_it_means(desk: Desk) -> None:
    with writing(desk.office.engine) as session:
        session.scalars(select(Staff)).one().roles = ["supervisor"]
    html = desk.get("/wall").text
    assert html.count("title=") >= 14
    assert "15 秒内接通的比例" in html
    assert "echarts.common.min.js" in html
    assert "echarts" not in desk.get("/wall/small").text
