"""The audit: who saw or changed what, each line tied to the one before so that gaps show.

A line's ``chain`` is its number (from 1, without gaps) and an HMAC-SHA256, with a key made from the
installation's secret, over the chain before it and its own contents. Whoever can write to the
database but has not the secret can neither change, insert nor remove a line unnoticed. Only the end
can be cut off: an :class:`Anchor`, kept outside the database, shows that (``store.audit_anchor``).

Lines hold logins, codes, numbers of orders and ids, never what a citizen told.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from store.tables import Audit

DELETED = "audit_deleted"
"""The line that a deletion by rule leaves; its ``data`` holds what the rest is checked against."""
_LONGEST = 200  # characters of the columns
_LOCK = 7_214_309_117  # any number that nothing else in this database locks
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Anchor:
    """The newest line there was at some moment: its number and its chain."""

    number: int
    chain: str


@dataclass(frozen=True, slots=True)
class Broken:
    """The first line where the audit does not hold.

    ``code``: ``line_changed`` (changed, inserted or written past this module), ``line_missing``
    (lines before it were removed), ``line_unreadable`` (no longer a line at all; ``id`` is None),
    ``end_missing`` (the newest were removed; ``id`` is None).
    """

    code: str
    id: int | None = None


def write(
    session: Session,
    key: str,
    *,
    at: datetime,
    actor: str,
    action: str,
    target: str = "",
    data: Mapping[str, Any] | None = None,
) -> Audit:
    """Add one line in the caller's transaction; ``key`` is the installation's secret.

    Writers stand in line from here until they commit (SQLite: from the start of the transaction),
    so a slow transaction should write its line last. ``at`` is aware; ``data`` is JSON.
    """
    _stand_in_line(session)
    last = _last(session)
    if last is not None and not last.chain:
        last = _chain_the_past(session, key)
    line = Audit(at=at, actor=_cut(actor), action=_cut(action), object=_cut(target),
                 data=_plain(data))  # fmt: skip
    before = last.chain if last else ""
    line.chain = _chain(_mac_key(key), before, (number_of(before) or 0) + 1, line)
    session.add(line)
    session.flush()
    return line


def head(session: Session) -> Anchor | None:
    """The newest line; None where there is none with a chain."""
    last = _last(session)
    number = number_of(last.chain) if last else None
    return Anchor(number, last.chain) if last and number is not None else None


def verify(session: Session, key: str, anchor: Anchor | None = None) -> Broken | None:
    """Walk the whole audit: the first broken line, or None where everything holds.

    ``anchor`` is a head that was kept elsewhere. Lines deleted by :func:`delete_before` are not
    missed. Reads in one statement: writers beside it do not disturb it.
    """
    walk = _Walk(_mac_key(key), anchor)
    rows = session.scalars(
        select(Audit).order_by(Audit.id).execution_options(yield_per=_BATCH, populate_existing=True)
    )
    try:
        with closing(rows):
            for line in rows:
                broken = walk.step(line)
                if broken is not None:
                    return broken
    except (ValueError, TypeError):  # a time or JSON that the column's type cannot read
        return Broken("line_unreadable")
    return walk.end()


def delete_before(
    session: Session, key: str, moment: datetime, *, at: datetime, actor: str = "system"
) -> int:
    """Delete the lines older than ``moment``; how many. Leaves a line ``audit_deleted``.

    Goes on until the first line that is not older: what stands behind it stays, whatever its time
    says (a clock that jumped deletes nothing by mistake).
    """
    _stand_in_line(session)
    kept = session.scalar(select(func.min(Audit.id)).where(Audit.at >= moment))
    old = select(Audit).where(Audit.at < moment)
    if kept is not None:
        old = old.where(Audit.id < kept)
    last = session.scalar(old.order_by(Audit.id.desc()).limit(1))
    if last is None:
        return 0
    if not last.chain:
        _chain_the_past(session, key)
    through = Audit.id <= last.id
    count = session.scalar(select(func.count()).select_from(Audit).where(through)) or 0
    data = {"chain": last.chain, "lines": count, "before": moment.astimezone(UTC).isoformat()}
    write(session, key, at=at, actor=actor, action=DELETED, target="audit", data=data)
    session.execute(delete(Audit).where(through))
    return count


def begin_anew(session: Session, key: str) -> None:
    """Chain every line again with ``key``: for an audit whose own secret is lost for good.

    Of what stands there nothing is proved any more: write a line that says so afterwards.
    """
    _stand_in_line(session)
    base = ""
    for line in session.scalars(select(Audit).where(Audit.action == DELETED)):
        base = _later(base, line.data)
    _chain_all(session, key, base)


def number_of(chain: str) -> int | None:
    """The line's number in its chain; None for what is no chain."""
    number, colon, _mac = chain.partition(":")
    countable = colon and number.isascii() and number.isdecimal() and len(number) < 19
    return int(number) if countable else None


