"""Surveys: understood from keys and words, asked once, kept with the order."""

from __future__ import annotations

from datetime import datetime
from threading import Barrier, Thread

import pytest
from sqlalchemy import Engine, select

from bot import records
from bot.records import Opening
from handoff import survey
from handoff.orders import write_handoff
from store.engine import reading
from store.tables import OrderEvent, Survey
from turns.orders import OrderDraft


@pytest.fixture
def talked(engine: Engine, now: datetime) -> Engine:
    """A caller who has talked with a person."""
    records.open_conversation(engine, Opening("c1", "phone", "12345", "13900139000", now))
    draft = OrderDraft("k", "c1", "phone", "12345", "投诉", "normal", "油烟")
    write_handoff(engine, draft, handoff="handoff:c1", reason="asked", now=now)
    records.connect_person(engine, "c1", now)
    return engine


def rows(engine: Engine) -> list[Survey]:
    with reading(engine) as session:
        found = list(session.scalars(select(Survey)))
        session.expunge_all()
        return found


def events(engine: Engine) -> list[str]:
    with reading(engine) as session:
        return list(session.scalars(select(OrderEvent.event).order_by(OrderEvent.id)))


def test_asked_once_about_one_talk(talked: Engine, now: datetime) -> None:
    asked = survey.begin(talked, "c1", now)
    assert asked is not None
    assert asked.handoff == "handoff:c1"
    assert survey.begin(talked, "c1", now) is None
    (row,) = rows(talked)
    assert (row.about, row.score, row.solved) == ("agent", "", None)


def test_two_that_ask_at_once_ask_once(talked: Engine, now: datetime) -> None:
    barrier, asked = Barrier(2), []

    def ask() -> None:
        barrier.wait()
        asked.append(survey.begin(talked, "c1", now))

    threads = [Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([one for one in asked if one is not None]) == 1
    assert len(rows(talked)) == 1


def test_who_had_no_person_is_not_asked(engine: Engine, now: datetime) -> None:
    records.open_conversation(engine, Opening("c1", "web", "12345", "", now))
    assert survey.begin(engine, "c1", now) is None
    assert not survey.score(engine, "c1", "fair", "keys", now)
    assert not survey.explain(engine, "c1", now, why="没有")


def test_a_dissatisfied_answer_stands_in_the_orders_history(talked: Engine, now: datetime) -> None:
    survey.begin(talked, "c1", now)
    assert not survey.explain(talked, "c1", now, why="太早")
    assert survey.score(talked, "c1", "dissatisfied", "voice", now)
    assert not survey.score(talked, "c1", "satisfied", "keys", now)
    assert survey.explain(talked, "c1", now, why="等了太久" * 300)
    (row,) = rows(talked)
    assert (row.score, row.how, row.answered_at) == ("dissatisfied", "voice", now)
    assert len(row.why) == 500
    assert events(talked)[-2:] == ["surveyed", "dissatisfied"]
    assert [each.score for each in survey.surveys_of(talked, row.order_id or "")] == [row.score]


def test_an_unsolved_matter_stands_there_too(talked: Engine, now: datetime) -> None:
    survey.begin(talked, "c1", now)
    survey.score(talked, "c1", "satisfied", "keys", now)
    assert survey.explain(talked, "c1", now, solved=False)
    assert rows(talked)[0].solved is False
    assert events(talked)[-2:] == ["surveyed", "unsolved"]


@pytest.mark.parametrize(
    ("text", "score"),
    [("1", "satisfied"), ("2#", "fair"), ("3", "dissatisfied"), ("满意", "satisfied"),
     ("非常满意。", "satisfied"), ("基本满意", "fair"), ("不满意", "dissatisfied"),
     ("不太满意", "dissatisfied"), ("还行吧", "fair"), ("一般般", "fair"), ("挺好的", "satisfied"),
     ("不错", "satisfied"), ("没什么不满意的", "satisfied"), ("太差了", "dissatisfied"),
     ("没解决问题", "dissatisfied"), ("4", None), ("公积金", None), ("", None),
     ("我还想问一下我妈妈的医保怎么转到这里来好不好办理呢", None)],
)  # fmt: skip
def test_a_score_is_understood(text: str, score: str | None) -> None:
    assert survey.score_of(text) == score


@pytest.mark.parametrize(
    ("text", "solved"),
    [("1", True), ("解决了", True), ("都办好了", True), ("2#", False), ("没有解决", False),
     ("还没有", False), ("不知道", False), ("公积金怎么取", None)],
)  # fmt: skip
def test_whether_it_is_solved_is_understood(text: str, solved: bool | None) -> None:
    assert survey.solved_of(text) is solved
