"""The record while a person has the citizen."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from bot import answered, joined, records
from bot.history import citizen_turns, read_state, told_after
from bot.outset import read_outset
from bot.records import Opening
from handoff.orders import write_handoff
from store.engine import reading
from store.tables import HandoffEntry, OrderEvent, Turn
from turns.heard import AudioSpan
from turns.orders import OrderBrief, OrderDraft, OrderField, Provenance
from turns.overheard import Overheard
from turns.replies import Say


@pytest.fixture
def opened(engine: Engine, now: datetime) -> Engine:
    records.open_conversation(engine, Opening("c1", "phone", "12345", "13900139000", now))
    return engine


def words(now: datetime, number: int = 1) -> Overheard:
    return Overheard(f"c1.agent.{number}", "c1", "您好我是坐席", now, 0.8, AudioSpan("c1", 5, 9))


def field(name: str, value: str, now: datetime) -> OrderField:
    return OrderField(name, value, Provenance("h1", value, now, 1.0, "form"))


def hand_over(engine: Engine, now: datetime) -> None:
    draft = OrderDraft(
        "k", "c1", "phone", "12345", "投诉", "urgent", "油烟",
        fields=(field("where", "建业小区9号楼", now), field("what", "烧烤摊油烟", now),
                field("phone", "13900139000", now)),
    )  # fmt: skip
    write_handoff(engine, draft, handoff="handoff:c1", reason="asked", now=now)


def test_what_an_agent_says_is_kept_and_told_to_nobody(opened: Engine, now: datetime) -> None:
    answered.commit_told(opened, "c1", (Say("s", "请稍候"),), speaker="bot", at=now)
    assert joined.commit_overheard(opened, words(now))
    assert not joined.commit_overheard(opened, words(now))
    assert joined.commit_overheard(opened, words(now, 2))
    with pytest.raises(KeyError):
        joined.commit_overheard(opened, Overheard("x", "nobody", "", now))
    with reading(opened) as session:
        kept = session.scalars(select(Turn).where(Turn.speaker == "agent")).all()
    assert [(turn.text, turn.kind, turn.audio_start_ms) for turn in kept] == [
        ("您好我是坐席", "speech", 5)
    ] * 2
    assert [told.reply.id for told in told_after(opened, "c1", 0)] == ["s"]
    assert citizen_turns(opened, "c1") == ()
    outset = read_outset(opened, "c1")
    assert outset is not None
    assert len(outset.last) == 1


def test_a_citizen_whose_person_left_is_the_bots_again(opened: Engine, now: datetime) -> None:
    records.connect_person(opened, "c1", now)
    joined.parted(opened, "c1", now)
    state = read_state(opened, "c1")
    assert state is not None
    assert state.state == "bot"
    records.end_conversation(opened, "c1", now)
    joined.parted(opened, "c1", now)
    ended = read_state(opened, "c1")
    assert ended is not None
    assert ended.state == "ended"
    joined.parted(opened, "nobody", now)


def test_nobody_to_be_reached_stands_in_the_order(opened: Engine, now: datetime) -> None:
    joined.not_connected(opened, "c1", now, "busy")
    hand_over(opened, now)
    joined.not_connected(opened, "c1", now, "busy")
    joined.not_connected(opened, "nobody", now, "busy")
    with reading(opened) as session:
        events = session.scalars(select(OrderEvent).where(OrderEvent.event == "not_connected"))
        assert [event.data for event in events] == [{"cause": "busy"}]
        entry = session.get_one(HandoffEntry, "handoff:c1")
        assert entry.state == "waiting"


def test_the_newest_order_in_few_words(opened: Engine, now: datetime) -> None:
    assert joined.order_brief(opened, "c1") is None
    hand_over(opened, now + timedelta(seconds=1))
    brief = joined.order_brief(opened, "c1")
    assert brief is not None
    assert brief == OrderBrief(
        brief.number, "投诉", "urgent", "建业小区9号楼", "烧烤摊油烟", "13900139000"
    )
