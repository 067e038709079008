"""Who is offered whom: order of serving, skills, capacity, presence. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.queue import QueueRules, Skill, Window
from handoff.queue.assign import assign, has_room, in_order
from handoff.queue.model import Entry, Seat, Tried

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
RULES = QueueRules(
    skills=(Skill(name="英语", relax_after_s=60), Skill(name="方言", relax_after_s=90))
)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def entry(name: str, waited: float = 10, **values: object) -> Entry:
    known = Entry(
        handoff=name, conversation=name, order=name, channel="phone", reason="asked",
        urgency="normal", state="waiting", created_at=ago(waited), changed_at=ago(waited),
    )  # fmt: skip
    return replace(known, **values)  # type: ignore[arg-type]  # a test's own values


def seat(login: str, idle: float = 100, **values: object) -> Seat:
    known = Seat(login, login, "online", ago(idle), NOW, ago(idle))
    return replace(known, **values)  # type: ignore[arg-type]  # a test's own values


def pairs(
    entries: list[Entry], seats: list[Seat], rules: QueueRules = RULES
) -> list[tuple[str, str]]:
    return [(match.entry.handoff, match.agent) for match in assign(entries, seats, rules, NOW)]


def test_whoever_was_idle_longest_takes_whoever_came_first() -> None:
    seats = [seat("a", 10), seat("b", 300), seat("c", 20)]
    assert pairs([entry("late", 5), entry("early", 50)], seats) == [("early", "b"), ("late", "c")]


def test_danger_then_front_then_points_then_arrival() -> None:
    entries = [
        entry("plain", 55), entry("old", 50, priority=20), entry("front", 2, front=True),
        entry("danger", 1, urgency="danger"), entry("plain too", 59),
    ]  # fmt: skip
    order = [each.handoff for each in in_order(entries, RULES, NOW)]
    assert order == ["danger", "front", "old", "plain too", "plain"]


def test_waiting_makes_up_for_points_but_never_for_danger() -> None:
    entries = [entry("patient", 300), entry("old", 5, priority=20),
               entry("danger", 1, urgency="danger")]  # fmt: skip
    order = [each.handoff for each in in_order(entries, RULES, NOW)]
    assert order == ["danger", "patient", "old"]


def test_a_skill_is_wished_for_and_dropped_after_a_time() -> None:
    seats = [seat("a", 100), seat("b", 10, skills=("英语",))]
    assert pairs([entry("e", 10, skills=("英语",))], seats) == [("e", "b")]
    busy = [seats[0], replace(seats[1], calls=1)]
    assert pairs([entry("e", 10, skills=("英语",))], busy) == []
    assert pairs([entry("e", 60, skills=("英语",))], busy) == [("e", "a")]
    assert pairs(
        [entry("e", 60, skills=("英语", "方言"))], [*busy, seat("c", skills=("方言",))]
    ) == [("e", "c")]


def test_a_skill_that_nobody_here_has_is_not_waited_for() -> None:
    gone = seat("b", skills=("英语",), seen_at=ago(60))
    assert pairs([entry("e", 1, skills=("英语",))], [seat("a"), gone]) == [("e", "a")]


@pytest.mark.parametrize(
    ("changed", "channel"),
    [
        ({"status": "busy"}, "web"), ({"status": "break"}, "web"), ({"status": "wrapup"}, "web"),
        ({"status": "offline"}, "web"), ({"seen_at": ago(16)}, "web"), ({"offered": True}, "web"),
        ({"capacity": 0}, "web"), ({"capacity": 0}, "phone"), ({"phone": False}, "phone"),
        ({"calls": 1}, "phone"), ({"calls": 1}, "web"), ({"chats": 1, "capacity": 3}, "phone"),
        ({"chats": 3, "capacity": 3}, "web"),
    ],
)  # fmt: skip
def test_who_cannot_take_it_is_not_offered_it(changed: dict[str, object], channel: str) -> None:
    taker = replace(seat("a"), **changed)  # type: ignore[arg-type]  # fields of a seat
    assert pairs([entry("e", channel=channel)], [taker]) == []


def test_a_city_may_let_talks_stand_side_by_side() -> None:
    both = RULES.model_copy(update={"chats_beside_call": True, "calls_beside_chats": True})
    assert has_room(seat("a", calls=1, capacity=2), call=False, rules=both)
    assert has_room(seat("a", chats=1, capacity=2), call=True, rules=both)
    assert not has_room(seat("a", calls=1, capacity=2), call=True, rules=both)


def test_a_chat_goes_to_who_has_the_fewest() -> None:
    seats = [seat("a", 500, chats=1, capacity=3), seat("b", 5, capacity=3)]
    assert pairs([entry("e", channel="web")], seats) == [("e", "b")]


def test_outside_its_hours_only_danger_is_served() -> None:
    office = RULES.model_copy(update={"hours": {"web": (Window(days=(6, 7)),)}})
    entries = [entry("chat", channel="web"), entry("danger", channel="web", urgency="danger")]
    assert pairs(entries, [seat("a"), seat("b")], office) == [("danger", "a")]


def test_who_was_passed_on_waits_for_that_agent_for_a_time() -> None:
    passed = entry("e", 100, wanted_agent="b", tried=(Tried("c", "transferred", ago(30)),))
    assert pairs([passed], [seat("a"), seat("b", calls=1)]) == []
    assert pairs([passed], [seat("a"), seat("b")]) == [("e", "b")]
    assert pairs([passed], [seat("a"), seat("b", status="offline")]) == [("e", "a")]
    long_ago = replace(passed, tried=(Tried("c", "transferred", ago(60)),))
    assert pairs([long_ago], [seat("a"), seat("b", calls=1)]) == [("e", "a")]
    had_chance = replace(passed, tried=(*passed.tried, Tried("b", "declined", ago(1))))
    assert pairs([had_chance], [seat("a"), seat("b")]) == [("e", "a")]
    tried = (Tried("b", "phone_failed", ago(29)), Tried("c", "transferred", ago(20)))
    chosen_again = replace(passed, tried=tried)
    assert pairs([chosen_again], [seat("a"), seat("b")]) == [("e", "b")]


def test_who_had_it_a_moment_ago_rests() -> None:
    declined = entry("e", tried=(Tried("a", "declined", ago(29)),))
    assert pairs([declined], [seat("a")]) == []
    assert pairs([replace(declined, tried=(Tried("a", "declined", ago(30)),))], [seat("a")]) == [
        ("e", "a")
    ]


_ENTRIES = st.builds(
    entry,
    st.integers(0, 30).map(lambda n: f"e{n}"),
    st.integers(0, 300),
    channel=st.sampled_from(["phone", "web"]),
    state=st.sampled_from(["waiting", "waiting", "offered", "connected", "done"]),
    urgency=st.sampled_from(["normal", "urgent", "danger"]),
    front=st.booleans(),
    priority=st.integers(0, 50),
    skills=st.sampled_from([(), ("英语",), ("方言",), ("英语", "方言")]),
    wanted_agent=st.sampled_from(["", "", "a1"]),
)
_SEATS = st.builds(
    seat,
    st.integers(0, 9).map(lambda n: f"a{n}"),
    st.integers(0, 300),
    status=st.sampled_from(["online", "online", "online", "busy", "wrapup"]),
    seen_at=st.sampled_from([NOW, NOW, ago(100)]),
    skills=st.sampled_from([(), ("英语",), ("方言",)]),
    phone=st.booleans(),
    capacity=st.integers(0, 4),
    calls=st.integers(0, 1),
    chats=st.integers(0, 4),
    offered=st.booleans(),
)


@given(
    st.lists(_ENTRIES, unique_by=lambda e: e.handoff),
    st.lists(_SEATS, unique_by=lambda s: s.login),
)
def test_never_two_of_anything_and_nobody_overlooked(
    entries: list[Entry], seats: list[Seat]
) -> None:
    found = assign(entries, seats, RULES, NOW)
    assert len({match.entry.handoff for match in found}) == len(found)
    assert len({match.agent for match in found}) == len(found)
    by_login = {each.login: each for each in seats}
    for match in found:
        taker = by_login[match.agent]
        assert match.entry.state == "waiting"
        assert (taker.status, taker.offered, taker.seen_at) == ("online", False, NOW)
        assert has_room(taker, call=match.entry.is_call, rules=RULES)
    taken = {match.agent for match in found}
    left = [each for each in seats if each.login not in taken]
    served = {match.entry.handoff for match in found}
    for each in entries:  # who waited long has no wish left but one for an agent
        if each.handoff not in served and each.waited_s(NOW) >= 90 and not each.wanted_agent:
            assert assign([each], left, RULES, NOW) == ()
