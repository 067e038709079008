from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.files import Contents
from knowledge.matters import MatterEntry
from knowledge.othercity import of_another_city
from knowledge.search import Found, Search
from tests.knowledge.conftest import NOW, as_published
from turns.context import Context
from turns.replies import Option
from turns.understood import ASPECTS


def answered(found: Found) -> str:
    return found.answer.id if found.answer else found.decision


ASKED = [
    ("我租房子住能不能把公积金取出来", "gjj.rent:条件:city"),
    ("租房提公积金得拿啥", "gjj.rent:材料:city"),
    ("租房提公积金咋整", "gjj.rent:流程:city"),
    ("公鸡金租房能提多少", "gjj.rent:额度:city"),
    ("公积金贷款最多能贷多少", "gjj.loan:额度:city"),
    ("公积金余额在哪儿查", "gjj.account:查询:city"),
    ("公积金热线是多少", "gjj.account:电话:city"),
    ("不是租房，是买房提公积金，要什么材料", "gjj.buy:材料:city"),
    ("租房提公积金要带身份证吗", "gjj.rent:材料:city"),
    (
        "请问一下，我和我爱人都在这边上班，现在租房住，想提公积金付房租，要带什么材料",
        "gjj.rent:材料:city",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), ASKED)
def test_answers(search: Search, text: str, wanted: str) -> None:
    found = search.find(text, now=NOW)
    assert answered(found) == wanted
    assert len(found.candidates) >= 3
    assert f"{found.candidates[0].matter}:{found.candidates[0].aspect}:city" == wanted
    assert (found.context.matter, found.context.aspect) == tuple(wanted.split(":")[:2])


TALK = [
    ("我租房子住能不能把公积金取出来", "gjj.rent:条件:city"),
    ("那要带什么材料", "gjj.rent:材料:city"),
    ("多久能到账", "gjj.rent:时限:city"),
    ("那买房的呢", "gjj.buy:时限:city"),
    ("要不要带户口本", "gjj.buy:材料:city"),
    ("公积金贷款最高能贷多少", "gjj.loan:额度:city"),
]


def test_a_talk_keeps_its_matter_and_its_aspect(search: Search) -> None:
    context = Context(for_whom="self")
    for text, wanted in TALK:
        found = search.find(text, context, now=NOW)
        assert answered(found) == wanted, text
        context = found.context
        assert context.for_whom == "self"


@pytest.mark.parametrize(
    ("text", "matter"),
    [
        ("社保卡丢了怎么补办", "ss.cardlost"),
        ("失业金怎么领", "ss.unemploy"),
        ("身份证丢了怎么办", "police.idcard"),
        ("公租房怎么申请", "housing.public"),
    ],
)
def test_a_known_matter_without_answers_is_named_and_missed(
    contents: Contents, search: Search, text: str, matter: str
) -> None:
    entries = [entry for entry in contents.answers if entry.matter != matter]
    others = [as_published(contents.matters, entry) for entry in entries]
    made = Search.build(contents.matters, others, reuse=search)
    for context in (Context(), Context(matter="gjj.rent", aspect="条件")):
        found = made.find(text, context, now=NOW)
        assert found.decision == "miss"
        assert found.answer is None
        assert found.context.matter == matter
        assert found.candidates[0].matter == matter


def test_a_matter_without_an_aspect_is_asked_back(search: Search) -> None:
    found = search.find("租房提取公积金", now=NOW)
    assert found.decision == "ask"
    assert [option.label for option in found.options] == [
        "租房提取公积金的条件", "租房提取公积金的材料", "租房提取公积金的流程",
    ]  # fmt: skip
    assert found.options[0].value == "gjj.rent:条件"
    told = search.find("租房提取公积金", Context(aspect="额度"), now=NOW)
    assert answered(told) == "gjj.rent:额度:city"


def test_a_family_without_a_matter_is_asked_back(search: Search) -> None:
    found = search.find("公积金能取多少", now=NOW)
    assert found.decision == "ask"
    assert len(found.options) == 3
    assert all(re.fullmatch(r"gjj\.\w+:额度", option.value) for option in found.options)
    assert (found.context.matter, found.context.aspect) == ("", "额度")


