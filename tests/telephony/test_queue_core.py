"""From the wish for a person to the person, on the real core and queue: only telephone and desk's
page are not there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from bot.bus import Bus
from bot.conversation import Conversations, Parts
from bot.service_queue import ServiceQueue
from config.city import City
from config.queue import Announcements
from handoff.queue import service
from handoff.queue.model import Entry
from store.engine import reading, writing
from store.tables import Callback, Conversation, HandoffEntry, Staff, Survey, Turn
from telephony.call import Call
from telephony.line import DialError, Ended
from telephony.parts import CallParts
from tests.asr.listening import frames, listening, silence, speech
from tests.bot.test_conversation import NOBODY, nothing, urgent
from tests.fakes.dialogue import FakeDialogue
from tests.fakes.leg import FakeLeg, FakeLine
from tests.fakes.recogniser import FakeRecogniser
from tests.telephony.test_call import CALL, Plain
from tests.telephony.test_connecting import EIGHT, Desk
from tts.speaker import Speaker

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
PHONES = {"zhang": "8001", "li": "8002"}


class House:
    """A call, the core, a queue with two agents, and what a desk does for them."""

    def __init__(self, engine: Engine, city: City, core: Conversations, desk: Desk) -> None:
        self.engine, self.core, self.desk = engine, core, desk
        self.rules = city.queue
        self.leg, self.line, self.voice = FakeLeg(), FakeLine(), Plain()

    @staticmethod
    def now() -> datetime:
        return datetime.now(UTC)

    def said(self) -> str:
        return b"".join(self.leg.played).decode("utf-16-le", "ignore").replace("\0", "")

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(60):
            while not condition():  # noqa: ASYNC110  # many parts move; none gives one event
                await asyncio.sleep(0.01)

    def sign_in(self, *logins: str) -> None:
        for login in logins:
            with writing(self.engine) as session:
                session.add(Staff(login=login, name=login, password_hash="", roles=["agent"],
                                  phone_uri=f"sip:{PHONES[login]}@127.0.0.1:5070",
                                  created_at=self.now()))  # fmt: skip
            service.set_status(self.engine, login, "online", self.now(), self.rules)

    def entry(self) -> HandoffEntry:
        with reading(self.engine) as session:
            query = select(HandoffEntry).order_by(HandoffEntry.created_at.desc()).limit(1)
            row = session.scalars(query).one()
            session.expunge(row)
            return row

    def rows(self, table: type) -> list[Any]:
        with reading(self.engine) as session:
            found: list[Any] = list(session.scalars(select(table)))
            session.expunge_all()
            return found

    async def asks_for_a_person(self) -> None:
        await self.until(lambda: "请问" in self.said())
        self.leg.press("0")
        await self.until(lambda: self.stage() == "waiting")

    def stage(self) -> str:
        return self.desk.infos[-1].state if self.desk.infos else ""

    def accept(self) -> Entry:
        """Whoever is offered the call accepts."""
        service.seen(self.engine, tuple(PHONES), self.now())
        service.dispatch(self.engine, self.rules, self.now())
        offer = self.entry()
        assert offer.state == "offered"
        return service.accept(self.engine, offer.offer, offer.agent, self.now(), self.rules)

    async def bridge(self, entry: Entry) -> str:
        """As the desk does it: ring their telephone, tell the queue what came of it."""
        command = self.desk.order("bridge", PHONES[entry.agent])
        await self.until(lambda: self.desk.outcome(command) is not None)
        event = self.desk.outcome(command)
        assert event is not None
        if event.state == "failed":
            now = self.now()
            service.phone_failed(self.engine, entry.handoff, event.cause, now, self.rules)
            self.core.standing_changed(CALL)
        return event.state


@asynccontextmanager
async def housed(tmp_path: Path, engine: Engine, city: City) -> AsyncIterator[House]:
    told = Announcements(first_s=0, every_s=1)
    queue = city.queue.model_copy(update={"announcements": told, "hunt_after_s": 2})
    city = city.model_copy(update={"queue": queue})
    bus, desk = Bus(NOBODY), Desk()
    core = Conversations(
        Parts(engine, city, FakeDialogue(), bus, urgent, lambda _code: ("", ""), nothing,
              House.now, queue=ServiceQueue(engine, city.queue, lambda: True))
    )  # fmt: skip
    house = House(engine, city, core, desk)
    with ThreadPoolExecutor(1) as pool:
        async with listening(FakeRecogniser("着火了")) as address:
            speaker = Speaker(tmp_path / "speech", synthesiser=house.voice)
            parts = CallParts(house.line, core, speaker, city, f"ws://{address}", None, pool,
                              House.now, office=desk, node="n1")  # fmt: skip
            call = asyncio.create_task(Call(house.leg, parts).run())
            try:
                yield house
            finally:
                await house.leg.hang_up()
                async with asyncio.timeout(60):
                    await call
                await core.settled()
                await bus.stop()
                await speaker.close()


@pytest.fixture
async def house(tmp_path: Path, engine: Engine, city: City) -> AsyncIterator[House]:
    async with housed(tmp_path, engine, city) as made:
        yield made


async def test_a_caller_waits_is_taken_and_wrapped_up(house: House) -> None:
    house.sign_in("zhang")
    agent = FakeLeg("agent")
    house.line.answers[EIGHT] = agent
    await house.asks_for_a_person()
    assert house.line.dialled == []
    assert await house.bridge(house.accept()) == "bridged"
    await house.until(lambda: house.entry().state == "connected")
    agent.end(Ended("bye"))
    await house.until(lambda: house.leg.ended is not None)
    await house.until(lambda: house.entry().state == "wrapup")


async def test_with_nobody_at_a_desk_the_hunt_group_rings(house: House, city: City) -> None:
    await house.until(lambda: "请问" in house.said())
    house.leg.press("0")
    await house.until(lambda: house.stage() == "person" and house.entry().state == "connected")
    assert house.line.dialled == [city.lines[0].hunt_group]


async def test_a_phone_that_does_not_answer_costs_no_place(house: House) -> None:
    house.sign_in("zhang", "li")
    await house.asks_for_a_person()
    first = house.accept()
    for uri in (EIGHT, "sip:8002@127.0.0.1:5070"):
        house.line.answers[uri] = DialError("no_answer", "as told")
    assert await house.bridge(first) == "failed"
    await house.until(lambda: house.stage() == "waiting")
    assert house.entry().front
    for uri, name in ((EIGHT, "one"), ("sip:8002@127.0.0.1:5070", "two")):
        house.line.answers[uri] = FakeLeg(name)
    second = house.accept()
    assert second.agent != first.agent
    assert await house.bridge(second) == "bridged"


async def test_who_is_passed_on_waits_for_the_next(house: House) -> None:
    house.sign_in("zhang", "li")
    legs = {EIGHT: FakeLeg("one"), "sip:8002@127.0.0.1:5070": FakeLeg("two")}
    house.line.answers.update(legs)
    await house.asks_for_a_person()
    first = house.accept()
    await house.bridge(first)
    await house.until(lambda: house.entry().state == "connected")
    other = next(login for login in PHONES if login != first.agent)
    service.transfer(house.engine, first.handoff, first.agent, to_agent=other, note="",
                     now=house.now(), rules=house.rules)  # fmt: skip
    house.line.given[0].end(Ended("bye"))
    await house.until(lambda: house.stage() == "waiting")
    assert "另一位" in house.said()
    second = house.accept()
    assert second.agent == other
    assert await house.bridge(second) == "bridged"


async def test_danger_told_in_the_queue_goes_to_its_head(house: House) -> None:
    house.sign_in("zhang")
    await house.asks_for_a_person()
    for pcm in frames(speech() + silence(1.5)):
        house.leg.frame(pcm, bytes(320))
        await asyncio.sleep(0)
    await house.until(lambda: house.entry().urgency == "danger")
    await house.until(lambda: "离开危险" in house.said())
    assert house.entry().state == "waiting"
    await house.until(lambda: house.line.dialled)  # nobody takes it: the hunt group beside it
    await house.until(lambda: house.entry().state == "connected")


async def test_who_would_be_called_back_is(house: House) -> None:
    house.sign_in("zhang")
    await house.asks_for_a_person()
    await house.until(lambda: "给您回电" in house.said())
    house.leg.press("1")
    await house.until(lambda: "可以吗" in house.said())
    house.leg.press("1")
    await house.until(lambda: house.leg.ended is not None)
    (row,) = house.rows(Callback)
    assert (row.phone, row.reason) == ("13900139000", "asked")
    await house.until(lambda: house.rows(Conversation)[0].state == "ended")


async def test_given_back_the_bot_goes_on_and_a_person_can_be_had_again(house: House) -> None:
    house.sign_in("zhang")
    agent = FakeLeg("agent")
    house.line.answers[EIGHT] = agent
    await house.asks_for_a_person()
    entry = house.accept()
    await house.bridge(entry)
    await house.until(lambda: house.entry().state == "connected")
    service.give_back(house.engine, entry.handoff, "zhang", "问材料", house.now())
    agent.end(Ended("bye"))
    await house.until(lambda: house.stage() == "bot")
    assert house.leg.ended is None
    service.ready(house.engine, "zhang", house.now())
    house.leg.press("0")
    await house.until(lambda: house.stage() == "waiting")
    assert house.entry().id != entry.handoff


async def test_the_survey_is_taken_on_the_telephone(
    tmp_path: Path, engine: Engine, city: City
) -> None:
    targets = city.targets.model_copy(update={"survey": True})
    async with housed(tmp_path, engine, city.model_copy(update={"targets": targets})) as house:
        house.sign_in("zhang")
        agent = FakeLeg("agent")
        house.line.answers[EIGHT] = agent
        await house.asks_for_a_person()
        await house.bridge(house.accept())
        await house.until(lambda: house.entry().state == "connected")
        agent.end(Ended("bye"))
        await house.until(lambda: "作个评价" in house.said())
        assert house.entry().state == "wrapup"
        house.leg.press("3")
        await house.until(lambda: "哪里不满意" in house.said())
        house.leg.press("1")  # a key is no reason, and still ends it
        await house.until(lambda: house.leg.ended is not None)
        (row,) = house.rows(Survey)
        assert (row.score, row.how, row.agent, row.why) == ("dissatisfied", "keys", "zhang", "")
        assert "感谢您的来电" in house.said()
        assert [turn.kind for turn in house.rows(Turn)][-1] == "bye"
