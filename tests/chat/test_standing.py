"""The chat's socket while somebody waits: their place, who writes, and who stays away."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from bot.people import Writer
from chat import socket as chat_socket
from chat.errors import ChatError
from chat.frames import Typing
from chat.protocol import parse
from handoff.queue import service
from store.engine import reading, writing
from store.tables import Conversation, HandoffEntry, Staff, Turn
from tests.chat.test_socket import Browser
from tests.fakes.office import Office

ID = "message-0001"


@pytest.fixture
def agent(office: Office, engine: Engine, now: datetime) -> str:
    """Somebody is at a desk."""
    with writing(engine) as session:
        session.add(Staff(login="zhang", name="张敏", password_hash="", roles=["agent"],
                          capacity=2, created_at=now))  # fmt: skip
    service.set_status(engine, "zhang", "online", now, office.city.queue)
    return "zhang"


def standing(browser: Browser, state: str) -> dict[str, Any]:
    while (frame := browser.until("standing"))["state"] != state:
        pass
    return frame


def handed_over(browser: Browser) -> dict[str, Any]:
    browser.send(type="text", id=ID, text="转人工")
    return standing(browser, "waiting")


def conversation_of(engine: Engine) -> str:
    with reading(engine) as session:
        return session.scalars(select(Conversation.id)).one()


def until(condition: Any) -> None:
    ends = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.01)


@pytest.mark.usefixtures("agent")
def test_their_place_is_shown_until_somebody_has_them(
    office: Office, client: TestClient, engine: Engine, now: datetime
) -> None:
    browser, rules = Browser(), office.city.queue
    with browser.on(client):
        frame = handed_over(browser)
        assert (frame["position"], frame["staffed"]) == (1, True)
        assert "最前面" in frame["text"]
        service.dispatch(engine, rules, now)
        offer = service.desk_of(engine, "zhang", now, rules).offer
        assert offer is not None
        entry = service.accept(engine, offer.offer, "zhang", now, rules)
        office.loop.call_soon_threadsafe(office.core.standing_changed, entry.conversation)
        taken = standing(browser, "connected")
        assert (taken["agent"], taken["text"]) == ("张敏", "")
        service.finish(engine, entry.handoff, "zhang", "answered", "", now, rules)
        office.loop.call_soon_threadsafe(office.core.standing_changed, entry.conversation)
        assert standing(browser, "") == {"type": "standing", "state": "", "text": ""}


def test_with_nobody_at_a_desk_they_are_told_so(client: TestClient) -> None:
    browser = Browser()
    with browser.on(client):
        assert "没有工作人员在线" in handed_over(browser)["text"]


@pytest.mark.usefixtures("agent")
def test_a_page_that_comes_back_is_shown_their_place_again(client: TestClient) -> None:
    browser = Browser()
    with browser.on(client):
        handed_over(browser)
    with browser.on(client):
        assert standing(browser, "waiting")["position"] == 1


def test_writing_is_passed_on_both_ways(
    office: Office, client: TestClient, monkeypatch: pytest.MonkeyPatch, engine: Engine
) -> None:
    monkeypatch.setattr("bot.people.TYPING_S", 0.2)
    told: list[tuple[str, str]] = []
    typing = office.core.typing

    def noted(conversation: str, who: Writer) -> None:
        told.append((conversation, who))
        typing(conversation, who)

    monkeypatch.setattr(office.core, "typing", noted)
    browser = Browser()
    with browser.on(client):
        browser.send(type="ping")
        browser.until("pong")
        conversation = conversation_of(engine)
        office.loop.call_soon_threadsafe(office.core.typing, conversation, "agent")
        assert browser.until("typing")["on"] is True
        assert browser.until("typing")["on"] is False
        for on in (True, True, False, "yes"):  # told as often as that is worth knowing
            browser.send(type="typing", on=on)
        browser.send(type="ping")
        browser.until("pong")
    assert told == [(conversation, "agent"), (conversation, "citizen")]


@pytest.mark.usefixtures("agent")
def test_who_closes_the_page_and_stays_away_waits_no_longer(
    client: TestClient, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_socket, "AWAY_S", 0.1)
    monkeypatch.setattr("bot.people.ROLL_CALL_S", 0.1)

    def state() -> str:
        with reading(engine) as session:
            return session.scalars(select(HandoffEntry.state)).one()

    browser = Browser()
    with browser.on(client):
        handed_over(browser)
    until(lambda: state() == "abandoned")
    with browser.on(client) as history:
        assert "离开" in history["turns"][-1]["text"]


@pytest.mark.usefixtures("agent")
def test_another_page_of_theirs_keeps_their_place(
    client: TestClient, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_socket, "AWAY_S", 0.05)
    monkeypatch.setattr("bot.people.ROLL_CALL_S", 0.3)
    first, second = Browser(), Browser()
    with first.on(client):
        handed_over(first)
        second.session = first.session
        with second.on(client):
            standing(second, "waiting")
        time.sleep(0.6)  # longer than both waits: nothing is to happen
        with reading(engine) as session:
            assert session.scalars(select(HandoffEntry.state)).one() == "waiting"


def test_who_leaves_for_good_leaves_the_queue(client: TestClient, engine: Engine) -> None:
    browser = Browser()
    with browser.on(client):
        handed_over(browser)
        browser.send(type="leave")
        until(lambda: _states(engine) == ("abandoned", "ended"))


def _states(engine: Engine) -> tuple[str, str]:
    with reading(engine) as session:
        entry = session.scalars(select(HandoffEntry.state)).one()
        return entry, session.scalars(select(Conversation.state)).one()


def test_a_typing_frame() -> None:
    assert parse(json.dumps({"type": "typing", "on": True})) == Typing(True)
    for on in (False, 1, "true", None):
        assert parse(json.dumps({"type": "typing", "on": on})) == Typing(False)
    with pytest.raises(ChatError):
        parse('{"type": "writing"}')


@pytest.mark.usefixtures("agent")
def test_a_number_typed_is_called_back(client: TestClient, engine: Engine) -> None:
    browser = Browser()
    with browser.on(client):
        handed_over(browser)
        browser.send(type="text", id="message-0002", text="不等了，请给我回电话：13800138000")
        standing(browser, "")
    with reading(engine) as session:
        told = session.scalars(select(Turn.text).order_by(Turn.seq.desc())).first()
    assert told is not None
    assert "138-0013-8000" in told
