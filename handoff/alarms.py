"""Alarms: what a person must see, once for each key, open until somebody has seen it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from store.engine import reading, writing
from store.locks import FOR_CHANGE, one_at_a_time
from store.tables import Alarm as AlarmRow

AT_MOST = 200
"""As many open alarms are shown; the newest count."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """An open alarm: ``kind`` is a stable code, ``object`` what it is about (an order's number)."""

    id: int
    key: str
    kind: str
    object: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class NewAlarm:
    """An alarm on its way to be raised; as :class:`Alarm`."""

    key: str
    kind: str
    object: str
    text: str


def raise_alarm(
    session: Session, key: str, kind: str, object: str, text: str, now: datetime  # noqa: A002  # the column's name
) -> bool:  # fmt: skip
    """Show ``text`` to people, in the caller's transaction; False where ``key`` was raised before.

    ``text`` is shown to staff of every role: it holds no personal data.
    """
    one_at_a_time(session, "alarm")
    if session.scalar(select(AlarmRow.id).where(AlarmRow.key == key)) is not None:
        return False
    session.add(AlarmRow(key=key, kind=kind, object=object, text=text, at=now))
    session.flush()
    return True


def raise_alarms(session: Session, alarms: Sequence[NewAlarm], now: datetime) -> int:
    """As :func:`raise_alarm`, many in a few statements; how many were new."""
    one_at_a_time(session, "alarm")
    keys = [alarm.key for alarm in alarms]
    known = set(session.scalars(select(AlarmRow.key).where(AlarmRow.key.in_(keys))))
    new = {alarm.key: alarm for alarm in alarms if alarm.key not in known}
    session.add_all(
        AlarmRow(key=alarm.key, kind=alarm.kind, object=alarm.object, text=alarm.text, at=now)
        for alarm in new.values()
    )
    session.flush()
    return len(new)


def open_alarms(engine: Engine) -> tuple[Alarm, ...]:
    """What nobody has seen yet, the newest first."""
    query = (
        select(AlarmRow).where(AlarmRow.seen_at.is_(None)).order_by(AlarmRow.id.desc())
        .limit(AT_MOST)
    )  # fmt: skip
    with reading(engine) as session:
        return tuple(
            Alarm(row.id, row.key, row.kind, row.object, row.text, row.at)
            for row in session.scalars(query)
        )


def seen(engine: Engine, alarm: int, by: str, now: datetime) -> bool:
    """``by`` has seen it; False where there is no such alarm, or somebody had seen it before."""
    with writing(engine) as session:
        row = session.get(AlarmRow, alarm, with_for_update=FOR_CHANGE)
        if row is None or row.seen_at is not None:
            return False
        row.seen_at, row.seen_by = now, by
        return True