class _Walk:
    """The lines one by one. The first one's forerunner is known only at the end of the walk."""

    def __init__(self, key: bytes, anchor: Anchor | None) -> None:
        self._key, self._anchor = key, anchor
        self._first: Audit | None = None
        self._base = ""
        self._before = ""

    def step(self, line: Audit) -> Broken | None:
        """Check one line against the one before it."""
        number = number_of(line.chain)
        if number is None:
            return Broken("line_changed", line.id)
        if self._first is None:
            self._first = line
        else:
            expected = (number_of(self._before) or 0) + 1
            if number > expected:
                return Broken("line_missing", line.id)
            if not self._holds(line, self._before, expected):
                return Broken("line_changed", line.id)
        if self._anchor and number == self._anchor.number and line.chain != self._anchor.chain:
            return Broken("line_changed", line.id)
        if line.action == DELETED:
            self._base = _later(self._base, line.data)
        self._before = line.chain
        return None

    def end(self) -> Broken | None:
        """Check the first line against what was deleted by rule, and the end against the anchor."""
        if self._first is not None:
            expected = (number_of(self._base) or 0) + 1
            if (number_of(self._first.chain) or 0) > expected:
                return Broken("line_missing", self._first.id)
            if not self._holds(self._first, self._base, expected):
                return Broken("line_changed", self._first.id)
        if self._anchor and (number_of(self._before) or 0) < self._anchor.number:
            return Broken("end_missing")
        return None

    def _holds(self, line: Audit, before: str, number: int) -> bool:
        expected = _chain(self._key, before, number, line)
        return hmac.compare_digest(line.chain.encode(), expected.encode())


def _later(base: str, data: object) -> str:
    """``base``, or the chain in a deletion's ``data`` where its number is higher."""
    chain = data.get("chain") if isinstance(data, dict) else None
    if not isinstance(chain, str):
        return base
    return chain if (number_of(chain) or 0) > (number_of(base) or 0) else base


def _chain(key: bytes, before: str, number: int, line: Audit) -> str:
    contents = [before, number, line.at.astimezone(UTC).isoformat(timespec="microseconds"),
                line.actor, line.action, line.object, line.data]  # fmt: skip
    text = json.dumps(contents, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return f"{number}:{hmac.new(key, text.encode(), hashlib.sha256).hexdigest()}"


def _mac_key(key: str) -> bytes:
    """A key of its own: the installation's secret signs other things as well."""
    return hmac.new(key.encode(), b"qianmen.audit", hashlib.sha256).digest()


def _last(session: Session) -> Audit | None:
    return session.scalar(select(Audit).order_by(Audit.id.desc()).limit(1))


def _chain_the_past(session: Session, key: str) -> Audit | None:
    """Chain the lines of an installation that is older than the chain, where none has one yet."""
    chained = session.scalar(select(Audit.id).where(Audit.chain != "").limit(1))
    if chained is not None:
        return session.scalar(
            select(Audit).where(Audit.chain != "").order_by(Audit.id.desc()).limit(1)
        )
    return _chain_all(session, key, "")


def _chain_all(session: Session, key: str, before: str) -> Audit | None:
    """Chain all lines, the first one onto ``before``; the last one."""
    mac_key, last = _mac_key(key), None
    first = (number_of(before) or 0) + 1
    for number, line in enumerate(session.scalars(select(Audit).order_by(Audit.id)), first):
        line.chain = before = _chain(mac_key, before, number, line)
        last = line
    session.flush()
    return last


def _stand_in_line(session: Session) -> None:
    """One writer at a time; SQLite's writers hold the database since ``BEGIN IMMEDIATE``."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def _plain(data: Mapping[str, Any] | None) -> dict[str, Any]:
    """The data as the database gives it back: JSON knows neither tuples nor numbers as keys."""
    plain: dict[str, Any] = json.loads(json.dumps(dict(data or {}), allow_nan=False))
    return plain


def _cut(text: str) -> str:
    return text.replace("\x00", "")[:_LONGEST]
