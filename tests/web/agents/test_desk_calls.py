"""Calls at the desk: the agent's telephone rings, and what the page does with the call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from config.city import City
from store.engine import reading
from store.tables import Callback, Linkage
from tests.fakes.control import FakeControl
from tests.fakes.office import Office
from tests.web.agents.conftest import Desks, Page, hand_over, states
from tests.web.conftest import Clock, audits
from turns.calls import CallEvent, CallInfo
from web.agents.callview import CallView, known, track

AT = datetime(2026, 11, 20, 4, tzinfo=UTC)
PHONE = "sip:8001@127.0.0.1:5070"
NUMBER = "13912345678"


@pytest.fixture
def control() -> FakeControl:
    return FakeControl()


@pytest.fixture
def office(
    tmp_path: Path, engine: Engine, city: City, clock: Clock, control: FakeControl
) -> Office:
    return Office(tmp_path, engine, city, clock, agents=True, control=control)


def take(page: Page, office: Office, conversation: str = "call-1") -> str:
    """Accept a call; the handoff."""
    handoff = hand_over(office, conversation, channel="phone", citizen=NUMBER)
    asked = page.ask(type="accept", offer=page.offered()["offer"])
    assert asked["data"] == {"handoff": handoff, "state": "accepted"}
    return handoff


def talking(page: Page, office: Office) -> str:
    page.online()
    handoff = take(page, office)
    page.sees(lambda desk: any(one["state"] == "connected" for one in desk["mine"]))
    return handoff


def on_loop(page: Page, work: Callable[..., Any], *args: object) -> None:
    portal = page.client.portal
    assert portal is not None
    portal.call(work, *args)


def test_accepting_rings_the_agents_own_telephone(
    desks: Desks, office: Office, control: FakeControl
) -> None:
    page = desks.page("li")
    with page.open():
        handoff = talking(page, office)
        page.sees(lambda desk: desk["mine"][0]["stage"] == "person")
        assert control.ordered == [("call-1", "bridge", PHONE, "li")]
        assert page.card(handoff)["parties"] == [PHONE]
    assert states(office.engine)[handoff] == ("connected", "li")


def test_a_telephone_that_does_not_answer_loses_nobody(
    desks: Desks, office: Office, control: FakeControl
) -> None:
    control.fails[PHONE] = "no_answer"
    li, wang = desks.page("li"), desks.page("wang")
    with li.open(), wang.open():
        li.online()
        wang.online()
        handoff = hand_over(office, "call-1", channel="phone", citizen=NUMBER)
        li.sees(lambda desk: desk["offer"])
        assert li.ask(type="accept", offer=li.desk["offer"]["offer"])["type"] == "done"
        told = li.until("call")
        assert (told["state"], told["cause"], told["text"]) == ("failed", "no_answer", "对方没有接")
        offer = wang.offered()
        assert offer["handoff"] == handoff
        assert wang.ask(type="accept", offer=offer["offer"])["type"] == "done"
        wang.sees(lambda desk: any(one["state"] == "connected" for one in desk["mine"]))
        li.sees(lambda desk: not desk["mine"])
    assert states(office.engine)[handoff] == ("connected", "wang")


def test_a_page_that_dies_while_the_telephone_rings_loses_nobody(
    desks: Desks, office: Office, control: FakeControl
) -> None:
    control.ringing = asyncio.Event()
    page = desks.page("li")
    with page.open():
        page.online()
        handoff = take(page, office)
    on_loop(page, control.ringing.set)
    with page.open():
        page.sees(lambda desk: any(one["state"] == "connected" for one in desk["mine"]))
    assert states(office.engine)[handoff] == ("connected", "li")


def test_a_call_is_held_and_passed_on_from_the_page(
    desks: Desks, office: Office, control: FakeControl
) -> None:
    page = desks.page("li")
    with page.open():
        handoff = talking(page, office)
        assert page.ask(type="call", handoff=handoff, verb="hold")["data"] == {"state": "held"}
        page.sees(lambda desk: desk["mine"][0]["held"] == ["caller"])
        page.ask(type="call", handoff=handoff, verb="resume")
        page.ask(type="call", handoff=handoff, verb="mute", target="target")
        page.sees(lambda desk: desk["mine"][0]["muted"])
        assert page.ask(type="call", handoff=handoff, verb="three_way", target="110")["data"]
        page.sees(lambda desk: "110" in desk["mine"][0]["parties"])
        control.fails["gjj"] = "busy"
        refused = page.ask(type="call", handoff=handoff, verb="transfer", target="gjj")
        assert (refused["code"], refused["text"]) == ("busy", "对方占线")
        assert page.ask(type="say", handoff=handoff, text="您好")["code"] == "no_chat"
        control.fails["hold"] = "redis_lost"
        gone = page.ask(type="call", handoff=handoff, verb="hold")
        assert gone["code"] == "calls_unavailable"


def test_a_call_is_its_agents_and_the_supervisors(
    desks: Desks, office: Office, control: FakeControl
) -> None:
    li, wang, ban = desks.page("li"), desks.page("wang"), desks.page("ban")
    with li.open(), wang.open(), ban.open():
        handoff = talking(li, office)
        for verb in ("hold", "hangup", "bridge"):
            refused = wang.ask(type="call", handoff=handoff, verb=verb)
            assert refused["code"] == "not_yours"
        assert ban.ask(type="call", handoff=handoff, verb="bridge")["code"] == "phone_missing"
        assert ban.ask(type="call", handoff=handoff, verb="three_way", target="supervisor")["data"]
    assert control.ordered[-1] == ("call-1", "three_way", "supervisor", "ban")
    assert all(by != "wang" for _, _, _, by in control.ordered)


@pytest.mark.parametrize("asked", [
    {"type": "finish", "result": "answered"},
    {"type": "back", "word": "告诉他材料"},
    {"type": "transfer", "agent": "wang"},
])  # fmt: skip
def test_who_leaves_a_call_leaves_its_telephone_too(
    desks: Desks, office: Office, control: FakeControl, asked: dict[str, str]
) -> None:
    li, wang = desks.page("li"), desks.page("wang")
    with li.open(), wang.open():
        wang.online()
        wang.ask(type="status", value="break")  # there, but not offered anything of li's
        handoff = talking(li, office)
        wang.ask(type="status", value="online")
        assert li.ask(handoff=handoff, **asked)["type"] == "done"
        li.until("call", lambda frame: frame["state"] == "ended")
    assert control.ordered[1:] == [("call-1", "hangup", "target", "li")]


def test_words_and_events_of_a_call_come_live(
    desks: Desks, office: Office, control: FakeControl
) -> None:
    page = desks.page("li")
    with page.open():
        handoff = talking(page, office)
        page.send(type="watch", handoff=handoff, cursor=0)
        page.until("order")
        on_loop(page, control.speak, "agent", "您好，请")
        words = page.until("partial")
        assert (words["handoff"], words["speaker"], words["text"]) == (handoff, "agent", "您好，请")
        on_loop(page, control.happen, CallEvent("call-1", "ended", "caller", AT, cause="bye"))
        assert page.until("call", lambda frame: frame["state"] == "ended")["stage"] == "ended"
        assert page.sees(lambda desk: desk["mine"][0]["gone"])


def test_telephones_that_are_cut_off_are_said_so_and_that_they_are_back(
    desks: Desks, control: FakeControl
) -> None:
    page = desks.page("li")
    with page.open():
        page.sees(lambda desk: desk.get("phones") is True)
        control.lost = True
        on_loop(page, control.wake)
        page.sees(lambda desk: desk["phones"] is False)
        control.lost = False
        page.sees(lambda desk: desk["phones"] is True)  # with nothing that happens on any call


def test_a_call_back_is_taken_by_one_and_its_number_is_theirs(desks: Desks, office: Office) -> None:
    li, wang = desks.page("li"), desks.page("wang")
    with li.open(), wang.open():
        hand_over(office, "call-1", channel="phone", citizen=NUMBER)
        on_loop(li, office.core.close, "call-1", office.now())  # before anybody took it
        (one,) = li.sees(lambda desk: desk["callbacks"])["callbacks"]
        assert (one["phone"], one["mine"], one["reason"]) == ("", False, "abandoned")
        wang.sees(lambda desk: desk["callbacks"])
        taken = li.ask(type="callback", callback=one["callback"], verb="take")
        assert taken["data"] == {"state": "taken", "phone": NUMBER}
        wang.sees(lambda desk: not desk["callbacks"])
        refused = wang.ask(type="callback", callback=one["callback"], verb="take")
        assert refused["code"] == "offer_gone"
        (mine,) = li.sees(lambda desk: desk["callbacks"] and desk["callbacks"][0]["mine"])[
            "callbacks"
        ]
        assert mine["phone"] == NUMBER
        done = li.ask(type="callback", callback=one["callback"], verb="done", note="已说明")
        assert done["data"]["state"] == "done"
    with reading(office.engine) as session:
        assert session.scalars(select(Callback)).one().state == "done"
    assert audits(office.engine, "callback_take") == [("li", str(one["callback"]))]


def test_who_is_given_to_a_party_by_telephone_is_noted_as_given(
    desks: Desks, office: Office
) -> None:
    page = desks.page("li")
    with page.open():
        handoff = talking(page, office)
        page.ask(type="call", handoff=handoff, verb="transfer", target="110")
    with reading(office.engine) as session:
        parties = [row.party for row in session.scalars(select(Linkage))]
        assert parties == (["110"] if office.city.links.party("110") else [])


def event(state: str, leg: str = "target", target: str = "") -> CallEvent:
    return CallEvent("c", state, leg, AT, target=target)  # type: ignore[arg-type]  # of the table


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([event("ringing")], CallView("ringing")),
        ([event("ringing"), event("bridged", target="8001")], CallView("person", (), ("8001",))),
        ([event("bridged", target="8001"), event("ringing", "third", "110")],
         CallView("person", (), ("8001",), calling=("110",))),
        ([event("bridged", target="a"), event("ringing", "third", "110"),
          event("answered", "third", "110"), event("failed", "third")],
         CallView("person", (), ("a",))),
        ([event("bridged", target="a"), event("ringing", "third", "b"),
          event("joined", "third", "b")], CallView("person", (), ("a", "b"))),
        ([event("bridged", target="a"), event("joined", "third", "b"), event("left", target="a")],
         CallView("person", (), ("b",))),
        ([event("bridged"), event("held", "caller"), event("held", "caller")],
         CallView("person", ("caller",))),
        ([event("bridged"), event("held", "caller"), event("resumed", "caller")],
         CallView("person")),
        ([event("bridged"), event("muted")], CallView("person", muted=True)),
        ([event("bridged"), event("muted"), event("unmuted")], CallView("person")),
        ([event("bridged"), event("muted", "third")], CallView("person")),
        ([event("bridged", target="a"), event("ended", target="a")], CallView("parted")),
        ([event("bridged"), event("back", "caller")], CallView("bot")),
        ([event("bridged"), event("ended", "caller")], CallView("ended")),
        ([event("bridged"), event("transferred", "caller")], CallView("ended")),
        ([event("failed")], CallView()),
    ],
)  # fmt: skip
def test_how_a_call_stands_follows_from_its_events(
    events: list[CallEvent], expected: CallView
) -> None:
    view = CallView()
    for one in events:
        view = track(view, one)
    assert view == expected


def test_a_call_is_known_as_its_node_publishes_it() -> None:
    info = CallInfo("c", "n", "139****5678", "12345", "12345", "person", AT, AT, ("8001",),
                    ("caller",))  # fmt: skip
    assert known(info) == CallView("person", ("caller",), ("8001",))
