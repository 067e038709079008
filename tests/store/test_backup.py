"""Everything copied to a file and put back, on the same engine and on the other one."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import resource
import signal
import tarfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, text

from handoff.orders import write
from store import archive
from store.archive import Sound, opened, verified
from store.backup import back_up, secret_mark
from store.engine import StoreError, open_engine, reading, upgrade, writing
from store.migrate import migrate, newest, schema_change
from store.restore import restore
from store.tables import Audit, Conversation, OrderNumber, Recording, Turn
from tests.postgres import Cluster
from tests.store.rows import HARD_JSON, HARD_TEXT, ROWS, everything, fill
from turns.orders import OrderDraft

NOW = datetime(2026, 11, 21, 1, 2, 3, 4, tzinfo=UTC)


@pytest.fixture
def filled(engine: Engine) -> Engine:
    with engine.begin() as connection:
        fill(connection)
    return engine


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Where it is put back: a database without tables."""
    if request.param == "sqlite":
        engine = open_engine(f"sqlite:///{tmp_path / 'new' / 'target.sqlite3'}")
    else:
        cluster: Cluster = request.getfixturevalue("postgres")
        engine = open_engine(cluster.create("target"))
    yield engine
    engine.dispose()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "backup.tar.gz"


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    return tmp_path / "sounds"


def refused(engine: Engine, file: Path, sounds: Path, *, force: bool = False) -> str:
    """The code with which restoring fails."""
    with pytest.raises(StoreError) as caught:
        restore(engine, file, recordings=sounds, force=force)
    return caught.value.code


