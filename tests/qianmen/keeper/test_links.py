"""The keeper alarms and measures what the courier, perhaps dead, does not get through."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from config.city import City
from config.links import Links, Party
from config.settings import Settings
from handoff.alarms import open_alarms
from handoff.links.book import claim_danger, settle_danger
from handoff.links.deliver import Step
from handoff.orders import write
from qianmen.keeper import linkgauges, links
from qianmen.keeper.duty import Keeping
from store.engine import reading, writing
from store.tables import Conversation
from turns.orders import OrderDraft

LINKED = Links(parties=(
    Party(name="110", label="公安110", url="https://110.test/"),
    Party(name="gas", label="燃气公司", url="https://gas.test/"),
))  # fmt: skip
Samples = dict[tuple[str, ...], float]


@pytest.fixture
def keeping(engine: Engine, city: City, tmp_path: Path, now: datetime) -> Keeping:
    linked = city.model_copy(update={"links": LINKED})
    with writing(engine) as session:
        session.add(Conversation(id="c1", channel="web", started_at=now))
    draft = OrderDraft("k1", "c1", "web", "12345", "求助", "danger", "煤气味很大")
    write(engine, draft, now=now.astimezone(city.zone), city=linked, danger="gas")
    return Keeping(Settings(data_dir=tmp_path), linked, engine)


def measured(engine: Engine, now: datetime) -> dict[str, Samples]:
    families = linkgauges.families()
    with reading(engine) as session:
        linkgauges.ask(session, now, families)
    return {
        family.name: {tuple(s.labels.values()): s.value for s in family.samples}
        for family in families
    }


def test_with_no_courier_people_are_alarmed_all_the_same(keeping: Keeping, now: datetime) -> None:
    (duty,) = links.DUTIES
    assert not duty.deletes
    duty.work(keeping, now + timedelta(seconds=20))
    assert open_alarms(keeping.engine) == ()
    for seconds in (31, 46):
        duty.work(keeping, now + timedelta(seconds=seconds))
    alarms = open_alarms(keeping.engine)
    assert sorted(alarm.text[alarm.text.index("：") + 1 :][:4] for alarm in alarms) == [
        "公安11", "燃气公司",
    ]  # fmt: skip


def test_what_is_on_its_way_is_measured(keeping: Keeping, now: datetime) -> None:
    engine = keeping.engine
    (claim,) = claim_danger(engine, LINKED.parties[1], LINKED, now, 9)
    step = Step("acknowledged", None, 200, "", "P")
    settle_danger(engine, claim, step, LINKED.parties[1], now)
    links.alarm(keeping, now + timedelta(seconds=40))
    found = measured(engine, now + timedelta(seconds=40))
    assert found["qianmen_linkage"] == {("110", "waiting"): 1, ("gas", "acknowledged"): 1}
    assert found["qianmen_linkage_unacknowledged_seconds"] == {("110",): 40, ("gas",): 0}
    assert found["qianmen_link_acknowledged_timestamp_seconds"] == {
        ("110",): 0, ("gas",): now.timestamp(),
    }  # fmt: skip
    assert found["qianmen_deliveries"] == {("waiting",): 0, ("sent",): 0, ("given_up",): 0}
    assert found["qianmen_alarms_open"] == {("link_unacknowledged",): 1}


def test_an_empty_database_measures_nothing(engine: Engine) -> None:
    found = measured(engine, datetime.now(UTC))
    assert found["qianmen_linkage"] == {}
    assert found["qianmen_deliveries"]["waiting",] == 0
