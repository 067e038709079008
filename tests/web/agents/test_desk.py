"""A desk over its WebSocket: offers, a chat from its beginning to its end, and what is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select
from starlette.websockets import WebSocketDisconnect

from store.engine import reading, writing
from store.tables import Agent, Alarm, Conversation, Staff, Turn
from tests.fakes.office import Office
from tests.web.agents.conftest import ORIGIN, Desks, Page, hand_over, states
from tests.web.conftest import PASSWORD, Clock, audits, sign_in
from web.agents.outcomes import Outcomes

EVIL = "<script>alert(1)</script>"


def accepted(page: Page, office: Office, conversation: str = "web-1", **more: str) -> str:
    """A chat that this agent has; its handoff."""
    handoff = hand_over(office, conversation, **more)
    offer = page.offered()
    assert page.ask(type="accept", offer=offer["offer"])["type"] == "done"
    return handoff


def agent_turns(engine: Engine) -> list[str]:
    with reading(engine) as session:
        found = select(Turn.text).where(Turn.speaker == "agent").order_by(Turn.seq)
        return list(session.scalars(found))


def test_a_chat_from_offer_to_end(desks: Desks, office: Office) -> None:
    page = desks.page("li")
    with page.open() as welcome:
        assert (welcome["me"]["name"], welcome["status"]) == ("李敏", "offline")
        assert {one["code"] for one in welcome["results"]} >= {"answered", "hung_up"}
        assert "110" in {one["name"] for one in welcome["targets"]}
        page.online()
        handoff = hand_over(office, "web-1", text=EVIL)
        offer = page.offered()
        assert (offer["handoff"], offer["reason_label"]) == (handoff, "市民要求")
        assert offer["until"]
        assert page.ask(type="accept", offer=offer["offer"])["data"]["state"] == "connected"
        card = page.card(handoff)
        assert (card["handoff"], card["state"], card["unread"]) == (handoff, "connected", 1)
        page.send(type="watch", handoff=handoff, cursor=0)
        (turn,) = page.until("turns")["turns"]
        assert (turn["speaker"], turn["text"]) == ("citizen", EVIL)  # words, never markup
        assert page.until("order")["order"]["number"] == card["number"]
        page.sees(lambda frame: frame["mine"][0]["unread"] == 0)
        assert page.ask(type="say", handoff=handoff, text="您好，我是小李")["type"] == "done"
        assert page.ask(type="finish", handoff=handoff, result="answered")["type"] == "done"
        page.sees(lambda frame: frame["status"] == "wrapup" and not frame["mine"])
        assert page.ask(type="ready")["type"] == "done"
        page.sees(lambda frame: frame["status"] == "online")
    assert states(office.engine)[handoff][0] == "done"
    assert agent_turns(office.engine) == ["您好，我是小李"]
    for action in ("handoff_accepted", "replied", "handoff_finished", "order_viewed"):
        assert [actor for actor, _ in audits(office.engine, action)] == ["li"], action


def test_words_of_the_citizen_come_live_and_count_as_read_where_they_are_watched(
    desks: Desks, office: Office
) -> None:
    page = desks.page("li")
    with page.open():
        page.online()
        handoff = accepted(page, office)
        page.send(type="watch", handoff=handoff, cursor=0)
        cursor = page.until("turns")["cursor"]
        with writing(office.engine) as session:
            session.add(
                Turn(conversation_id="web-1", speaker="citizen", kind="text", heard="h2",
                     text="在吗", at=office.now(), audio_start_ms=None, audio_end_ms=None)
            )  # fmt: skip
        fresh = page.until("turns")  # nobody told the bus: the board finds it by itself
        assert [turn["text"] for turn in fresh["turns"]] == ["在吗"]
        assert fresh["cursor"] > cursor
        page.send(type="watch", handoff=handoff, cursor=fresh["cursor"])
        page.until("citizen")
        assert page.until("order")["handoff"] == handoff  # nothing is told twice
        assert [one["type"] for one in page.frames[-2:]] == ["citizen", "order"]


def test_who_asks_twice_is_served_once(desks: Desks, office: Office) -> None:
    page = desks.page("li")
    with page.open():
        page.online()
        hand_over(office, "web-1")
        offer = page.offered()
        first = page.ask("the-same-action", type="accept", offer=offer["offer"])
        assert page.ask("the-same-action", type="accept", offer=offer["offer"]) == first
        assert page.ask(type="accept", offer=offer["offer"])["type"] == "done"  # a second click
        handoff = first["data"]["handoff"]
        for _ in range(2):
            page.ask("the-same-words", type="say", handoff=handoff, text="您好")
        office.app.state.site.floor.outcomes = Outcomes()  # another process knows nothing of it
        page.ask("the-same-words", type="say", handoff=handoff, text="您好")
    assert agent_turns(office.engine) == ["您好"]


def test_of_two_agents_one_has_the_citizen(desks: Desks, office: Office) -> None:
    li, wang = desks.page("li"), desks.page("wang")
    with li.open(), wang.open():
        li.online()
        handoff = hand_over(office, "web-1")
        offer = li.offered()
        wang.online()
        refused = wang.ask(type="accept", offer=offer["offer"])
        assert (refused["type"], refused["code"]) == ("refused", "not_yours")
        assert li.ask(type="accept", offer=offer["offer"])["type"] == "done"
        assert wang.ask(type="say", handoff=handoff, text="您好")["code"] == "not_yours"
        assert wang.ask(type="finish", handoff=handoff, result="answered")["code"] == "not_yours"
        wang.send(type="watch", handoff=handoff, cursor=0)
        refused = wang.until("refused")
        assert (refused["code"], refused["handoff"]) == ("not_yours", handoff)
        assert wang.ask(type="accept", offer="no such offer")["code"] == "offer_gone"
    assert states(office.engine)[handoff] == ("connected", "li")
    assert agent_turns(office.engine) == []


def test_who_is_declined_or_not_answered_goes_to_the_next(
    desks: Desks, office: Office, clock: Clock
) -> None:
    li, wang = desks.page("li"), desks.page("wang")
    with li.open(), wang.open():
        li.online()
        handoff = hand_over(office, "web-1")
        offer = li.offered()
        wang.online()
        assert li.ask(type="decline", offer=offer["offer"])["type"] == "done"
        second = wang.offered()
        assert second["handoff"] == handoff
        clock.advance(seconds=office.city.queue.offer_s + 1)  # nobody clicks
        wang.sees(lambda frame: frame["offer"] is None)
        refused = wang.ask(type="accept", offer=second["offer"])
        assert (refused["code"], refused["text"]) == (
            "offer_gone", "这个来访已经由别人接待，或者市民已经离开。"
        )  # fmt: skip


def test_a_citizen_who_leaves_during_the_offer_is_offered_no_more(
    desks: Desks, office: Office
) -> None:
    page = desks.page("li")
    with page.open():
        page.online()
        handoff = hand_over(office, "web-1")
        offer = page.offered()
        portal = page.client.portal
        assert portal is not None
        portal.call(office.core.close, "web-1", office.now())
        page.sees(lambda frame: frame["offer"] is None)
        assert page.ask(type="accept", offer=offer["offer"])["code"] == "offer_gone"
    assert states(office.engine)[handoff][0] == "abandoned"


def test_a_citizen_who_leaves_the_talk_is_told_of(desks: Desks, office: Office) -> None:
    page = desks.page("li")
    with page.open():
        page.online()
        handoff = accepted(page, office)
        portal = page.client.portal
        assert portal is not None
        portal.call(office.core.close, "web-1", office.now())
        (card,) = page.sees(lambda frame: frame["mine"] and frame["mine"][0]["gone"])["mine"]
        assert card["state"] == "wrapup"
        assert page.ask(type="say", handoff=handoff, text="您还在吗")["code"] == "citizen_gone"
        assert page.ask(type="finish", handoff=handoff, result="hung_up")["type"] == "done"


def test_a_closed_laptop_loses_nobody(desks: Desks, office: Office, clock: Clock) -> None:
    li, wang = desks.page("li"), desks.page("wang")
    floor = office.app.state.site.floor
    with wang.open():
        with li.open():
            li.online()
            handoff = accepted(li, office)
            wang.online()
            floor.desks["li"].heard_at -= 3600  # asleep: its socket is open, nothing comes of it
            clock.advance(seconds=office.city.queue.vanish_s + 1)
            portal = wang.client.portal
            assert portal is not None
            portal.call(floor.report_seen)
            with reading(office.engine) as session:
                seen = {row.login: row.seen_at for row in session.scalars(select(Agent))}
            assert seen["wang"] - seen["li"] > timedelta(seconds=office.city.queue.vanish_s)
            assert wang.offered()["handoff"] == handoff
        assert states(office.engine)[handoff] == ("offered", "wang")
        statuses = {one["login"]: one["status"] for one in wang.desk["agents"]}
        assert statuses["li"] == "offline"


def test_a_second_window_takes_over(desks: Desks, office: Office) -> None:
    first, second = desks.page("li"), desks.page("li")
    with first.open():
        with second.open():
            closing = first.until("closing")
            assert closing["code"] == "taken_over"
            with pytest.raises(WebSocketDisconnect) as closed:
                first.frame()
            assert closed.value.code == 4409
            second.online()  # and goes on
        assert "li" not in office.app.state.site.floor.desks


@pytest.mark.parametrize(
    ("login", "code", "closed"),
    [("bian", "right_missing", 4403), ("", "not_signed_in", 4401), ("li", "form_expired", 4403)],
)
def test_who_may_not_open_a_desk_is_told_why(
    desks: Desks, office: Office, login: str, code: str, closed: int
) -> None:
    page = desks.page(login or "li")
    if not login:
        page.client.cookies.clear()
    with page.client.websocket_connect("/desk/live", headers=ORIGIN) as page.socket:
        page.send(type="hello", token="forged")
        assert page.until("closing")["code"] == code
        with pytest.raises(WebSocketDisconnect) as end:
            page.frame()
        assert end.value.code == closed


@pytest.mark.parametrize("headers", [{}, {"origin": "https://evil.example"}])
def test_another_sites_page_opens_no_desk(
    desks: Desks, office: Office, headers: dict[str, str]
) -> None:
    page = desks.page("li")
    with (
        pytest.raises(WebSocketDisconnect),
        page.client.websocket_connect("/desk/live", headers=headers),
    ):
        raise AssertionError("it was opened")


def test_a_supervisor_sees_every_talk_and_that_is_written_down(
    desks: Desks, office: Office
) -> None:
    page, leader = desks.page("li"), desks.page("ban")
    with page.open(), leader.open():
        page.online()
        handoff = accepted(page, office)
        leader.send(type="watch", handoff=handoff, cursor=0)
        assert leader.until("turns")["turns"]
        number = leader.until("order")["order"]["number"]
        assert leader.ask(type="say", handoff=handoff, text="我来")["code"] == "not_yours"
    assert ("ban", number) in audits(office.engine, "order_viewed")


def test_a_citizen_is_passed_on_and_given_back(desks: Desks, office: Office) -> None:
    li, wang = desks.page("li"), desks.page("wang")
    with li.open(), wang.open():
        li.online()
        handoff = accepted(li, office)
        wang.online()
        refused = li.ask(type="transfer", handoff=handoff, agent="nobody")
        assert refused["code"] == "target_unknown"
        passed = li.ask(type="transfer", handoff=handoff, agent="wang", note="请您看看")
        assert passed["type"] == "done"
        offer = wang.offered()
        assert offer["passed"] == {"by": "li", "note": "请您看看"}
        assert wang.ask(type="accept", offer=offer["offer"])["type"] == "done"
        assert wang.card(handoff)["passed"] == offer["passed"]
        li.send(type="watch", handoff=handoff, cursor=0)
        assert li.until("turns")["turns"]  # who has had them may look at it
        assert li.ask(type="say", handoff=handoff, text="还在吗")["code"] == "not_yours"
        assert wang.ask(type="back", handoff=handoff, word="告诉他材料")["type"] == "done"
    assert states(office.engine)[handoff][0] == "bot"
    with reading(office.engine) as session:
        assert session.get_one(Conversation, "web-1").state == "bot"


def test_a_page_that_sends_rubbish_or_too_much_goes_on(desks: Desks, office: Office) -> None:
    page = desks.page("li")
    with page.open():
        page.socket.send_text("{")
        assert page.until("refused")["code"] == "frame_malformed"
        page.socket.send_bytes(b"\x00")
        assert page.until("refused")["code"] == "frame_binary"
        page.send(type="hello", token=page.token)
        assert page.until("refused")["code"] == "hello_again"
        for _ in range(61):
            page.send(type="watch", handoff="", cursor=0)
        assert page.until("refused")["code"] == "too_fast"
        page.send(type="ping")
        assert page.until("pong")


def test_an_alarm_is_seen_by_one_for_all(desks: Desks, office: Office) -> None:
    page = desks.page("li")
    with writing(office.engine) as session:
        session.add(Alarm(key="k", kind="answer_late", object="7", text="有人等太久",
                          at=office.now(), seen_at=None))  # fmt: skip
    with page.open():
        (alarm,) = page.sees(lambda frame: frame["alarms"])["alarms"]
        assert alarm["text"] == "有人等太久"
        assert page.ask(type="alarm_seen", alarm=alarm["id"])["type"] == "done"
        page.sees(lambda frame: not frame["alarms"])
    with reading(office.engine) as session:
        assert session.scalars(select(Alarm)).one().seen_by == "li"


def test_a_session_lasts_as_long_as_its_agent_does_something(
    desks: Desks, office: Office, clock: Clock
) -> None:
    page = desks.page("li")
    with page.open():
        page.online()
        ticket = next(frame["ticket"] for frame in page.frames if frame["type"] == "alive")
        before = page.client.cookies["qianmen_staff"]
        clock.advance(seconds=61)
        form = {"token": page.token, "ticket": ticket}
        assert page.client.post("/desk/alive", data=form).status_code == 204
        assert page.client.cookies["qianmen_staff"] != before
        assert page.client.post("/desk/alive", data={**form, "ticket": "x"}).status_code == 403
        clock.advance(seconds=121)
        assert page.client.post("/desk/alive", data=form).status_code == 403  # an old one
        handoff = accepted(page, office)
        floor, portal = office.app.state.site.floor, page.client.portal
        assert portal is not None
        clock.advance(minutes=31)
        portal.call(floor.report_seen)
        portal.call(floor.refresh)
        portal.call(floor.check_sessions)  # whoever has a citizen is not signed out
        assert page.ask(type="finish", handoff=handoff, result="answered")["type"] == "done"
        portal.call(floor.refresh)
        clock.advance(minutes=31)
        portal.call(floor.check_sessions)
        assert page.until("closing")["code"] == "idle"


def test_who_is_switched_off_has_no_desk_any_more(desks: Desks, office: Office) -> None:
    page = desks.page("li")
    with page.open():
        with writing(office.engine) as session:
            session.scalars(select(Staff).where(Staff.login == "li")).one().active = False
        portal = page.client.portal
        assert portal is not None
        portal.call(office.app.state.site.floor.check_sessions)
        assert page.until("closing")["code"] == "not_signed_in"
    assert sign_in(page.client, "li", PASSWORD) != 303


def test_the_page_is_for_who_takes_handoffs(desks: Desks, office: Office) -> None:
    agent, editor = desks.page("li").client, desks.page("bian").client
    page = agent.get("/desk")
    assert page.status_code == 200
    for path in ("/desk/live", "/desk/alive"):
        assert path in page.text
    assert agent.get("/staff", follow_redirects=False).headers["location"] == "/desk"
    assert editor.get("/desk").status_code == 403
    assert editor.post("/desk/alive", data={"token": "x"}).status_code == 403
