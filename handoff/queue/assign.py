"""Who is offered whom. Pure: entries, seats, rules and the time in; pairs out.

Danger first, then whom a vanished agent lost, then points (urgent, old age, repeat caller, time
waited), then order of arrival. Each goes to whoever has been idle longest among those who can.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from config.queue import QueueRules
from handoff.queue.model import Entry, Seat


@dataclass(frozen=True, slots=True)
class Match:
    """``entry`` is to be offered to ``agent``."""

    entry: Entry
    agent: str


def assign(
    entries: Iterable[Entry], seats: Sequence[Seat], rules: QueueRules, now: datetime
) -> tuple[Match, ...]:
    """Offers to make: at most one for an entry and one for a seat, none beyond a capacity.

    Only ``waiting`` entries of channels that are open are offered (danger always).
    """
    free = {seat.login: seat for seat in seats if _may_take(seat, rules, now)}
    present = {seat.login for seat in seats if is_present(seat, rules, now)}
    known = {skill for seat in seats if seat.login in present for skill in seat.skills}
    found: list[Match] = []
    for entry in in_order(entries, rules, now) if free else ():
        able = [seat for seat in free.values() if _suits(seat, entry, known, present, rules, now)]
        if able:
            best = min(able, key=_idle_longest)
            found.append(Match(entry, best.login))
            del free[best.login]
            if not free:
                break
    return tuple(found)


def in_order(entries: Iterable[Entry], rules: QueueRules, now: datetime) -> list[Entry]:
    """Those who wait and may be served now, first to be served first."""
    served = (
        entry for entry in entries
        if entry.state == "waiting" and (_is_danger(entry) or rules.is_open(entry.channel, now))
    )  # fmt: skip
    return sorted(served, key=lambda entry: _rank(entry, rules, now))


def is_present(seat: Seat, rules: QueueRules, now: datetime) -> bool:
    """Their desk gave a sign of late."""
    return seat.status != "offline" and (now - seat.seen_at).total_seconds() <= rules.vanish_s


def is_free(seat: Seat, rules: QueueRules, now: datetime) -> bool:
    """They are at their desk, want work and have no offer open."""
    return seat.status == "online" and not seat.offered and is_present(seat, rules, now)


def has_room(seat: Seat, *, call: bool, rules: QueueRules) -> bool:
    """Whether one more fits: a call wants an idle agent with a telephone, a chat a free place."""
    if seat.capacity < 1:
        return False
    if call:
        return seat.phone and not seat.calls and (not seat.chats or rules.calls_beside_chats)
    return seat.chats < seat.capacity and (not seat.calls or rules.chats_beside_call)


def _may_take(seat: Seat, rules: QueueRules, now: datetime) -> bool:
    has_place = any(has_room(seat, call=call, rules=rules) for call in (True, False))
    return has_place and is_free(seat, rules, now)


def _is_danger(entry: Entry) -> bool:
    return entry.urgency == "danger"


def _rank(entry: Entry, rules: QueueRules, now: datetime) -> tuple[bool, bool, int, datetime, str]:
    aged = int(entry.waited_s(now) // rules.priorities.ageing_step_s) * rules.priorities.ageing
    return (
        not _is_danger(entry), not entry.front, -(entry.priority + aged),
        entry.created_at, entry.handoff,
    )  # fmt: skip


def _suits(
    seat: Seat,
    entry: Entry,
    known: set[str],
    present: set[str],
    rules: QueueRules,
    now: datetime,
) -> bool:
    if not has_room(seat, call=entry.is_call, rules=rules):
        return False
    if is_wanted(entry, present, rules, now):  # a colleague chose them, whatever was before
        return seat.login == entry.wanted_agent
    if _rests(seat, entry, rules, now):
        return False
    waited = entry.waited_s(now)
    return all(
        skill in seat.skills or skill not in known or waited >= rules.relax_after_s(skill)
        for skill in entry.skills
    )


def is_wanted(entry: Entry, present: set[str], rules: QueueRules, now: datetime) -> bool:
    """Whether ``entry`` still waits for one agent alone: they are there and had no chance yet."""
    if not entry.wanted_agent or entry.wanted_agent not in present:
        return False
    since, had_chance = entry.created_at, False
    for tried in entry.tried:
        if tried.outcome == "transferred":
            since, had_chance = tried.at, False
        elif tried.agent == entry.wanted_agent:
            had_chance = True
    return not had_chance and (now - since).total_seconds() < rules.wanted_s


def _rests(seat: Seat, entry: Entry, rules: QueueRules, now: datetime) -> bool:
    """They had this one a moment ago."""
    return any(
        tried.agent == seat.login and (now - tried.at).total_seconds() < rules.rest_s
        for tried in entry.tried
    )


def _idle_longest(seat: Seat) -> tuple[int, datetime, str]:
    return (seat.talks, seat.idle_since, seat.login)
