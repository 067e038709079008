"""What each agent has done today: how many citizens they took, and how long a talk lasts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from types import MappingProxyType

from sqlalchemy import Engine, select

from store.engine import reading
from store.tables import HandoffEntry

_OVERLAP = timedelta(seconds=10)
"""So much is read again: what another process commits may be dated a little before."""


@dataclass(frozen=True, slots=True)
class Tally:
    """``taken``: citizens of today, also those passed on; ``mean_s`` of the talks that are over,
    None before the first.
    """

    taken: int = 0
    mean_s: int | None = None


@dataclass(frozen=True, slots=True)
class _Talk:
    agent: str
    passed_on_by: frozenset[str]
    seconds: float | None


class Tallies:
    """Counts on from where it was: a busy day's talks are not read again each time."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._talks: dict[str, _Talk] = {}
        self._since: datetime | None = None
        self._midnight: datetime | None = None

    def read(self, engine: Engine, now: datetime) -> Mapping[str, Tally]:
        """Everybody's day so far, by login. Synchronous."""
        midnight = datetime.combine(now.astimezone(self._zone).date(), time(), self._zone)
        if midnight != self._midnight:
            self._talks, self._since, self._midnight = {}, midnight, midnight
        since = self._since or midnight
        with reading(engine) as session:
            rows = session.execute(
                select(HandoffEntry.id, HandoffEntry.agent, HandoffEntry.tried,
                       HandoffEntry.accepted_at, HandoffEntry.connected_at, HandoffEntry.ended_at)
                .where(HandoffEntry.created_at >= midnight, HandoffEntry.changed_at >= since)
                .where(HandoffEntry.connected_at.is_not(None))
            ).all()  # fmt: skip
        for row in rows:
            began = row.accepted_at or row.connected_at
            over = row.ended_at is not None and row.agent
            seconds = (row.ended_at - began).total_seconds() if over else None
            self._talks[row.id] = _Talk(row.agent, _passed_on_by(row.tried), seconds)
        self._since = now - _OVERLAP
        return self._counted()

    def _counted(self) -> Mapping[str, Tally]:
        taken: dict[str, int] = defaultdict(int)
        times: dict[str, list[float]] = defaultdict(list)
        for talk in self._talks.values():
            for login in {talk.agent, *talk.passed_on_by} - {""}:
                taken[login] += 1
            if talk.seconds is not None:
                times[talk.agent].append(max(0.0, talk.seconds))
        means = {login: round(sum(spans) / len(spans)) for login, spans in times.items()}
        return MappingProxyType({
            login: Tally(count, means.get(login)) for login, count in taken.items()
        })  # fmt: skip


def _passed_on_by(tried: object) -> frozenset[str]:
    known = tried if isinstance(tried, list) else []
    return frozenset(
        str(one.get("agent", "")) for one in known
        if isinstance(one, dict) and one.get("outcome") == "transferred"
    )  # fmt: skip
