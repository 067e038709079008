"""Earlier orders of the same person, or of the same place and matter, also where all is sealed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from config.orders import Repeats
from handoff.orders import write
from handoff.repeats import MOST, Earlier, earlier
from qianmen.personal.find import add_marks, find
from store.engine import reading, writing
from store.marks import Marker
from store.tables import Conversation, WorkOrderField
from store.tables.orders import place_identity
from turns.orders import OrderDraft, OrderField, Provenance

RULES = Repeats(days=30)


@pytest.fixture
def marked(engine: Engine) -> Engine:
    engine.dialect.marker = Marker("", lambda: "secret")  # type: ignore[attr-defined]  # as opened
    return engine


def make(engine: Engine, now: datetime, key: str, code: str = "0201", **fields: str) -> str:
    with writing(engine) as session:
        session.add(Conversation(id=key, channel="phone", started_at=now, ended_at=None))
    source = Provenance("h1", "", now, 0.9, "rule")
    draft = OrderDraft(
        key, key, "phone", "12345", "求助", "normal", f"标题{key}", code=code,
        summary=f"反映{key}。",
        fields=tuple(OrderField(name, value, source) for name, value in fields.items()),
    )  # fmt: skip
    return write(engine, draft, now=now).id


def look(engine: Engine, now: datetime, **wanted: str) -> tuple[Earlier, ...]:
    known = {"phone": "", "place": "", "code": "", "matter": ""} | wanted
    with reading(engine) as session:
        return earlier(session, now=now, rules=RULES, **known)


def test_the_same_person(marked: Engine, now: datetime) -> None:
    make(marked, now - timedelta(days=3), "a", phone="13800138000", where="建业小区9号楼")
    make(marked, now - timedelta(days=2), "b", code="0301", phone="+86 138 0013 8000")
    make(marked, now - timedelta(days=1), "c", phone="13900139000")
    found = look(marked, now, phone="13800138000", code="0201")
    assert [(one.title, one.why, one.same) for one in found] == [
        ("标题b", "person", False), ("标题a", "person", True),
    ]  # fmt: skip
    assert found[0].summary == "反映b。"


def test_the_same_place_and_matter(marked: Engine, now: datetime) -> None:
    make(marked, now - timedelta(days=3), "a", where="东城区建业小区九号楼三单元门口")
    make(marked, now - timedelta(days=2), "b", code="0301", where="建业小区9号楼")
    make(marked, now - timedelta(days=1), "c", where="建业小区8号楼")
    found = look(marked, now, place="建业小区9号楼2单元", code="0201")
    assert [(one.title, one.why) for one in found] == [("标题a", "place")]


def test_both(marked: Engine, now: datetime) -> None:
    make(marked, now - timedelta(days=3), "a", phone="13800138000", where="解放路12号")
    found = look(marked, now, phone="13800138000", place="解放路12号", code="0201")
    assert [one.why for one in found] == ["both"]


def test_what_is_long_ago_or_its_own_is_none(marked: Engine, now: datetime) -> None:
    make(marked, now - timedelta(days=31), "a", phone="13800138000")
    own = make(marked, now, "b", phone="13800138000")
    assert look(marked, now, phone="13800138000", code="0201", but=own) == ()


@pytest.mark.parametrize("place", ["楼下", "小区", "", "门口"])
def test_anybodys_place_is_none(marked: Engine, now: datetime, place: str) -> None:
    make(marked, now - timedelta(days=1), "a", where=place or "楼下")
    assert look(marked, now, place=place, code="0201") == ()


def test_so_many_at_most(marked: Engine, now: datetime) -> None:
    for number in range(MOST + 2):
        make(marked, now - timedelta(hours=number), f"k{number}", phone="13800138000")
    found = look(marked, now, phone="13800138000", code="0201")
    assert [one.title for one in found] == [f"标题k{number}" for number in range(MOST)]


def test_without_marks_nothing_is_found(engine: Engine, now: datetime) -> None:
    make(engine, now, "a", phone="13800138000")
    assert look(engine, now, phone="13800138000", code="0201") == ()


def test_marks_are_added_to_what_was_written_without(engine: Engine, now: datetime) -> None:
    make(engine, now, "a", phone="13800138000", contact="13900139000", where="解放路12号",
         name="王")  # fmt: skip
    engine.dialect.marker = Marker("", lambda: "secret")  # type: ignore[attr-defined]  # as opened
    assert add_marks(engine) == 3
    assert add_marks(engine) == 0
    with reading(engine) as session:
        marked = {row.name for row in session.scalars(select(WorkOrderField)) if row.mark}
    assert marked == {"phone", "contact", "where"}
    assert [one.conversation for one in find(engine, "13900139000")] == ["a"]
    assert look(engine, now, place="解放路12号", code="0201")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("东城区建业小区九号楼三单元门口", "建业小区9号楼"),
        ("解放路与胜利街路口", "解放路与胜利街"),
        ("建业小区9号楼（东侧）", "建业小区9号楼"),
    ],
)
def test_one_spelling_of_a_place(one: str, other: str) -> None:
    assert place_identity(one) == place_identity(other) != ""


@pytest.mark.parametrize("other", ["建业小区8号楼", "阳光花园9号楼", "菜市场门口"])
def test_places_stay_apart(other: str) -> None:
    assert place_identity("建业小区9号楼") != place_identity(other)