def test_another_loan_gets_no_answer(search: Search) -> None:
    found = search.find("信用卡贷款利率多少", now=NOW)
    assert found.answer is None
    assert found.candidates[0].score < search.limits.answer


@pytest.mark.parametrize(
    "text",
    [
        "今天天气怎么样", "路灯坏了没人修", "房东不退押金怎么办", "嗯嗯",
        "？！", "", "<script>", '/intent{"a":1}',
    ],
)  # fmt: skip
def test_out_of_scope_is_missed(search: Search, text: str) -> None:
    found = search.find(text, now=NOW)
    assert found.decision == "miss"
    assert found.answer is None
    assert found.options == ()


def test_the_talk_is_dropped_when_the_topic_changes(search: Search) -> None:
    context = Context(matter="gjj.rent", aspect="条件", region="lin", for_whom="parent")
    found = search.find("小区门口路灯坏了没人修", context, now=NOW)
    assert found.decision == "miss"
    assert found.context == Context(region="lin", for_whom="parent")
    kept = search.find("嗯", context, now=NOW)
    assert kept.decision != "answer"
    assert kept.context.matter == "gjj.rent"


def test_a_turn_that_says_nothing_does_not_repeat_the_answer(search: Search) -> None:
    found = search.find("这个事", Context(matter="gjj.rent", aspect="条件"), now=NOW)
    assert found.decision != "answer"


def test_the_region_has_its_own_text_else_the_citys(search: Search) -> None:
    for region, wanted in [
        ("lin", "lin"), ("lin.qinghe", "lin"), ("east", "city"), ("", "city"), ("nowhere", "city"),
    ]:  # fmt: skip
        answer = search.by_code("gjj.rent", "地点", region=region, now=NOW)
        assert answer is not None
        assert answer.region == wanted
    found = search.find("租房提公积金去哪儿办", Context(region="lin"), now=NOW)
    assert answered(found) == "gjj.rent:地点:lin"
    assert search.by_code("gjj.rent", "材料", region="lin", now=NOW) is not None


def test_regions_with_a_text_of_their_own_are_told(search: Search) -> None:
    found = search.find("租房提公积金去哪儿办", now=NOW)
    assert answered(found) == "gjj.rent:地点:city"
    assert Option("临江县", "region:lin") in found.elsewhere
    assert search.find("租房提公积金去哪儿办", Context(region="lin"), now=NOW).elsewhere == ()
    assert search.find("租房提公积金去哪儿办", region="east", now=NOW).elsewhere == ()
    long_ago = datetime(2001, 1, 1, tzinfo=UTC)
    assert search.elsewhere("gjj.rent", "地点", now=long_ago) == ()


def test_another_citys_rules_are_not_answered(search: Search) -> None:
    for text in ["深圳公租房怎么申请", "请问北京的身份证丢了怎么补", "上海租房提公积金带啥"]:
        assert search.find(text, now=NOW).decision == "miss", text
    assert search.find("公租房怎么申请", now=NOW).decision == "answer"
    assert not of_another_city("北京的公积金怎么转过来")
    assert not of_another_city("去上海看病要备案吗")
    assert not of_another_city("南京路派出所电话多少")
    assert not of_another_city("北京的公租房怎么申请", ("北京市", "海淀区"))


def test_why_a_text_was_understood_so(search: Search) -> None:
    why = search.why("租房提公鸡金得拿啥", now=NOW)
    assert (why.decision, why.matters[0].code) == ("answer", "gjj.rent")
    assert why.matters[0].name == "租房提取公积金"
    assert "租房提公" in why.words
    assert any("鸡" in sound for sound in why.sounds)
    assert why.matters[0].cover > 0.3
    assert why.matters[0].learned > why.matters[1].learned
    assert why.aspects[0][0] == "材料"
    assert why.nearest[0].alike >= why.nearest[1].alike > 0.2
    assert why.candidates == search.find("租房提公鸡金得拿啥", now=NOW).candidates
    assert not why.carried
    talk = Context(matter="gjj.rent", aspect="条件")
    assert search.why("要带什么材料", talk, now=NOW).carried
    for text in ["", "？！", "<b>", "\x00\u200b", "吗" * 5000]:
        assert search.why(text, now=NOW).decision in {"answer", "ask", "miss"}


