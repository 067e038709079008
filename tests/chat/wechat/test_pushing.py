"""Citizens are told what they were not told yet: all of it, once, in order, within what is left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from bot import answered, records
from bot.bus import Bus
from bot.records import Opening
from chat.wechat import ledger
from chat.wechat.ledger import Claim
from chat.wechat.messages import Text
from chat.wechat.pushing import Pusher
from chat.wechat.telling import LEASE, SKIP_AFTER, Teller
from config.city import City
from qianmen.wechatsim import messages
from store.engine import reading, writing
from store.tables import Conversation, WechatCitizen
from tests.chat.wechat.rig import Rig
from tests.fakes.office import NOBODY
from turns.replies import Ask, Handoff, Option, Reply, Say, Speaker

OPENID, TALK = "o6_bmjrPTlm6_2sgVt7hMZOPfL2M", "wechat-1"
LONG = "提取住房公积金需要本人身份证原件、购房合同和首付款发票。" * 60
one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""What PostgreSQL could do otherwise is tried in the other tests."""


class World:
    """One citizen in the database and at the platform, and our processes around them."""

    def __init__(self, engine: Engine, city: City) -> None:
        self.engine = engine
        self.prompts = city.prompts
        self.rig = Rig()
        self.api = self.rig.api()
        self.pushers: list[Pusher] = []
        self.buses: list[Bus] = []
        opening = Opening(TALK, "wechat", "12345", "wechat:gh_1:x", self.rig.clock.now(), "")
        records.open_conversation(engine, opening)
        with writing(engine) as session:
            session.add(
                WechatCitizen(id="c1", openid_mark="m1", openid=OPENID, account="gh_1",
                              conversation_id=TALK, changed_at=self.rig.clock.now())
            )  # fmt: skip

    def writes(self, *, click: bool = False) -> None:
        """The citizen does something, at the platform and in our book."""
        now = self.rig.clock.now()
        fields = messages.click("K") if click else messages.text("在吗")
        self.rig.platform.hears(OPENID, fields)
        with writing(self.engine) as session:
            row = session.get_one(WechatCitizen, "c1")
            row.next_at, row.subscribed = None, True
            if click:
                row.click_until, row.click_left = now + timedelta(seconds=60), 3
            else:
                row.window_until, row.left = now + timedelta(hours=48), 5

    def told(self, *replies: Reply, speaker: Speaker = "bot") -> None:
        """Something is told in the conversation."""
        answered.commit_told(self.engine, TALK, replies, speaker=speaker, at=self.rig.clock.now())

    def state(self, state: str) -> None:
        with writing(self.engine) as session:
            session.get_one(Conversation, TALK).state = state

    def row(self) -> WechatCitizen:
        with reading(self.engine) as session:
            return session.get_one(WechatCitizen, "c1")

    def teller(self) -> Teller:
        return Teller(self.engine, self.api, self.prompts, self.rig.clock.now, lambda: 0.5)

    def pusher(self) -> Pusher:
        """Of another process."""
        bus = Bus(NOBODY)
        pusher = Pusher(self.teller(), bus, lambda key: key.startswith("wechat-"))
        self.pushers.append(pusher)
        self.buses.append(bus)
        return pusher

    def claim(self, by: str = "me") -> Claim:
        now = self.rig.clock.now()
        found = ledger.claim(self.engine, "c1", by, now, LEASE)
        assert isinstance(found, Claim)
        return found

    async def push(self) -> None:
        """One process tells them all that it may, now."""
        pusher = self.pusher()
        await pusher.look()
        await until_idle(pusher)
        await pusher.stop()  # or it might wake in the middle of what follows

    @property
    def texts(self) -> list[str]:
        return self.rig.texts(OPENID)


async def until_idle(pusher: Pusher) -> None:
    """Wait until nobody is being told anything."""
    while pusher._woken:  # noqa: ASYNC110  # tasks begin others: no one event says it
        await asyncio.sleep(0.005)


@pytest.fixture
async def world(engine: Engine, city: City) -> AsyncIterator[World]:
    world = World(engine, city)
    yield world
    for pusher in world.pushers:
        await pusher.stop()
    for bus in world.buses:
        await bus.stop()


async def test_what_was_told_late_reaches_them_in_one_message(world: World) -> None:
    world.writes()
    world.told(Say("1", "您好。"), Say("2", "带上身份证。"))
    await world.push()
    assert world.texts == ["您好。\n\n带上身份证。"]
    assert (world.row().left, world.row().claimed_by) == (4, "")
    await world.push()
    assert len(world.texts) == 1


