"""Whole talks on the sample city's knowledge; the acts are those the trained classifier gives."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path

import pytest

from config.city import City
from knowledge.search import Search
from tests.bot.calling import Conversation

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
