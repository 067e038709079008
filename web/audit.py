"""Write down who saw or changed what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from store import audit
from store.engine import reading, writing
from store.tables import Audit

ONE_VIEWING = timedelta(minutes=10)
"""A player fetches a recording in many pieces: within this they count as one viewing."""


class Kept(Protocol):
    """What an audit needs: the site, or whatever else has these three."""

    @property
    def engine(self) -> Engine:
        """Where it is kept."""

    @property
    def key(self) -> str:
        """What it is signed with."""

    @property
    def now(self) -> Callable[[], datetime]:
        """The time, aware."""


def note(site: Kept, actor: str, action: str, target: str = "", **data: Any) -> None:
    """Write one line."""
    with writing(site.engine) as session:
        audit.write(session, site.key, at=site.now(), actor=actor, action=action, target=target,
                    data=data)  # fmt: skip


def note_viewing(site: Kept, actor: str, action: str, target: str = "") -> None:
    """Write one line a viewing, however many requests it takes; most of them only read."""
    line = _Viewing(site.now(), actor, action, target)
    with reading(site.engine) as session:
        if _seen(session, line):
            return
    with writing(site.engine) as session:
        if not _seen(session, line):
            audit.write(session, site.key, at=line.at, actor=actor, action=action, target=target)


@dataclass(frozen=True, slots=True)
class _Viewing:
    at: datetime
    actor: str
    action: str
    target: str


def _seen(session: Session, line: _Viewing) -> bool:
    seen = session.scalar(
        select(Audit.id)
        .where(Audit.at > line.at - ONE_VIEWING, Audit.actor == line.actor)
        .where(Audit.action == line.action, Audit.object == line.target)
        .limit(1)
    )
    return seen is not None
