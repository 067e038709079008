"""A throw-away PostgreSQL: Debian's programs, a cluster in a folder of its own, a UNIX socket."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine, create_engine, inspect
from sqlalchemy.exc import SQLAlchemyError

from qianmen.tether import tie_to_parent
from store.engine import open_engine, upgrade
from store.migrate import newest

_TEMPLATE, _SHARED = "template_qianmen", "test"
_READY_S = 90.0
_DEBIAN = Path("/usr/lib/postgresql")
# When the machine fails a test's rows may be lost; when the server is killed they may not.
_FAST = ("fsync=off", "full_page_writes=off", "autovacuum=off",
         "shared_buffers=16MB", "max_connections=60", "listen_addresses=")  # fmt: skip


def programs() -> Path | None:
    """The folder of initdb and postgres, which Debian keeps off the PATH; None where missing."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(_DEBIAN.glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    return next((path for path in folders if (path / "initdb").is_file()), None)


class Cluster:
    """A server that can be stopped and started again, with its databases."""

    def __init__(self, folder: Path, bin_folder: Path) -> None:
        self._folder, self._bin = folder, bin_folder
        self._process: subprocess.Popen[bytes] | None = None
        self._cleaners: dict[str, Engine] = {}

    def url(self, database: str = "postgres") -> str:
        """Where a database is, as a city would write it."""
        return f"postgresql://qianmen@/{database}?host={self._folder}"

    def start(self) -> None:
        """Start it; returns when it takes connections."""
        words = [word for setting in _FAST for word in ("-c", setting)]
        self._process = self._run(
            "postgres", "-D", str(self._folder / "data"), "-k", str(self._folder), *words
        )
        until = time.monotonic() + _READY_S
        while True:
            with suppress(SQLAlchemyError), self._server() as server:
                server.exec_driver_sql("SELECT 1")
                return
            assert self._process.poll() is None, (self._folder / "log").read_text()
            assert time.monotonic() < until, "PostgreSQL does not start"
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT breaks connections off and ends in order, SIGQUIT as in a crash."""
        self._forget()
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(_READY_S)
            self._process = None

    def make(self) -> None:
        """The cluster's files, and a template with our tables."""
        initdb = self._run(
            "initdb", "-D", str(self._folder / "data"), "-A", "trust", "-U", "qianmen",
            "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions",
        )  # fmt: skip
        assert initdb.wait() == 0, (self._folder / "log").read_text()
        self.start()
        self.create(_TEMPLATE)
        engine = open_engine(self.url(_TEMPLATE))
        upgrade(engine)
        engine.dispose()

    def create(self, name: str, template: str = "template1") -> str:
        """A database, without tables unless the template has some; returns its URL."""
        with self._server() as server:
            server.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            server.exec_driver_sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def upgraded(self, name: str) -> str:
        """A database of its own on the newest schema (70 ms; :meth:`lent` takes 5)."""
        return self.create(name, _TEMPLATE)

    @contextmanager
    def lent(self) -> Iterator[str]:
        """The one database that tests use one after the other, emptied behind each."""
        if _SHARED not in self._cleaners:
            self.upgraded(_SHARED)
            # By another name: to a restore it is nobody who uses the database.
            self._cleaners[_SHARED] = open_engine(f"{self.url(_SHARED)}&application_name=tests")
        yield self.url(_SHARED)
        try:
            _empty(self._cleaners[_SHARED])
        except (SQLAlchemyError, psycopg.Error):  # the test changed tables, or stopped the server
            self._forget()

    def _forget(self) -> None:
        while self._cleaners:
            self._cleaners.popitem()[1].dispose()

    @contextmanager
    def _server(self) -> Iterator[Any]:
        engine = create_engine(
            self.url().replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT"
        )
        try:
            with engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()

    def _run(self, program: str, *words: str) -> subprocess.Popen[bytes]:
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                [str(self._bin / program), *words], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, cwd=self._folder, preexec_fn=tie_to_parent, **somebody(),
            )  # fmt: skip


def _empty(engine: Engine) -> None:
    """Without rows, ids from 1 again and on the newest schema, in one journey to the server."""
    with engine.begin() as connection:
        if "reset" not in connection.info:
            connection.info["reset"] = _reset(engine)
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute(connection.info["reset"])  # several statements: the driver takes no values


def _reset(engine: Engine) -> str:
    tables = [name for name in inspect(engine).get_table_names() if name != "alembic_version"]
    deletes = "; ".join(f'DELETE FROM "{name}"' for name in tables)
    return (
        f"SET LOCAL session_replication_role = replica; {deletes};"
        f" UPDATE alembic_version SET version_num = '{newest()}';"
        " SELECT setval(format('%I', relname)::regclass, 1, false)"
        " FROM pg_class WHERE relkind = 'S'"
    )


def somebody() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    owner = _owner()
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


def _owner() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise AssertionError("neither postgres nor nobody is a user here")


@contextmanager
def cluster(bin_folder: Path) -> Iterator[Cluster]:
    """A running cluster; it and its folder are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="qianmen-pg-"))
    if os.geteuid() == 0:
        os.chown(folder, _owner().pw_uid, _owner().pw_gid)
    made = Cluster(folder, bin_folder)
    try:
        made.make()
        yield made
    finally:
        made.stop(signal.SIGQUIT)
        shutil.rmtree(folder)
