"""The journal's files: one order each, in the order in which they came.

An order is written beside its place, flushed to the disk and linked to its number, which nobody
else can take: the numbers are the order of arrival, over all processes. A crash at any point leaves
the order whole or not there.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sealing.blobs import BlobSeal
from sealing.errors import SealError
from sealing.keys import Keyring
from turns import wire
from turns.orders import OrderDraft

BROKEN = ".broken"
"""Behind the name of what could not be used: people must look at it."""
_PLAIN, _SEALED, _PART = ".json", ".sealed", ".part"
_PURPOSE = "journal"
_VERSION = 1


class JournalError(Exception):
    """The journal cannot be written or read; ``code`` is stable.

    Codes: journal_unwritable (the disk is full, or it may not be written), journal_broken (what
    stands there is no order).
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Kept:
    """An order that waits. ``at`` is when the citizen told it; ``handoff`` and ``reason`` are ''
    where nobody is waited for; ``citizen`` the caller's number or the chat's identity.
    """

    draft: OrderDraft
    at: datetime
    handoff: str = ""
    reason: str = ""
    danger: str = ""
    citizen: str = ""


def keep(folder: Path, kept: Kept, keys: Keyring | None = None) -> Path:
    """Put an order into the journal; it is on the disk when this returns.

    Raises :class:`JournalError` ``journal_unwritable``.
    """
    document = {"version": _VERSION, "at": kept.at.isoformat(), "handoff": kept.handoff,
                "reason": kept.reason, "danger": kept.danger, "citizen": kept.citizen,
                "draft": wire.dump(kept.draft)}  # fmt: skip
    data = json.dumps(document, ensure_ascii=False).encode()
    if keys is not None:
        data = BlobSeal(keys, _PURPOSE).seal(data, _PURPOSE)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _placed(folder, data, _SEALED if keys else _PLAIN)
    except OSError as error:
        raise JournalError("journal_unwritable", f"待写工单存不下：{error.strerror}") from error


def _placed(folder: Path, data: bytes, suffix: str) -> Path:
    part = folder / f"{os.getpid()}-{os.urandom(8).hex()}{_PART}"
    try:
        _write(part, data)
        return _linked(part, folder, suffix)
    finally:
        part.unlink(missing_ok=True)


def reseal(folder: Path, keys: Keyring) -> tuple[int, int]:
    """Seal what waits, and what was set aside, with the newest key; how many, and how many could
    not be opened and stay as they are.

    Whoever drains waits meanwhile. A crash leaves each order whole, at most twice, and an order is
    written once. Raises OSError.
    """
    if not folder.is_dir():
        return 0, 0
    done = broken = 0
    with held(folder, wait=True, name=".drain"):
        for path in sorted(folder.iterdir()):
            try:
                done += _resealed(path, keys)
            except (SealError, FileNotFoundError):
                broken += 1
    return done, broken


def _resealed(path: Path, keys: Keyring) -> bool:
    name = path.name.removesuffix(BROKEN)
    number, suffix = name[: name.find(".")], name[name.find(".") :]
    if not number.isdecimal() or suffix not in (_PLAIN, _SEALED):
        return False
    data, seal = path.read_bytes(), BlobSeal(keys, _PURPOSE)
    plain = seal.open(data, _PURPOSE) if suffix == _SEALED else data
    target = path.with_name(path.name.replace(suffix, _SEALED))
    part = path.parent / f"{os.getpid()}-{os.urandom(8).hex()}{_PART}"
    try:
        _write(part, seal.seal(plain, _PURPOSE))
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    if target != path:
        path.unlink()
    flush(path.parent)
    return True


def _write(part: Path, data: bytes) -> None:
    """A file that nobody else had, on the disk when this returns."""
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _linked(part: Path, folder: Path, suffix: str) -> Path:
    """Give the file the next number: linking fails where somebody else has it already."""
    with held(folder, wait=True):  # two suffixes could share a number; a drain could free one
        target = folder / f"{_last_number(folder) + 1:010d}{suffix}"
        os.link(part, target)
        flush(folder)
    return target


def _last_number(folder: Path) -> int:
    names = (path.name.partition(".")[0] for path in folder.iterdir())
    return max((int(name) for name in names if name.isdecimal()), default=0)


def waiting(folder: Path) -> tuple[Path, ...]:
    """The files of the orders that wait, in the order in which they came."""
    if not folder.is_dir():
        return ()
    found = (path for path in folder.iterdir() if path.suffix in (_PLAIN, _SEALED))
    return tuple(sorted(path for path in found if path.stem.isdecimal()))


def load(path: Path, keys: Keyring | None = None) -> Kept:
    """What was kept in ``path``; raises :class:`JournalError`, :class:`SealError`, OSError."""
    data = path.read_bytes()
    if path.suffix == _SEALED:
        if keys is None:
            raise SealError("data_key_missing", "a sealed order, but QIANMEN_DATA_KEY is not set")
        data = BlobSeal(keys, _PURPOSE).open(data, _PURPOSE)
    try:
        told: dict[str, Any] = json.loads(data)
        at = datetime.fromisoformat(told["at"])
        if told["version"] != _VERSION or at.tzinfo is None:
            raise ValueError("another version")  # noqa: TRY301  # one way out for all that is wrong
        draft = wire.load(OrderDraft, told["draft"])
        rest = {name: str(told[name]) for name in ("handoff", "reason", "danger", "citizen")}
    except (ValueError, KeyError, TypeError) as error:
        raise JournalError("journal_broken", f"{path.name} is no order") from error
    return Kept(draft, at, **rest)


@contextmanager
def held(folder: Path, *, wait: bool, name: str = ".lock") -> Iterator[bool]:
    """The folder's lock between processes, freed by the kernel when its holder dies."""
    descriptor = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(descriptor)


def flush(folder: Path) -> None:
    """What was linked, renamed or removed in ``folder`` is on the disk when this returns."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(folder: Path, now: datetime) -> None:
    """Take away what a crash left half written an hour ago: no citizen was told of it."""
    for part in folder.glob(f"*{_PART}"):
        with contextlib.suppress(OSError):
            if part.stat().st_mtime < (now - timedelta(hours=1)).timestamp():
                part.unlink()
