"""What is overdue is urged, supervised and raised by the city's table, each once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from config.city import City
from config.orders import Escalation, OrderRules, Span
from handoff.order import deeds
from handoff.order.overdue import Due, escalate
from handoff.orders import write
from store.engine import reading, writing
from store.tables import Alarm, Conversation, OrderEvent, WorkOrder
from turns.orders import OrderDraft

RULES = OrderRules()


@pytest.fixture
def number(engine: Engine, now: datetime, city: City) -> str:
    with writing(engine) as session:
        session.add(Conversation(id="c", channel="web", started_at=now))
    draft = OrderDraft("k", "c", "web", "", "投诉", "normal", "油烟")
    return write(engine, draft, now=now, city=city.model_copy(update={"orders": RULES})).number


@pytest.fixture
def verbs(engine: Engine, number: str) -> Callable[[datetime], list[str]]:
    def at(moment: datetime) -> list[str]:
        return [due.verb or due.late for due in escalate(engine, RULES, moment)]

    return at


def local(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, second, tzinfo=RULES.zone)


def test_overdue_signing_is_urged_once(
    engine: Engine, number: str, now: datetime, verbs: Callable[[datetime], list[str]]
) -> None:
    deeds.do(engine, number, "dispatch", by="wang", now=now, rules=RULES, department="水务局")
    assert verbs(local(23, 18)) == []  # Friday noon and one working day: Monday 18:00
    assert verbs(local(23, 18, 0, 1)) == ["urge"]
    assert verbs(local(23, 18, 0, 2)) == []
    seen = deeds.look(engine, number)
    assert seen is not None
    assert seen.urged == 1
    with reading(engine) as session:
        event = session.scalars(select(OrderEvent).where(OrderEvent.event == "urge")).one()
        alarm = session.scalars(select(Alarm)).one()
    assert event.actor == "system"
    assert (alarm.kind, alarm.object) == ("order_late_sign", number)
    assert alarm.text == f"工单{number}签收超时，已自动催办"


def test_an_overdue_answer_is_supervised_and_then_raised(
    engine: Engine, number: str, now: datetime, verbs: Callable[[datetime], list[str]]
) -> None:
    deeds.do(engine, number, "dispatch", by="wang", now=now, rules=RULES, department="水务局")
    deeds.do(engine, number, "sign", by="li", now=now, rules=RULES)
    assert verbs(local(27, 18)) == []  # five working days: the next Friday
    assert verbs(local(27, 18, 1)) == ["supervise"]
    two_days_on = datetime(2026, 12, 1, 18, 0, 1, tzinfo=RULES.zone)
    assert verbs(two_days_on) == ["raise"]
    assert verbs(two_days_on + timedelta(days=30)) == []
    seen = deeds.look(engine, number)
    assert seen is not None
    assert (seen.level, seen.facts.supervised) == (1, 1)


def test_all_that_was_missed_is_made_up_for_at_once(
    number: str, verbs: Callable[[datetime], list[str]]
) -> None:
    assert verbs(datetime(2027, 1, 20, tzinfo=RULES.zone)) == ["dispatch", "supervise", "raise"]


def test_an_order_that_nobody_dispatches_alarms(
    engine: Engine, number: str, now: datetime, verbs: Callable[[datetime], list[str]]
) -> None:
    assert verbs(now + timedelta(days=1)) == []
    assert verbs(now + timedelta(days=1, seconds=1)) == ["dispatch"]
    assert verbs(now + timedelta(days=1, seconds=2)) == []


def test_what_was_extended_is_late_later_and_what_is_answered_never(
    engine: Engine, number: str, now: datetime, verbs: Callable[[datetime], list[str]]
) -> None:
    for verb, values in (
        ("dispatch", {"department": "水务局"}), ("sign", {}),
        ("extend", {"workdays": 3, "text": "需要鉴定"}),
    ):  # fmt: skip
        deeds.do(engine, number, verb, by="wang", now=now, rules=RULES, **values)
    assert verbs(local(27, 18, 1)) == []
    december = datetime(2026, 12, 2, 18, 0, 1, tzinfo=RULES.zone)
    deeds.do(engine, number, "answer", by="wang", now=now, rules=RULES, text="已修好")
    assert verbs(december) == []


def test_a_step_that_is_refused_still_alarms(engine: Engine, number: str) -> None:
    rules = RULES.model_copy(update={
        "escalation": (Escalation(late="answer", after=Span(minutes=0), do="raise"),)
    })  # fmt: skip
    late = datetime(2026, 12, 20, tzinfo=RULES.zone)
    assert [due.verb for due in escalate(engine, rules, late)] == ["", "raise"]
    with reading(engine) as session:
        texts = session.scalars(select(Alarm.text).order_by(Alarm.id)).all()
        assert session.scalars(select(WorkOrder.level)).one() == 0
    assert texts[1] == f"工单{number}办理超时，请处理"


def test_merged_and_old_orders_are_left_alone(
    engine: Engine, number: str, verbs: Callable[[datetime], list[str]]
) -> None:
    with writing(engine) as session:
        row = session.scalars(select(WorkOrder)).one()
        row.due_at = None  # as one that was written before there were deadlines
    assert verbs(datetime(2027, 1, 20, tzinfo=RULES.zone)) == []


def test_many_late_orders_come_in_portions(
    engine: Engine, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handoff.order.overdue.PORTION", 2)
    with writing(engine) as session:
        session.add(Conversation(id="c", channel="web", started_at=now))
    for n in range(5):
        write(engine, OrderDraft(f"k{n}", "c", "web", "", "投诉", "normal", "油烟"), now=now)
    done = escalate(engine, RULES, now + timedelta(days=2))
    assert {due.late for due in done} == {"dispatch"}
    assert len(done) == 5
    assert isinstance(done[0], Due)
