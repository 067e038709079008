"""Work orders are written exactly once, with gapless numbers and provenance."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select

from handoff.orders import write, write_handoff
from store.engine import reading, writing
from store.tables import (
    Conversation,
    HandoffEntry,
    OrderEvent,
    Outbox,
    WorkOrder,
    WorkOrderField,
)
from turns.orders import OrderDraft, OrderField, Provenance


@pytest.fixture
def draft(engine: Engine, now: datetime) -> OrderDraft:
    for name in ("c1", "c2"):
        with writing(engine) as session:
            session.add(Conversation(id=name, channel="web", started_at=now, ended_at=None))
    source = Provenance("h1", "楼下烧烤摊油烟特别呛人", now, 0.87, "form.what", "citizen")
    field = OrderField("what", "楼下烧烤摊油烟", source)
    return OrderDraft("k1", "c1", "web", "12345", "投诉", "normal", "油烟扰民", fields=(field,))


def count(engine: Engine, table: type) -> int:
    with reading(engine) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_an_order_keeps_the_provenance_of_its_fields(
    engine: Engine, draft: OrderDraft, now: datetime
) -> None:
    written = write(engine, draft, now=now)
    with reading(engine) as session:
        field = session.scalars(select(WorkOrderField)).one()
        assert (field.order_id, field.name, field.value) == (written.id, "what", "楼下烧烤摊油烟")
        assert (field.quote, field.confidence) == ("楼下烧烤摊油烟特别呛人", 0.87)
        assert (field.rule, field.confirmed_by, field.at) == ("form.what", "citizen", now)


def test_the_same_key_writes_once(engine: Engine, draft: OrderDraft, now: datetime) -> None:
    first = write(engine, draft, now=now)
    again = write(engine, replace(draft, title="另一个"), now=now + timedelta(hours=1))
    assert (again.id, again.number, again.repeated) == (first.id, first.number, True)
    assert count(engine, WorkOrder) == count(engine, Outbox) == count(engine, OrderEvent) == 1


def test_numbers_are_gapless_within_a_day_under_contention(
    engine: Engine, draft: OrderDraft, now: datetime
) -> None:
    drafts = [replace(draft, key=f"k{n % 20}") for n in range(40)]
    with ThreadPoolExecutor(8) as pool:
        numbers = {w.number for w in pool.map(lambda d: write(engine, d, now=now), drafts)}
    assert sorted(numbers) == [f"20261120{n:05d}" for n in range(1, 21)]
    tomorrow = write(engine, replace(draft, key="next"), now=now + timedelta(days=1))
    assert tomorrow.number == "2026112100001"


def test_a_failed_write_uses_up_no_number(engine: Engine, draft: OrderDraft, now: datetime) -> None:
    doubled = replace(draft, fields=(*draft.fields, *draft.fields))
    with pytest.raises(Exception, match=r"(?i)unique"):
        write(engine, doubled, now=now)
    assert count(engine, WorkOrder) == 0
    assert write(engine, draft, now=now).number == "2026112000001"


def test_a_handover_makes_one_order_and_one_entry(
    engine: Engine, draft: OrderDraft, now: datetime
) -> None:
    for _ in range(2):
        write_handoff(engine, draft, handoff="handoff:c1", reason="asked", now=now)
    assert count(engine, WorkOrder) == count(engine, HandoffEntry) == 1
    with reading(engine) as session:
        assert session.get_one(Conversation, "c1").state == "waiting"
        events = session.scalars(select(OrderEvent.event)).all()
        assert list(events) == ["accepted", "handed_over"]


def test_a_handover_after_a_finished_form_takes_that_order_along(
    engine: Engine, draft: OrderDraft, now: datetime
) -> None:
    formed = write(engine, draft, now=now)
    phone = OrderField("phone", "13800138000", Provenance("", "", now, 1.0, "caller_id"))
    changed = replace(draft.fields[0], value="别的")
    later = replace(draft, key="handoff:c1", fields=(changed, phone))
    handed = write_handoff(engine, later, handoff="handoff:c1", reason="asked", now=now)
    assert handed.number == formed.number
    with reading(engine) as session:
        rows = session.scalars(select(WorkOrderField)).all()
        assert {row.name: row.value for row in rows} == {
            "what": "楼下烧烤摊油烟",
            "phone": "13800138000",
        }


def test_a_danger_makes_the_earlier_order_urgent(
    engine: Engine, draft: OrderDraft, now: datetime
) -> None:
    write(engine, draft, now=now)
    write_handoff(engine, replace(draft, urgency="danger"), handoff="h", reason="danger", now=now)
    with reading(engine) as session:
        assert session.scalars(select(WorkOrder.urgency)).all() == ["danger"]


def test_a_form_finished_while_its_citizen_waits_completes_the_order_of_the_handover(
    engine: Engine, draft: OrderDraft, now: datetime
) -> None:
    caller = Provenance("", "", now, 1.0, "caller_id")
    half = replace(
        draft, key="handoff:c1", fields=(*draft.fields, OrderField("phone", "13800138000", caller))
    )
    asked = now + timedelta(minutes=1)
    handed = write_handoff(engine, half, handoff="handoff:c1", reason="asked", now=asked)
    told = Provenance("h7", "打13900139000", asked + timedelta(minutes=1), 0.9, "phone", "citizen")
    where = replace(told, quote="建业小区", rule="where")
    formed = replace(
        draft, key="form:c1:h1",
        fields=(*draft.fields, OrderField("phone", "13900139000", told),
                OrderField("where", "建业小区", where)),
    )  # fmt: skip
    for _ in range(2):
        assert write(engine, formed, now=asked + timedelta(minutes=2)).number == handed.number
    with reading(engine) as session:
        assert session.scalars(select(HandoffEntry.order_id)).all() == [handed.id]
        rows = {row.name: row for row in session.scalars(select(WorkOrderField))}
        assert {name: row.value for name, row in rows.items()} == {
            "what": "楼下烧烤摊油烟", "phone": "13900139000", "where": "建业小区",
        }  # fmt: skip
        assert [one["value"] for one in rows["phone"].former] == ["13800138000"]
        assert session.scalars(select(WorkOrder.edition)).one() == 3


def test_another_matter_told_after_the_handover_is_an_order_of_its_own(
    engine: Engine, draft: OrderDraft, now: datetime
) -> None:
    handed = write_handoff(
        engine, replace(draft, key="handoff:c1"), handoff="handoff:c1", reason="asked", now=now
    )
    later = Provenance("h9", "路灯坏了", now + timedelta(minutes=1), 0.9, "form.what", "citizen")
    another = replace(draft, key="form:c1:h9", fields=(OrderField("what", "路灯坏了", later),))
    assert write(engine, another, now=now + timedelta(minutes=2)).number != handed.number
    danger = replace(draft, key="handoff:c1", urgency="danger")
    write_handoff(engine, danger, handoff="handoff:c1", reason="danger", now=now)
    with reading(engine) as session:  # the order that the person has, not the newest
        urgent = session.scalars(select(WorkOrder.number).where(WorkOrder.urgency == "danger"))
        assert list(urgent) == [handed.number]
