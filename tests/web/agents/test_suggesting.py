"""Answers are looked up while the citizen still speaks: the newest words, and nothing is frozen."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import Engine

from config.city import City
from store.engine import writing
from store.tables import Answer, Conversation, Matter
from turns.context import Context
from turns.understood import Finding
from web.agents.suggesting import Suggesting

RENT = "gjj.rent:材料:city"


class SlowLookup:
    """Answers when it is let; knows what it was asked, and in which context."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.free = asyncio.Event()

    async def find(self, text: str, context: Context, at: datetime) -> Finding | None:
        self.asked.append((text, context.matter))
        await self.free.wait()
        if "材料" in text:
            return Finding("answer", RENT, (), (), Context(matter="gjj.rent"))
        return Finding("miss", "", (), (), context)


@pytest.fixture
def talk(engine: Engine, now: datetime) -> Engine:
    with writing(engine) as session:
        session.add(Conversation(id="c1", channel="phone", started_at=now, ended_at=None))
        session.add(Matter(code="gjj.rent", name="租房提取公积金", department="公积金中心"))
        session.flush()
        session.add(
            Answer(matter_code="gjj.rent", aspect="材料", region="city", version=1,
                   state="published", text="带身份证和租房合同。", document="办法", article="",
                   valid_from=date(2026, 1, 1), valid_to=None, changed_at=now)
        )  # fmt: skip
    return engine


async def test_the_newest_words_are_looked_up_and_freeze_no_context(
    talk: Engine, city: City, now: datetime
) -> None:
    lookup, told = SlowLookup(), asyncio.Queue[list[dict[str, Any]]]()
    joints = SimpleNamespace(lookup=lookup)
    parts = SimpleNamespace(engine=talk, city=city, joints=joints)
    suggesting = Suggesting(cast("Any", parts), "c1", told.put)
    suggesting.overhear("公积", now)  # too few words to ask for anything
    for words in ("公积金租房", "公积金租房要什么", "公积金租房要什么材料"):
        suggesting.overhear(words, now)
        await asyncio.sleep(0)
    lookup.free.set()
    (answer,) = await asyncio.wait_for(told.get(), 60)
    assert answer["text"] == "带身份证和租房合同。"
    assert lookup.asked[-1] == ("公积金租房要什么材料", "")
    assert "公积金租房要什么" not in [text for text, _ in lookup.asked]
    suggesting.overhear("那个那个那个", now)  # tells nothing: the answer stays
    suggesting.look_up("公积金租房要什么材料", now)
    suggesting.look_up("谢谢你啊", now)
    assert await asyncio.wait_for(told.get(), 60) == []
    assert told.empty()
    suggesting.close()
