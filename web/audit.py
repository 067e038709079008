"""Write down who saw or changed what."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, select

from store.engine import writing
from store.tables import Audit

ONE_VIEWING = timedelta(minutes=10)
"""A player fetches a recording in many pieces: within this they count as one viewing."""


def note(engine: Engine, actor: str, action: str, target: str, now: datetime, **data: Any) -> None:
    """Write one line."""
    with writing(engine) as session:
        session.add(Audit(at=now, actor=actor, action=action, object=target, data=data))


def note_viewing(engine: Engine, actor: str, action: str, target: str, now: datetime) -> None:
    """Write one line a viewing, however many requests it takes."""
    with writing(engine) as session:
        seen = session.scalar(
            select(Audit.id)
            .where(Audit.at > now - ONE_VIEWING, Audit.actor == actor)
            .where(Audit.action == action, Audit.object == target)
            .limit(1)
        )
        if seen is None:
            session.add(Audit(at=now, actor=actor, action=action, object=target))
