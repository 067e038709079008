"""Whole talks on the sample city's knowledge; the acts are those the trained classifier gives."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path

import pytest

from config.city import City
from knowledge.search import Search
from tests.bot.calling import Conversation
from turns.replies import Ask

FILE = Path(__file__).with_name("dialogues.tsv")
Row = dict[str, str]


def talks() -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = {}
    with FILE.open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            grouped.setdefault(row["conversation"], []).append(row)
    return grouped


TALKS = talks()


@pytest.mark.parametrize("name", TALKS)
async def test_talk(name: str, city: City, now: datetime, sample_search: Search) -> None:
    talk = Conversation(city, sample_search, now.astimezone(city.zone))
    for row in TALKS[name]:
        outcome = await talk.say(row["text"], row["act"], float(row["confidence"]))
        known = outcome.understood
        assert known.decision == row["decision"], row["text"]
        if row["matter"]:
            assert (known.matter, known.aspect) == (row["matter"], row["aspect"]), row["text"]
            assert known.act == "policy"


@pytest.mark.parametrize("choice", ["form", "最后那个", "登记这件事"])
async def test_a_story_answered_first_is_taken_down_when_asked_for(
    choice: str, city: City, now: datetime, sample_search: Search
) -> None:
    talk = Conversation(city, sample_search, now.astimezone(city.zone))
    story = "老板拖着我三个月工资不给，该去哪投诉"
    outcome = await talk.say(story, "complaint", 0.9)
    assert outcome.understood.decision in ("answer", "ask")
    asked = outcome.replies[-1]
    assert isinstance(asked, Ask)
    assert "form" in [option.value for option in asked.options]
    opened = await talk.say(choice, "affirm", 0.9)
    assert opened.understood.decision == "form"
    what = next(item for item in opened.understood.slots if item.name == "what")
    assert what.provenance.turn == "h1"
    assert "工资" in what.value
    assert talk.context.matter == outcome.context.matter