@one_database
async def test_a_question_can_be_clicked(world: World) -> None:
    world.writes()
    world.told(Ask("1", "哪一种？", (Option("购房", "buy"), Option("租房", "rent")), "choice"))
    await world.push()
    (seen,) = world.rig.shown(OPENID)
    assert seen.kind == "msgmenu"
    assert [choice.content for choice in seen.choices] == ["购房", "租房"]


@one_database
async def test_with_little_left_options_are_numbered(world: World) -> None:
    world.writes()
    for n in range(4):
        world.told(Say(f"{n}", f"第{n}句。"))
        await world.push()
    world.told(Ask("1", "哪一种？", (Option("购房", "buy"),), "choice"))
    await world.push()
    assert world.rig.shown(OPENID)[-1].kind == "text"
    assert world.texts[-1].startswith("哪一种？\n1. 购房")
    world.told(Say("9", "还有一句。"))
    await world.push()
    assert len(world.texts) == 5
    world.writes()
    await world.push()
    assert world.texts[-1] == "还有一句。"


@one_database
async def test_a_long_answer_goes_on_with_their_next_message(world: World) -> None:
    world.writes()
    with writing(world.engine) as session:
        session.get_one(WechatCitizen, "c1").left = 1
    world.told(Say("1", LONG))
    await world.push()
    (first,) = world.texts
    assert first.endswith(world.prompts.wechat_more)
    world.writes()
    await world.push()
    told = first.removesuffix("\n\n" + world.prompts.wechat_more) + "".join(world.texts[1:])
    assert told == LONG


@one_database
async def test_what_is_not_shown_is_done_with(world: World) -> None:
    world.writes()
    world.told(Say("1", "转给人工了。"), Handoff("2", "asked"))
    await world.push()
    assert world.texts == ["转给人工了。"]
    assert ledger.due(world.engine, world.rig.clock.now(), 10) == ()
    world.told(Handoff("3", "asked"))
    await world.push()
    assert ledger.due(world.engine, world.rig.clock.now(), 10) == ()
    assert world.row().left == 4


async def test_many_processes_tell_it_once(world: World) -> None:
    world.writes()
    world.told(Say("1", "您好。"))
    pushers = [world.pusher() for _ in range(4)]
    await asyncio.gather(*(pusher.look() for pusher in pushers))
    await asyncio.gather(*(pusher._of_conversation(TALK) for pusher in pushers))
    for pusher in pushers:
        await until_idle(pusher)
    assert world.texts == ["您好。"]


@one_database
async def test_news_wake_the_pusher(world: World) -> None:
    world.writes()
    pusher = world.pusher()
    pusher.start()
    world.told(Say("1", "您好。"))
    world.buses[-1].tell("web-somebody")
    world.buses[-1].tell(TALK)
    assert await asyncio.to_thread(world.rig.platform.wait, lambda: bool(world.texts), 60)
    assert world.texts == ["您好。"]


async def test_who_dies_after_sending_sends_that_one_again_and_loses_none(world: World) -> None:
    world.writes()
    world.told(Say("1", "您好。"))
    claimed = world.claim()
    counted = ledger.count(world.engine, claimed, world.rig.clock.now(), LEASE)
    assert counted is not None
    await world.rig.api().send(OPENID, Text("您好。"))
    world.told(Say("2", "第二句。"))  # killed here: the cursor was not moved
    await world.push()
    assert world.texts == ["您好。"]
    world.rig.clock.go(LEASE.total_seconds() + 1)
    await world.push()
    assert world.texts == ["您好。", "您好。\n\n第二句。"]
    assert world.row().left == 3


async def test_who_was_thought_dead_does_no_harm(world: World) -> None:
    world.writes()
    world.told(Say("1", "您好。"))
    slow = world.claim("slow")
    world.rig.clock.go(LEASE.total_seconds() + 1)
    await world.push()
    now = world.rig.clock.now()
    assert ledger.count(world.engine, slow, now, LEASE) is None
    assert ledger.told(world.engine, slow, slow.place, now) is None
    ledger.release(world.engine, slow, next_at=now + timedelta(hours=1))
    assert world.row().next_at is None
    assert world.texts == ["您好。"]


