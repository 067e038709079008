"""Verdicts, shares and fields, from results made by hand."""

from __future__ import annotations

from typing import Any

import pytest

from qianmen.evaluation.fields import right_fields, same_place
from qianmen.evaluation.labels import Label
from qianmen.evaluation.scoring import (
    Goal,
    Judged,
    Outcome,
    Verdict,
    by,
    counted,
    field_counts,
    share,
    verdict,
    wilson,
)

RENT = Label("f", 2, "", matter="gjj.rent", aspects=("材料", "条件"))
FAMILY = Label("f", 3, "", matter="gjj")


def answer(matter: str, aspect: str) -> Outcome:
    return Outcome("policy", "answer", matter, aspect)


@pytest.mark.parametrize(
    ("label", "outcome", "expected"),
    [
        (RENT, answer("gjj.rent", "条件"), "exact"),
        (RENT, answer("gjj.rent", "额度"), "wrong"),
        (RENT, answer("gjj.buy", "材料"), "wrong"),
        (RENT, Outcome("policy", "ask", options=("gjj.buy:材料", "gjj.rent:材料")), "offered"),
        (RENT, Outcome("policy", "ask", options=("gjj.rent:额度",)), "asked"),
        (RENT, Outcome("other", "miss", "gjj.rent"), "missed"),
        (RENT, Outcome("complaint", "form"), "missed"),
        (FAMILY, Outcome("policy", "ask"), "exact"),
        (FAMILY, answer("gjj.rent", "条件"), "exact"),
        (FAMILY, answer("gj.rent", "条件"), "wrong"),
        (FAMILY, Outcome("policy", "miss"), "missed"),
    ],
)
def test_verdicts(label: Label, outcome: Outcome, expected: Verdict) -> None:
    assert verdict(label, outcome) == expected


def test_an_outcome_is_read_from_what_ask_tells() -> None:
    told: dict[str, Any] = {
        "act": "policy", "decision": "ask", "matter": "", "aspect": "", "slots": {},
        "options": ["gjj.rent:条件"], "say": "…", "candidates": [],
    }  # fmt: skip
    assert Outcome.read(told) == Outcome("policy", "ask", options=("gjj.rent:条件",), slots={})


def test_wilsons_interval() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(9, 10) == pytest.approx((0.5958, 0.9821), abs=1e-4)
    low, high = wilson(0, 200)
    assert low == 0.0
    assert high == pytest.approx(0.01885, abs=1e-4)
    assert wilson(50, 50)[1] == pytest.approx(1.0)


def test_a_share_and_its_goal() -> None:
    row = share("错", 3, 100, Goal(0.02, least=False))
    assert (row.value, row.n, row.met) == (0.03, 100, False)
    assert row.as_json()["goal"] == "≤ 0.02"
    assert share("对", 9, 10, Goal(0.9)).met is True
    assert share("对", 9, 10).met is None
    assert share("对", 0, 0, Goal(0.9)).met is None


def test_verdicts_apart_by_matter() -> None:
    judged = [
        Judged(RENT, answer("gjj.rent", "条件")),
        Judged(RENT, answer("gjj.buy", "条件")),
        Judged(Label("f", 4, ""), answer("gjj.buy", "条件")),
    ]
    assert counted(judged) == {"exact": 1, "wrong": 1}
    parts = by("matter", judged)
    assert list(parts) == ["gjj.rent"]
    assert (parts["gjj.rent"]["n"], parts["gjj.rent"]["exact"], parts["gjj.rent"]["wrong"]) == (
        2, 0.5, 1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "filled", "right"),
    [
        ("建业小区9号楼3单元", "东城区建业小区9号楼3单元", True),
        ("建业小区9号楼3单元", "建业小区 9号楼，3单元", True),
        ("建业小区9号楼3单元", "建业小区9号楼", False),
        ("滨河大道边上", "滨河大道", True),
        ("解放路和文化路路口", "解放路", False),
        ("解放路", "", False),
    ],
)
def test_places(wanted: str, filled: str, right: bool) -> None:
    assert same_place(wanted, filled) is right


@pytest.mark.parametrize(
    ("begins", "ends", "right"),
    [
        ("2026-11-21T18:00:00+08:00", "2026-11-22T00:00:00+08:00", True),
        ("2026-11-21T18:00:00+08:00", "2026-11-22T06:00:00+08:00", True),
        ("2026-11-21T00:00:00+08:00", "2026-11-23T00:00:00+08:00", False),
        ("2026-11-20T18:00:00+08:00", "2026-11-22T00:00:00+08:00", False),
        ("2026-11-21T18:00:00+08:00", "", False),
        ("", "", False),
    ],
)
def test_days(begins: str, ends: str, right: bool) -> None:
    labelled = {"when_from": "2026-11-21", "when_to": "2026-11-21"}
    assert right_fields(labelled, {"when": {"from": begins, "to": ends}}) == {"when": right}


def test_what_goes_on_is_judged_by_its_beginning() -> None:
    slots = {"when": {"from": "2026-11-11T00:00:00+08:00", "to": ""}}
    assert right_fields({"when_from": "2026-11-11"}, slots) == {"when": True}
    assert right_fields({"when_from": "2026-11-11"}, {"when": "2026"}) == {"when": False}


def test_numbers_and_money() -> None:
    labelled = {"phone": "13804756123", "amount": "2300", "kind": "投诉"}
    slots = {"phone": "138-0475-6123", "amount": "2300元", "kind": "投诉"}
    assert right_fields(labelled, slots) == dict.fromkeys(labelled, True)
    wrong = {"phone": "13804756124", "amount": "很多", "kind": "举报"}
    assert right_fields(labelled, wrong) == dict.fromkeys(labelled, False)
    assert right_fields({}, slots) == {}


def test_a_talks_last_filled_form_counts() -> None:
    talk = [
        (1, {}, {"phone": "13804756123"}),
        (2, {"phone": "13804756123"}, {}),
    ]
    judged = [
        Judged(Label("f", turn, "", "c", turn, fields=fields), Outcome("complaint", "form",
               slots=slots))
        for turn, fields, slots in talk
    ]  # fmt: skip
    assert field_counts(judged) == {"phone": (1, 1)}
    assert field_counts(judged[1:]) == {"phone": (0, 1)}
