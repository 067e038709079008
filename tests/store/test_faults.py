"""Real faults of real databases, and the codes they get."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from config.settings import ROOT
from store.engine import StoreError, open_engine, reading, upgrade, writing
from store.faults import CODES, fault_of
from store.tables import Audit
from tests.postgres import Cluster, cluster, programs, somebody

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def audit(size: int = 1) -> Audit:
    return Audit(at=NOW, actor="x" * size, action="b", object="", data={})


def fault(engine: Engine, size: int = 1) -> str:
    """What writing one line gives."""
    try:
        with writing(engine) as session:
            session.add(audit(size))
    except (SQLAlchemyError, OSError) as error:
        return fault_of(error)
    return "none"


def driver_says(engine: Engine, pragma: str) -> None:
    """Set something on each new connection to SQLite."""
    event.listen(engine, "connect", lambda connection, _: connection.execute(f"PRAGMA {pragma}"))


@pytest.fixture
def file(sqlite_template: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "file.sqlite3"
    copy.write_bytes(sqlite_template.read_bytes())
    return copy


@pytest.fixture
def sqlite(file: Path) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{file}")
    yield engine
    engine.dispose()


def test_a_full_sqlite(sqlite: Engine) -> None:
    driver_says(sqlite, "max_page_count=1")
    assert fault(sqlite, size=1_000_000) == "disk_full"
    with reading(sqlite) as session:
        assert session.get(Audit, 1) is None


def test_a_disk_that_takes_no_more(sqlite: Engine) -> None:
    """RLIMIT_FSIZE, as a quota: SQLite calls only ENOSPC full, and this an I/O error."""
    assert fault(sqlite) == "none"
    former = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        assert fault(sqlite, 3_000_000) == "database_down"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, former)
    assert fault(sqlite, 3_000_000) == "none"


def test_a_read_only_sqlite(file: Path) -> None:
    engine = open_engine(f"sqlite:///file:{file}?mode=ro&uri=true")
    assert fault(engine) == "database_readonly"
    engine.dispose()


def test_a_file_and_a_folder_that_are_not_ours(file: Path) -> None:
    """As somebody who may only read; root may everything."""
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    folder = file.parent
    for one in (folder, *folder.parents):
        if one.owner() == "root" and one != one.parent:
            one.chmod(one.stat().st_mode | 0o005)
    file.chmod(0o444)
    code = (
        "import sqlite3, sys\n"
        f"connection = sqlite3.connect('{file}', isolation_level=None)\n"
        "try:\n"
        "    connection.execute('PRAGMA journal_mode=WAL'); connection.execute('BEGIN IMMEDIATE')\n"
        "except sqlite3.Error as error:\n"
        "    print(error.sqlite_errorcode)"
    )
    told = subprocess.run(
        ["/usr/bin/env", "python3", "-c", code], capture_output=True, text=True, check=True,
        cwd="/", **somebody(),
    )  # fmt: skip
    error = sqlite3.OperationalError("as it was told")
    error.sqlite_errorcode = int(told.stdout)
    assert fault_of(error) in ("database_readonly", "database_down")


_ON_A_SMALL_DISK = """
import sys
from pathlib import Path
from store.backup import back_up
from config.settings import ROOT
from store.engine import StoreError, open_engine
from tests.store.test_faults import NOW, fault
disk = Path(sys.argv[1])
for name in ("db", "other"):
    engine = open_engine(f"sqlite:///{disk}/db.sqlite3")
    told = []
    if name == "db":
        told.append(fault(engine, 100))
        told.append(fault(engine, 3_000_000))
        with (disk / "rest").open("wb", buffering=0) as rest:
            try:
                while rest.write(b"x" * 4096): pass
            except OSError: pass
    else:
        told.append(fault(engine))
    try:
        back_up(engine, disk / "backup.tar.gz", now=NOW)
    except StoreError as error:
        told.append(error.code)
    engine.dispose()
    print(*told, sorted(path.name for path in disk.glob("*backup*")), flush=True)
    sys.stdin.readline()
