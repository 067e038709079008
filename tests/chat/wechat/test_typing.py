"""That somebody writes is shown, seldom enough, and its failures do no harm."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import Engine

from bot.bus import Bus
from bot.people import typing_key
from chat.wechat.merging import wants_more
from chat.wechat.pushing import Pusher
from chat.wechat.telling import Teller
from chat.wechat.typing import EVERY_S, Typist
from config.city import City
from qianmen.wechatsim import messages
from store.engine import writing
from store.tables import Conversation, WechatCitizen
from tests.chat.wechat.rig import Rig
from tests.fakes.office import NOBODY

OPENID, TALK = "o6_bmjrPTlm6_2sgVt7hMZOPfL2M", "wechat-1"
PATH = "/cgi-bin/message/custom/typing"
one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""What PostgreSQL could do otherwise is tried in the other tests."""


@pytest.fixture
def rig(engine: Engine) -> Rig:
    rig = Rig()
    rig.platform.hears(OPENID, messages.text("在吗"))
    with writing(engine) as session:
        session.add(Conversation(id=TALK, channel="wechat", started_at=rig.clock.now()))
        session.flush()
        session.add(
            WechatCitizen(id="c1", openid_mark="m1", openid=OPENID, account="gh_1",
                          conversation_id=TALK, changed_at=rig.clock.now())
        )  # fmt: skip
    return rig


async def shown(typist: Typist) -> None:
    """Wait until all that was begun is done."""
    await asyncio.gather(*typist._tasks)


@one_database
async def test_it_is_shown_at_once_and_not_again_and_again(engine: Engine, rig: Rig) -> None:
    typist = Typist(engine, rig.api(), rig.clock.seconds)
    for _ in range(3):
        typist.show(TALK)
    await shown(typist)
    assert rig.paths().count(PATH) == 1
    rig.clock.go(EVERY_S)
    typist.show(TALK)
    await shown(typist)
    assert rig.paths().count(PATH) == 2
    await typist.stop()


@one_database
async def test_strangers_and_faults_do_no_harm(engine: Engine, rig: Rig) -> None:
    typist = Typist(engine, rig.api(), rig.clock.seconds)
    typist.show("wechat-nobody")
    await shown(typist)
    assert rig.paths().count(PATH) == 0
    rig.unreachable = 10
    typist.show(TALK)
    await shown(typist)
    await typist.stop()


@one_database
async def test_an_agent_who_writes_is_shown(engine: Engine, city: City, rig: Rig) -> None:
    bus, seen = Bus(NOBODY), list[str]()
    teller = Teller(engine, rig.api(), city.prompts, rig.clock.now)
    pusher = Pusher(teller, bus, lambda key: key.startswith("wechat-"), seen.append)
    pusher.start()
    for key in (
        typing_key(TALK, "agent"),
        typing_key(TALK, "citizen"),
        typing_key("web-1", "agent"),
    ):
        bus.tell(key)
    await pusher.stop()
    bus.tell(typing_key(TALK, "agent"))
    assert seen == [TALK]
    await bus.stop()


@pytest.mark.parametrize("text", ["继续", "继续。", "请继续说", "往下看", "更多", "接着讲吧"])
def test_who_wants_the_rest_says_so(text: str) -> None:
    assert wants_more(text)


@pytest.mark.parametrize("text", ["", "继续教育怎么报名", "更多材料在哪里交", "1", "不用继续了"])
def test_and_whoever_says_something_else_does_not(text: str) -> None:
    assert not wants_more(text)
