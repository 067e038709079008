"""Orders wait on disk while the database is away, and are written once when it is back."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, event, select
from sqlalchemy.exc import SQLAlchemyError

from config.city import City
from handoff.order import journal
from handoff.order.journal import Journal, JournalError, Kept, drain, keep, load, waiting
from handoff.order.journalfiles import reseal
from sealing.errors import SealError
from sealing.keys import keyring, new_key
from store.engine import open_engine, reading, writing
from store.tables import (
    Alarm,
    Conversation,
    HandoffEntry,
    OrderEvent,
    Outbox,
    Turn,
    WorkOrder,
    WorkOrderField,
)
from turns.orders import OrderDraft, OrderField, Provenance

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
PHONE = "13912345678"


def kept(n: int = 1, **values: object) -> Kept:
    field = OrderField("phone", PHONE, Provenance("h1", "幺三九", NOON, 0.9, "form.phone"))
    draft = OrderDraft(f"k{n}", f"c{n}", "web", "12345", "投诉", "normal", f"油烟{n}",
                       fields=(field,))  # fmt: skip
    return replace(Kept(draft, NOON), **values)  # type: ignore[arg-type]  # names of its fields


def numbers(engine: Engine) -> list[tuple[str, str]]:
    with reading(engine) as session:
        rows = session.scalars(select(WorkOrder).order_by(WorkOrder.number))
        return [(row.number, row.title) for row in rows]


@pytest.mark.parametrize("sealed", [False, True])
def test_what_waits_is_written_in_the_order_in_which_it_came(
    engine: Engine, tmp_path: Path, city: City, sealed: bool
) -> None:
    keys = keyring(new_key()) if sealed else None
    folder = tmp_path / "journal"
    for n in (3, 1, 2):
        keep(folder, kept(n), keys)
    assert sealed != any(PHONE in path.read_bytes().decode("latin-1") for path in waiting(folder))
    done = drain(engine, folder, NOON + timedelta(hours=1), keys, city=city)
    assert [one.written.number for one in done] == [f"202611200000{n}" for n in (1, 2, 3)]
    assert numbers(engine) == [
        ("2026112000001", "油烟3"), ("2026112000002", "油烟1"), ("2026112000003", "油烟2"),
    ]  # fmt: skip
    assert waiting(folder) == ()
    with reading(engine) as session:
        assert {row.created_at for row in session.scalars(select(WorkOrder))} == {NOON}
        assert session.get_one(Conversation, "c3").channel == "web"
        assert len(session.scalars(select(Alarm).where(Alarm.kind == "order_late")).all()) == 3


def test_the_number_is_of_the_day_on_which_it_is_given(
    engine: Engine, tmp_path: Path, city: City
) -> None:
    keep(tmp_path, kept())
    (done,) = drain(engine, tmp_path, NOON + timedelta(days=1), city=city)
    assert done.written.number == "2026112100001"
    with reading(engine) as session:
        row = session.scalars(select(WorkOrder)).one()
    assert row.due_at == datetime(2026, 11, 27, 18, 0, tzinfo=city.zone)  # counts from acceptance


def test_what_was_written_but_not_taken_away_is_not_written_again(
    engine: Engine, tmp_path: Path, city: City
) -> None:
    keep(tmp_path, kept())
    drain(engine, tmp_path, NOON, city=city)
    keep(tmp_path, kept())  # as it stands there after a crash between commit and unlink
    (done,) = drain(engine, tmp_path, NOON, city=city)
    assert done.written.repeated
    assert len(numbers(engine)) == 1


def test_what_was_told_to_the_dead_database_and_before_is_in_the_order(
    engine: Engine, tmp_path: Path, city: City
) -> None:
    with writing(engine) as session:
        session.add(Conversation(id="c1", channel="web", started_at=NOON))
        session.flush()
        session.add(Turn(conversation_id="c1", speaker="citizen", heard="h1", kind="text", at=NOON,
                         text="建业小区9号楼下面烧烤摊油烟太大了"))  # fmt: skip
    for n, words in enumerate(("烧烤摊油烟太大", "昨天还打人了", "昨天还打人了")):
        told = OrderField("what", words, Provenance(f"h{n + 5}", words, NOON, 0.9, "story"))
        one = kept(handoff="h", reason="failure")
        keep(tmp_path, replace(one, draft=replace(one.draft, fields=(told,))))
    drain(engine, tmp_path, NOON, city=city)
    with reading(engine) as session:
        order = session.scalars(select(WorkOrder)).one()
        fields = {row.name: row.value for row in session.scalars(select(WorkOrderField))}
        late = session.scalars(select(OrderEvent.text).where(OrderEvent.event == "told_late"))
        assert list(late) == ["昨天还打人了"]
    assert fields["what"] == "烧烤摊油烟太大"
    assert "建业小区" in fields["where"]
    assert order.title


@pytest.mark.parametrize(
    ("channel", "minutes", "entries"), [("web", 5, 1), ("web", 31, 0), ("phone", 1, 0)]
)
def test_who_still_waits_enters_the_queue(
    engine: Engine, tmp_path: Path, city: City, channel: str, minutes: int, entries: int
) -> None:
    one = kept(handoff="handoff:c1", reason="asked", citizen=PHONE)
    keep(tmp_path, replace(one, draft=replace(one.draft, channel=channel)))
    drain(engine, tmp_path, NOON + timedelta(minutes=minutes), city=city)
    with reading(engine) as session:
        assert len(session.scalars(select(HandoffEntry)).all()) == entries
        assert session.get_one(Conversation, "c1").citizen == PHONE
    assert len(numbers(engine)) == 1


def test_many_at_once_lose_nothing(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: keep(tmp_path, kept(n)), range(24)))
    names = {load(path).draft.key for path in waiting(tmp_path)}
    assert names == {f"k{n}" for n in range(24)}
    assert not list(tmp_path.glob("*.part"))


def test_two_that_drain_write_once(engine: Engine, tmp_path: Path, city: City) -> None:
    for n in range(6):
        keep(tmp_path, kept(n))
    with ThreadPoolExecutor(3) as pool:
        tries = [pool.submit(drain, engine, tmp_path, NOON, city=city) for _ in range(3)]
        written = [one for each in tries for one in each.result()]
    drain(engine, tmp_path, NOON, city=city)
    assert len(numbers(engine)) == 6
    assert len([one for one in written if not one.written.repeated]) == 6


def test_a_broken_file_is_set_aside_and_stops_nobody(
    engine: Engine, tmp_path: Path, city: City
) -> None:
    first = keep(tmp_path, kept(1))
    first.write_bytes(first.read_bytes()[:40])
    keep(tmp_path, kept(2))
    drain(engine, tmp_path, NOON, city=city)
    assert [title for _, title in numbers(engine)] == ["油烟2"]
    assert first.with_name(first.name + ".broken").exists()
    with reading(engine) as session:
        kinds = set(session.scalars(select(Alarm.kind)))
    assert kinds == {"journal_broken", "order_late"}


def test_another_key_leaves_it_where_it_is(engine: Engine, tmp_path: Path, city: City) -> None:
    mine, other = keyring(new_key()), keyring(new_key())
    keep(tmp_path, kept(), mine)
    for keys in (other, None):
        drain(engine, tmp_path, NOON, keys, city=city)
    assert numbers(engine) == []
    drain(engine, tmp_path, NOON, mine, city=city)
    assert len(numbers(engine)) == 1


@given(st.binary(max_size=200))
def test_whatever_stands_there_is_an_order_or_an_error_of_ours(data: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        for suffix in (".json", ".sealed"):
            path = Path(folder) / f"0000000001{suffix}"
            path.write_bytes(data)
            with pytest.raises((JournalError, SealError)):
                load(path, keyring(new_key()))


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(JournalError) as refused:
        keep(tmp_path, kept())
    assert refused.value.code == "journal_unwritable"
    assert waiting(tmp_path) == ()
    assert not list(tmp_path.glob("*.part"))


def test_what_a_crash_left_half_written_goes_after_an_hour(
    engine: Engine, tmp_path: Path, city: City
) -> None:
    part = tmp_path / "1-a.part"
    part.write_text("half")
    born = datetime.fromtimestamp(part.stat().st_mtime, UTC)
    drain(engine, tmp_path, born + timedelta(minutes=59), city=city)
    assert part.exists()
    drain(engine, tmp_path, born + timedelta(minutes=61), city=city)
    assert not part.exists()


@pytest.fixture
def away(tmp_path: Path) -> Callable[[str], Engine]:
    """Databases that are away, each in its own way."""

    def make(how: str) -> Engine:
        if how == "down":
            return open_engine("postgresql://nobody@127.0.0.1:1/none")
        folder = tmp_path / how
        folder.mkdir()
        engine = open_engine(f"sqlite:///{folder / 'q.sqlite3'}")
        if how == "full":

            @event.listens_for(engine, "connect")
            def few_pages(connection, _record):  # type: ignore[no-untyped-def]  # as the driver calls
                connection.execute("PRAGMA max_page_count = 1")

        return engine

    return make


@pytest.mark.parametrize("how", ["down", "full", "no_tables"])
def test_an_order_waits_while_the_database_is_away(
    away: Callable[[str], Engine], tmp_path: Path, city: City, how: str
) -> None:
    engine = away(how)
    try:
        book = Journal(tmp_path / "journal")
        told = book.write(engine, kept().draft, now=NOON, city=city)
        handed = book.write_handoff(engine, kept(2).draft, handoff="h", reason="danger", now=NOON,
                                    city=city, danger="gas", citizen=PHONE)  # fmt: skip
        with pytest.raises(SQLAlchemyError):
            book.drain(engine, NOON, city)
    finally:
        engine.dispose()
    assert (told.number, handed.number) == ("", "")
    first, second = (load(path) for path in waiting(tmp_path / "journal"))
    assert (first.draft, first.handoff) == (kept().draft, "")
    assert (second.handoff, second.reason, second.danger, second.citizen) == (
        "h", "danger", "gas", PHONE,
    )  # fmt: skip


def test_a_locked_database_is_away(
    database: str, tmp_path: Path, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not database.startswith("sqlite"):
        pytest.skip("a lock of the whole file is SQLite's")
    monkeypatch.setattr("store.engine.WAIT_S", 0.05)
    engine, other = open_engine(database), open_engine(database)
    book = Journal(tmp_path / "journal")
    try:
        with writing(other) as session:
            session.add(Conversation(id="x", channel="web", started_at=NOON))
            session.flush()
            assert book.write(engine, kept().draft, now=NOON, city=city).number == ""
        (done,) = book.drain(engine, NOON, city)
        assert done.written.number == "2026112000001"
    finally:
        engine.dispose()
        other.dispose()


def test_a_mistake_in_the_order_is_no_reason_to_wait(
    engine: Engine, tmp_path: Path, city: City
) -> None:
    with writing(engine) as session:
        session.add(Conversation(id="c1", channel="web", started_at=NOON))
    one = kept().draft
    doubled = replace(one, fields=(*one.fields, *one.fields))
    with pytest.raises(Exception, match=r"(?i)unique"):
        Journal(tmp_path).write(engine, doubled, now=NOON, city=city)
    assert waiting(tmp_path) == ()
    with reading(engine) as session:
        assert session.scalars(select(Outbox)).all() == []


def test_the_codes_of_absence_are_those_of_the_store() -> None:
    from store.faults import CODES

    assert set(CODES) >= journal.AWAY


def test_what_waits_is_sealed_with_the_newest_key(
    tmp_path: Path, engine: Engine, city: City, now: datetime
) -> None:
    first, second = new_key(), new_key()
    old, new, both = keyring(first), keyring(second), keyring(f"{second},{first}")
    assert old is not None
    assert both is not None
    folder = tmp_path / "journal"
    draft = OrderDraft("k1", "c1", "web", "12345", "投诉", "normal", "路灯不亮")
    keep(folder, Kept(draft, now), None)
    keep(folder, Kept(replace(draft, key="k2"), now), old)
    keep(folder, Kept(replace(draft, key="k3"), now), old)
    waiting(folder)[2].rename(folder / "0000000003.sealed.broken")
    assert reseal(folder, both) == (3, 0)
    assert [path.name for path in waiting(folder)] == ["0000000001.sealed", "0000000002.sealed"]
    assert [load(path, new).draft.key for path in waiting(folder)] == ["k1", "k2"]
    assert reseal(folder, old) == (0, 3)  # whose key is lost stays as it is
    assert len(drain(engine, folder, now, new, city=city)) == 2
    assert reseal(tmp_path / "none", both) == (0, 0)
