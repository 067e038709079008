"""The journal: orders wait on disk while the database is away, and are written when it is back.

One file an order. It is written beside its place, flushed to the disk and linked to its number,
which nobody else can take: the numbers are the order of arrival, over all processes. A crash at any
point leaves the order whole or not there, and the citizen was told only of what is there. A file
goes only after its order was committed; written again, the order's ``key`` makes it the same one.

What cannot be opened or written although the database is there is set aside (``.broken``), with an
alarm, and stops nobody behind it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from config.city import City
from config.settings import Settings
from handoff.alarms import raise_alarm
from handoff.orders import write, write_handoff
from sealing.blobs import BlobSeal
from sealing.errors import SealError
from sealing.keys import Keyring, keyring
from store.engine import writing
from store.faults import fault_of
from store.tables import Conversation
from turns import wire
from turns.orders import OrderDraft, WrittenOrder

FOLDER = "journal"
"""Its place in the data folder."""
AWAY = frozenset(
    {"database_down", "database_locked", "database_readonly", "disk_full", "database_old",
     "database_corrupt"}
)  # fmt: skip
"""Faults of the database under which an order waits instead of being lost."""
FOLLOWS = WrittenOrder("", "", datetime.min.replace(tzinfo=UTC))
"""What is told of an order that waits: it has no number yet."""
STALE = timedelta(minutes=30)
"""Who was handed over longer ago waits no more: their order is written, the queue is not entered.
"""
_PLAIN, _SEALED, _BROKEN, _PART = ".json", ".sealed", ".broken", ".part"
_PURPOSE = "journal"
_VERSION = 1
_log = structlog.get_logger(__name__)


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


@dataclass(frozen=True, slots=True)
class Drained:
    """An order that waited, and was written."""

    kept: Kept
    written: WrittenOrder


def is_away(error: BaseException) -> bool:
    """Whether ``error`` says that the database cannot be written now."""
    return isinstance(error, SQLAlchemyError | OSError) and fault_of(error) in AWAY


@dataclass(frozen=True, slots=True)
class Journal:
    """The journal of an installation; ``keys`` seal what waits, plainly without them."""

    folder: Path
    keys: Keyring | None = None

    def write(
        self, engine: Engine, draft: OrderDraft, *, now: datetime, city: City, danger: str = ""
    ) -> WrittenOrder:
        """Write the order, or keep it: its number is '' then, and follows.

        Raises :class:`JournalError` where not even that can be done.
        """
        try:
            return write(engine, draft, now=now, city=city, danger=danger)
        except SQLAlchemyError as error:
            return self._instead(error, Kept(draft, now, danger=danger))

    def write_handoff(
        self,
        engine: Engine,
        draft: OrderDraft,
        *,
        handoff: str,
        reason: str,
        now: datetime,
        city: City,
        danger: str = "",
        citizen: str = "",
    ) -> WrittenOrder:
        """As :meth:`write`, for the order of a hand-over and its entry in the queue."""
        try:
            return write_handoff(
                engine, draft, handoff=handoff, reason=reason, now=now, city=city, danger=danger
            )
        except SQLAlchemyError as error:
            kept = Kept(draft, now, handoff=handoff, reason=reason, danger=danger, citizen=citizen)
            return self._instead(error, kept)

    def _instead(self, error: SQLAlchemyError, kept: Kept) -> WrittenOrder:
        if not is_away(error):
            raise error
        keep(self.folder, kept, self.keys)
        _log.warning("order_kept", code=fault_of(error))
        return FOLLOWS

    def drain(self, engine: Engine, now: datetime, city: City) -> tuple[Drained, ...]:
        """As :func:`drain`."""
        return drain(engine, self.folder, now, self.keys, city=city)


def journal_of(settings: Settings) -> Journal:
    """The installation's journal; raises :class:`SealError` ``data_key_invalid``."""
    return Journal(settings.data_dir / FOLDER, keyring(settings.data_key))


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
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        return _linked(part, folder, suffix)
    finally:
        part.unlink(missing_ok=True)


