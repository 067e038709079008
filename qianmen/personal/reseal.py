"""Write everything anew with the newest key: from plain to sealed, and from an old key to a new.

In small transactions, in any order, as often as one likes: what is current already is passed over,
so that a broken-off run goes on where it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Column, Engine, Text, cast, delete, inspect, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from config.secret import secret_key
from handoff.order import journalfiles
from handoff.order.journal import FOLDER
from qianmen.keeper.attachments import seal_plain
from qianmen.keeper.duty import Keeping
from qianmen.keeper.recordings import count_unsealed, seal_left
from qianmen.personal.find import PersonalError, add_marks
from qianmen.personal.traces import sweep_database
from sealing.files import SUFFIX, reseal_file
from store import audit
from store.engine import reading, writing
from store.keys import claim_key
from store.seal import SealError, StoreSeal, seal_of
from store.tables import Base, DataKey
from store.types import SealedJson, SealedText

_PORTION = 200
_EMPTY = frozenset((None, "", "[]", "{}", "null"))
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Resealed:
    """What was written anew; ``broken`` rows and files could not be opened and stay as they are.

    ``journal``: orders that wait on disk. ``retired``: the ids of keys that nothing needs any more;
    they may leave the setting. ``left``: where former contents remain for now
    (``qianmen.personal.traces.sweep``). ``waiting``: plain recordings of running or just ended
    calls; the keeper seals them within the hour.
    """

    rows: int = 0
    recordings: int = 0
    journal: int = 0
    waiting: int = 0
    marks: int = 0
    broken: int = 0
    retired: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As one JSON object."""
        return asdict(self)


def reseal(keeping: Keeping, now: datetime) -> Resealed:
    """Seal all with the newest key. Raises :class:`PersonalError` ``data_key_missing``."""
    seal = seal_of(keeping.engine)
    if seal is None:
        raise PersonalError("data_key_missing", "先设置 QIANMEN_DATA_KEY（qianmen data new-key）")
    claim_key(keeping.engine, seal, now)
    done = Resealed()
    done.marks = add_marks(keeping.engine)
    for kind in sealed_kinds():
        for portion in _stale(keeping.engine, kind, seal):
            _rewrite(keeping.engine, kind, portion, done)
    _files(keeping, seal, now, done)
    _journal(keeping, seal, done)
    if not done.broken:
        done.retired = _retire(keeping.engine, seal)
    _note(keeping, now, done)
    done.left = tuple(sweep_database(keeping.engine))
    _log.info("resealed", rows=done.rows, recordings=done.recordings, broken=done.broken)
    return done


def _note(keeping: Keeping, now: datetime, done: Resealed) -> None:
    """One line of the audit; ids of keys tell nothing of them."""
    data = {"rows": done.rows, "recordings": done.recordings, "waiting": done.waiting,
            "journal": done.journal, "broken": done.broken,
            "retired": list(done.retired)}  # fmt: skip
    with writing(keeping.engine) as session:
        audit.write(session, secret_key(keeping.settings), at=now, actor="system",
                    action="data_resealed", data=data)  # fmt: skip


def sealed_kinds() -> tuple[type[Base], ...]:
    """The tables that hold something sealed."""
    kinds = sorted((mapper.class_ for mapper in Base.registry.mappers), key=lambda k: k.__name__)
    return tuple(kind for kind in kinds if _sealed_columns(kind))


def _sealed_columns(kind: type[Base]) -> list[Column[Any]]:
    columns = kind.metadata.tables[kind.__tablename__].columns
    return [column for column in columns if isinstance(column.type, SealedText | SealedJson)]


def _stale(engine: Engine, kind: type[Base], seal: StoreSeal) -> Iterator[list[Any]]:
    """Portions of the primary keys of rows that hold something not sealed by the newest key."""
    columns = _sealed_columns(kind)
    own = inspect(kind).primary_key[0]
    last: Any = None
    while True:
        wanted = select(own, *(cast(column, Text) for column in columns))
        if last is not None:
            wanted = wanted.where(own > last)
        with reading(engine) as session:
            rows = session.execute(wanted.order_by(own).limit(_PORTION)).all()
        if not rows:
            return
        last = rows[-1][0]
        stale = [row[0] for row in rows if any(_is_stale(value, seal) for value in row[1:])]
        if stale:
            yield stale


def _is_stale(raw: str | None, seal: StoreSeal) -> bool:
    """Of the raw column: JSON columns hold the sealed text as a JSON string."""
    return raw not in _EMPTY and not seal.is_current((raw or "").removeprefix('"'))


def _rewrite(engine: Engine, kind: type[Base], portion: list[Any], done: Resealed) -> None:
    try:
        with writing(engine) as session:
            _seal_again(session, kind, portion)
        done.rows += len(portion)
    except SealError as error:
        if len(portion) == 1:
            done.broken += 1
            _log.error("row_not_opened", code=error.code, table=kind.__tablename__)
            return
        for one in portion:  # find the one that cannot be opened; the others are sealed
            _rewrite(engine, kind, [one], done)


def _seal_again(session: Session, kind: type[Base], portion: list[Any]) -> None:
    """Writing a row also marks it anew: the mark's key comes from the data key."""
    own = inspect(kind).primary_key[0]
    columns = _sealed_columns(kind)
    for row in session.scalars(select(kind).where(own.in_(portion)).with_for_update()):
        for column in columns:
            flag_modified(row, column.key)


def _files(keeping: Keeping, seal: StoreSeal, now: datetime, done: Resealed) -> None:
    done.recordings += seal_left(keeping, now) + seal_plain(keeping)
    done.waiting = count_unsealed(keeping, now)
    for path in keeping.settings.recordings_dir.rglob(f"*{SUFFIX}"):
        try:
            done.recordings += reseal_file(path, seal.ring)
        except FileNotFoundError:
            continue  # deleted meanwhile
        except (SealError, OSError) as error:
            done.broken += 1
            code = getattr(error, "code", "file_unreadable")
            _log.error("recording_not_resealed", code=code)


def _journal(keeping: Keeping, seal: StoreSeal, done: Resealed) -> None:
    """Orders of this host that wait for the database."""
    try:
        done.journal, broken = journalfiles.reseal(keeping.settings.data_dir / FOLDER, seal.ring)
    except OSError as error:
        broken = 1
        _log.error("journal_not_resealed", code="journal_unwritable", error=type(error).__name__)
    if broken:
        _log.error("journal_not_resealed", code="journal_broken", orders=broken)
    done.broken += broken


def _retire(engine: Engine, seal: StoreSeal) -> tuple[str, ...]:
    with writing(engine) as session:
        old = select(DataKey.id).where(DataKey.id != seal.ring.newest.id)
        retired = tuple(session.scalars(old))
        session.execute(delete(DataKey).where(DataKey.id.in_(retired)))
    return retired
