"""Several questions of one turn, whom they are for, and where: on the sample city's knowledge."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import pytest

from bot.actions.looking import leaning, look, look_around
from config.city import City
from knowledge.search import Found, Search
from turns.context import Context
from turns.understood import Candidate


@pytest.mark.parametrize(
    ("text", "first", "also"),
    [
        ("社保卡丢了怎么补办，顺便问一下租房怎么提公积金", "ss.cardlost:流程", ["gjj.rent:流程"]),
        ("孩子刚出生，上户口要啥材料，去哪办", "police.newborn:材料", ["police.newborn:地点"]),
        ("办居住证要什么条件？多久能下来？", "police.residence:条件", ["police.residence:时限"]),
        ("租房提取公积金要什么材料", "gjj.rent:材料", []),
        ("我去年来的，现在租房住，租房提取公积金要什么材料，这样可以吗", "gjj.rent:材料", []),
    ],
)
def test_the_first_is_found_and_the_others_offered(
    text: str, first: str, also: list[str], sample_search: Search, now: datetime
) -> None:
    looked = look(sample_search, text, Context(), now)
    assert f"{looked.found.context.matter}:{looked.found.context.aspect}" == first
    assert [option.value for option in looked.also] == also


def test_whom_it_is_for_stays_with_its_topic(sample_search: Search, now: datetime) -> None:
    first = look(sample_search, "我老婆生孩子，生育津贴怎么领", Context(), now).found.context
    assert first.for_whom == "spouse"
    second = look(sample_search, "生育津贴要什么材料", first, now).found.context
    assert (second.matter, second.for_whom) == ("med.maternity", "spouse")
    third = look(sample_search, "租房提取公积金要什么材料", second, now).found.context
    assert (third.matter, third.for_whom) == ("gjj.rent", "")


def test_a_region_is_kept_and_hides_no_question(
    sample_search: Search, now: datetime, city: City
) -> None:
    talk = Context("police.idcard", "流程")
    found = look_around(sample_search, "我妈在西河区，去哪办", talk, now, city).found
    assert found.decision == "answer"
    assert found.context == Context("police.idcard", "地点", "west", "parents")


@pytest.mark.parametrize(
    ("decision", "matter", "scores", "leans_to"),
    [
        ("ask", "", [("ss.card", 0.3), ("ss.card", 0.2), ("ss.cert", 0.1)], "ss.card"),
        ("ask", "", [("ss.card", 0.3), ("ss.cert", 0.2)], ""),
        ("ask", "", [("ss.card", 0.5), ("ss.cert", 0.4)], ""),
        ("ask", "ss.cert", [("ss.card", 0.9)], "ss.cert"),
        ("miss", "", [("ss.card", 0.9)], ""),
        ("ask", "", [], ""),
    ],
)
def test_a_talk_leans_to_what_is_by_far_the_likeliest(
    decision: Literal["ask", "miss"], matter: str, scores: list[tuple[str, float]], leans_to: str
) -> None:
    candidates = tuple(Candidate(code, "材料", score) for code, score in scores)
    found = leaning(Found(decision, candidates, None, Context(matter=matter, region="lin")))
    assert found.context == Context(matter=leans_to, region="lin")


@pytest.mark.parametrize("text", ["", "？？？", "怎么" * 400, "a" * 1000])
def test_rubbish_finds_nothing(text: str, sample_search: Search, now: datetime, city: City) -> None:
    looked = look_around(sample_search, text, Context(), now, city)
    assert looked.found.answer is None
    assert looked.also == ()
