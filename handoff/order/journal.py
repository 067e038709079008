"""The journal: orders wait on disk while the database is away, and are written when it is back.

A file goes only after its order was committed; written again, the order's ``key`` makes it the
same one. What cannot be opened or written although the database is there is set aside
(``.broken``), with an alarm, and stops nobody behind it. The files: ``handoff.order.journalfiles``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from config.city import City
from config.settings import Settings
from handoff.alarms import raise_alarm
from handoff.classify import rules_of
from handoff.filled import completed, fields_filled
from handoff.order.journalfiles import (
    BROKEN,
    JournalError,
    Kept,
    flush,
    held,
    keep,
    load,
    sweep,
    waiting,
)
from handoff.order.model import Event
from handoff.order.rows import add_event, history, locked
from handoff.orders import write, write_handoff
from handoff.talkturns import from_first, spoken_turns
from sealing.errors import SealError
from sealing.keys import Keyring, keyring
from store.engine import reading, writing
from store.faults import fault_of
from store.tables import Conversation, WorkOrderField
from turns.orders import OrderDraft, WrittenOrder

__all__ = [
    "Drained", "Journal", "JournalError", "Kept", "drain", "is_away", "journal_of", "keep", "load",
    "waiting",
]  # fmt: skip
FOLDER = "journal"
"""Its place in the data folder."""
AWAY = frozenset(
    {"database_down", "database_locked", "database_readonly", "disk_full", "database_old",
     "database_corrupt"}
)  # fmt: skip
"""Faults of the database under which an order waits instead of being lost."""
FOLLOWS = WrittenOrder("", "", datetime.fromtimestamp(0, UTC))
"""What is told of an order that waits: it has no number yet."""
STALE = timedelta(minutes=30)
"""Who was handed over longer ago waits no more: their order is written, the queue is not entered.
"""
_log = structlog.get_logger(__name__)


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
    with held(folder, wait=False, name=".drain") as mine:
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
    flush(path.parent)
    _log.info("order_written_late", order=written.number, repeated=written.repeated)
    return Drained(kept, written)


def _written(engine: Engine, kept: Kept, now: datetime, city: City) -> WrittenOrder:
    """Write it, with what was told while the database was still there."""
    _conversation(engine, kept)
    draft = _completed(engine, kept.draft, city)
    if not kept.handoff:
        return write(engine, draft, now=now, city=city, danger=kept.danger, accepted=kept.at)
    written = write_handoff(
        engine, draft, handoff=kept.handoff, reason=kept.reason, now=now, city=city,
        danger=kept.danger, accepted=kept.at, queued=_still_waits(kept, now),
    )  # fmt: skip
    if written.repeated:
        _add_words(engine, written, kept)
    return written


def _completed(engine: Engine, draft: OrderDraft, city: City) -> OrderDraft:
    with reading(engine) as session:
        turns = spoken_turns(session, draft.conversation)
    found = fields_filled(from_first(turns, draft.fields), rules_of(city))
    return completed(draft, found) if turns else draft


def _add_words(engine: Engine, written: WrittenOrder, kept: Kept) -> None:
    """What was told besides to an order that was there already is in its history, once."""
    told = next((field for field in kept.draft.fields if field.name == "what"), None)
    if told is None or not told.value:
        return
    with writing(engine) as session:
        row = locked(session, written.number)
        notes = [event.text for event in history(session, row.id) if event.verb == "told_late"]
        known = session.scalar(
            select(WorkOrderField.value).where(
                WorkOrderField.order_id == row.id, WorkOrderField.name == "what"
            )
        )
        if told.value in (*notes, known):
            return
        event = Event("told_late", kept.at, "citizen", row.state, row.state, told.value)
        add_event(session, row, event)


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
        path.replace(path.with_name(path.name + BROKEN))
        flush(path.parent)
