"""A small city's knowledge, and editors who work on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from knowledge import versions
from knowledge.asking import read_phrasings
from knowledge.editing import Act, AnswerKey, Place, Version, Wording
from knowledge.files import Contents
from knowledge.learned import learn
from knowledge.load import load
from knowledge.matters import AnswerEntry, MatterEntry
from knowledge.search import Search
from store.engine import writing
from tests.knowledge.conftest import NOW

KEY = "a secret for the audit"
ZONE = ZoneInfo("Asia/Shanghai")
TODAY = NOW.astimezone(ZONE).date()
PLACE = Place(ZONE, {"lin": "city"}, {"city": "全市", "lin": "临江县"})
RENT, BUY = "gjj.rent", "gjj.buy"
PAPERS = AnswerKey(RENT, "材料")


def act(by: str, at: datetime = NOW, days: int = 0) -> Act:
    return Act(by, at + timedelta(days=days), KEY)


def matter(
    code: str, name: str, aliases: tuple[str, ...], golden: Mapping[str, tuple[str, ...]]
) -> MatterEntry:
    return MatterEntry(code, name, "住房公积金管理中心", "12329", aliases, (), {}, golden)


def small_contents() -> Contents:
    rent = matter(
        RENT, "租房提取公积金", ("租房取公积金", "租房子提公积金", "公积金付房租"),
        {"材料": ("租房提取公积金要带什么材料", "租房取公积金需要哪些证件"),
         "条件": ("租房提取公积金有什么条件",)},
    )  # fmt: skip
    buy = matter(
        BUY, "购房提取公积金", ("买房取公积金", "买房子提公积金", "公积金买房"),
        {"材料": ("买房取公积金要带什么材料", "购房提取公积金需要哪些证件"),
         "条件": ("买房提取公积金有什么条件",)},
    )  # fmt: skip
    answers = tuple(
        AnswerEntry(
            one.code, aspect, "city", f"{one.name}的{aspect}是这样的。", f"{aspect}是这样的。",
            "某办法", "第一条", date(2026, 1, 1),
        )
        for one in (rent, buy)
        for aspect in ("材料", "条件")
    )  # fmt: skip
    return Contents((rent, buy), answers)


@cache
def live() -> Search:
    """A search that lends its trained parts: training takes half a second."""
    matters = small_contents().matters
    asking = learn(matters, read_phrasings())
    return Search.build(matters, (), zone=ZONE, asking=asking)


def small_city(engine: Engine) -> None:
    with writing(engine) as session:
        load(session, small_contents(), NOW)


def wording(text: str, **other: Any) -> Wording:
    given = Wording(text, "", "某办法", "第二条", TODAY)
    return replace(given, **other)


def drafted(
    engine: Engine, text: str, key: AnswerKey = PAPERS, by: str = "editor1", **other: Any
) -> Version:
    """A draft as an editor saved it."""
    with writing(engine) as session:
        draft = versions.begin(session, act(by), PLACE, key)
        said = wording(text, **other)
        return versions.save(session, act(by), draft.id, said, edition=draft.edition)


def approved(engine: Engine, text: str, key: AnswerKey = PAPERS, **other: Any) -> Version:
    """A version that a second person approved."""
    draft = drafted(engine, text, key, **other)
    with writing(engine) as session:
        seen = versions.check(session, act("editor1"), PLACE, draft.id, edition=draft.edition)
        return versions.approve(session, act("chief"), PLACE, seen.id, edition=seen.edition)
