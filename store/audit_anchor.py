"""Where the audit ended, kept in a file beside the database, so that a cut-off end shows.

Whoever can alter both the database and this file can still cut the end off: copy the file, or the
log line of whoever renews it, to another machine.
"""

from __future__ import annotations

import json
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.wholefile import write_whole
from store.audit import Anchor, head, number_of
from store.tables import Audit

FILE = "audit.anchor"
"""Its name in the data folder."""


class AuditError(Exception):
    """The audit does not hold, or its anchor cannot be read; ``code`` is stable."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def read_anchor(path: Path) -> Anchor | None:
    """The anchor kept in ``path``; None without the file.

    Raises :class:`AuditError` ``audit_anchor_unreadable``.
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        number, chain = stored["number"], stored["chain"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        raise AuditError("audit_anchor_unreadable", f"{path} cannot be read") from None
    if not isinstance(chain, str) or number_of(chain) != number:
        raise AuditError("audit_anchor_unreadable", f"{path} is no anchor")
    return Anchor(number, chain)


def renew_anchor(session: Session, path: Path) -> Anchor | None:
    """Keep today's end of the audit in ``path``; it, or None where the audit is empty.

    Raises :class:`AuditError` ``audit_end_missing`` where the line of the anchor before is gone
    without having been deleted by rule: the file then stays as it is.
    """
    former, newest = read_anchor(path), head(session)
    if former is not None and not _stands(session, former, newest):
        raise AuditError("audit_end_missing", "the audit lacks lines that it had")
    if newest is not None:
        kept = json.dumps({"number": newest.number, "chain": newest.chain})
        write_whole(path, kept.encode())
    return newest


def _stands(session: Session, former: Anchor, newest: Anchor | None) -> bool:
    if newest is None or newest.number < former.number:
        return False
    if session.scalar(select(Audit.id).where(Audit.chain == former.chain).limit(1)) is not None:
        return True
    oldest = session.scalar(select(Audit.chain).order_by(Audit.id).limit(1)) or ""
    return (number_of(oldest) or 0) > former.number
