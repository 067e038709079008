"""How fast search is among 10,000 published answers, and when a publish is seen elsewhere.

In a database of its own, thrown away: the city's knowledge and made-up matters to fill it up.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine, select

from config.settings import Settings
from knowledge.files import Contents, read_folder
from knowledge.load import advance, load
from knowledge.matters import CITY, AnswerEntry, MatterEntry
from knowledge.published import Published
from qianmen.bench.figures import percentile
from qianmen.evaluation.scoring import Goal, Row
from store.engine import open_engine, upgrade, writing
from store.tables import Answer
from turns.understood import ASPECTS

ENTRIES = 10_000
SEARCH = Goal(10.0, least=False)
VISIBLE = Goal(1000.0, least=False)
_PUBLISHES = 5
_WHOSE = ("个人", "企业", "农村", "老年", "青年", "学生", "退役军人", "外来人员", "个体", "小微")
_THINGS = (
    "船舶", "果园", "渔业", "林地", "温室", "沼气", "水井", "牧场", "鱼塘", "苗圃", "茶园",
    "砂石", "民宿", "书店", "剧场", "影院", "球馆", "冷库", "仓储", "物流", "印刷", "印章",
)  # fmt: skip
_DEEDS = ("许可", "备案", "补贴", "登记", "年审", "验收")


def speed_rows(settings: Settings, texts: Sequence[str], now: datetime) -> list[Row]:
    """The two rows. ``texts``: what is searched for; ``now`` is aware."""
    contents = _filled(read_folder(settings.city / "knowledge"))
    with tempfile.TemporaryDirectory(prefix="qianmen-speed-") as folder:
        url = f"sqlite:///{Path(folder) / 'speed.sqlite3'}"
        engine, other = open_engine(url), open_engine(url)
        try:
            upgrade(engine)
            with writing(engine) as session:
                load(session, contents, now)
            published = Published(other)
            took = _searched(published, texts, now)
            seen = list(_seen(engine, published, contents.answers[0], now))
        finally:
            engine.dispose()
            other.dispose()
    count = len(contents.answers)
    return [
        _row(f"检索（{count} 条已发布答案），p95", percentile(took, 95), len(took), SEARCH),
        _row(f"发布后另一处可见（{count} 条），最慢", max(seen), len(seen), VISIBLE),
    ]


def _row(name: str, value: float, n: int, goal: Goal) -> Row:
    return Row(name, value, None, None, n, goal, "ms")


def _filled(contents: Contents) -> Contents:
    """The city's, and made-up matters until there are :data:`ENTRIES` answers."""
    missing = max(0, ENTRIES - len(contents.answers))
    made = list(itertools.islice(_made(), -(-missing // len(ASPECTS))))
    answers = [answer for matter in made for answer in _answers(matter, contents.answers[0])]
    return Contents((*contents.matters, *made), (*contents.answers, *answers[:missing]))


def _made() -> Iterator[MatterEntry]:
    for number, (whose, thing, deed) in enumerate(itertools.product(_WHOSE, _THINGS, _DEEDS)):
        letters = "".join(chr(ord("a") + int(digit)) for digit in str(number))
        name = f"{whose}{thing}{deed}"
        yield MatterEntry(f"made.{letters}", name, "示例局", "", (f"{thing}{deed}（{whose}）",), ())


def _answers(matter: MatterEntry, like: AnswerEntry) -> Iterator[AnswerEntry]:
    for aspect in ASPECTS:
        text = f"{matter.name}的{aspect}。"
        yield AnswerEntry(matter.code, aspect, CITY, text, text, "测量用", "", like.valid_from)


def _searched(published: Published, texts: Sequence[str], now: datetime) -> list[float]:
    """What each look-up took, in ms; building the index is not counted."""
    published.search()
    took = []
    for text in texts:
        began = time.perf_counter()
        published.search().find(text, now=now)
        took.append((time.perf_counter() - began) * 1000)
    return took


def _seen(
    engine: Engine, published: Published, entry: AnswerEntry, now: datetime
) -> Iterator[float]:
    """Write a new text, commit; ms until another engine's search says it."""
    for number in range(_PUBLISHES):
        text = f"测量用的新说法 {number}"
        with writing(engine) as session:
            rows = session.scalars(
                select(Answer).where(
                    Answer.matter_code == entry.matter, Answer.aspect == entry.aspect,
                    Answer.region == entry.region, Answer.state == "published",
                )
            )  # fmt: skip
            rows.one().text = text
            advance(session, now)
        began = time.perf_counter()
        while True:
            said = published.search().by_code(entry.matter, entry.aspect, now=now)
            if said is not None and said.text == text:
                break
        yield (time.perf_counter() - began) * 1000
