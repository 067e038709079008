"""Deeds are one transaction: the step, its history, what others hear, and the edition."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from config.orders import OrderRules
from handoff.order import deeds
from handoff.order.model import OrderError, OrderState
from handoff.order.rows import history
from store.engine import reading, writing
from store.tables import (
    Callback,
    HandoffEntry,
    OrderEvent,
    Outbox,
    Survey,
    WorkOrder,
    WorkOrderField,
)
from tests.handoff.order.conftest import CITY_GUARD, WATER

Made = Callable[[str], str]


class Deed:
    """Does steps to one order, a minute apart."""

    def __init__(self, engine: Engine, number: str, now: datetime, rules: OrderRules) -> None:
        self.engine, self.number, self.now, self.rules = engine, number, now, rules

    def __call__(self, verb: str, **values: Any) -> OrderState:
        self.now += timedelta(minutes=1)
        return deeds.do(
            self.engine, self.number, verb, by="wang", now=self.now, rules=self.rules, **values
        )


@pytest.fixture
def deed(engine: Engine, number: str, now: datetime, rules: OrderRules) -> Deed:
    return Deed(engine, number, now, rules)


def test_a_whole_life(engine: Engine, deed: Deed, number: str) -> None:
    deed("dispatch", department=CITY_GUARD, departments=("生态环境局",))
    deed("sign")
    deed("handle")
    deed("answer", text="已要求摊主安装油烟净化设备")
    deed("visit", reached=True, solved=True, score="satisfied", text="很快")
    deed("close")
    done = deed("archive")
    assert done.state == "归档"
    assert done.edition == 8
    with reading(engine) as session:
        row = session.scalars(select(WorkOrder)).one()
        steps = [event.verb for event in history(session, row.id)]
        told = session.scalars(select(Outbox).where(Outbox.topic == "order.changed")).all()
        survey = session.scalars(select(Survey)).one()
    assert steps == [
        "accepted", "dispatch", "sign", "handle", "answer", "visit", "close", "archive",
    ]  # fmt: skip
    assert (row.department, row.departments) == (CITY_GUARD, ["生态环境局"])
    assert [line.payload["event"] for line in told] == steps[1:]
    assert (survey.score, survey.solved, survey.why) == ("satisfied", True, "很快")


def test_a_refused_step_changes_nothing(engine: Engine, deed: Deed) -> None:
    with pytest.raises(OrderError) as refused:
        deed("sign")
    assert refused.value.code == "step_refused"
    with reading(engine) as session:
        assert session.scalars(select(WorkOrder)).one().edition == 1
        assert len(session.scalars(select(OrderEvent)).all()) == 1


def test_who_has_not_seen_the_last_change_is_refused(engine: Engine, deed: Deed) -> None:
    deed("dispatch", department=WATER, edition=1)
    with pytest.raises(OrderError) as refused:
        deed("sign", edition=1)
    assert refused.value.code == "order_changed"
    assert deed("sign", edition=2).state == "签收"


def test_an_unknown_order_and_an_unknown_value(
    engine: Engine, deed: Deed, now: datetime, rules: OrderRules
) -> None:
    with pytest.raises(OrderError) as refused:
        deeds.do(engine, "2026112099999", "sign", by="wang", now=now, rules=rules)
    assert refused.value.code == "order_unknown"
    with pytest.raises(OrderError) as refused:
        deed("sign", colour="red")
    assert refused.value.code == "value_unknown"


def test_an_edit_keeps_the_former_value(engine: Engine, number: str, now: datetime) -> None:
    later = now + timedelta(minutes=5)
    edition = deeds.edit(engine, number, {"what": "烧烤油烟"}, by="wang", now=later, edition=1)
    assert edition == 2
    edition = deeds.edit(engine, number, {"what": "油烟"}, by="li", now=later, edition=2)
    with reading(engine) as session:
        row = session.scalars(select(WorkOrder)).one()
        field = session.scalars(select(WorkOrderField)).one()
    assert (field.value, field.rule, field.confirmed_by) == ("油烟", "agent", "li")
    first, second = field.former
    assert (first["value"], first["quote"], first["by"]) == (
        "楼下烧烤摊油烟", "楼下烧烤摊油烟特别呛人", "wang",
    )  # fmt: skip
    assert (second["value"], second["rule"], second["by"]) == ("烧烤油烟", "agent", "li")
    assert row.edition == edition == 3


def test_columns_are_edited_and_keep_what_they_were(
    engine: Engine, number: str, now: datetime, rules: OrderRules
) -> None:
    changes = {
        "title": "夜间油烟",
        "urgency": "urgent",
        "secret": "是",
        "departments": "水务局、公安局",
    }
    with reading(engine) as session:
        due = session.scalars(select(WorkOrder.due_at)).one()
    deeds.edit(engine, number, changes, by="wang", now=now, rules=rules)
    with reading(engine) as session:
        row = session.scalars(select(WorkOrder)).one()
        former = {
            field.name: field.former[0]["value"]
            for field in session.scalars(select(WorkOrderField))
            if field.former
        }
    assert (row.title, row.urgency, row.secret) == ("夜间油烟", "urgent", True)
    assert row.departments == ["水务局", "公安局"]
    assert former == {"title": "油烟扰民", "urgency": "normal", "secret": "否"}
    assert row.due_at is not None
    assert due is None or row.due_at < due


def test_what_is_the_same_is_no_change(engine: Engine, number: str, now: datetime) -> None:
    assert deeds.edit(engine, number, {"title": "油烟扰民"}, by="wang", now=now) == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"colour": "red"}, "field_unknown"),
        ({"kind": "<b>"}, "value_invalid"),
        ({"urgency": "soon"}, "value_invalid"),
        ({"phone": "139abc"}, "value_invalid"),
        ({"title": ""}, "value_invalid"),
        ({"title": "x" * 61}, "value_invalid"),
        ({"what": "x" * 4001}, "value_invalid"),
        ({"secret": "maybe"}, "value_invalid"),
        ({"what": "好", "colour": "red"}, "field_unknown"),
    ],
)
def test_bad_edits_change_nothing(
    engine: Engine, number: str, now: datetime, changes: dict[str, str], code: str
) -> None:
    with pytest.raises(OrderError) as refused:
        deeds.edit(engine, number, changes, by="wang", now=now)
    assert refused.value.code == code
    with reading(engine) as session:
        assert session.scalars(select(WorkOrder.edition)).one() == 1


def test_a_field_is_confirmed_once(engine: Engine, number: str, now: datetime) -> None:
    assert deeds.confirm(engine, number, "what", "wang", now) == 2
    assert deeds.confirm(engine, number, "what", "wang", now) == 2
    with pytest.raises(OrderError) as refused:
        deeds.confirm(engine, number, "amount", "wang", now)
    assert refused.value.code == "field_unknown"


def test_merged_orders_go_where_the_main_one_goes_and_come_back(
    engine: Engine, made: Made, now: datetime, rules: OrderRules
) -> None:
    main, other = Deed(engine, made("a"), now, rules), Deed(engine, made("b"), now, rules)
    with writing(engine) as session:
        ids = {row.number: row.id for row in session.scalars(select(WorkOrder))}
        entry = HandoffEntry(
            id="h", conversation_id="c-b", order_id=ids[other.number], reason="asked",
            urgency="normal", created_at=now, changed_at=now,
        )  # fmt: skip
        session.add(entry)
        session.flush()
        back = Callback(phone="13800138000", conversation_id="c-b", handoff_id="h", reason="asked",
                        order_id=ids[other.number], created_at=now, changed_at=now)  # fmt: skip
        session.add(back)
    other("merge", into=main.number)
    with reading(engine) as session:
        assert session.scalars(select(Callback.order_id)).one() == ids[main.number]
    main("dispatch", department=CITY_GUARD)
    seen = deeds.look(engine, other.number)
    assert seen is not None
    assert (seen.state, seen.merged_into) == ("派单", ids[main.number])
    with pytest.raises(OrderError) as refused:
        other("sign")
    assert refused.value.code == "order_merged"
    parted = other("unmerge", text="不是一回事")
    assert (parted.state, parted.merged_into) == ("受理", "")
    with reading(engine) as session:
        assert session.scalars(select(Callback.order_id)).one() == ids[other.number]
        events = [event.verb for event in history(session, ids[main.number])]
    assert events == ["accepted", "took_over", "dispatch", "gave_back"]


def test_a_merged_order_is_closed_with_its_main_order(
    engine: Engine, made: Made, now: datetime, rules: OrderRules
) -> None:
    main, other = Deed(engine, made("a"), now, rules), Deed(engine, made("b"), now, rules)
    other("merge", into=main.number)
    main("answer", text="已答复")
    main("visit", reached=False)
    main("close")
    seen = deeds.look(engine, other.number)
    assert seen is not None
    assert seen.state == "办结"
    assert seen.answered_at is not None
    assert seen.closed_at is not None
    with pytest.raises(OrderError) as refused:
        other("unmerge", text="不是一回事")
    assert refused.value.code == "step_refused"


@pytest.mark.parametrize("into", ["self", "2026112099999", "merged"])
def test_merges_that_lead_in_a_circle(
    engine: Engine, made: Made, now: datetime, rules: OrderRules, into: str
) -> None:
    main, other = Deed(engine, made("a"), now, rules), Deed(engine, made("b"), now, rules)
    if into == "merged":
        main("merge", into=other.number)
        into = main.number
    with pytest.raises(OrderError) as refused:
        other("merge", into=other.number if into == "self" else into)
    assert refused.value.code in ("merge_self", "merge_unknown", "merge_circle")


def test_of_two_who_act_on_what_they_saw_one_is_refused(
    engine: Engine, number: str, now: datetime, rules: OrderRules
) -> None:
    def act(who: str) -> str:
        try:
            deeds.do(engine, number, "dispatch", by=who, now=now, rules=rules, edition=1,
                     department=WATER)  # fmt: skip
        except OrderError as error:
            return error.code
        return "done"

    with ThreadPoolExecutor(6) as pool:
        outcomes = sorted(pool.map(act, [f"agent{n}" for n in range(6)]))
    assert outcomes == ["done", *["order_changed"] * 5]
    with reading(engine) as session:
        steps = session.scalars(select(OrderEvent).where(OrderEvent.event == "dispatch")).all()
    assert len(steps) == 1


def test_edits_at_once_lose_none(
    engine: Engine, number: str, now: datetime, rules: OrderRules
) -> None:
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(
            lambda n: deeds.edit(engine, number, {"what": f"油烟{n}"}, by=f"a{n}", now=now),
            range(12),
        ))  # fmt: skip
    with reading(engine) as session:
        field = session.scalars(select(WorkOrderField)).one()
        order = session.scalars(select(WorkOrder)).one()
    values = {field.value, *(former["value"] for former in field.former)}
    assert values == {"楼下烧烤摊油烟", *(f"油烟{n}" for n in range(12))}
    assert order.edition == 13


def test_an_order_from_before_there_were_deadlines_lives_on(
    engine: Engine, deed: Deed, number: str
) -> None:
    with writing(engine) as session:
        row = session.scalars(select(WorkOrder)).one()
        row.due_at = row.sign_by = None
        for name, data in (
            ("accepted", {}),
            ("handed_over", {"reason": "asked"}),
            ("connected", {}),
        ):
            session.add(OrderEvent(order_id=row.id, at=row.created_at, actor="bot", event=name,
                                   data=data))  # fmt: skip
    with pytest.raises(OrderError) as refused:
        deed("sign")
    assert refused.value.code == "step_refused"
    deed("dispatch", department=WATER)
    deed("sign")
    deed("answer", text="已修好")
    deed("visit", reached=True, solved=True, score="fair")
    assert deed("close").state == "办结"


def test_unicode_line_noise_and_markup_are_kept_as_text(
    engine: Engine, deed: Deed, number: str
) -> None:
    told = "<script>alert(1)</script>\u202e\x00\x1b[2J=cmd|'/C calc'!A0 😷"
    deed("note", text=told)
    deeds.edit(engine, number, {"what": told}, by="wang", now=deed.now)
    with reading(engine) as session:
        note = session.scalars(select(OrderEvent.text).where(OrderEvent.event == "note")).one()
        value = session.scalars(select(WorkOrderField.value)).one()
    assert note == value == "<script>alert(1)</script>[2J=cmd|'/C calc'!A0 😷"
