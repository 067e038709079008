"""Turns inside a talk: which go on with its matter, which name another, which leave it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from knowledge.carrying import carries, elliptic
from knowledge.measure import judge_all, rates, read_labelled
from knowledge.memory import Near
from knowledge.reading import Reading
from knowledge.search import Search
from tests.knowledge.conftest import NOW
from turns.context import Context

HERE = Path(__file__).parent
RENT = Context(matter="gjj.rent", aspect="材料", region="lin", for_whom="spouse")


@pytest.mark.parametrize(
    ("context", "text", "wanted"),
    [
        (RENT, "那买房的呢", "gjj.buy:材料"),
        (RENT, "多久能下来", "gjj.rent:时限"),
        (RENT, "我弟也能提吗", "gjj.rent:条件"),
        (RENT, "网上可以弄不", "gjj.rent:流程"),
        (RENT, "电话给一个", "gjj.rent:电话"),
        (RENT, "那身份证呢", "police.idcard:材料"),
        (Context(matter="police.idcard", aspect="费用"), "小孩子的呢", "police.idcard:费用"),
        (Context(matter="ss.card", aspect="费用"), "那补办呢", "ss.cardlost:费用"),
        (Context(matter="med.reimburse", aspect="条件"), "那配眼镜呢", "med.reimburse:条件"),
        (Context(matter="edu.primary", aspect="时限"), "那转学呢", "edu.transfer:时限"),
        (Context(matter="edu.transfer", aspect="流程"), "跨省的呢", "edu.transfer:流程"),
        (Context(matter="traffic.licence", aspect="流程"), "在外地呢", "traffic.licence:流程"),
        (Context(matter="traffic.licence", aspect="流程"), "体检表哪里开", "traffic.licence:地点"),
        (Context(matter="edu.primary", aspect="材料"), "疫苗本要吗", "edu.primary:材料"),
        (Context(matter="police.hkpass", aspect="流程"), "学生呢", "police.hkpass:条件"),
        (Context(matter="med.reimburse", aspect="流程"), "发票丢了呢", "med.reimburse:流程"),
        (Context(matter="police.passport", aspect="流程"), "异地能办么", "police.passport:流程"),
        (Context(matter="med.reimburse", aspect="流程"), "那异地就医呢", "med.offsite:流程"),
    ],
)
def test_matter_and_aspect_go_on(search: Search, context: Context, text: str, wanted: str) -> None:
    found = search.find(text, context, now=NOW)
    assert found.decision == "answer"
    assert f"{found.context.matter}:{found.context.aspect}" == wanted
    assert (found.context.region, found.context.for_whom) == (context.region, context.for_whom)


@pytest.mark.parametrize("text", ["天气呢", "股票呢", "今天下雨不", "隔壁装修太吵了"])
def test_something_else_gets_no_answer(search: Search, text: str) -> None:
    assert search.find(text, RENT, now=NOW).answer is None


def test_what_was_asked_back_in_vain_ends_no_talk(search: Search) -> None:
    asked = search.find("我们十几个人一起的呢", Context("labour.wage", "流程"), now=NOW)
    assert asked.decision == "ask"
    assert search.find("要带啥", asked.context, now=NOW).context.matter == "labour.wage"


def test_options_are_of_the_talks_matter_where_no_other_is_near(search: Search) -> None:
    found = search.find("那我征信不好呢", Context("gjj.loan", "条件"), now=NOW)
    assert found.decision == "ask"
    assert {option.value.partition(":")[0] for option in found.options} == {"gjj.loan"}


@pytest.mark.parametrize(("name", "least"), [("followups_dev", 0.9), ("followups_later", 0.86)])
def test_followups_are_resolved(search: Search, name: str, least: float) -> None:
    judged = judge_all(search, read_labelled(HERE / f"{name}.tsv"), NOW)
    later = [one for one in judged if one.row.turn > 1]
    assert len(later) > 200
    assert rates(later)["exact"] >= least
    assert rates(later)["wrong"] <= 0.1


def test_few_strays_are_answered(search: Search) -> None:
    with (HERE / "strays.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    said = [
        row for row in rows
        if search.find(row["text"], Context(row["matter"], "流程"), now=NOW).answer
    ]  # fmt: skip
    assert len(rows) == 70
    assert len(said) <= 10, said


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("小孩的呢", True),
        ("那买房的呢？", True),
        ("去哪办呢", False),
        ("怎么办呢", False),
        ("呢", False),
    ],
)
def test_another_case_is_told_by_its_form(text: str, is_one: bool) -> None:
    assert elliptic(text) is is_one


@pytest.mark.parametrize("text", ["", "？", "呢" * 500, "\x00", "a" * 3000])
def test_any_text_has_a_chance(text: str) -> None:
    nothing = Reading({}, 0.0, 0.0, Near({}, {}), {})
    assert 0.0 <= carries(text, "gjj.rent", {}, 0.0, nothing) <= 1.0


def test_right_matters_in_fresh_talks(search: Search) -> None:
    """Where two aspects are as good (男的呢 after 额度), the matter is what counts."""
    judged = judge_all(search, read_labelled(HERE / "followups_last.tsv"), NOW)
    later = [one for one in judged if one.row.turn > 1]
    same = [one.found.context.matter == one.row.matter for one in later]
    assert len(later) > 100
    assert sum(same) / len(same) >= 0.95


def test_hardly_anything_outside_is_answered(search: Search) -> None:
    texts = (HERE / "outside_unseen.txt").read_text(encoding="utf-8").split()
    answered = [text for text in texts if search.find(text, now=NOW).answer]
    assert len(texts) > 130
    assert len(answered) / len(texts) <= 0.03, answered