"""


def test_a_disk_that_is_really_full_and_then_read_only(file: Path, tmp_path: Path) -> None:
    """On a file system of its own: two megabytes of memory."""
    disk = tmp_path / "disk"
    disk.mkdir()
    script = (
        f"mount -t tmpfs -o size=2m none {disk} && cp {file} {disk}/db.sqlite3 || exit 77\n"
        f"mkfifo {tmp_path}/in; {sys.executable} -c '{_ON_A_SMALL_DISK}' {disk} <{tmp_path}/in "
        f">{tmp_path}/out & exec 3>{tmp_path}/in\n"
        f"until [ -s {tmp_path}/out ] || ! kill -0 $!; do sleep 0.1; done\n"
        f"rm -f {disk}/rest; mount -o remount,ro {disk}; echo >&3; echo >&3; wait $!"
    )
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script], cwd=ROOT, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode in (1, 77):
        pytest.skip("this process may not mount a file system")
    assert (tmp_path / "out").read_text().splitlines() == [
        "none disk_full disk_full []",
        "database_readonly database_readonly []",
    ], done.stderr


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "a.sqlite3").write_bytes(b"this is no database" * 1000)
    engine = open_engine(f"sqlite:///{tmp_path / 'a.sqlite3'}")
    assert fault(engine) == "database_corrupt"
    with pytest.raises(StoreError) as caught:
        upgrade(engine)
    assert caught.value.code == "database_corrupt"


def test_a_damaged_database(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    file.write_bytes(data)
    engine = open_engine(f"sqlite:///{file}")
    assert fault(engine) == "database_corrupt"
    engine.dispose()


def test_a_folder_where_the_file_should_be(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}")
    assert fault(engine) == "database_down"


def test_a_locked_sqlite(sqlite: Engine) -> None:
    driver_says(sqlite, "busy_timeout=1")
    other = open_engine(str(sqlite.url))
    with writing(other) as session:
        session.connection()
        assert fault(sqlite) == "database_locked"
    assert fault(sqlite) == "none"
    other.dispose()


def test_a_table_and_a_column_that_are_missing(bare_database: str) -> None:
    engine = open_engine(bare_database)
    assert fault(engine) == "database_old"
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE audit (id INTEGER)"))
    assert fault(engine) == "database_old"
    engine.dispose()


def test_postgresql_that_is_locked_full_of_connections_or_read_only(postgres: Cluster) -> None:
    with postgres.lent() as url:
        engine = open_engine(url)
        quick = open_engine(f"{url}&options=-c%20lock_timeout%3D1ms")
        with writing(engine) as session:
            session.execute(text("LOCK TABLE audit"))
            assert fault(quick) == "database_locked"
        slow = open_engine(f"{url}&options=-c%20statement_timeout%3D1ms")
        with pytest.raises(SQLAlchemyError) as caught, reading(slow) as session:
            session.execute(text("SELECT pg_sleep(60)"))
        assert fault_of(caught.value) == "database_down"
        read_only = open_engine(f"{url}&options=-c%20default_transaction_read_only%3Don")
        assert fault(read_only) == "database_readonly"
        for one in (engine, quick, slow, read_only):
            one.dispose()


@pytest.mark.parametrize(
    "query", ["user=nobody_here", "dbname=no_such", "host=/no/such/folder", "host=127.0.0.1&port=1"]
)
def test_postgresql_that_does_not_let_us_in(postgres: Cluster, query: str) -> None:
    engine = open_engine(f"{postgres.url()}&{query}" if "host" not in query
                         else f"postgresql://qianmen@/postgres?{query}")  # fmt: skip
    assert fault(engine) == "database_down"
    with pytest.raises(StoreError) as caught:
        upgrade(engine)
    assert caught.value.code == "database_down"
    engine.dispose()


@pytest.mark.parametrize("state", ["53100", "XX001", "XX002"])
def test_postgresql_full_and_damaged(postgres: Cluster, state: str) -> None:
    """The server's own words, made by the server: neither can be had for real in a test."""
    with postgres.lent() as url:
        engine = open_engine(url)
        raising = f"DO $$ BEGIN RAISE EXCEPTION 'as told' USING ERRCODE = '{state}'; END $$"
        with pytest.raises(SQLAlchemyError) as caught, writing(engine) as session:
            session.execute(text(raising))
        assert fault_of(caught.value) == ("disk_full" if state == "53100" else "database_corrupt")
        engine.dispose()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
def test_a_server_that_stops_and_comes_back(how: signal.Signals) -> None:
    """An open connection is found dead, and a new one is made when the server is back."""
    folder = programs()
    if folder is None:
        pytest.skip("PostgreSQL's programs are not installed")
    with cluster(folder) as own:
        engine = open_engine(own.upgraded("mine"))
        assert fault(engine) == "none"
        with Session(engine) as session:
            session.add(audit())
            session.flush()
            own.stop(how)
            with pytest.raises(SQLAlchemyError) as caught:
                session.execute(text("SELECT 1"))
        assert fault_of(caught.value) == "database_down"
        assert fault(engine) == "database_down"
        own.start()
        assert fault(engine) == "none"
        with reading(engine) as session:
            assert session.query(Audit).count() == 2
        engine.dispose()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(28, "no space"), "disk_full"),
        (OSError(30, "read-only"), "database_readonly"),
        (PermissionError(13, "denied"), "database_readonly"),
        (TimeoutError(), "database_down"),
        (ConnectionResetError(104, "reset"), "database_down"),
        (OSError("no number"), "database_error"),
        (sqlite3.OperationalError("something else"), "database_error"),
        (StoreError("database_newer", "not a fault"), "database_error"),
        (StoreError("disk_full", "as it says"), "disk_full"),
        (ValueError(), "database_error"),
    ],
)
def test_errors_without_a_database(error: Exception, code: str) -> None:
    assert fault_of(error) == code
    assert code in CODES


def test_the_cause_is_found_behind_other_errors() -> None:
    first, second = RuntimeError("one"), RuntimeError("two")
    first.__cause__, second.__context__ = second, OSError(28, "no space")
    assert fault_of(first) == "disk_full"
    second.__context__ = first  # a circle
    assert fault_of(first) == "database_error"
