"""What was said fills the order; every field says where it came from."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from handoff.prefill import Facts, Said, prefill
from turns.context import Context
from turns.orders import OrderField, Provenance


@pytest.fixture
def facts(now: datetime) -> Facts:
    return Facts("c1", "phone", "12345", "13900139000", now, Context())


def said(now: datetime, *turns: tuple[str, str]) -> tuple[Said, ...]:
    return tuple(Said(f"h{n}", text, now, 0.8, act) for n, (act, text) in enumerate(turns, 1))


def test_a_caller_who_only_wants_a_person_still_makes_an_order(facts: Facts) -> None:
    draft = prefill(facts, key="k")
    assert (draft.kind, draft.title) == ("其他", "转人工，没有说明事由")
    assert [(f.name, f.value, f.provenance.rule) for f in draft.fields] == [
        ("phone", "13900139000", "caller_id")
    ]


def test_content_is_quoted_from_its_turn(facts: Facts, now: datetime) -> None:
    told = [("greet", "你好"), ("complaint", "楼下太吵"), ("handoff", "转人工")]
    turns = said(now, *told, ("complaint", "天天吵"))
    draft = prefill(replace(facts, said=turns), key="k")
    what = next(field for field in draft.fields if field.name == "what")
    assert what.value == "楼下太吵；天天吵"
    assert (what.provenance.turn, what.provenance.quote) == ("h2", "楼下太吵")
    assert draft.kind == "投诉"


def test_a_complaint_outweighs_the_question_before_it(facts: Facts, now: datetime) -> None:
    turns = said(now, ("policy", "公积金怎么取"), ("complaint", "楼下太吵"))
    draft = prefill(replace(facts, said=turns), key="k")
    kind = next(field for field in draft.fields if field.name == "kind")
    assert (kind.value, kind.provenance.quote) == ("投诉", "楼下太吵")


def test_what_a_dead_dialogue_never_took_in_is_still_told(facts: Facts, now: datetime) -> None:
    turns = said(now, ("", "喂"), ("", "失业保险金怎么领"))
    draft = prefill(replace(facts, said=turns), key="k")
    assert draft.title == "失业保险金怎么领"


def test_danger_in_a_form_is_what_the_order_is_about(facts: Facts, now: datetime) -> None:
    source = Provenance("h1", "楼下油烟大", now, 0.9, "form.what")
    turns = said(now, ("complaint", "我要投诉楼下油烟大"), ("danger", "有人拿刀要砍人"))
    told = replace(facts, said=turns, slots=(OrderField("what", "楼下油烟大", source),))
    draft = prefill(told, key="k", urgency="danger")
    assert draft.title == "有人拿刀要砍人"
    (what,) = [field for field in draft.fields if field.name == "what"]
    assert (what.value, what.provenance.quote) == ("有人拿刀要砍人；楼下油烟大", "有人拿刀要砍人")


def test_the_form_wins_over_what_was_only_extracted(facts: Facts, now: datetime) -> None:
    def field(value: str) -> OrderField:
        return OrderField("where", value, Provenance("h1", value, now, 0.9, "rule"))

    draft = prefill(
        replace(facts, slots=(field("建业小区9号楼"),), extracted=(field("楼下"),)), key="k"
    )
    assert [f.value for f in draft.fields if f.name == "where"] == ["建业小区9号楼"]


def test_matter_and_department_are_quoted_from_the_turn_that_named_them(
    facts: Facts, now: datetime
) -> None:
    turn = Said("h1", "租房怎么取公积金", now, 0.9, "policy", "gjj.rent")
    draft = prefill(
        replace(
            facts,
            said=(turn,),
            context=Context("gjj.rent"),
            matter_name="租房提取公积金",
            department="住房公积金管理中心",
        ),
        key="k",
    )
    fields = {field.name: field for field in draft.fields}
    assert fields["department"].value == draft.department == "住房公积金管理中心"
    assert fields["matter"].provenance.quote == "租房怎么取公积金"
    assert draft.kind == "咨询"


def test_a_long_title_is_cut(facts: Facts, now: datetime) -> None:
    draft = prefill(replace(facts, said=said(now, ("complaint", "吵" * 200))), key="k")
    assert draft.title == "吵" * 39 + "…"


def test_a_complaint_after_a_question_is_not_filed_under_the_questions_matter(
    facts: Facts, now: datetime
) -> None:
    what = OrderField("what", "油烟", Provenance("h2", "油烟", now, 0.9, "form.what"))
    asked = Said("h1", "租房怎么取公积金", now, 0.9, "policy", "gjj.rent")
    draft = prefill(
        replace(
            facts,
            said=(asked,),
            slots=(what,),
            context=Context("gjj.rent"),
            matter_name="租房提取公积金",
            department="住房公积金管理中心",
        ),
        key="k",
    )
    assert (draft.matter, draft.department) == ("", "")
    assert "matter" not in {field.name for field in draft.fields}


def test_who_scanned_a_code_writes_to_the_house_it_hangs_in(facts: Facts, now: datetime) -> None:
    scanned = replace(facts, context=Context(department="住房公积金管理中心"))
    assert not [f for f in prefill(scanned, key="k").fields if f.name == "department"]
    draft = prefill(replace(scanned, said=said(now, ("complaint", "他们不给我办"))), key="k")
    (field,) = (field for field in draft.fields if field.name == "department")
    assert (field.value, field.provenance.rule) == ("住房公积金管理中心", "scene.department")
    own = OrderField("department", "公安局", Provenance("h1", "", now, 1.0, "department_named"))
    named = replace(scanned, said=said(now, ("complaint", "公安局不管")), extracted=(own,))
    (field,) = (f for f in prefill(named, key="k").fields if f.name == "department")
    assert field.value == "公安局"
