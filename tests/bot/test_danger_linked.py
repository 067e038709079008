"""Danger heard in a turn is on its way to 110 when the citizen hears its answer."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import Engine, select

from config.city import City
from config.links import Links, Party
from handoff.links import links_of
from store.engine import reading
from store.tables import Alarm, WorkOrder
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
