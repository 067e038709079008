"""Danger and a person asked for: sentences told in many ways, and the ones that only sound so."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.urgent import Urgent, UrgentWords, urgent

ROOT = Path(__file__).parents[2]
CASES = Path(__file__).parent / "urgent"
DATA: dict[str, Any] = yaml.safe_load(
    (ROOT / "config/cities/sample/urgent.yaml").read_text(encoding="utf-8")
)
WORDS = UrgentWords.from_dict(DATA)


def _cases(name: str) -> list[str]:
    return (CASES / f"{name}.txt").read_text(encoding="utf-8").splitlines()


def _kind(text: str) -> str:
    found = urgent(text, WORDS)
    return found.kind if found else ""


def _share(name: str, kind: str) -> float:
    cases = _cases(name)
    return sum(_kind(text) == kind for text in cases) / len(cases)


def test_danger_is_noticed() -> None:
    assert _share("danger", "danger") >= 0.99


def test_what_only_sounds_dangerous_is_not() -> None:
    assert _share("not_danger", "danger") <= 0.02
    assert _share("not_danger", "") >= 0.98


def test_a_person_is_given_at_the_first_request() -> None:
    assert _share("person", "person") == 1.0


def test_words_with_a_person_in_them_are_no_request() -> None:
    assert _share("not_person", "") >= 0.955


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("厨房一股煤气味", "gas"),
        ("没起泄露了", "gas"),
        ("对面楼着火了", "fire"),
        ("配电室那边冒黑烟", "fire"),
        ("煤气罐要爆炸了", "explosion"),
        ("有人拿着刀在砍人", "violence"),
        ("我不想活了", "suicide"),
        ("河里有个孩子在挣扎", "water"),
        ("高压线掉地上了", "electric"),
        ("我困在电梯里了", "lift"),
        ("墙皮松动有坠落风险", "falling"),
        ("井盖没了", "manhole"),
        ("马路中间塌了个大坑", "collapse"),
        ("路口出车祸了", "traffic"),
        ("我爸昏过去了", "medical"),
        ("一桌人吃完饭都上吐下泻", "poison"),
        ("村口发大水了", "flood"),
        ("我家老人走丢了", "missing"),
    ],
)
def test_the_emergency_line_is_told_what_it_is_about(text: str, topic: str) -> None:
    found = urgent(text, WORDS)
    assert found is not None
    assert found.topic == topic


def test_the_quote_is_what_was_said() -> None:
    assert urgent("你好，我们家 煤气 漏了", WORDS) == Urgent("danger", "gas-leak", "煤气漏", "gas")
    heard = urgent("那个，给我赚人工谢谢", WORDS)
    assert heard is not None
    assert heard.kind == "person"
    assert heard.quote in "那个，给我赚人工谢谢"


def test_danger_goes_before_a_person() -> None:
    assert _kind("转人工，我家着火了") == "danger"
    assert _kind("别念了，有人拿刀追我") == "danger"


@pytest.mark.parametrize(
    ("calm", "now"),
    [
        ("没有着火", "没有人管，着火了"),
        ("上个月有人打架", "上个月有人打架，现在又打起来了"),
        ("如果煤气漏了打哪个电话", "煤气漏了打哪个电话"),
        ("煤气没漏", "煤气漏了"),
        ("不用转人工", "转人工"),
        ("打人那件事处理得怎么样了", "有人打人，你们处理一下"),
    ],
)
def test_context_decides(calm: str, now: str) -> None:
    assert _kind(calm) == ""
    assert _kind(now) != ""


@given(st.text(max_size=300))
def test_any_text_is_borne(text: str) -> None:
    found = urgent(text, WORDS)
    assert found is None or found.kind in ("danger", "person")


@settings(max_examples=30, deadline=None)
@given(st.text(alphabet="煤气漏了没不人工着火打我车被困电梯，。 一", min_size=1, max_size=40))
def test_long_texts_end(text: str) -> None:
    urgent((text * 5000)[:5000], WORDS)


@pytest.mark.parametrize("text", ["", "   ", "\x00\u200b", "。。。", "嗯", "\ud800"])
def test_nothing_said_is_nothing_urgent(text: str) -> None:
    assert urgent(text, WORDS) is None


def _broken(**changes: object) -> dict[str, Any]:
    data = deepcopy(DATA)
    data["danger"] = [{"rule": "x", "topic": "t", "say": ["着火"], **changes}]
    return data


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ([], "urgent:"),
        ({"danger": []}, "danger:"),
        ({**DATA, "person": []}, "person:"),
        ({**DATA, "rules": []}, "urgent.rules:"),
        ({**DATA, "words": ["gas"]}, "words:"),
        ({**DATA, "words": {**DATA["words"], "gas": [""]}}, "words.gas:"),
        ({**DATA, "excuses": {"past": {"where": "later", "say": ["去年"]}}}, "excuses.past.where:"),
        (_broken(say=["着火+"]), "danger[0].say[0]:"),
        (_broken(say=["着.{0,}火"]), "danger[0].say[0]:"),
        (_broken(say=["着(火"]), "danger[0].say[0]:"),
        (_broken(say=["(?:着火)?"]), "danger[0].say[0]:"),
        (_broken(say=["{smoke}"]), "danger[0].say[0]:"),
        (_broken(say="着火"), "danger[0].say:"),
        (_broken(say=[]), "danger[0].say:"),
        (_broken(rule=""), "danger[0].rule:"),
        (_broken(topic=3), "danger[0].topic:"),
        (_broken(heed=["soon"]), "danger[0].heed:"),
        (_broken(sounds=["着火"]), "danger[0].sounds[0]:"),
        (_broken(rule="transfer"), "rule:"),
        (_broken(colour="red"), "danger[0].colour:"),
    ],
)
def test_a_faulty_list_is_refused_by_its_key(data: object, key: str) -> None:
    with pytest.raises(ValueError) as raised:
        UrgentWords.from_dict(data)
    assert str(raised.value).startswith(key)