def _linked(part: Path, folder: Path, suffix: str) -> Path:
    """Give the file the next number: linking fails where somebody else has it already."""
    with _held(folder, wait=True):  # two suffixes could share a number; a drain could free one
        target = folder / f"{_last_number(folder) + 1:010d}{suffix}"
        os.link(part, target)
        _flush(folder)
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


def drain(
    engine: Engine, folder: Path, now: datetime, keys: Keyring | None = None, *, city: City
) -> tuple[Drained, ...]:
    """Write what waits, each exactly once, in the order in which it came; what was written.

    ``now`` is aware. Where somebody else is at it already, nothing. Raises the database's error
    when it goes away again: what was not written waits on.
    """
    sweep(folder, now)
    if not waiting(folder):
        return ()
    with _held(folder, wait=False, name=".drain") as mine:
        if not mine:
            return ()
        done = (_drain_one(engine, path, now.astimezone(city.zone), keys, city)
                for path in waiting(folder))  # fmt: skip
        return tuple(one for one in done if one is not None)


def _drain_one(
    engine: Engine, path: Path, now: datetime, keys: Keyring | None, city: City
) -> Drained | None:
    try:
        kept = load(path, keys)
        written = _written(engine, kept, now, city)
    except FileNotFoundError:
        return None
    except (JournalError, SealError, SQLAlchemyError, ValueError) as error:
        if is_away(error):
            raise
        _set_aside(engine, path, error, now)
        return None
    with writing(engine) as session:
        text = f"工单{written.number}是数据库恢复后补记的，请把编号告诉市民"
        raise_alarm(session, f"journal:{written.id}", "order_late", written.number, text, now)
    path.unlink(missing_ok=True)
    _flush(path.parent)
    _log.info("order_written_late", order=written.number, repeated=written.repeated)
    return Drained(kept, written)


def _written(engine: Engine, kept: Kept, now: datetime, city: City) -> WrittenOrder:
    _conversation(engine, kept)
    if not kept.handoff:
        return write(engine, kept.draft, now=now, city=city, danger=kept.danger, accepted=kept.at)
    return write_handoff(
        engine, kept.draft, handoff=kept.handoff, reason=kept.reason, now=now, city=city,
        danger=kept.danger, accepted=kept.at, queued=_still_waits(kept, now),
    )  # fmt: skip


def _still_waits(kept: Kept, now: datetime) -> bool:
    """A caller was connected with the hunt group at once: nobody is on that line any more."""
    return kept.draft.channel != "phone" and now - kept.at <= STALE


def _conversation(engine: Engine, kept: Kept) -> None:
    """The conversation itself may never have got into the database: the order needs one."""
    draft = kept.draft
    with writing(engine) as session:
        if session.get(Conversation, draft.conversation) is None:
            session.add(
                Conversation(id=draft.conversation, channel=draft.channel, line=draft.line,
                             citizen=kept.citizen, state="bot", started_at=kept.at, ended_at=None),
            )  # fmt: skip


def _set_aside(engine: Engine, path: Path, error: Exception, now: datetime) -> None:
    """A missing key comes back; anything else is kept for people to look at."""
    code = getattr(error, "code", None)
    code = code if isinstance(code, str) else fault_of(error) or "journal_broken"
    _log.error("journal_entry_unusable", code=code, file=path.name)
    with writing(engine) as session:
        text = f"一件待写的工单（journal/{path.name}）用不了：{code}，请管理员查看"
        raise_alarm(session, f"journal:{path.name}:{code}", "journal_broken", "", text, now)
    if code not in ("data_key_missing", "data_key_wrong"):
        path.replace(path.with_name(path.name + _BROKEN))
        _flush(path.parent)


@contextmanager
def _held(folder: Path, *, wait: bool, name: str = ".lock") -> Iterator[bool]:
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


def _flush(folder: Path) -> None:
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
