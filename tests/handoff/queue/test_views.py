"""The queue as citizens, agents and the wall see it; deadlines and their alarms."""

from __future__ import annotations

import pytest

from handoff.queue import service
from handoff.queue.model import Goal
from handoff.queue.views import places
from store.engine import reading
from store.tables import Alarm
from tests.handoff.queue.conftest import Hotline

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""What is asked of the database here is plain: once is enough."""


def test_a_citizen_is_told_where_they_stand(hotline: Hotline) -> None:
    def stands(name: str) -> tuple[int, int | None]:
        found = service.standing(hotline.engine, name, hotline.now, hotline.rules)
        assert found is not None
        return found.position, found.estimate_s

    first, second = hotline.call("c1"), hotline.call("c2", phone="13900000002")
    chat = hotline.call("c3", channel="web")
    assert (stands("c1"), stands("c2"), stands("c3")) == ((1, None), (2, None), (1, None))
    hotline.hire("li")
    assert (stands("c1"), stands("c2")) == ((1, 0), (2, 240))
    assert hotline.offered(first) == "li"
    hotline.take(first)
    assert (stands("c1"), stands("c2"), stands("c3")[0]) == ((0, 0), (1, 240), 1)
    assert service.standing(hotline.engine, "nobody", hotline.now, hotline.rules) is None
    hotline.pass_s(hotline.rules.callbacks.offer_after_s, "li")
    waits = service.standing(hotline.engine, "c2", hotline.now, hotline.rules)
    assert waits is not None
    assert (waits.handoff, waits.may_call_back, waits.waited_s) == (second, True, 60)
    assert hotline.entry(chat).state == "waiting"


def test_everybody_is_placed_as_each_alone(hotline: Hotline) -> None:
    hotline.hire("li")
    for number in range(3):
        hotline.call(f"c{number}", phone=f"1390000000{number}")
        hotline.call(f"w{number}", channel="web")
        hotline.pass_s(1, "li")
    placed = places(hotline.engine, hotline.now, hotline.rules)
    assert len(placed) == 6
    for handoff, (position, estimate) in placed.items():
        name = handoff.removeprefix("handoff:")
        alone = service.standing(hotline.engine, name, hotline.now, hotline.rules)
        assert alone is not None
        assert (alone.position, alone.estimate_s) == (position, estimate)


def test_experience_makes_the_estimate(hotline: Hotline) -> None:
    hotline.hire("li")
    for number in range(10):
        call = hotline.call(f"c{number}", phone=f"1390000000{number}")
        hotline.dispatch()
        hotline.take(call)
        hotline.pass_s(90, "li")
        service.finish(hotline.engine, call, "li", "answered", "", hotline.now, hotline.rules)
        service.ready(hotline.engine, "li", hotline.now)
    hotline.call("next")
    hotline.pass_s(1, "li")
    hotline.call("after")
    found = service.standing(hotline.engine, "after", hotline.now, hotline.rules)
    assert found is not None
    assert found.estimate_s == (120 + 240) / 2  # ten talks of 90 s and wrap-up, ten as usual


def test_staffed_is_who_is_there_also_when_they_talk(hotline: Hotline) -> None:
    def staffed(channel: str) -> bool:
        return service.staffed(hotline.engine, channel, hotline.now, hotline.rules)

    assert not staffed("phone")
    hotline.hire("wang", phone=False)
    assert (staffed("phone"), staffed("web")) == (False, True)
    hotline.hire("li")
    call = hotline.call("c1")
    hotline.dispatch()
    hotline.take(call)
    assert staffed("phone")
    service.finish(hotline.engine, call, "li", "", "", hotline.now, hotline.rules)
    assert (hotline.status("li"), staffed("phone")) == ("wrapup", True)
    service.set_status(hotline.engine, "li", "break", hotline.now, hotline.rules)
    assert not staffed("phone")
    assert service.attended(hotline.engine, "phone", hotline.now, hotline.rules)
    hotline.pass_s(hotline.rules.vanish_s + 1)
    assert not staffed("web")
    assert not service.attended(hotline.engine, "phone", hotline.now, hotline.rules)


def test_only_agents_take_citizens(hotline: Hotline) -> None:
    hotline.hire("boss", roles=("supervisor",))
    call = hotline.call("c1")
    assert hotline.offered(call) == "boss"
    with reading(hotline.engine) as session:
        assert session.get(Alarm, 1) is None


def test_who_waits_too_long_is_shown_to_people_and_no_longer_once_answered(
    hotline: Hotline,
) -> None:
    call, chat = hotline.call("c1"), hotline.call("c2", channel="web")
    hotline.dispatch()
    assert hotline.alarms() == []
    hotline.pass_s(hotline.rules.answer_goal_s + 1)
    assert [change.kind for change in hotline.dispatch()] == ["alarmed"]
    hotline.pass_s(hotline.rules.chat_goal_s)
    hotline.dispatch()
    assert hotline.dispatch() == ()
    assert hotline.alarms() == ["answer_overdue", "answer_overdue"]
    hotline.hire("li")
    hotline.dispatch()
    hotline.take(call)
    hotline.end("c2")
    assert hotline.alarms() == []
    assert len(hotline.alarms(open_only=False)) == 2
    assert hotline.entry(chat).state == "abandoned"


def test_who_tells_of_danger_while_they_wait_is_shown_to_people_as_soon_as_danger_is(
    hotline: Hotline,
) -> None:
    chat = hotline.call("c1", channel="web")
    hotline.pass_s(hotline.rules.chat_goal_s + 1)
    hotline.dispatch()
    assert hotline.alarms() == ["answer_overdue"]
    assert hotline.call("c1", channel="web", urgency="danger") == chat
    hotline.dispatch()
    assert hotline.alarms() == ["answer_overdue"]
    hotline.pass_s(hotline.rules.answer_goal_s + 1)
    hotline.dispatch()
    assert sorted(hotline.alarms()) == ["answer_overdue", "danger_waiting"]
    hotline.hire("li")
    hotline.dispatch()
    hotline.take(chat)
    assert hotline.alarms() == []


def test_the_wall_counts_the_day(hotline: Hotline) -> None:
    hotline.hire("li")
    quick = hotline.call("c1")
    hotline.dispatch()
    hotline.take(quick)
    slow = hotline.call("c2", phone="13900000002")
    hotline.call("c3", phone="13900000003")
    hotline.pass_s(5, "li")
    hotline.call("c4", phone="")
    hotline.end("c4")  # at once: nobody was too slow
    hotline.pass_s(20, "li")
    hotline.end("c3")
    service.finish(hotline.engine, quick, "li", "answered", "", hotline.now, hotline.rules)
    service.ready(hotline.engine, "li", hotline.now)
    hotline.dispatch()
    hotline.take(slow)
    hotline.call("c5", channel="web")
    seen = service.overview(hotline.engine, hotline.now, hotline.rules)
    assert seen.calls == Goal(15, entered=4, answered=2, within=1, abandoned=2, abandoned_late=1)
    assert seen.calls.share == 1 / 3
    assert (seen.chats.entered, seen.chats.share) == (1, None)
    assert (seen.waiting.calls, seen.waiting.chats) == (0, 1)
    assert (seen.callbacks, seen.callbacks_overdue) == (1, 0)
    assert [(agent.login, agent.status, agent.calls) for agent in seen.agents] == [
        ("li", "online", 1)
    ]
    assert seen.by_status == {"online": 1}
    hotline.pass_s(hotline.rules.vanish_s + 1)
    gone = service.overview(hotline.engine, hotline.now, hotline.rules)
    assert gone.by_status == {"offline": 1}


def test_who_was_not_seen_for_long_is_signed_off(hotline: Hotline) -> None:
    hotline.hire("li")
    hotline.pass_s(hotline.rules.sign_off_s + 1)
    assert [change.kind for change in hotline.dispatch()] == ["signed_off"]
    assert hotline.status("li") == "offline"
    assert hotline.dispatch() == ()


def test_a_sign_of_life_never_goes_back_in_time(hotline: Hotline) -> None:
    hotline.hire("li")
    hotline.pass_s(10, "li")
    service.seen(hotline.engine, ["li", "ghost"], hotline.now.replace(year=2000))
    service.seen(hotline.engine, [], hotline.now)
    hotline.pass_s(10)
    assert service.staffed(hotline.engine, "web", hotline.now, hotline.rules)
