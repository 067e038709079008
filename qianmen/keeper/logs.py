"""Each process's log: a file a day, compressed, kept as long as the city's rules say.

Supervisor must not rotate by size: that could drop lines younger than the law allows. Instead the
log is renamed; supervisor goes on writing into the renamed file until it is told to open its logs
again (SIGUSR2, its documented way), so that no line is lost. ``NAME-YYYYMMDD.log`` ends on that day
of the city.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import signal
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from xmlrpc.client import Fault, ServerProxy

import structlog
from supervisor.xmlrpc import SupervisorTransport

from config.settings import Settings
from qianmen.keeper.duty import Duty, Keeping
from qianmen.supervise import socket_path

LARGE_BYTES = 1024**3
"""A day's log of this size is worth a word: something says the same thing over and over."""
_DATED = re.compile(r"(?P<name>.+)-(?P<day>\d{8})\.log(?P<packed>\.gz)?")
_log = structlog.get_logger(__name__)


def rotate(keeping: Keeping, now: datetime) -> int:
    """Rename today's logs once a day and let supervisor begin new ones; how many were renamed."""
    folder, day = keeping.settings.log_dir, now.astimezone(keeping.city.zone).date()
    renamed = sum(_rename(path, day) for path in _live(folder))
    manager = manager_pid(keeping.settings)
    if manager is not None:
        os.kill(manager, signal.SIGUSR2)  # each time: once more changes nothing
    return renamed


def _live(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.glob("*.log")):
        if not _DATED.fullmatch(path.name):
            yield path


def _rename(path: Path, day: date) -> int:
    size = path.stat().st_size
    if size > LARGE_BYTES:
        _log.warning("log_large", code="log_large", file=path.name, bytes=size)
    target = path.with_name(f"{path.stem}-{day:%Y%m%d}.log")
    if not size or target.with_name(target.name + ".gz").exists():
        return 0
    try:
        os.link(path, target)  # unlike a renaming, this never takes the place of another file
    except FileExistsError:
        if not path.samefile(target):
            return 0  # done today already
    path.unlink()
    return 1


def manager_pid(settings: Settings) -> int | None:
    """The process manager's pid, from itself: a number in a file may be another's by now."""
    if not socket_path(settings).exists():
        return None
    transport = SupervisorTransport(None, None, f"unix://{socket_path(settings)}")
    try:
        pid = ServerProxy("http://127.0.0.1", transport=transport).supervisor.getPID()
    except (OSError, Fault):
        return None
    finally:
        transport.close()
    return pid if isinstance(pid, int) and pid > 1 else None


def compress(keeping: Keeping, now: datetime) -> int:
    """Compress the logs of earlier days that nobody writes to any more; how many."""
    today = now.astimezone(keeping.city.zone).date()
    manager = manager_pid(keeping.settings)
    held = _opened_by(manager) if manager is not None else frozenset()
    count = 0
    for path, day, packed in _dated(keeping.settings.log_dir):
        if not packed and day < today and path.resolve() not in held:
            _compress(path)
            count += 1
    return count


def _opened_by(pid: int) -> frozenset[Path]:
    return frozenset(link.resolve() for link in Path(f"/proc/{pid}/fd").iterdir())


def _compress(path: Path) -> None:
    target = path.with_name(path.name + ".gz")
    part = path.with_name(path.name + ".gz.part")
    stamp = path.stat().st_mtime
    with path.open("rb") as plain, part.open("wb") as file:
        with gzip.GzipFile(filename=path.name, mode="wb", fileobj=file, mtime=stamp) as packed:
            shutil.copyfileobj(plain, packed, 1024 * 1024)
        file.flush()
        os.fsync(file.fileno())
    os.utime(part, (stamp, stamp))
    part.replace(target)
    path.unlink()


def delete_old(keeping: Keeping, now: datetime) -> int:
    """Delete the logs that ended longer ago than the rules keep them; how many."""
    kept = timedelta(days=keeping.city.retention.logs_days)
    limit = now - kept
    oldest = limit.astimezone(keeping.city.zone).date()
    count = 0
    for path, day, _ in _dated(keeping.settings.log_dir):
        if day < oldest and path.stat().st_mtime < limit.timestamp():
            path.unlink()
            count += 1
    for path in keeping.settings.log_dir.glob("*.log.[0-9]*"):  # rotated by size, before we did it
        if datetime.fromtimestamp(path.stat().st_mtime, UTC) < limit:
            path.unlink()
            count += 1
    return count


def _dated(folder: Path) -> Iterator[tuple[Path, date, bool]]:
    """Each finished log, the day it ended, and whether it is compressed."""
    for path in sorted(folder.glob("*-*.log*")):
        match = _DATED.fullmatch(path.name)
        day = _day(match["day"]) if match else None
        if match and day:
            yield path, day, bool(match["packed"])


def _day(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def _rotate(keeping: Keeping, now: datetime) -> None:
    rotate(keeping, now)
    compress(keeping, now)


def _delete(keeping: Keeping, now: datetime) -> None:
    delete_old(keeping, now)


DUTIES: tuple[Duty, ...] = (
    Duty("logs_rotate", timedelta(hours=1), _rotate, everywhere=True),
    Duty("logs_delete", timedelta(days=1), _delete, deletes=True, everywhere=True),
)