def rewritten(file: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    """The archive with other members, packed as it should be."""
    with tarfile.open(file) as tar:
        members = {one.name: (tar.extractfile(one) or io.BytesIO()).read() for one in tar}
    change(members)
    with tarfile.open(file, "w:gz") as tar:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def test_a_moved_database_keeps_every_row(
    filled: Engine, target: Engine, file: Path, sounds: Path
) -> None:
    before = everything(filled)
    done = back_up(filled, file, now=NOW, secret="s")
    assert file.stat().st_mode & 0o777 == 0o600
    assert done.size == file.stat().st_size
    assert set(done.rows.values()) == {ROWS}
    restored = restore(target, file, recordings=sounds)
    assert restored.rows == done.rows
    assert (restored.before, restored.after) == (newest(), newest())
    assert everything(target) == before
    assert restored.head.secret == secret_mark("s") != secret_mark("other")


def test_the_hard_values_are_really_there(
    filled: Engine, target: Engine, file: Path, sounds: Path
) -> None:
    back_up(filled, file, now=NOW)
    restore(target, file, recordings=sounds)
    with reading(target) as session:
        first, second, third = session.scalars(select(Turn).order_by(Turn.seq))
        assert first.speaker == f"{HARD_TEXT}1"
        assert not first.understood
        assert second.reply == HARD_JSON
        assert third.timings == {"a": 1.5}
        assert third.seq == 2**31 - 10
        assert second.heard is None
        assert [one.confidence for one in (first, second, third)] == [0.1, 1 / 3, 5e-324]
        assert first.at == datetime(2026, 11, 21, 4, 0, 0, 123457, tzinfo=UTC)
        raw = session.execute(text("SELECT CAST(timings AS TEXT) FROM turn ORDER BY seq")).all()
        assert raw[2][0] == '{"a":  1.50}'


def test_ids_and_order_numbers_go_on(
    engine: Engine, target: Engine, file: Path, sounds: Path, now: datetime
) -> None:
    with writing(engine) as session:
        session.add(Conversation(id="c", channel="web", started_at=now, ended_at=None))
        session.add_all([Audit(id=number, at=now, actor="a", action="b") for number in (1, 7)])
    draft = OrderDraft("k1", "c", "web", "12345", "投诉", "normal", "油烟")
    assert write(engine, draft, now=now).number == "2026112000001"
    back_up(engine, file, now=NOW)
    restore(target, file, recordings=sounds)
    again = write(target, draft, now=now)
    assert (again.number, again.repeated) == ("2026112000001", True)
    other = OrderDraft("k2", "c", "web", "12345", "投诉", "normal", "噪音")
    assert write(target, other, now=now).number == "2026112000002"
    with writing(target) as session:
        session.add(Audit(at=now, actor="a", action="b"))
    with reading(target) as session:
        assert list(session.scalars(select(Audit.id).order_by(Audit.id))) == [1, 7, 8]
        assert session.get_one(OrderNumber, now.date()).last == 2


def test_an_empty_database_makes_an_empty_one(
    engine: Engine, target: Engine, file: Path, sounds: Path
) -> None:
    back_up(engine, file, now=NOW)
    upgrade(target)
    restore(target, file, recordings=sounds)
    assert all(rows == [] for _, rows in everything(target).values())
    with writing(target) as session:
        session.add(Audit(at=NOW, actor="a", action="b"))
    with reading(target) as session:
        assert session.scalars(select(Audit.id)).all() == [1]


@pytest.mark.parametrize("revision", ["0001", "0003"])
def test_an_older_backup_is_upgraded(
    bare_database: str, target: Engine, file: Path, sounds: Path, revision: str
) -> None:
    source = open_engine(bare_database)
    with schema_change(source) as connection:
        migrate(connection, revision)
        fill(connection)
    assert back_up(source, file, now=NOW).revision == revision
    restored = restore(target, file, recordings=sounds)
    assert (restored.before, restored.after) == (revision, newest())
    upgrade(source)
    assert everything(target) == everything(source)
    source.dispose()


def test_what_is_written_meanwhile_is_not_in_it(
    filled: Engine, target: Engine, file: Path, sounds: Path
) -> None:
    before = everything(filled)
    writers = open_engine(filled.url.render_as_string(hide_password=False))

    def somebody_writes() -> None:
        with writing(writers) as session:
            number = session.query(Audit).count()
            session.add(Audit(at=NOW, actor=f"later{number}", action="b"))

    original = archive.Writer.table

    def table(self: archive.Writer, name: str, rows: Any) -> None:
        somebody_writes()
        original(self, name, rows)

    patch = pytest.MonkeyPatch()
    patch.setattr(archive.Writer, "table", table)
    back_up(filled, file, now=NOW)
    patch.undo()
    writers.dispose()
    restore(target, file, recordings=sounds)
    assert everything(target) == before
    assert everything(filled) != before


def test_pieces_and_batches(
    engine: Engine, target: Engine, file: Path, sounds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "_PIECE", 1000)
    monkeypatch.setattr("store.rows._BATCH", 7)
    with writing(engine) as session:
        session.add_all([Audit(at=NOW, actor=f"a{n}", action="b") for n in range(100)])
    back_up(engine, file, now=NOW)
    with tarfile.open(file) as tar:
        assert len([name for name in tar.getnames() if name.startswith("tables/audit/")]) > 5
    restore(target, file, recordings=sounds)
    assert everything(target) == everything(engine)


def test_a_filled_database_is_replaced_by_force_only(
    filled: Engine, file: Path, sounds: Path
) -> None:
    back_up(filled, file, now=NOW)
    before = everything(filled)
    with writing(filled) as session:
        session.add(Audit(at=NOW, actor="later", action="b"))
    filled.dispose()
    assert refused(filled, file, sounds) == "database_not_empty"
    assert len(everything(filled)["audit"][1]) == ROWS + 1
    filled.dispose()
    restore(filled, file, recordings=sounds, force=True)
    assert everything(filled) == before


def test_a_database_that_is_in_use_is_left_alone(filled: Engine, file: Path, sounds: Path) -> None:
    back_up(filled, file, now=NOW)
    other = open_engine(filled.url.render_as_string(hide_password=False))
    everything(other)  # its connection stays in its pool, as in a front door that rests
    filled.dispose()
    assert refused(filled, file, sounds, force=True) == "database_in_use"
    other.dispose()
    restore(filled, file, recordings=sounds, force=True)
    with writing(other) as session:
        session.add(Audit(at=NOW, actor="a", action="b"))
    other.dispose()


def test_an_error_in_the_middle_leaves_the_old_database(
    filled: Engine, file: Path, sounds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(filled, file, now=NOW)
    before = everything(filled)
    filled.dispose()

    def broken(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("store.restore.continue_ids", broken)
    with pytest.raises(KeyboardInterrupt):
        restore(filled, file, recordings=sounds, force=True)
    assert everything(filled) == before
    assert list(sounds.iterdir()) == []


@pytest.fixture
def recorded(engine: Engine, sounds: Path) -> Engine:
    """Three calls: one with its sound, one whose file is gone, one deleted by rule."""
    (sounds / "2026" / "11").mkdir(parents=True)
    for name in ("call-1", "call-3", "stray"):
        (sounds / "2026" / "11" / f"{name}.wav").write_bytes(os.urandom(1_000_000))
    (sounds.parent / "secret").write_text("none of your business")
    with writing(engine) as session:
        session.add(Conversation(id="c", channel="phone", started_at=NOW, ended_at=None))
        session.flush()
        for number, gone in ((1, None), (2, None), (3, NOW)):
            session.add(
                Recording(id=f"call-{number}", conversation_id="c", started_at=NOW,
                          path=f"2026/11/call-{number}.wav", deleted_at=gone)
            )  # fmt: skip
        session.add(Recording(id="evil", conversation_id="c", path="../secret", started_at=NOW))
    return engine


def test_recordings_travel_along(recorded: Engine, file: Path, sounds: Path) -> None:
    done = back_up(recorded, file, now=NOW, recordings=sounds)
    assert (done.recordings, done.recordings_missing) == (1, 2)
    elsewhere = file.parent / "elsewhere"
    recorded.dispose()
    restored = restore(recorded, file, recordings=elsewhere, force=True)
    assert restored.recordings == 1
    (found,) = (path for path in elsewhere.rglob("*") if path.is_file())
    assert found.relative_to(elsewhere).as_posix() == "2026/11/call-1.wav"
    assert found.read_bytes() == (sounds / "2026" / "11" / "call-1.wav").read_bytes()


def test_a_call_that_goes_on_is_copied_as_it_is_now(
    recorded: Engine, file: Path, sounds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = sounds / "2026" / "11" / "call-1.wav"
    now = path.read_bytes()
    original = archive.Writer.recording

    def recording(self: archive.Writer, name: str, sound: Any) -> None:
        size = os.fstat(sound.fileno())
        original(self, name, sound)
        assert size.st_size == len(now)

    tee = archive._Tee.read

    def read(self: archive._Tee, size: int = -1) -> bytes:
        with path.open("ab") as more:
            more.write(b"more")
        return tee(self, size)

    monkeypatch.setattr(archive.Writer, "recording", recording)
    monkeypatch.setattr(archive._Tee, "read", read)
    back_up(recorded, file, now=NOW, recordings=sounds)
    monkeypatch.undo()
    with opened(file) as reader:
        (sound,) = (b"".join(iter(lambda p=part: p.read(65536), b""))  # type: ignore[misc]
                    for part in reader.parts() if isinstance(part, Sound))  # fmt: skip
    assert sound == now


@pytest.mark.parametrize(
    "name",
    ["recordings/../../evil", "recordings//etc/evil", "recordings/", "tables/unknown/1.jsonl",
     "evil", "recordings/a\\..\\b"],
)  # fmt: skip
def test_members_that_do_not_belong_there(
    engine: Engine, target: Engine, file: Path, sounds: Path, name: str
) -> None:
    back_up(engine, file, now=NOW)

    def change(members: dict[str, bytes]) -> None:
        manifest = members.pop("manifest.json")
        members[name] = b"evil"
        members["manifest.json"] = manifest

    rewritten(file, change)
    assert refused(target, file, sounds) == "backup_corrupt"
    assert not list(file.parent.rglob("*evil*"))


def test_whatever_is_cut_off_or_changed_is_refused(
    filled: Engine, file: Path, sounds: Path, tmp_path: Path
) -> None:
    back_up(filled, file, now=NOW)
    whole = file.read_bytes()
    chance = random.Random(7)
    broken = tmp_path / "broken.tar.gz"
    plain = gzip.decompress(whole)
    end = plain.rstrip(b"\0")
    # The last bytes are the zeros behind the manifest: without them nothing is missing.
    cuts = [whole[: chance.randrange(len(whole) - 80)] for _ in range(40)]
    for data in (b"", b"\x1f\x8b", os.urandom(5000), plain, *cuts):
        broken.write_bytes(data)
        assert code_of(broken) == "backup_corrupt"
    found = []
    for _ in range(120):
        flipped = bytearray(plain)
        flipped[chance.randrange(len(end))] ^= 1 << chance.randrange(8)
        broken.write_bytes(gzip.compress(bytes(flipped), 1))
        found.append(code_of(broken))
    assert set(found) <= {"backup_corrupt", "backup_newer", ""}
    # A flipped bit in the padding of a block, or in the time of a member, does no harm.
    assert found.count("") < 60


def code_of(file: Path) -> str:
    try:
        verified(file)
    except StoreError as error:
        return error.code
    return ""


def test_another_programs_files(engine: Engine, file: Path, sounds: Path) -> None:
    assert refused(engine, file, sounds) == "backup_missing"
    back_up(engine, file, now=NOW)

    def head(**changes: Any) -> Callable[[dict[str, bytes]], None]:
        def change(members: dict[str, bytes]) -> None:
            told = json.loads(members["qianmen-backup.json"])
            members["qianmen-backup.json"] = json.dumps(told | changes).encode()

        return change

    for changes, code in (
        ({"format": 2}, "backup_newer"),
        ({"revision": "9999"}, "backup_newer"),
        ({"format": 1, "revision": "0001"}, "backup_corrupt"),
        ({"revision": newest(), "tables": []}, "backup_corrupt"),
        ({"tables": [{"name": "audit", "columns": [["id", "blob"]], "key": ["id"]}]},
         "backup_corrupt"),
        ({"tables": 7}, "backup_corrupt"),
    ):  # fmt: skip
        rewritten(file, head(**changes))
        engine.dispose()
        assert refused(engine, file, sounds) == code, changes
    file.unlink()
    file.mkdir()
    assert refused(engine, file, sounds) == "backup_missing"


def test_rows_that_do_not_fit_change_nothing(
    filled: Engine, target: Engine, file: Path, sounds: Path
) -> None:
    """Well packed, with the right sums, and still wrong."""
    before = everything(filled)
    wrongs: tuple[Any, ...] = ([1], [1, 2, 3, 4, 5, 6, 7], ["x", *"abcdef"], {}, "text")
    for wrong in wrongs:
        back_up(filled, file, now=NOW)
        with archive.replacing(file.with_suffix(".2")) as out, opened(file) as reader:
            writer = archive.Writer(out, reader.head, 0)
            for raw in reader.head.tables:
                writer.table(raw.name, [wrong] if raw.name == "audit" else [])
            writer.finish()
        assert refused(target, file.with_suffix(".2"), sounds) == "backup_corrupt"
    assert everything(filled) == before


def test_a_backup_that_cannot_be_written(filled: Engine, tmp_path: Path) -> None:
    for file in (tmp_path / "no" / "such" / "folder", tmp_path, Path("/dev/null/x")):
        with pytest.raises(StoreError) as caught:
            back_up(filled, file, now=NOW)
        assert caught.value.code == "backup_unwritable"
    assert not list(tmp_path.glob(".*"))


def test_a_full_disk_leaves_the_former_backup(filled: Engine, file: Path) -> None:
    back_up(filled, file, now=NOW)
    former = file.read_bytes()
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(StoreError) as caught:
            back_up(filled, file, now=NOW)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert caught.value.code == "disk_full"
    assert file.read_bytes() == former
    assert [path.name for path in file.parent.glob(".*")] == []


def test_databases_that_cannot_be_copied(bare_database: str, file: Path) -> None:
    engine = open_engine(bare_database)
    for prepare, code in (
        ("SELECT 1", "database_old"),
        ("CREATE TABLE alembic_version (version_num VARCHAR(32))", "database_old"),
        ("INSERT INTO alembic_version VALUES ('9999')", "database_newer"),
    ):
        with engine.begin() as connection:
            connection.execute(text(prepare))
        with pytest.raises(StoreError) as caught:
            back_up(engine, file, now=NOW)
        assert caught.value.code == code
        assert not file.exists()
    engine.dispose()
    assert refused(engine, file, file.parent) == "backup_missing"


def test_characters_that_postgresql_cannot_hold(
    sqlite_template: Path, postgres: Cluster, file: Path, sounds: Path, tmp_path: Path
) -> None:
    source = open_engine(f"sqlite:///{tmp_path / 'nul.sqlite3'}")
    upgrade(source)
    with writing(source) as session:
        session.add(Audit(at=NOW, actor="a\x00b" * 300, action="b", data={"x": "\x00"}))
    back_up(source, file, now=NOW)
    target = open_engine(postgres.create("target"))
    restore(target, file, recordings=sounds)
    with reading(target) as session:
        line = session.get_one(Audit, 1)
        assert line.actor == "ab" * 300
        assert line.data == {"x": "\x00"}
    source.dispose()
    target.dispose()
