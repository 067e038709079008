"""What an order is written with: deadlines, repeats and 提级, secrecy, danger's links."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from config.city import City
from config.links import Links, Party
from handoff.order import deeds
from handoff.orders import write, write_handoff
from handoff.queue import service
from store.engine import reading, writing
from store.locks import one_at_a_time
from store.marks import Marker
from store.tables import Alarm, Conversation, HandoffEntry, Linkage, OrderEvent, Outbox, WorkOrder
from turns.orders import OrderDraft, OrderField, Provenance

Draft = Callable[..., OrderDraft]


@pytest.fixture
def draft(engine: Engine, now: datetime) -> Draft:
    engine.dialect.marker = Marker("", lambda: "a secret")  # type: ignore[attr-defined]  # as open_store

    def make(key: str, *, phone: str = "13912345678", **values: object) -> OrderDraft:
        with writing(engine) as session:
            if session.get(Conversation, key) is None:
                session.add(Conversation(id=key, channel="web", started_at=now))
        source = Provenance("h1", "", now, 1.0, "form.phone")
        fields = (
            OrderField("phone", phone, source),
            OrderField("where", "建业小区9号楼", source),
        )
        plain = OrderDraft(key, key, "web", "12345", "投诉", "normal", "油烟扰民", fields=fields,
                           code="0304", summary="夜间油烟", secret=True)  # fmt: skip
        return replace(plain, **values)  # type: ignore[arg-type]  # names of its fields

    return make


def orders(engine: Engine) -> list[WorkOrder]:
    with reading(engine) as session:
        return list(session.scalars(select(WorkOrder).order_by(WorkOrder.number)))


def test_an_order_is_made_with_its_deadline(
    engine: Engine, draft: Draft, now: datetime, city: City
) -> None:
    write(engine, draft("a"), now=now.astimezone(city.zone), city=city)
    (row,) = orders(engine)
    assert row.due_at == datetime(2026, 11, 27, 18, 0, tzinfo=city.zone)
    assert (row.code, row.summary, row.secret, row.visit, row.agent) == (
        "0304", "夜间油烟", True, True, "",
    )  # fmt: skip


def test_repeats_are_counted_and_raised_at_the_threshold(
    engine: Engine, draft: Draft, now: datetime, city: City
) -> None:
    for n in range(4):
        write(engine, draft(f"k{n}"), now=now + timedelta(days=n), city=city)
    write(engine, draft("other", phone="13800138000", code="0999",
                        fields=()), now=now + timedelta(days=5), city=city)  # fmt: skip
    rows = orders(engine)
    assert [row.repeat_count for row in rows] == [1, 2, 3, 4, 1]
    assert [row.repeats for row in rows] == [None, *(row.id for row in rows[:3]), None]
    assert [row.level for row in rows] == [0, 0, 1, 1, 0]
    with reading(engine) as session:
        raised = session.scalars(select(OrderEvent).where(OrderEvent.event == "raise")).all()
        alarms = session.scalars(select(Alarm.object).where(Alarm.kind == "order_repeated")).all()
    assert [event.data["rule"] for event in raised] == ["repeated", "repeated"]
    assert list(alarms) == [rows[2].number, rows[3].number]


def test_what_is_long_ago_is_no_repeat(
    engine: Engine, draft: Draft, now: datetime, city: City
) -> None:
    write(engine, draft("a"), now=now, city=city)
    write(engine, draft("b"), now=now + timedelta(days=31), city=city)
    assert [row.repeat_count for row in orders(engine)] == [1, 1]


def test_danger_goes_to_its_links_with_the_order_and_once(
    engine: Engine, draft: Draft, now: datetime, city: City
) -> None:
    links = Links(parties=(Party(name="110", label="公安110", url="http://127.0.0.1:9/x"),))
    linked = city.model_copy(update={"links": links})
    danger = draft("a", urgency="danger")
    for _ in range(2):
        write_handoff(engine, danger, handoff="h", reason="danger", now=now, city=linked,
                      danger="gas")  # fmt: skip
    with reading(engine) as session:
        assert list(session.scalars(select(Linkage.party))) == ["110"]
        topics = list(session.scalars(select(Outbox.topic)))
    assert topics.count("order.danger") == 1


def test_danger_that_was_marked_before_anybody_was_linked_goes_with_the_handover(
    engine: Engine, draft: Draft, now: datetime, city: City
) -> None:
    number = write(engine, draft("a"), now=now, city=city).number
    deeds.edit(engine, number, {"urgency": "danger"}, by="wang", now=now)
    links = Links(parties=(Party(name="110", label="公安110", url="http://127.0.0.1:9/x"),))
    linked = city.model_copy(update={"links": links})
    write_handoff(engine, draft("a", urgency="danger"), handoff="h", reason="danger", now=now,
                  city=linked, danger="gas")  # fmt: skip
    with reading(engine) as session:
        assert list(session.scalars(select(Linkage.party))) == ["110"]


def test_danger_that_nobody_is_linked_for_alarms_a_person(
    engine: Engine, draft: Draft, now: datetime
) -> None:
    write(engine, draft("a", urgency="danger"), now=now)
    with reading(engine) as session:
        assert list(session.scalars(select(Alarm.kind))) == ["link_unconfigured"]


def test_danger_told_later_makes_the_order_urgent_and_its_deadline_nearer(
    engine: Engine, draft: Draft, now: datetime, city: City
) -> None:
    write(engine, draft("a"), now=now, city=city)
    (before,) = orders(engine)
    later = replace(draft("a"), key="handoff:a", urgency="danger")
    write_handoff(engine, later, handoff="h", reason="danger", now=now, city=city)
    (after,) = orders(engine)
    assert after.urgency == "danger"
    assert before.due_at is not None
    assert after.due_at is not None
    assert after.due_at < before.due_at
    assert after.edition == 2


def test_a_closed_order_is_not_handed_over_again(
    engine: Engine, draft: Draft, now: datetime, city: City
) -> None:
    first = write(engine, draft("a"), now=now, city=city)
    with writing(engine) as session:
        session.get_one(WorkOrder, first.id).closed_at = now
    again = [
        write_handoff(engine, draft("a"), handoff="h", reason="asked", now=now, city=city)
        for _ in range(2)
    ]
    assert {one.number for one in again} == {"2026112000002"}
    with reading(engine) as session:
        assert session.scalars(select(HandoffEntry.order_id)).one() == again[0].id


def test_whoever_talks_with_the_citizen_has_the_order(
    engine: Engine, draft: Draft, now: datetime, city: City
) -> None:
    write_handoff(engine, draft("a"), handoff="h", reason="asked", now=now, city=city)
    assert [row.agent for row in orders(engine)] == [""]
    service.connected(engine, "h", now, agent="wang")
    assert [row.agent for row in orders(engine)] == ["wang"]


def test_danger_that_an_agent_names_goes_to_its_links(
    engine: Engine, draft: Draft, now: datetime, city: City
) -> None:
    number = write(engine, draft("a"), now=now, city=city).number
    links = Links(parties=(Party(name="110", label="公安110", url="http://127.0.0.1:9/x"),))
    deeds.edit(engine, number, {"urgency": "danger"}, by="wang", now=now, rules=city.orders,
               links=links)  # fmt: skip
    with reading(engine) as session:
        assert list(session.scalars(select(Linkage.party))) == ["110"]


def test_danger_locks_the_queue_before_the_alarms_as_who_serves_the_queue_does(
    engine: Engine, draft: Draft, now: datetime, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_handoff(engine, draft("a"), handoff="h", reason="asked", now=now, city=city)
    taken: list[str] = []

    def noted(session: Session, name: str) -> None:
        taken.append(name)
        one_at_a_time(session, name)

    for module in ("handoff.alarms", "handoff.order.writing", "handoff.queue.entering"):
        monkeypatch.setattr(f"{module}.one_at_a_time", noted)
    endangered = draft("a", urgency="danger")
    write_handoff(engine, endangered, handoff="h", reason="danger", now=now, city=city)
    assert "alarm" in taken
    assert taken[0] == "queue"
