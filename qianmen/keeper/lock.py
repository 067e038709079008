"""Only one keeper does what must be done once, however many hosts there are.

On PostgreSQL an advisory lock of the session, gone with its connection; on SQLite, which one host
has alone, a lock on a file, gone with its process.
"""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, text

from config.settings import Settings

_KEY = 0x7169616E6D656E  # "qianmen", as the number that PostgreSQL wants


class Lock(Protocol):
    """Whoever holds it does the duties; ``held`` takes it where it is free."""

    def held(self) -> bool:
        """Whether this keeper has it now; raises what the database raises."""

    def close(self) -> None:
        """Let it go."""


def lock_for(settings: Settings, engine: Engine) -> Lock:
    """The lock of this installation."""
    if engine.dialect.name == "postgresql":
        return AdvisoryLock(engine)
    return FileLock(settings.data_dir / "run" / "keeper.lock")


class FileLock:
    """An exclusive ``flock``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._guard = threading.Lock()

    def held(self) -> bool:
        """See :class:`Lock`."""
        with self._guard:
            if self._descriptor is None:
                self._descriptor = self._taken()
            return self._descriptor is not None

    def _taken(self) -> int | None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except OSError:
            os.close(descriptor)
            raise
        return descriptor

    def close(self) -> None:
        """See :class:`Lock`."""
        with self._guard:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None


class AdvisoryLock:
    """``pg_try_advisory_lock`` on a connection of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._guard = threading.Lock()

    def held(self) -> bool:
        """See :class:`Lock`; a lost connection is a lost lock, which is then asked for anew."""
        with self._guard:
            try:
                return self._held()
            except Exception:
                self._drop()
                raise

    def _held(self) -> bool:
        if self._connection is not None:
            self._connection.execute(text("SELECT 1"))
            return True
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        self._connection = connection
        question = text("SELECT pg_try_advisory_lock(:key)")
        if connection.scalar(question, {"key": _KEY}):
            return True
        self._drop()
        return False

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()  # ended, not given back to the pool with the lock on it
            connection.close()

    def close(self) -> None:
        """See :class:`Lock`."""
        with self._guard:
            self._drop()
