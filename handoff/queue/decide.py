"""What is due in the queue at a moment. Pure; ``handoff.queue.service.dispatch`` does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from config.queue import QueueRules
from handoff.queue.assign import Match, assign, is_present
from handoff.queue.model import OPEN, Entry, Seat, Tried


@dataclass(frozen=True, slots=True)
class Decisions:
    """What is to be done, in this order.

    ``lapsed`` offers; ``stuck``: accepted, and never connected; ``vanished`` agents' offers and
    accepted calls; ``returned`` chats of
    vanished agents; ``wrapped``: wrap-up of a talk is over; ``ready``: seats whose wrap-up is over;
    ``signed_off``; ``overdue`` entries; ``matches``: offers to make.
    """

    lapsed: tuple[Entry, ...] = ()
    stuck: tuple[Entry, ...] = ()
    vanished: tuple[Entry, ...] = ()
    returned: tuple[Entry, ...] = ()
    wrapped: tuple[Entry, ...] = ()
    ready: tuple[str, ...] = ()
    signed_off: tuple[str, ...] = ()
    overdue: tuple[Entry, ...] = ()
    matches: tuple[Match, ...] = ()

    def __bool__(self) -> bool:
        return any((self.lapsed, self.stuck, self.vanished, self.returned, self.wrapped, self.ready,
                    self.signed_off, self.overdue, self.matches))  # fmt: skip


def decide(
    entries: Sequence[Entry], seats: Sequence[Seat], rules: QueueRules, now: datetime
) -> Decisions:
    """What is due at ``now`` for entries that are not over and seats that are signed in.

    A call that is connected does not need its agent's desk: it stays when they vanish. Neither does
    a telephone that rings: two must not be called for one citizen.
    """
    here = {seat.login for seat in seats if is_present(seat, rules, now)}
    vanished = tuple(e for e in entries if e.agent not in here and _is_left(e, rules, now))
    returned = tuple(
        e for e in entries
        if e.state == "connected" and not e.is_call and e.agent and e.agent not in here
    )  # fmt: skip
    lapsed = tuple(e for e in entries if e.agent in here and _has_lapsed(e, now))
    stuck = tuple(e for e in entries if e.agent in here and _is_stuck(e, rules, now))
    ready = tuple(
        s.login for s in seats
        if s.status == "wrapup" and (s.wrap_until is None or s.wrap_until <= now)
    )  # fmt: skip
    gone = timedelta(seconds=rules.sign_off_s)
    return Decisions(
        lapsed=lapsed,
        stuck=stuck,
        vanished=vanished,
        returned=returned,
        wrapped=tuple(e for e in entries if e.state == "wrapup" and _is_wrapped(e, rules, now)),
        ready=ready,
        signed_off=tuple(
            s.login for s in seats if s.status != "offline" and now - s.seen_at > gone
        ),
        overdue=tuple(e for e in entries if _is_overdue(e, now)),
        matches=assign(
            _as_they_will_be(entries, lapsed, (*vanished, *stuck), returned, now),
            _free_again(seats, lapsed, ready, rules), rules, now,
        ),
    )  # fmt: skip


def back(entry: Entry, outcome: str, now: datetime, *, front: bool) -> Entry:
    """``entry`` as it waits again, after its agent had ``outcome``."""
    return replace(
        entry, state="waiting", agent="", offer="", offer_until=None, accepted_at=None,
        front=entry.front or front, tried=(*entry.tried, Tried(entry.agent, outcome, now)),
        changed_at=now,
    )  # fmt: skip


def _as_they_will_be(
    entries: Sequence[Entry],
    lapsed: Sequence[Entry],
    vanished: Sequence[Entry],
    returned: Sequence[Entry],
    now: datetime,
) -> list[Entry]:
    changed = {e.handoff: back(e, "lapsed", now, front=False) for e in lapsed}
    changed |= {e.handoff: back(e, "vanished", now, front=True) for e in vanished}
    skipped = {e.handoff for e in returned}  # they are put back first, in their own transaction
    return [changed.get(e.handoff, e) for e in entries if e.handoff not in skipped]


def _free_again(
    seats: Sequence[Seat], lapsed: Sequence[Entry], ready: Sequence[str], rules: QueueRules
) -> list[Seat]:
    """Seats after lapses and wrap-ups: who let an offer lapse is not at their desk."""
    missed = {e.agent for e in lapsed}
    return [
        _after(seat, missed=seat.login in missed, ready=seat.login in ready, rules=rules)
        for seat in seats
    ]


def _after(seat: Seat, *, missed: bool, ready: bool, rules: QueueRules) -> Seat:
    if missed:
        status = "busy" if rules.busy_after_lapse else seat.status
        return replace(seat, offered=False, status=status)
    return replace(seat, status=seat.next_status or "online") if ready else seat


def _has_lapsed(entry: Entry, now: datetime) -> bool:
    is_offered = entry.state == "offered" and entry.offer_until is not None
    return is_offered and entry.offer_until <= now  # type: ignore[operator]  # not None, as asked


def _is_left(entry: Entry, rules: QueueRules, now: datetime) -> bool:
    """An offer on a screen that is gone, or a telephone that must have rung out since."""
    accepted = entry.accepted_at or entry.changed_at
    rang = entry.state == "accepted" and (now - accepted).total_seconds() >= rules.ring_s
    return entry.state == "offered" or rang


def _is_stuck(entry: Entry, rules: QueueRules, now: datetime) -> bool:
    since = entry.accepted_at or entry.changed_at
    return entry.state == "accepted" and (now - since).total_seconds() >= rules.connect_s


def _is_wrapped(entry: Entry, rules: QueueRules, now: datetime) -> bool:
    ended = entry.ended_at or entry.changed_at
    return (now - ended).total_seconds() >= rules.wrapup_s(entry.channel)


def _is_overdue(entry: Entry, now: datetime) -> bool:
    is_late = entry.due_at is not None and entry.due_at < now
    return is_late and entry.state in OPEN and entry.alarmed_at is None
