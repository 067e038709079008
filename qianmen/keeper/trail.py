"""Where the audit ends, kept hourly outside the database, so that a cut-off end shows."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from qianmen.keeper.duty import Duty, Keeping
from store.audit_anchor import FILE, renew_anchor
from store.engine import reading

EVERY = timedelta(hours=1)
_log = structlog.get_logger(__name__)


def anchor_audit(keeping: Keeping, _now: datetime) -> None:
    """Renew the anchor; its log line, kept on another machine, is a second one.

    Raises :class:`store.audit_anchor.AuditError` where the audit lacks lines that it had.
    """
    with reading(keeping.engine) as session:
        anchor = renew_anchor(session, keeping.settings.data_dir / FILE)
    if anchor is not None:
        _log.info("audit_anchored", number=anchor.number, chain=anchor.chain)


DUTIES = (Duty("audit_anchor", EVERY, anchor_audit),)
