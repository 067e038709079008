"""Alarms: once for each key, open until somebody has seen it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from sqlalchemy import Engine

from handoff.alarms import open_alarms, raise_alarm, seen
from store.engine import writing


def rung(engine: Engine, key: str, now: datetime) -> bool:
    with writing(engine) as session:
        return raise_alarm(session, key, "link_failed", "2026112000001", "请马上电话通报", now)


def test_an_alarm_is_raised_once_a_key_and_stays_until_it_is_seen(
    engine: Engine, now: datetime
) -> None:
    assert rung(engine, "a", now)
    assert not rung(engine, "a", now + timedelta(seconds=1))
    assert rung(engine, "b", now + timedelta(seconds=2))
    newest, oldest = open_alarms(engine)
    assert (newest.key, oldest.key, oldest.at, oldest.object) == ("b", "a", now, "2026112000001")
    assert seen(engine, oldest.id, "li", now)
    assert not seen(engine, oldest.id, "wang", now)
    assert not seen(engine, 999, "li", now)
    assert [alarm.key for alarm in open_alarms(engine)] == ["b"]
    assert not rung(engine, "a", now), "seen is not forgotten"


def test_processes_that_see_the_same_trouble_raise_one_alarm(engine: Engine, now: datetime) -> None:
    with ThreadPoolExecutor(8) as pool:
        raised = list(pool.map(lambda _: rung(engine, "same", now), range(8)))
    assert raised.count(True) == 1
    assert len(open_alarms(engine)) == 1
