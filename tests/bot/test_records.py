"""The record of a conversation under several writers at once, and under what strangers send."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import datetime

import pytest
from sqlalchemy import Engine, text

from bot import answered, records, rows
from bot.history import citizen_turns, read_state, told_after
from bot.records import Opening
from chat.frame import MAX_CURSOR
from store.engine import open_engine, reading, writing
from store.tables import Turn
from tests.postgres import Cluster
from turns.context import Context
from turns.heard import Heard
from turns.replies import Say
from turns.understood import Understood


@pytest.fixture
def opened(engine: Engine, now: datetime) -> Engine:
    records.open_conversation(engine, Opening("c1", "web", "web", "somebody", now))
    return engine


def tell(engine: Engine, word: str, now: datetime) -> None:
    answered.commit_told(engine, "c1", (Say(word, word),), speaker="bot", at=now)


def said(engine: Engine, cursor: int = 0) -> list[str]:
    return [told.reply.id for told in told_after(engine, "c1", cursor)]


def heard(number: int, now: datetime, words: str = "你好") -> Heard:
    return Heard(f"h{number}", "c1", "web", "web", "text", words, now)


def test_a_reader_that_goes_on_behind_its_cursor_misses_nothing(
    opened: Engine, now: datetime
) -> None:
    words = [f"w{number}" for number in range(60)]
    seen: list[str] = []
    finished = threading.Event()

    def follow() -> None:
        cursor, last = 0, False
        while not last:
            last = finished.is_set()
            for told in told_after(opened, "c1", cursor):
                cursor = told.cursor
                seen.append(told.reply.id)

    with ThreadPoolExecutor(9) as pool:
        reader = pool.submit(follow)
        wait([pool.submit(tell, opened, word, now) for word in words])
        finished.set()
        reader.result()
    assert sorted(seen) == sorted(words)


@pytest.fixture
def two(postgres: Cluster, now: datetime) -> Iterator[tuple[Engine, Engine]]:
    """Two processes' connections to one PostgreSQL."""
    with postgres.lent() as url:
        one, other = open_engine(url), open_engine(url)
        records.open_conversation(one, Opening("c1", "web", "web", "somebody", now))
        yield one, other
        one.dispose()
        other.dispose()


def waiting(engine: Engine) -> bool:
    """Whether some connection waits for another's lock."""
    with reading(engine) as session:
        question = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        return bool(session.execute(text(question)).scalar())


def test_turns_of_one_conversation_commit_in_the_order_of_their_numbers(
    two: tuple[Engine, Engine], now: datetime
) -> None:
    one, other = two
    with ThreadPoolExecutor(1) as pool, writing(one) as session:
        rows.locked(session, "c1")
        session.add(Turn(conversation_id="c1", speaker="bot", kind="say", at=now,
                         reply={"type": "say", "id": "first", "text": ""}))  # fmt: skip
        session.flush()  # it has its number, and is not committed
        second = pool.submit(tell, other, "second", now)
        while not waiting(one):
            assert not second.done(), "the second was committed before the first"
        assert said(other) == []
        session.commit()
        second.result()
    assert said(one) == ["first", "second"]


def test_without_the_lock_a_reader_would_miss_the_first(
    two: tuple[Engine, Engine], now: datetime
) -> None:
    """Why: PostgreSQL's numbers are given when they are asked for, not when they are committed."""
    one, other = two
    with writing(one) as session:
        session.add(Turn(conversation_id="c1", speaker="bot", kind="say", at=now,
                         reply={"type": "say", "id": "first", "text": ""}))  # fmt: skip
        session.flush()
        tell(other, "second", now)
        (told,) = told_after(other, "c1", 0)
    assert told.reply.id == "second"
    assert said(other, told.cursor) == []
    assert said(other) == ["first", "second"]


def test_one_turn_heard_by_several_at_once_is_one(opened: Engine, now: datetime) -> None:
    with ThreadPoolExecutor(8) as pool:
        fresh = list(pool.map(lambda n: records.commit_heard(opened, heard(n % 4, now)), range(32)))
    assert sum(one is not None for one in fresh) == 4
    assert len(citizen_turns(opened, "c1")) == 4


def test_one_conversation_opened_by_several_at_once_is_one(engine: Engine, now: datetime) -> None:
    opening = Opening("c2", "web", "web", "somebody", now)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: records.open_conversation(engine, opening), range(16)))
    assert made.count(True) == 1


def test_what_several_note_of_one_turn_is_all_kept(opened: Engine, now: datetime) -> None:
    records.commit_heard(opened, heard(1, now))

    def note(number: int) -> None:
        answered.note_timings(opened, "c1", "h1", {f"part{number}": float(number)})
        known = Understood("policy", "answer")
        notes = answered.Notes(known, Context(matter="gjj.rent"))
        answered.note(opened, "c1", "h1", notes)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(note, range(24)))
    with reading(opened) as session:
        timings = session.query(Turn.timings).where(Turn.heard == "h1").scalar()
    assert timings == {f"part{number}": float(number) for number in range(24)}


def test_strangers_texts_stop_no_turn(engine: Engine, now: datetime) -> None:
    """A SIP user part or an account name of any length, with characters nobody can hold."""
    long = "1\x00" + "九" * 5000
    assert records.open_conversation(engine, Opening("c1", "phone", long, long, now))
    assert records.commit_heard(engine, heard(1, now, "a\x00b" + "😷" * 1000))
    state = read_state(engine, "c1")
    assert state is not None
    assert state.line.replace("\x00", "") == long.replace("\x00", "")
    ((turn, _),) = citizen_turns(engine, "c1")
    assert turn.text.replace("\x00", "") == "ab" + "😷" * 1000
    assert told_after(engine, "c1", MAX_CURSOR) == ()


def test_a_conversation_begins_where_the_citizen_is(engine: Engine, now: datetime) -> None:
    records.open_conversation(engine, Opening("c3", "web", "web", "somebody", now, "lin"))
    state = read_state(engine, "c3")
    assert state is not None
    assert state.context == Context(region="lin")
