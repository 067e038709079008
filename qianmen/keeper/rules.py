"""What is due to be deleted: the city's rules, the moment, the facts. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from config.retention import Retention

QUIET = timedelta(days=1)
"""A chat that nobody ended is over when nothing was said for so long."""


@dataclass(frozen=True, slots=True)
class TalkFacts:
    """A conversation. ``last_at``: the last turn's time, the beginning's where there is none.

    ``orders`` are the states of its orders; ``waiting``: a hand-over that nobody has answered.
    ``recordings`` are the ids of those whose files are still there.
    """

    id: str
    ended: bool
    last_at: datetime
    orders: tuple[str, ...] = ()
    waiting: bool = False
    erased: bool = False
    recordings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """An order; ``last_at`` is the time of its last step."""

    id: str
    state: str
    last_at: datetime
    waiting: bool = False
    erased: bool = False


def is_over(talk: TalkFacts, now: datetime) -> bool:
    """Whether nobody talks there any more."""
    return talk.ended or now - talk.last_at >= QUIET


def is_held(talk: TalkFacts, rules: Retention) -> bool:
    """Whether somebody still needs it: an order not closed, a citizen not answered."""
    return talk.waiting or any(state not in rules.closed_states for state in talk.orders)


def recordings_due(rules: Retention, now: datetime, talks: Iterable[TalkFacts]) -> tuple[str, ...]:
    """The recordings to delete."""
    limit = now - timedelta(days=rules.recordings_days)
    due = (talk for talk in talks if _is_due(talk, rules, now, limit))
    return tuple(recording for talk in due for recording in talk.recordings)


def transcripts_due(rules: Retention, now: datetime, talks: Iterable[TalkFacts]) -> tuple[str, ...]:
    """The conversations to empty."""
    limit = now - timedelta(days=rules.transcripts_days)
    return tuple(t.id for t in talks if not t.erased and _is_due(t, rules, now, limit))


def orders_due(rules: Retention, now: datetime, orders: Iterable[OrderFacts]) -> tuple[str, ...]:
    """The orders to empty: closed, and nothing happened to them for the whole time."""
    if rules.orders_days is None:
        return ()
    limit = now - timedelta(days=rules.orders_days)
    return tuple(
        order.id
        for order in orders
        if not (order.erased or order.waiting)
        and order.state in rules.closed_states
        and order.last_at < limit
    )


def _is_due(talk: TalkFacts, rules: Retention, now: datetime, limit: datetime) -> bool:
    return talk.last_at < limit and is_over(talk, now) and not is_held(talk, rules)