def test_unknown_codes_give_nothing(search: Search) -> None:
    assert search.by_code("no.such", "条件", now=NOW) is None
    assert search.by_code("gjj.rent", "颜色", now=NOW) is None
    found = search.find("要带什么材料", Context(matter="no.such"), now=NOW)
    assert found.answer is None


def test_only_what_is_valid_today_is_said(contents: Contents, search: Search) -> None:
    entry = next(a for a in contents.answers if (a.matter, a.aspect) == ("gjj.rent", "条件"))
    day = date(2026, 11, 21)
    ended = replace(as_published(contents.matters, entry), valid_to=day, text="旧的。")
    coming = replace(ended, valid_from=day + timedelta(days=1), valid_to=None, text="新的。")
    made = Search.build(
        contents.matters, [ended, coming], asking=search.asking, zone=ZoneInfo("Asia/Shanghai")
    )

    def text_at(now: datetime) -> str:
        found = made.find("租房能不能提公积金", now=now)
        return found.answer.text if found.answer else found.decision

    assert text_at(datetime(2025, 12, 31, 12, tzinfo=UTC)) == "miss"
    assert text_at(datetime(2026, 11, 21, 15, 59, tzinfo=UTC)) == "旧的。"
    assert text_at(datetime(2026, 11, 21, 16, 0, tzinfo=UTC)) == "新的。"  # midnight in the city


def test_characters_outrank_sounds(search: Search) -> None:
    matters = (
        MatterEntry("tax.office", "税务登记", "税务局"),
        MatterEntry("water.office", "水务登记", "水务局"),
    )
    made = Search.build(matters, [], asking=search.asking)
    for text, first in [("税务登记怎么办", "tax.office"), ("水务登记怎么办", "water.office")]:
        assert made.find(text, now=NOW).candidates[0].matter == first


def test_what_only_sounds_alike_is_asked(contents: Contents, search: Search) -> None:
    matters = (
        MatterEntry("a.unemploy", "失业登记", "人社局"),
        MatterEntry("b.public", "事业登记", "编办"),
    )
    entry = contents.answers[0]
    answers = [
        replace(as_published(contents.matters, entry), matter=matter.code, matter_name=matter.name,
                aspect="流程", region="city")
        for matter in matters
    ]  # fmt: skip
    made = Search.build(matters, answers, asking=search.asking)
    heard = made.find("实页登记怎么办理", now=NOW)
    assert heard.decision != "answer"
    typed = made.find("失业登记怎么办理", now=NOW)
    assert typed.candidates[0].matter == "a.unemploy"


@settings(max_examples=150, deadline=None)
@given(
    text=st.one_of(
        st.text(max_size=60),
        st.text(alphabet="公积金租房提取买贷款怎么办材料多少那的呢要吗，。 1a", max_size=40),
    ),
    matter=st.sampled_from(["", "gjj.rent", "ss.card", "no.such"]),
    aspect=st.sampled_from(["", *ASPECTS, "颜色"]),
)
def test_any_text_gives_a_sound_value(search: Search, text: str, matter: str, aspect: str) -> None:
    found = search.find(text, Context(matter=matter, aspect=aspect), now=NOW)
    assert (found.answer is not None) == (found.decision == "answer")
    assert bool(found.options) == (found.decision == "ask")
    assert len(found.options) <= 3
    scores = [candidate.score for candidate in found.candidates]
    assert scores == sorted(scores, reverse=True)
    assert all(0.0 <= score <= 1.0 for score in scores)
    for option in found.options:
        code, _, asked = option.value.partition(":")
        assert search.by_code(code, asked, now=NOW) is not None
    if found.answer is not None:
        assert found.context.matter == found.answer.matter


def test_a_story_names_its_matter_without_asking(search: Search) -> None:
    matter, chance = search.about("老板拖欠工资三个月了一直不给")
    assert matter == "labour.wage"
    assert chance > 0.7
    assert search.about("今天天气怎么样")[1] < 0.2
    assert search.about("") == ("", 0.0)


def test_five_thousand_characters_are_survived(search: Search) -> None:
    found = search.find("公积金" * 1700 + "租房提公积金要什么材料", now=NOW)
    assert found.decision in {"answer", "ask", "miss"}
