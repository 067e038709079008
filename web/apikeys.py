"""Another system at the API, known by its key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from handoff.apikeys import GRANTABLE, find_key
from web.accounts import Member
from web.rights import Right


@dataclass(frozen=True, slots=True)
class Client(Member):
    """Another system: it has the rights of its key, and no role."""

    granted: frozenset[Right] = frozenset()

    @property
    def rights(self) -> frozenset[Right]:
        """What its key grants."""
        return self.granted


def client_of(engine: Engine, key: str, now: datetime) -> Client | None:
    """Whose key it is; None for none of ours, and for one that was switched off."""
    found = find_key(engine, key, now)
    if found is None:
        return None
    granted = frozenset(Right(right) for right in found.rights if right in GRANTABLE)
    return Client(0, f"key:{found.name}", found.name, (), granted=granted)