@one_database
@pytest.mark.parametrize(("errcode", "left"), [(45015, 0), (45047, 0)])
async def test_the_platform_says_enough(world: World, errcode: int, left: int) -> None:
    world.writes()
    world.told(Say("1", "您好。"))
    world.rig.platform.faults.errors.append(errcode)
    await world.push()
    assert (world.row().left, world.texts) == (left, [])
    await world.push()
    sends = [call for call in world.rig.platform.calls if call.path.endswith("custom/send")]
    assert len(sends) == 1
    world.rig.clock.go(10)
    world.writes()
    await world.push()
    assert world.texts == ["您好。"]


@one_database
async def test_who_follows_no_more_is_left_alone_until_they_come_back(world: World) -> None:
    world.writes()
    world.told(Say("1", "您好。"))
    world.rig.platform.faults.errors.append(43004)
    await world.push()
    assert not world.row().subscribed
    await world.push()
    assert world.texts == []
    world.writes()
    await world.push()
    assert world.texts == ["您好。"]


async def test_what_fails_for_a_while_is_told_later_and_costs_nothing(world: World) -> None:
    world.writes()
    world.told(Say("1", "您好。"))
    world.rig.unreachable = 1000
    await world.push()
    assert (world.row().left, world.row().tries) == (5, 1)
    await world.push()
    assert world.row().tries == 1, "nobody tries before it is time"
    world.rig.unreachable = 0
    world.rig.clock.go(3)
    await world.push()
    assert world.texts == ["您好。"]
    assert (world.row().left, world.row().tries) == (4, 0)


@one_database
async def test_what_may_have_arrived_is_counted_and_told_again(world: World) -> None:
    world.writes()
    world.told(Say("1", "您好。"))
    await world.api.tokens.get()
    world.rig.lost = 1
    await world.push()
    assert (world.row().left, len(world.texts)) == (4, 1)
    world.rig.clock.go(3)
    await world.push()
    assert world.texts == ["您好。", "您好。"]
    assert world.row().left == 3


@one_database
async def test_a_menu_that_is_refused_is_told_as_a_text(world: World) -> None:
    world.writes()
    world.told(Ask("1", "哪一种？", (Option("购房", "buy"),), "choice"))
    world.rig.platform.faults.errors.append(47001)
    await world.push()
    (seen,) = world.rig.shown(OPENID)
    assert seen.kind == "text"
    assert world.row().left == 4


@one_database
async def test_a_text_that_is_always_refused_holds_up_nothing_for_ever(world: World) -> None:
    world.writes()
    world.told(Say("1", "坏的。"))
    for _ in range(SKIP_AFTER + 1):
        world.rig.platform.faults.errors.append(99999)
        await world.push()
        world.rig.clock.go(120)
    world.told(Say("2", "好的。"))
    await world.push()
    assert world.texts == ["好的。"]


@one_database
async def test_an_agents_lines_share_the_last_messages(world: World) -> None:
    world.writes()
    world.state("agent")
    with writing(world.engine) as session:
        session.get_one(WechatCitizen, "c1").left = 2
    world.told(Say("1", "您好，我是坐席。"), speaker="agent")
    await world.push()
    assert world.texts == []
    world.rig.clock.go(1)
    world.told(Say("2", "您的地址是？"), speaker="agent")
    await world.push()
    assert world.texts == []
    world.rig.clock.go(3)
    await world.push()
    assert world.texts == ["您好，我是坐席。\n\n您的地址是？"]
    world.rig.clock.go(1)
    world.told(Say("3", "请稍等。"), speaker="agent")
    world.rig.clock.go(7)
    await world.push()
    assert world.texts[-1] == "请稍等。\n\n" + world.prompts.wechat_last
    assert world.row().left == 0


@one_database
async def test_with_plenty_left_an_agent_is_heard_at_once(world: World) -> None:
    world.writes()
    world.state("agent")
    world.told(Say("1", "您好，我是坐席。"), speaker="agent")
    await world.push()
    assert world.texts == ["您好，我是坐席。"]


@one_database
async def test_after_a_click_three_in_a_minute(world: World) -> None:
    world.writes(click=True)
    for n in range(4):
        world.told(Say(f"{n}", f"第{n}句。"))
        await world.push()
    assert len(world.texts) == 3
    assert not world.rig.platform.breaches
    assert {call.errcode for call in world.rig.platform.calls} == {0}


@one_database
def test_the_record_tells_nobody_who_it_is(world: World) -> None:
    world.writes()
    assert OPENID not in repr(world.claim())
