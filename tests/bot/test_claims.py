"""A turn is answered exactly once, also when the process that took it dies."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from bot import answered, claims, records
from bot.claims import LEASE, Claim
from config.city import City
from store.engine import reading
from store.tables import Turn
from tests.bot.test_conversation import Talk
from turns.heard import Heard
from turns.replies import Say

LATER = LEASE + timedelta(seconds=1)


@pytest.fixture
def opened(engine: Engine, now: datetime) -> Engine:
    records.open_conversation(engine, records.Opening("c1", "web", "12345", "web:1", now))
    return engine


def heard(name: str, now: datetime, channel: str = "web") -> Heard:
    return Heard(name, "c1", channel, "12345", "text", name, now)


def say(engine: Engine, name: str, by: str, now: datetime) -> bool:
    """Answer turn ``name`` as the process ``by``; whether it was written."""
    told = (Say(f"{name}.0", f"{by} 答 {name}"),)
    written = answered.commit_told(
        engine, "c1", told, speaker="bot", at=now, in_reply_to=name, answerer=by
    )
    return written is not None


def test_who_lost_a_turn_cannot_answer_it_any_more(opened: Engine, now: datetime) -> None:
    records.commit_heard(opened, heard("h1", now), Claim("a", now + LEASE))
    assert claims.left(opened, now) == ()
    assert claims.left(opened, now + LATER) == ("c1",)
    (taken,) = claims.take(opened, "c1", "b", now + LATER)
    assert (taken.id, taken.channel, taken.text) == ("h1", "web", "h1")
    assert not say(opened, "h1", "a", now)
    assert say(opened, "h1", "b", now)
    assert claims.take(opened, "c1", "c", now + 10 * LATER) == ()
    assert claims.place_of(opened, heard("h1", now), "a") == "gone"


def test_who_says_that_it_lives_keeps_its_turns(opened: Engine, now: datetime) -> None:
    records.commit_heard(opened, heard("h1", now), Claim("a", now + LEASE))
    claims.renew(opened, "a", [("c1", "h1"), ("c1", "none")], now + LEASE)
    assert claims.left(opened, now + LATER) == ()
    claims.renew(opened, "b", [("c1", "h1")], now + 9 * LEASE)  # not its own
    assert claims.left(opened, now + 3 * LEASE) == ("c1",)


def test_a_turn_stands_behind_an_earlier_one_elsewhere(opened: Engine, now: datetime) -> None:
    records.commit_heard(opened, heard("h1", now), Claim("a", now + LEASE))
    records.commit_heard(opened, heard("h2", now), Claim("b", now + LEASE))
    assert claims.place_of(opened, heard("h2", now), "b") == "behind"
    assert say(opened, "h1", "a", now)
    assert claims.place_of(opened, heard("h2", now), "b") == "mine"


def test_nobody_answers_who_has_left(opened: Engine, now: datetime) -> None:
    records.commit_heard(opened, heard("h1", now), Claim("a", now + LEASE))
    records.end_conversation(opened, "c1", now)
    assert claims.take(opened, "c1", "b", now + LATER) == ()
    assert claims.left(opened, now + 9 * LATER) == ()


def test_of_many_that_find_a_dead_ones_turn_one_answers(opened: Engine, now: datetime) -> None:
    from concurrent.futures import ThreadPoolExecutor

    records.commit_heard(opened, heard("h1", now), Claim("dead", now))
    names = [f"p{number}" for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda by: claims.take(opened, "c1", by, now + LATER), names))
        assert sum(map(len, taken)) == 1
        assert sum(pool.map(lambda by: say(opened, "h1", by, now), names)) == 1
    with reading(opened) as session:
        assert len(session.scalars(select(Turn).where(Turn.in_reply_to == "h1")).all()) == 1


async def test_a_call_is_claimed_by_nobody(engine: Engine, city: City, now: datetime) -> None:
    talk = Talk(engine, city, now, "phone")
    await talk.open()
    talk.dialogue.gate.clear()
    await talk.core.hear(talk.heard("你好"))
    assert claims.left(engine, now + 9 * LATER) == ()
    talk.dialogue.gate.set()
    await talk.core.settled()
    await talk.bus.stop()


async def test_a_message_sent_to_another_process_waits_for_the_one_before_it(
    engine: Engine, city: City, now: datetime
) -> None:
    """The page came back elsewhere while its first message was still being answered."""
    one, two = Talk(engine, city, now, "web"), Talk(engine, city, now, "web")
    await one.open()
    one.dialogue.gate.clear()
    await one.core.hear(one.heard("第一句"))
    two.count = one.count
    await two.core.hear(two.heard("第二句"))
    await asyncio.sleep(0.05)
    assert two.dialogue.asked == []
    one.dialogue.gate.set()
    await one.core.settled()
    await two.core.settled()
    assert [getattr(told.reply, "text", "") for told in await two.told()][1:] == [
        "听到：第一句", "听到：第二句",
    ]  # fmt: skip
    await one.bus.stop()
    await two.bus.stop()


async def test_the_living_answer_in_order_what_the_dead_left(
    engine: Engine, city: City, now: datetime
) -> None:
    one, two = Talk(engine, city, now, "web"), Talk(engine, city, now + LATER, "web")
    await one.open()
    one.dialogue.gate.clear()
    await one.core.hear(one.heard("第一句"))  # and then it dies
    two.count = one.count
    await two.core.hear(two.heard("第二句"))
    await two.core.settled()
    assert [getattr(told.reply, "text", "") for told in await two.told()][1:] == [
        "听到：第一句", "听到：第二句",
    ]  # fmt: skip
    assert two.dialogue.forgotten == [("c1", "h1")]
    one.dialogue.gate.set()  # it was only slow: what it has to say comes too late
    await one.core.settled()
    assert len(await two.told()) == 3
    await one.bus.stop()
    await two.bus.stop()


async def test_whoever_sweeps_answers_what_nobody_has(
    engine: Engine, city: City, now: datetime
) -> None:
    talk = Talk(engine, city, now + LATER, "web")
    await talk.open()
    records.commit_heard(engine, heard("h9", now), Claim("dead", now))
    sweeping = asyncio.create_task(talk.core.tend())
    async with asyncio.timeout(30):
        async for told in talk.core.replies("c1"):
            if told.in_reply_to == "h9" and told.last:
                break
    sweeping.cancel()
    await asyncio.gather(sweeping, return_exceptions=True)
    assert talk.dialogue.forgotten == [("c1", "h9")]
    await talk.bus.stop()
