"""Danger heard in a turn is on its way to 110 when the citizen hears its answer."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import Engine, select

from config.city import City
from config.links import Links, Party
from handoff.links import links_of
from handoff.queue import service
from store.engine import reading
from store.tables import Alarm, Conversation, HandoffEntry, WorkOrder
from tests.bot.test_conversation import Talk

LINKED = Links(parties=(
    Party(name="110", label="公安110", url="https://110.test/"),
    Party(name="fire", label="消防", url="https://fire.test/", topics=("fire",)),
    Party(name="gas", label="燃气公司", url="https://gas.test/", topics=("gas",)),
))  # fmt: skip


@pytest.mark.parametrize("linked", [True, False])
async def test_danger_goes_to_whom_its_topic_concerns_or_alarms_people(
    engine: Engine, city: City, now: datetime, linked: bool
) -> None:
    city = city.model_copy(update={"links": LINKED}) if linked else city
    talk = Talk(engine, city, now, "phone")
    await talk.open()
    told = await talk.say("楼下着火了", "speech")
    await talk.bus.stop()
    assert told
    with reading(engine) as session:
        order = session.scalars(select(WorkOrder.id)).one()
        alarms = list(session.scalars(select(Alarm.kind)))
    assert {link.party for link in links_of(engine, order)} == (
        {"110", "fire"} if linked else set()
    )
    assert alarms == ([] if linked else ["link_unconfigured"])
    assert not any("已经确认" in getattr(reply, "text", "") for reply in told)


async def test_danger_told_to_a_person_marks_the_order_and_goes_to_its_links(
    engine: Engine, city: City, now: datetime
) -> None:
    city = city.model_copy(update={"links": LINKED})
    talk = Talk(engine, city, now, "phone")
    await talk.open()
    await talk.say("转人工", "speech")
    (entry,) = talk.rows(HandoffEntry)
    service.connected(engine, entry.id, now, agent="wang")
    assert await talk.say("我再说一遍我家地址", "speech") == []
    assert links_of(engine, entry.order_id) == ()
    for _ in range(2):
        assert await talk.say("哎呀着火了", "speech") == []  # the person does the talking
    await talk.bus.stop()
    assert {link.party for link in links_of(engine, entry.order_id)} == {"110", "fire"}
    (order,), (entry,) = talk.rows(WorkOrder), talk.rows(HandoffEntry)
    assert (order.urgency, entry.urgency, entry.state) == ("danger", "danger", "connected")
    assert talk.rows(Conversation)[0].state == "agent"


async def test_danger_told_to_a_person_of_the_hunt_group_puts_nobody_into_the_queue(
    engine: Engine, city: City, now: datetime
) -> None:
    talk = Talk(engine, city.model_copy(update={"links": LINKED}), now, "phone")
    await talk.open()
    await talk.core.connected("c1", now)
    assert await talk.say("着火了", "speech") == []
    await talk.bus.stop()
    assert talk.rows(HandoffEntry) == []
    assert [row.urgency for row in talk.rows(WorkOrder)] == ["danger"]
