"""An order fills itself further while people talk; what somebody decided stays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from config.city import City
from handoff.classify import Rules, rules_of
from handoff.order.edits import confirm, edit
from handoff.orders import write
from handoff.refill import refill
from store.engine import reading, writing
from store.tables import Conversation, OrderEvent, Turn, WorkOrder, WorkOrderField
from turns.orders import OrderDraft, OrderField, Provenance, WrittenOrder

Say = Callable[..., None]


@pytest.fixture(scope="module")
def rules(city: City) -> Rules:
    return rules_of(city)


@pytest.fixture
def say(engine: Engine, now: datetime) -> Say:
    """Adds turns to the conversation c1, each a second after the one before."""
    with writing(engine) as session:
        session.add(Conversation(id="c1", channel="phone", started_at=now, ended_at=None))
    told: list[str] = []

    def turns(*lines: tuple[str, str], act: str = "") -> None:
        with writing(engine) as session:
            for speaker, text in lines:
                told.append(text)
                session.add(
                    Turn(conversation_id="c1", speaker=speaker, kind="speech",
                         heard=f"h{len(told)}", text=text, confidence=0.9,
                         understood={"act": act} if act else {},
                         at=now + timedelta(seconds=len(told)),
                         audio_start_ms=None, audio_end_ms=None)
                )  # fmt: skip

    return turns


def order(engine: Engine, now: datetime, *fields: OrderField) -> WrittenOrder:
    draft = OrderDraft("k1", "c1", "phone", "12345", "其他", "normal", "转人工", fields=fields)
    return write(engine, draft, now=now)


def fields_of(engine: Engine) -> dict[str, WorkOrderField]:
    with reading(engine) as session:
        return {row.name: row for row in session.scalars(select(WorkOrderField))}


def row_of(engine: Engine) -> WorkOrder:
    with reading(engine) as session:
        return session.scalars(select(WorkOrder)).one()


def test_what_is_told_to_the_agent_fills_the_order(
    engine: Engine, say: Say, now: datetime, rules: Rules
) -> None:
    written = order(engine, now)
    say(
        ("citizen", "转人工"), ("agent", "您好，请问什么事情？"),
        ("citizen", "我们楼道灯坏了半个月了，物业不修，希望尽快修好"),
        ("agent", "请问是在哪个小区？"), ("citizen", "建业小区9号楼三单元"),
        ("agent", "您的电话是多少？"), ("citizen", "幺三八零零幺三八零零零"),
        ("agent", "怎么称呼您？"), ("citizen", "姓王"),
        ("agent", "需要给您保密吗？"), ("citizen", "需要"),
    )  # fmt: skip
    changed = refill(engine, written.id, now, rules)
    fields = fields_of(engine)
    assert {name: fields[name].value for name in ("where", "phone", "name", "secret")} == {
        "where": "建业小区9号楼3单元", "phone": "13800138000", "name": "王", "secret": "是",
    }  # fmt: skip
    assert (fields["where"].turn, fields["where"].quote) == ("h5", "建业小区9号楼三单元")
    assert fields["outcome"].value == "希望尽快修好"
    assert (fields["district"].value, fields["district"].rule) == ("东城区", "place_part")
    row = row_of(engine)
    assert (row.code, row.department, row.secret) == ("0401", "住房和城乡建设局", True)
    assert row.title.startswith("建业小区9号楼3单元")
    assert "楼道灯坏了" in row.title
    assert len(row.title) <= 40
    assert {"where", "phone", "title", "code"} <= set(changed)
    assert row.edition == 2


def test_the_same_turns_change_nothing_twice(
    engine: Engine, say: Say, now: datetime, rules: Rules
) -> None:
    written = order(engine, now)
    say(("citizen", "滨河大道路灯不亮，我叫李梅，电话13604751122，别说是我反映的"))
    assert refill(engine, written.id, now, rules)
    before = row_of(engine).edition
    assert refill(engine, written.id, now + timedelta(minutes=1), rules) == ()
    assert row_of(engine).edition == before
    with reading(engine) as session:
        events = session.scalars(select(OrderEvent.event)).all()
    assert events.count("completed") == 1


def test_a_better_value_keeps_the_former_one(
    engine: Engine, say: Say, now: datetime, rules: Rules
) -> None:
    caller = OrderField("phone", "13900139000", Provenance("", "", now, 1.0, "caller_id"))
    written = order(engine, now, caller)
    say(("citizen", "小区门口有人占道摆摊"), ("agent", "留个电话吧？"), ("citizen", "13604751122"))
    refill(engine, written.id, now, rules)
    phone = fields_of(engine)["phone"]
    assert (phone.value, phone.turn) == ("13604751122", "h3")
    (former,) = phone.former
    assert (former["value"], former["rule"]) == ("13900139000", "caller_id")


def test_what_a_person_wrote_or_confirmed_stays(
    engine: Engine, say: Say, now: datetime, rules: Rules
) -> None:
    written = order(engine, now)
    say(("citizen", "滨河大道路灯不亮，电话13604751122"))
    refill(engine, written.id, now, rules)
    edit(engine, written.number, {"where": "滨河大道3号门前", "title": "滨河大道3号路灯"},
         by="li", now=now)  # fmt: skip
    confirm(engine, written.number, "phone", "li", now)
    say(
        ("agent", "您的电话再说一遍？"), ("citizen", "不对，是13604751199"),
        ("agent", "在哪里呢？"), ("citizen", "解放路12号"),
    )  # fmt: skip
    refill(engine, written.id, now, rules)
    fields = fields_of(engine)
    assert fields["where"].value == "滨河大道3号门前"
    assert fields["phone"].value == "13604751122"
    assert row_of(engine).title == "滨河大道3号路灯"


def test_urgency_only_rises(engine: Engine, say: Say, now: datetime, rules: Rules) -> None:
    written = order(engine, now)
    say(("citizen", "我们这停水三天了，家里有老人"))
    assert "urgency" in refill(engine, written.id, now, rules)
    assert row_of(engine).urgency == "urgent"
    with writing(engine) as session:
        session.get_one(WorkOrder, written.id).urgency = "danger"
    say(("citizen", "赶紧派人来看看行不行啊"))
    refill(engine, written.id, now, rules)
    assert row_of(engine).urgency == "danger"


@pytest.mark.parametrize("gone", ["closed_at", "erased_at"])
def test_an_order_that_is_over_is_left_alone(
    engine: Engine, say: Say, now: datetime, rules: Rules, gone: str
) -> None:
    written = order(engine, now)
    say(("citizen", "滨河大道路灯不亮"))
    with writing(engine) as session:
        setattr(session.get_one(WorkOrder, written.id), gone, now)
    assert refill(engine, written.id, now, rules) == ()
    assert refill(engine, "unknown", now, rules) == ()


def test_another_matter_before_the_order_is_not_read_into_it(
    engine: Engine, say: Say, now: datetime, rules: Rules
) -> None:
    say(("citizen", "阳光花园那边公积金怎么取"), act="policy")
    say(("citizen", "楼下烧烤摊油烟特别呛人"), act="complaint")
    source = Provenance("h2", "楼下烧烤摊油烟特别呛人", now, 0.9, "story")
    written = order(engine, now, OrderField("what", "楼下烧烤摊油烟特别呛人", source))
    refill(engine, written.id, now, rules)
    fields = fields_of(engine)
    assert "where" not in fields
    assert row_of(engine).code == "0102"
