"""主办 never stands among 协办, whoever wrote them and in whatever order."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from config.city import City
from config.orders import OrderRules
from handoff.classify import rules_of
from handoff.filled import completed
from handoff.order import deeds
from handoff.order.departments import apart, helping, helping_text
from handoff.order.edits import edit
from handoff.orders import write, write_handoff
from handoff.refill import refill
from store.engine import reading, writing
from store.tables import Conversation, Turn, WorkOrder, WorkOrderField
from turns.orders import OrderDraft, OrderField, Provenance

URBAN, WATER, HOMES = "城市管理局", "水务局", "住房和城乡建设局"


def field(name: str, value: str, now: datetime, rule: str = "class.words") -> OrderField:
    return OrderField(name, value, Provenance("h1", value, now, 0.9, rule))


def drafted(now: datetime, department: str, *helpers: str) -> OrderDraft:
    named = {"department": department, "departments": "、".join(helpers)}
    fields = tuple(field(name, value, now) for name, value in named.items() if value)
    return OrderDraft("k1", "c1", "phone", "12345", "投诉", "normal", "漏水",
                      department=department, departments=helpers, fields=fields)  # fmt: skip


@pytest.fixture
def talk(engine: Engine, now: datetime) -> None:
    with writing(engine) as session:
        session.add(Conversation(id="c1", channel="phone", started_at=now, ended_at=None))


def stands(engine: Engine) -> tuple[str, list[str], str | None]:
    """主办, 协办, and the field of 协办 as the order has them."""
    with reading(engine) as session:
        row = session.scalars(select(WorkOrder)).one()
        told = session.scalar(
            select(WorkOrderField.value).where(WorkOrderField.name == "departments")
        )
        return row.department, list(row.departments), told


def test_each_helper_once_and_never_who_has_the_order(now: datetime) -> None:
    assert helping(URBAN, (WATER, URBAN, " ", WATER)) == (WATER,)
    assert helping_text(URBAN, f"{URBAN}、{WATER}") == WATER
    assert apart(drafted(now, URBAN, URBAN)).fields == drafted(now, URBAN).fields
    found = drafted(now, "", URBAN, WATER).fields
    made = completed(drafted(now, URBAN), found)
    assert (made.department, made.departments) == (URBAN, (WATER,))
    assert [each.value for each in made.fields if each.name == "departments"] == [WATER]


def test_what_is_written_keeps_them_apart(engine: Engine, talk: None, now: datetime) -> None:
    write(engine, drafted(now, URBAN, URBAN, WATER), now=now)
    assert stands(engine) == (URBAN, [WATER], WATER)


def test_what_is_added_to_an_order_keeps_them_apart(
    engine: Engine, talk: None, now: datetime
) -> None:
    write(engine, drafted(now, "", WATER), now=now)
    write_handoff(engine, drafted(now, WATER, URBAN), handoff="h", reason="asked", now=now)
    assert stands(engine) == ("", [WATER], WATER)
    with reading(engine) as session:
        named = set(session.scalars(select(WorkOrderField.name)))
    assert named == {"departments"}


def test_whom_an_agent_makes_the_first_helps_no_more(
    engine: Engine, talk: None, now: datetime
) -> None:
    order = write(engine, drafted(now, URBAN, WATER, HOMES), now=now)
    edition = edit(engine, order.number, {"department": WATER}, by="wang", now=now)
    assert stands(engine) == (WATER, [HOMES], HOMES)
    edit(engine, order.number, {"departments": f"{WATER}、{URBAN}"}, by="wang", now=now)
    assert stands(engine) == (WATER, [URBAN], URBAN)
    both = {"department": URBAN, "departments": f"{URBAN}、{WATER}"}
    edit(engine, order.number, both, by="wang", now=now)
    assert stands(engine) == (URBAN, [WATER], WATER)
    again = edit(engine, order.number, both, by="wang", now=now)
    assert again == edition + 2


def test_who_is_dispatched_to_helps_no_more(engine: Engine, talk: None, now: datetime) -> None:
    order = write(engine, drafted(now, URBAN, WATER), now=now)
    state = deeds.do(engine, order.number, "dispatch", by="wang", now=now, rules=OrderRules(),
                     department=WATER)  # fmt: skip
    assert (state.department, state.departments) == (WATER, ())


def test_a_refill_keeps_them_apart_and_is_quiet_the_second_time(
    engine: Engine, talk: None, now: datetime, city: City, tmp_path: Path
) -> None:
    rules = rules_of(city, tmp_path)
    with writing(engine) as session:
        session.add(
            Turn(conversation_id="c1", speaker="citizen", kind="speech", heard="h1",
                 text="我们小区自来水管漏水漏了三天，没人来修", confidence=0.9,
                 understood={"act": "complaint"}, at=now, audio_start_ms=None, audio_end_ms=None)
        )  # fmt: skip
    order = write(engine, drafted(now, ""), now=now)
    assert refill(engine, order.id, now, rules)
    main, helpers, _ = stands(engine)
    assert main
    assert main not in helpers
    other = next(one.name for one in city.departments if one.name not in (main, *helpers))
    edit(engine, order.number, {"departments": f"{other}、{main}"}, by="wang", now=now)
    assert stands(engine) == (main, [other], other)
    edit(engine, order.number, {"department": other}, by="wang", now=now)
    assert refill(engine, order.id, now, rules) == ()
    assert stands(engine) == (other, [], "")


def test_after_dispatch_a_refill_sends_the_order_nowhere_else(
    engine: Engine, talk: None, now: datetime, city: City
) -> None:
    rules = rules_of(city)
    order = write(engine, drafted(now, URBAN, WATER), now=now)
    deeds.do(engine, order.number, "dispatch", by="wang", now=now, rules=OrderRules(),
             department=HOMES)  # fmt: skip
    refill(engine, order.id, now, rules)
    assert stands(engine)[:2] == (HOMES, [WATER])
