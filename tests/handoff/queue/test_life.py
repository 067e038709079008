"""The life of one entry: offered, accepted, connected, over, in every way that goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from handoff.queue import service
from handoff.queue.model import QueueError
from store.engine import writing
from store.tables import Conversation
from tests.handoff.queue.conftest import Hotline


def code_of(work: Callable[[], object]) -> str:
    """The code with which ``work`` is refused."""
    with pytest.raises(QueueError) as refused:
        work()
    return refused.value.code


def test_a_call_is_offered_accepted_connected_and_finished(hotline: Hotline) -> None:
    hotline.hire("li")
    handoff = hotline.call("c1")
    assert (hotline.talk("c1"), hotline.entry(handoff).state) == ("waiting", "waiting")
    assert [change.kind for change in hotline.dispatch()] == ["offered"]
    offered = hotline.entry(handoff)
    assert service.accept(hotline.engine, offered.offer, "li", hotline.now).state == "accepted"
    assert service.connected(hotline.engine, handoff, hotline.now).agent == "li"
    assert hotline.talk("c1") == "agent"
    hotline.pass_s(100, "li")
    done = service.finish(
        hotline.engine, handoff, "li", "answered", "好", hotline.now, hotline.rules
    )
    assert (done.state, done.result, hotline.status("li")) == ("done", "answered", "wrapup")
    service.ready(hotline.engine, "li", hotline.now)
    assert hotline.status("li") == "online"
    assert hotline.events("c1") == ["handed_over", "offered", "taken", "connected", "finished"]


def test_a_chat_is_the_agents_as_soon_as_they_accept(hotline: Hotline) -> None:
    hotline.hire("li", phone=False, capacity=3)
    handoff = hotline.call("c1", channel="web")
    assert hotline.offered(handoff) == "li"
    entry = service.accept(
        hotline.engine, hotline.entry(handoff).offer, "li", hotline.now, hotline.rules
    )
    assert (entry.state, hotline.talk("c1")) == ("connected", "agent")
    given = service.give_back(hotline.engine, handoff, "li", "告诉他网址", hotline.now)
    assert (given.state, hotline.talk("c1"), hotline.status("li")) == ("bot", "bot", "online")
    assert hotline.call("c1", channel="web") == f"{handoff}#2"


def test_everything_asked_twice_happens_once(hotline: Hotline) -> None:
    hotline.hire("li")
    handoff = hotline.call("c1")
    assert hotline.call("c1") == handoff
    hotline.dispatch()
    assert hotline.dispatch() == ()
    offer = hotline.entry(handoff).offer
    for _ in range(2):
        service.accept(hotline.engine, offer, "li", hotline.now, hotline.rules)
    for _ in range(2):
        service.connected(hotline.engine, handoff, hotline.now)
    for _ in range(2):
        service.finish(hotline.engine, handoff, "li", "answered", "", hotline.now, hotline.rules)
    for _ in range(2):
        service.abandoned(hotline.engine, "c1", hotline.now, hotline.rules)
    assert hotline.events("c1") == ["handed_over", "offered", "taken", "connected", "finished"]
    assert hotline.callbacks() == []


def test_who_declines_is_not_asked_again_at_once(hotline: Hotline) -> None:
    hotline.hire("li")
    hotline.pass_s(1, "li")
    hotline.hire("wang")
    handoff = hotline.call("c1")
    assert hotline.offered(handoff) == "li"
    offer = hotline.entry(handoff).offer
    service.decline(hotline.engine, offer, "li", hotline.now)
    assert hotline.offered(handoff) == "wang"
    assert code_of(lambda: service.accept(hotline.engine, offer, "li", hotline.now)) == "offer_gone"
    service.decline(hotline.engine, hotline.entry(handoff).offer, "wang", hotline.now)
    assert hotline.offered(handoff) == ""
    hotline.pass_s(hotline.rules.rest_s, "li", "wang")
    assert hotline.offered(handoff) == "li"


def test_an_offer_lapses_and_who_missed_it_is_busy(hotline: Hotline) -> None:
    hotline.hire("li")
    hotline.pass_s(1, "li")
    hotline.hire("wang")
    handoff = hotline.call("c1")
    hotline.dispatch()
    hotline.pass_s(hotline.rules.offer_s, "li", "wang")
    assert [change.kind for change in hotline.dispatch()] == ["lapsed", "offered", "alarmed"]
    assert (hotline.entry(handoff).agent, hotline.status("li")) == ("wang", "busy")


@pytest.mark.parametrize("accepted", [False, True])
def test_an_agent_who_vanishes_gives_the_citizen_back_to_the_front(
    hotline: Hotline, accepted: bool
) -> None:
    hotline.hire("li")
    first = hotline.call("c1")
    hotline.dispatch()
    if accepted:
        service.accept(hotline.engine, hotline.entry(first).offer, "li", hotline.now)
    hotline.pass_s(hotline.rules.vanish_s + 1)
    kinds = [change.kind for change in hotline.dispatch()]
    assert ("vanished" in kinds) is not accepted  # their telephone may still ring
    hotline.pass_s(hotline.rules.ring_s)
    hotline.dispatch()
    assert (hotline.entry(first).state, hotline.entry(first).front) == ("waiting", True)
    urgent = hotline.call("c2", urgency="urgent")
    hotline.hire("wang")
    assert hotline.offered(first) == "wang"
    assert hotline.entry(urgent).state == "waiting"


def test_a_telephone_that_is_answered_after_the_desk_vanished_has_the_citizen(
    hotline: Hotline,
) -> None:
    hotline.hire("li")
    handoff = hotline.call("c1")
    hotline.dispatch()
    service.accept(hotline.engine, hotline.entry(handoff).offer, "li", hotline.now)
    hotline.pass_s(hotline.rules.connect_s)
    hotline.hire("wang")
    assert hotline.offered(handoff) == "wang"
    service.connected(hotline.engine, handoff, hotline.now, agent="li")
    assert (hotline.entry(handoff).agent, hotline.entry(handoff).offer) == ("li", "")
    assert service.desk_of(hotline.engine, "wang", hotline.now).offer is None


def test_a_chat_whose_agent_vanishes_waits_again_and_a_call_goes_on(hotline: Hotline) -> None:
    hotline.hire("li")
    hotline.hire("wang")
    call, chat = hotline.call("c1"), hotline.call("c2", channel="web")
    hotline.dispatch()
    for handoff in (call, chat):
        hotline.take(handoff)
    hotline.pass_s(hotline.rules.vanish_s + 1)
    assert [change.kind for change in hotline.dispatch()] == ["returned"]
    assert (hotline.entry(chat).state, hotline.talk("c2")) == ("waiting", "waiting")
    assert (hotline.entry(call).state, hotline.talk("c1")) == ("connected", "agent")
    back = service.desk_of(hotline.engine, hotline.entry(call).agent, hotline.now)
    assert [entry.handoff for entry in back.mine] == [call]


def test_a_citizen_who_hangs_up_while_waiting_is_called_back_once(hotline: Hotline) -> None:
    hotline.hire("li")
    for name in ("c1", "c2"):
        handoff = hotline.call(name)
        offered = hotline.offered(handoff)
        hotline.end(name)
        assert hotline.entry(handoff).state == "callback"
        assert offered == "li"
    assert [(row.state, row.calls) for row in hotline.callbacks()] == [("open", 2)]
    assert service.desk_of(hotline.engine, "li", hotline.now).offer is None


@pytest.mark.parametrize(("phone", "channel"), [("", "phone"), ("anonymous", "phone"),
                                                ("w-7f3a", "web")])  # fmt: skip
def test_who_cannot_be_called_has_only_gone(hotline: Hotline, phone: str, channel: str) -> None:
    handoff = hotline.call("c1", phone=phone, channel=channel)
    hotline.end("c1")
    assert hotline.entry(handoff).state == "abandoned"
    assert hotline.callbacks() == []


def test_a_citizen_who_hangs_up_on_an_agent_leaves_them_time_to_write(hotline: Hotline) -> None:
    hotline.hire("li")
    handoff = hotline.call("c1")
    hotline.dispatch()
    hotline.take(handoff)
    hotline.end("c1")
    assert (hotline.entry(handoff).state, hotline.status("li")) == ("wrapup", "wrapup")
    hotline.pass_s(hotline.rules.wrapup_call_s, "li")
    assert {change.kind for change in hotline.dispatch()} == {"done", "ready"}
    assert (hotline.entry(handoff).state, hotline.status("li")) == ("done", "online")
    late = service.finish(hotline.engine, handoff, "li", "answered", "", hotline.now, hotline.rules)
    assert late.result == "answered"


def test_a_telephone_that_does_not_answer_gives_the_citizen_to_the_next(hotline: Hotline) -> None:
    hotline.hire("li")
    hotline.pass_s(1, "li")
    hotline.hire("wang")
    handoff = hotline.call("c1")
    hotline.dispatch()
    service.accept(hotline.engine, hotline.entry(handoff).offer, "li", hotline.now)
    for _ in range(2):
        service.phone_failed(hotline.engine, handoff, "no_answer", hotline.now, hotline.rules)
    assert hotline.offered(handoff) == "wang"
    assert (hotline.entry(handoff).front, hotline.status("li")) == (True, "busy")
    assert hotline.events("c1").count("not_connected") == 1


@pytest.mark.parametrize("cause", ["caller_gone", "redis_lost"])
def test_who_was_never_rung_does_not_lose_their_status(hotline: Hotline, cause: str) -> None:
    hotline.hire("li")
    handoff = hotline.call("c1")
    hotline.dispatch()
    service.accept(hotline.engine, hotline.entry(handoff).offer, "li", hotline.now)
    service.phone_failed(hotline.engine, handoff, cause, hotline.now, hotline.rules)
    assert (hotline.entry(handoff).state, hotline.status("li")) == ("waiting", "online")


def test_a_ring_that_nobody_reports_on_does_not_last_for_ever(hotline: Hotline) -> None:
    hotline.hire("li")
    handoff = hotline.call("c1")
    hotline.dispatch()
    service.accept(hotline.engine, hotline.entry(handoff).offer, "li", hotline.now)
    hotline.pass_s(hotline.rules.connect_s, "li")
    hotline.dispatch()
    assert hotline.entry(handoff).state == "waiting"


def test_a_talk_passed_on_waits_for_that_agent_and_then_for_anybody(hotline: Hotline) -> None:
    hotline.hire("li")
    handoff = hotline.call("c1")
    hotline.dispatch()
    hotline.take(handoff)
    hotline.hire("wang", status="busy")
    hotline.hire("zhao")
    service.transfer(
        hotline.engine, handoff, "li", to_agent="wang", note="请接", now=hotline.now,
        rules=hotline.rules,
    )  # fmt: skip
    assert (hotline.talk("c1"), hotline.events("c1")[-2:]) == ("waiting", ["passed_on", "note"])
    assert hotline.offered(handoff) == ""
    service.set_status(hotline.engine, "wang", "online", hotline.now, hotline.rules)
    assert hotline.offered(handoff) == "wang"
    service.decline(hotline.engine, hotline.entry(handoff).offer, "wang", hotline.now)
    assert hotline.offered(handoff) == "zhao"


def test_a_talk_passed_on_to_a_skill_goes_to_who_has_it(hotline: Hotline) -> None:
    hotline.hire("li")
    handoff = hotline.call("c1")
    hotline.dispatch()
    hotline.take(handoff)
    hotline.hire("wang")
    hotline.hire("zhao", skills=("英语",))
    service.transfer(
        hotline.engine, handoff, "li", to_skill="英语", now=hotline.now, rules=hotline.rules
    )
    assert hotline.offered(handoff) == "zhao"


@pytest.mark.parametrize(
    ("agent", "skill", "code"),
    [("nobody", "", "target_unknown"), ("li", "", "target_unknown"), ("", "", "target_unknown"),
     ("", "会飞", "target_unknown"), ("qian", "", "not_staffed"), ("editor", "", "target_unknown")],
)  # fmt: skip
def test_a_talk_is_passed_on_only_to_somebody(
    hotline: Hotline, agent: str, skill: str, code: str
) -> None:
    hotline.hire("li")
    hotline.hire("qian", status="")
    hotline.hire("editor", roles=("editor",), status="")
    handoff = hotline.call("c1")
    hotline.dispatch()
    hotline.take(handoff)
    assert code == code_of(
        lambda: service.transfer(
            hotline.engine, handoff, "li", to_agent=agent, to_skill=skill, now=hotline.now,
            rules=hotline.rules,
        )
    )  # fmt: skip
    assert hotline.entry(handoff).state == "connected"


def test_refusals_have_codes(hotline: Hotline) -> None:
    engine, now, rules = hotline.engine, hotline.now, hotline.rules
    hotline.hire("li")
    hotline.hire("wang", status="busy")
    handoff = hotline.call("c1")
    assert code_of(lambda: service.connected(engine, "nothing", now)) == "entry_unknown"
    assert code_of(lambda: service.accept(engine, "x", "li", now)) == "offer_gone"
    assert code_of(lambda: service.accept(engine, f"{handoff}@9", "li", now)) == "offer_gone"
    assert code_of(lambda: service.finish(engine, handoff, "li", "", "", now, rules)) == "not_yours"
    hotline.dispatch()
    offer = hotline.entry(handoff).offer
    assert code_of(lambda: service.accept(engine, offer, "wang", now)) == "not_yours"
    assert code_of(lambda: service.finish(engine, handoff, "li", "", "", now, rules)) == (
        "entry_changed"
    )
    assert code_of(lambda: service.finish(engine, handoff, "li", "odd", "", now, rules)) == (
        "result_unknown"
    )
    assert code_of(lambda: service.set_status(engine, "li", "wrapup", now, rules)) == (
        "status_unknown"
    )
    assert code_of(lambda: service.set_status(engine, "ghost", "online", now, rules)) == (
        "agent_unknown"
    )
    assert code_of(lambda: service.ready(engine, "ghost", now)) == "agent_unknown"


def test_who_is_full_takes_no_more(hotline: Hotline) -> None:
    hotline.hire("li", capacity=2)
    chats = [hotline.call(f"c{n}", channel="web") for n in range(3)]
    for chat in chats[:2]:
        hotline.dispatch()
        hotline.take(chat)
    hotline.dispatch()
    assert hotline.entry(chats[2]).state == "waiting"
    service.finish(hotline.engine, chats[0], "li", "", "", hotline.now, hotline.rules)
    assert hotline.offered(chats[2]) == "li"  # another chat goes on: no wrap-up
    hotline.rules = hotline.rules.model_copy(update={"calls_beside_chats": False})
    with pytest.raises(QueueError, match="offer_gone"):
        service.accept(hotline.engine, hotline.entry(chats[0]).offer, "li", hotline.now)


def test_who_leaves_their_desk_gives_back_what_is_theirs(hotline: Hotline) -> None:
    hotline.hire("li", capacity=2)
    chat = hotline.call("c1", channel="web")
    hotline.dispatch()
    hotline.take(chat)
    offered = hotline.call("c2", channel="web")
    assert hotline.offered(offered) == "li"
    service.set_status(hotline.engine, "li", "break", hotline.now, hotline.rules)
    assert hotline.entry(offered).state == "waiting"
    assert hotline.entry(chat).state == "connected"
    service.set_status(hotline.engine, "li", "offline", hotline.now, hotline.rules)
    assert (hotline.entry(chat).state, hotline.talk("c1")) == ("waiting", "waiting")


def test_danger_told_while_waiting_goes_before_everybody(hotline: Hotline) -> None:
    early, late = hotline.call("c1"), hotline.call("c2", phone="13900000001")
    assert hotline.call("c2", urgency="danger", reason="danger") == late
    hotline.hire("li")
    assert hotline.offered(late) == "li"
    assert hotline.entry(early).state == "waiting"


def test_a_conversation_that_ended_while_its_process_died_is_noticed(hotline: Hotline) -> None:
    handoff = hotline.call("c1")
    with writing(hotline.engine) as session:
        session.get_one(Conversation, "c1").ended_at = hotline.now
    assert [change.kind for change in hotline.dispatch()] == ["abandoned"]
    assert (hotline.entry(handoff).state, hotline.talk("c1")) == ("callback", "ended")


def test_somebody_of_the_hunt_group_has_no_desk(hotline: Hotline) -> None:
    handoff = hotline.call("c1")
    service.connected(hotline.engine, handoff, hotline.now)
    assert (hotline.entry(handoff).agent, hotline.talk("c1")) == ("", "agent")
    hotline.end("c1")
    assert hotline.entry(handoff).state == "done"


def test_a_leg_that_answers_too_late_is_told_so(hotline: Hotline) -> None:
    hotline.hire("li")
    handoff = hotline.call("c1")
    hotline.dispatch()
    service.accept(hotline.engine, hotline.entry(handoff).offer, "li", hotline.now)
    service.phone_failed(hotline.engine, handoff, "no_answer", hotline.now, hotline.rules)
    hotline.hire("wang")
    hotline.dispatch()
    hotline.take(handoff)
    assert (
        code_of(lambda: service.connected(hotline.engine, handoff, hotline.now, agent="li"))
        == "entry_changed"
    )
    assert hotline.entry(handoff) == replace(hotline.entry(handoff), agent="wang")


def test_who_asks_again_after_their_person_left_is_queued_again(hotline: Hotline) -> None:
    hotline.hire("li")
    handoff = hotline.call("c1")
    hotline.dispatch()
    hotline.take(handoff)
    for _ in range(2):
        with writing(hotline.engine) as session:
            service.part(session, "c1", hotline.now, hotline.rules)
    assert (hotline.entry(handoff).state, hotline.talk("c1")) == ("wrapup", "bot")
    again = hotline.call("c1")
    assert again == f"{handoff}#2"
    with writing(hotline.engine) as session:
        service.part(session, "c1", hotline.now, hotline.rules)
    assert (hotline.entry(again).state, hotline.talk("c1")) == ("waiting", "waiting")


@pytest.mark.parametrize(("channel", "after"), [("phone", "agent"), ("web", "bot")])
def test_a_caller_whose_agent_has_finished_is_the_bots_when_the_last_person_has_left(
    hotline: Hotline, channel: str, after: str
) -> None:
    """110 was called in, and talks with them still: danger told to 110 is no new hand-over."""
    hotline.hire("li")
    handoff = hotline.call("c1", channel=channel)
    hotline.dispatch()
    hotline.take(handoff)
    service.finish(hotline.engine, handoff, "li", "linked", "", hotline.now, hotline.rules)
    assert hotline.talk("c1") == after
    with writing(hotline.engine) as session:
        service.part(session, "c1", hotline.now, hotline.rules)
    assert hotline.talk("c1") == "bot"
    assert hotline.entry(handoff).state == "done"
