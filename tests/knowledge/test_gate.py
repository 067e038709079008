from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import pytest

from knowledge.gate import Side, compare, golden_of
from knowledge.gateresult import Conflict, GateResult
from knowledge.matters import MatterEntry
from knowledge.published import Snapshot
from knowledge.search import Search
from knowledge.variants import variants
from tests.knowledge.conftest import NOW, as_published
from tests.knowledge.desk import BUY, RENT, TODAY, ZONE, live, small_contents


@cache
def now_said() -> Snapshot:
    contents = small_contents()
    answers = tuple(as_published(contents.matters, entry) for entry in contents.answers)
    return Snapshot(1, contents.matters, answers)


def side(found: Snapshot) -> Side:
    search = Search.build(found.matters, found.answers, asking=live().asking, zone=ZONE)
    return Side(found, search)


def changed(code: str, **fields: object) -> Snapshot:
    """What would be said with other words of one matter."""
    matters = tuple(
        replace(entry, **fields) if entry.code == code else entry  # type: ignore[arg-type]  # fields by name
        for entry in now_said().matters
    )
    return replace(now_said(), matters=matters)


def entry(code: str) -> MatterEntry:
    return next(one for one in now_said().matters if one.code == code)


def more_golden(code: str, aspect: str, *questions: str) -> Mapping[str, tuple[str, ...]]:
    golden = entry(code).golden
    return {**golden, aspect: (*golden.get(aspect, ()), *questions)}


def run(after: Snapshot, before: Snapshot | None = None) -> GateResult:
    return compare(side(before or now_said()), side(after), NOW, TODAY)


def only(result: GateResult, code: str) -> list[Conflict]:
    return [conflict for conflict in result.conflicts if conflict.code == code]


def test_where_only_a_text_differs_only_its_matter_is_asked() -> None:
    first, *rest = now_said().answers
    result = run(replace(now_said(), answers=(replace(first, text="改了。"), *rest)))
    assert (result.ok, result.asked, result.right_after) == (True, 3, 3)


def test_a_good_change_passes() -> None:
    result = run(changed(RENT, aliases=(*entry(RENT).aliases, "赁屋支公积")))
    assert (result.ok, result.asked, result.right_before, result.right_after) == (True, 6, 6, 6)
    assert {noise.kind: noise.asked for noise in result.noise} == {
        "spoken": 6, "unmarked": 6, "misheard": 6,
    }  # fmt: skip
    assert result.as_json()["conflicts"] == ()


def test_an_alias_that_steals_another_matters_golden_question_is_refused() -> None:
    stolen = ("买房取公积金要带什么材料", "买房取公积金材料", "买房取公积金要带")
    asked = ("买房取公积金要带啥材料", "买房取公积金带什么材料", "我要买房取公积金要带什么材料",
             "买房取公积金要带哪些材料", "买房取公积金得带什么材料")  # fmt: skip
    aliases = (*entry(RENT).aliases, *stolen)
    result = run(changed(RENT, aliases=aliases, questions={"材料": asked}))
    assert not result.ok
    conflict = only(result, "golden_stolen")[0]
    assert conflict.question == "买房取公积金要带什么材料"
    assert (conflict.matter, conflict.aspect) == (BUY, "材料")
    assert conflict.before is not None
    assert conflict.before.text == "购房提取公积金的材料是这样的。"
    assert conflict.after is not None
    assert conflict.after.decision in ("answer", "ask", "miss")
    assert conflict.after.answer != conflict.before.answer
    cause = conflict.causes[0]
    assert (cause.matter, cause.removed) == (RENT, False)
    assert cause.text in stolen + asked
    assert "购房提取公积金" in conflict.message


def test_both_texts_stand_side_by_side() -> None:
    """One question for two matters: what it gets now, and what it would have to get."""
    question = entry(RENT).golden["材料"][0]
    result = run(changed(BUY, golden=more_golden(BUY, "材料", question)))
    (first,) = only(result, "question_doubled")
    assert first.before is not None
    assert first.after is not None
    assert first.before.text == "租房提取公积金的材料是这样的。"
    assert first.after.text == "购房提取公积金的材料是这样的。"
    assert "购房提取公积金" in first.message


def test_a_new_golden_question_must_get_its_answer() -> None:
    result = run(changed(RENT, golden=more_golden(RENT, "材料", "今天天气怎么样")))
    conflict = only(result, "golden_missed")[0]
    assert (conflict.question, conflict.before) == ("今天天气怎么样", None)
    assert conflict.message.startswith("“今天天气怎么样”应当得到“租房提取公积金”的材料")


def test_what_failed_before_is_reported_but_does_not_block() -> None:
    before = changed(RENT, golden=more_golden(RENT, "材料", "今天天气怎么样"))
    after = replace(
        before, matters=tuple(
            replace(one, aliases=(*one.aliases, "购置住房取公积金")) if one.code == BUY else one
            for one in before.matters
        ),
    )  # fmt: skip
    result = run(after, before)
    assert result.ok
    assert [(one.question, one.matter) for one in result.failing] == [("今天天气怎么样", RENT)]


def test_a_name_that_stands_for_two_matters_is_refused() -> None:
    result = run(changed(RENT, aliases=(*entry(RENT).aliases, "公积金买房")))
    conflict = only(result, "name_doubled")[0]
    assert (conflict.question, conflict.matter) == ("公积金买房", BUY)
    assert (conflict.before and conflict.before.matter) == BUY
    assert (conflict.after and conflict.after.matter) == RENT
    assert "购房提取公积金" in conflict.message


def test_a_question_that_stands_for_two_matters_is_refused() -> None:
    questions = {"材料": ("买房取公积金，要带什么材料？",)}
    result = run(changed(RENT, questions=questions))
    conflict = only(result, "question_doubled")[0]
    assert (conflict.matter, conflict.aspect) == (BUY, "材料")
    assert conflict.before is not None
    assert conflict.before.text == "购房提取公积金的材料是这样的。"


def test_a_double_that_was_there_before_does_not_block() -> None:
    before = changed(RENT, aliases=(*entry(RENT).aliases, "公积金买房"))
    after = replace(before, answers=before.answers[:-1])
    assert not only(run(after, before), "name_doubled")


def test_noise_counts_as_a_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """Aliases that eat what is misheard."""
    monkeypatch.setattr("knowledge.gate._LEAST_MARGIN", 0)
    asked = ("要带什么材料", "需要什么证件", "要哪些东西", "准备啥材料")
    golden = {"材料": tuple(f"{name}{ask}" for name in entry(BUY).names for ask in asked)}
    before = changed(BUY, golden=golden)
    heard = tuple(
        variants(question)["misheard"] for questions in golden.values() for question in questions
    )
    after = replace(
        before, matters=tuple(
            replace(one, aliases=(*one.aliases, *heard)) if one.code == RENT else one
            for one in before.matters
        ),
    )  # fmt: skip
    result = run(after, before)
    noise = {one.kind: one for one in result.noise}["misheard"]
    assert noise.right_after < noise.right_before
    assert "misheard" in [one.question for one in only(result, "noise_worse")]


def test_golden_questions_without_an_answer_are_not_asked() -> None:
    unsaid = changed(RENT, golden=more_golden(RENT, "地点", "租房提取公积金在哪办"))
    assert len(golden_of(unsaid)) == 6


def test_variants_are_the_same_every_time() -> None:
    asked = "租房取公积金，要带什么材料？"
    first = variants(asked)
    assert first == variants(asked)
    assert first["unmarked"] == "租房取公积金要带什么材料"
    assert first["misheard"] != asked
    assert "租房取公积金，要带什么材料" in first["spoken"]
