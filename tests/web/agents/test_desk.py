"""A desk over its WebSocket: offers, a chat from its beginning to its end, and what is refused."""

from __future__ import annotations

from tests.fakes.office import Office
from tests.web.agents.conftest import Desks, hand_over, states


def test_a_chat_from_offer_to_end(desks: Desks, office: Office) -> None:
    page = desks.page("li")
    with page.open() as welcome:
        assert welcome["me"]["name"] == "李敏"
        page.online()
        handoff = hand_over(office, "web-1")
        offer = page.offered()
        assert (offer["handoff"], offer["reason_label"]) == (handoff, "市民要求")
        assert page.ask(type="accept", offer=offer["offer"])["data"]["state"] == "connected"
        page.send(type="watch", handoff=handoff, cursor=0)
        assert [turn["text"] for turn in page.until("turns")["turns"]] == ["转人工"]
        said = page.ask(type="say", handoff=handoff, text="您好，我是小李")
        assert said["type"] == "done", said
        assert page.ask(type="finish", handoff=handoff, result="answered")["type"] == "done"
    assert states(office.engine)[handoff][0] == "done"
