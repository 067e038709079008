"""The chat's WebSocket on the real core: nothing lost or doubled, nobody left without a word."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select
from sqlalchemy.exc import OperationalError
from starlette.testclient import WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from bot.claims import Claim
from bot.errors import ConversationError
from chat.limits import Limits, Rate
from config.city import City
from store.engine import reading
from store.tables import Conversation, Feedback, Turn
from tests.fakes.dialogue import outcome
from tests.fakes.office import Office
from turns.context import Context
from turns.heard import Heard
from turns.replies import Ask, Bye, Option, Say
from turns.understood import Outcome, Understood

URL = "/chat/ws"


class Browser:
    """One page: its socket, and what it knows over reconnections."""

    def __init__(self) -> None:
        self.session = ""
        self.cursor = 0
        self.texts: list[str] = []
        self.socket: WebSocketTestSession

    @contextmanager
    def on(self, client: TestClient, url: str = URL, **kwargs: Any) -> Iterator[dict[str, Any]]:
        """Connected: gives the history frame."""
        with client.websocket_connect(url, **kwargs) as self.socket:
            self.send(type="hello", session=self.session, cursor=self.cursor)
            welcome = self.frame()
            assert welcome["type"] == "welcome"
            self.session = welcome["session"]
            history = self.frame()
            assert history["type"] == "history"
            for turn in history["turns"]:
                self._know(turn)
            yield history

    def send(self, **fields: Any) -> None:
        self.socket.send_text(json.dumps(fields))

    def say(self, known: str, text: str) -> dict[str, Any]:
        """Say it and wait for the ack or the error."""
        self.send(type="text", id=known, text=text)
        return self.until("ack", "error")

    def frame(self) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(self.socket.receive_text())
        if frame["type"] == "told":
            self._know(frame)
        return frame

    def until(self, *types: str) -> dict[str, Any]:
        while True:
            frame = self.frame()
            if frame["type"] in types:
                return frame

    def answer(self, known: str) -> str:
        """Wait for the whole answer to a message."""
        while True:
            frame = self.frame()
            if frame.get("in_reply_to") == known and frame["last"]:
                return str(frame["reply"]["text"])

    def _know(self, turn: dict[str, Any]) -> None:
        assert turn["cursor"] > self.cursor, "told twice"
        self.cursor = turn["cursor"]
        self.texts.append(turn.get("text") or turn["reply"].get("text", ""))


def turns(engine: Engine, speaker: str = "citizen") -> list[str]:
    with reading(engine) as session:
        wanted = select(Turn.text).where(Turn.speaker == speaker).order_by(Turn.seq)
        return list(session.scalars(wanted))


def test_a_question_is_acknowledged_and_answered(client: TestClient, office: Office) -> None:
    page = Browser()
    with page.on(client) as history:
        assert "智能助手" in history["turns"][0]["reply"]["text"]
        assert page.say("message1", "公积金怎么取") == {"type": "ack", "id": "message1"}
        assert page.answer("message1") == "听到：公积金怎么取"
    with reading(office.engine) as session:
        (talk,) = session.scalars(select(Conversation))
        assert (talk.channel, talk.line) == ("web", "12345")
        assert talk.citizen.startswith("web:")


def test_the_ack_comes_only_when_the_turn_is_durable(client: TestClient, office: Office) -> None:
    page = Browser()
    with page.on(client):
        office.dialogue.gate.clear()  # nothing is answered yet, and still it is written down
        page.send(type="text", id="message1", text="公积金怎么取")
        assert page.frame() == {"type": "ack", "id": "message1"}
        assert turns(office.engine) == ["公积金怎么取"]
        office.let_the_dialogue_answer()
        page.answer("message1")


def test_a_message_sent_again_is_acknowledged_again_and_stands_once(
    client: TestClient, office: Office
) -> None:
    page = Browser()
    with page.on(client):
        page.say("message1", "公积金怎么取")
        page.answer("message1")
    with page.on(client):
        assert page.say("message1", "公积金怎么取")["type"] == "ack"
        page.say("message2", "还有呢")
        page.answer("message2")
    assert turns(office.engine) == ["公积金怎么取", "还有呢"]
    assert turns(office.engine, "bot")[1:] == ["听到：公积金怎么取", "听到：还有呢"]


def test_a_page_that_comes_back_gets_what_it_missed_once(
    client: TestClient, office: Office
) -> None:
    page = Browser()
    with page.on(client):
        office.dialogue.gate.clear()
        page.say("message1", "公积金怎么取")
    office.let_the_dialogue_answer()
    with page.on(client):
        if "听到：公积金怎么取" not in page.texts:
            assert page.answer("message1") == "听到：公积金怎么取"
    _greeting, mine, answer = page.texts
    assert (mine, answer) == ("公积金怎么取", "听到：公积金怎么取")
    with page.on(client) as history:
        assert history["turns"] == []


def test_a_reloaded_page_gets_everything_its_own_words_too(client: TestClient) -> None:
    page = Browser()
    with page.on(client):
        page.say("message1", "公积金怎么取")
        page.answer("message1")
    reloaded = Browser()
    reloaded.session = page.session
    with reloaded.on(client) as history:
        shown = [(turn["speaker"], turn["id"]) for turn in history["turns"]]
    assert shown == [("bot", ""), ("citizen", "message1"), ("bot", "")]


def test_the_server_restarts_between_message_and_answer(client: TestClient, office: Office) -> None:
    page = Browser()
    with page.on(client):
        page.say("message1", "公积金怎么取")
        page.answer("message1")
    with TestClient(office.start()) as another, page.on(another) as history:
        assert history["turns"] == []
        assert page.say("message1", "公积金怎么取")["type"] == "ack"
        page.say("message2", "还有呢")
        assert page.answer("message2") == "听到：还有呢"
    assert turns(office.engine) == ["公积金怎么取", "还有呢"]


def test_what_a_dead_process_left_unanswered_is_answered_by_the_next(
    office: Office, engine: Engine, now: datetime
) -> None:
    page = Browser()
    with TestClient(office.app) as client, page.on(client):
        pass
    with reading(engine) as session:
        (name,) = session.scalars(select(Conversation.id))
    heard = Heard("message1", name, "web", "12345", "text", "公积金怎么取", now)
    from bot.records import commit_heard  # as the dead process did, before it answered

    commit_heard(engine, heard, Claim("dead", now - timedelta(seconds=1)))
    with TestClient(office.start()) as another, page.on(another):
        if "听到：公积金怎么取" not in page.texts:
            assert page.answer("message1") == "听到：公积金怎么取"


def test_two_pages_of_one_citizen_both_hear_the_answer(client: TestClient) -> None:
    first, second = Browser(), Browser()
    with first.on(client):
        second.session = first.session
        with second.on(client):
            first.say("message1", "公积金怎么取")
            assert first.answer("message1") == second.answer("message1")


def test_an_agents_words_reach_the_same_window(client: TestClient, office: Office) -> None:
    page = Browser()
    with page.on(client):
        with reading(office.engine) as session:
            (name,) = session.scalars(select(Conversation.id))
        said = Say("agent-1", "您好，我是小李")
        assert client.portal is not None
        client.portal.call(lambda: office.core.tell(name, said, speaker="agent", at=office.now()))
        frame = page.until("told")
        assert (frame["speaker"], frame["reply"]["text"]) == ("agent", "您好，我是小李")


def test_a_choice_is_heard_by_its_value_and_shown_by_its_label(
    client: TestClient, office: Office
) -> None:
    asked = Ask("", "哪一项？", (Option("租房提取", "gjj.rent"),), "choice")
    office.dialogue.answers["取钱"] = Outcome(
        (asked,), Context(), Understood(act="policy", decision="ask")
    )
    page = Browser()
    with page.on(client):
        page.say("message1", "取钱")
        assert page.answer("message1") == "哪一项？"
        page.send(type="choice", id="message2", value="gjj.rent", label="租房提取")
        page.answer("message2")
    assert office.dialogue.asked[-1][1] == "gjj.rent"
    reloaded = Browser()
    reloaded.session = page.session
    with reloaded.on(client) as history:
        assert [turn["text"] for turn in history["turns"]][-2] == "租房提取"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("rubbish", "frame_malformed"),
        ("[1,2]", "frame_malformed"),
        ('{"type":"shutdown"}', "frame_unknown"),
        ('{"type":"hello"}', "hello_again"),
        ("x" * 20_000, "frame_too_big"),
        ('{"type":"text","id":"message9","text":""}', "text_empty"),
        ('{"type":"text","id":"message9","text":"' + "字" * 1001 + '"}', "text_too_long"),
        (b"\x00\x01", "frame_binary"),
    ],
)
def test_bad_frames_get_an_answer_and_the_socket_stays(
    client: TestClient, city: City, raw: str | bytes, code: str
) -> None:
    page = Browser()
    with page.on(client):
        if isinstance(raw, bytes):
            page.socket.send_bytes(raw)
        else:
            page.socket.send_text(raw)
        error = page.until("error")
        assert error["code"] == code
        assert error["text"]
        if code == "text_too_long":
            assert (error["text"], error["id"]) == (city.prompts.too_long, "message9")
        page.say("message1", "还在吗")
        assert page.answer("message1") == "听到：还在吗"


def test_nothing_is_heard_before_the_hello(client: TestClient, office: Office) -> None:
    page = Browser()
    with client.websocket_connect(URL) as page.socket:
        page.send(type="text", id="message1", text="公积金")
        error = page.frame()
        assert (error["code"], error["id"]) == ("hello_first", "message1")
        page.send(type="hello")
        assert page.frame()["type"] == "welcome"
    assert turns(office.engine) == []


def test_a_ping_is_answered(client: TestClient) -> None:
    page = Browser()
    with page.on(client):
        page.send(type="ping")
        assert page.until("pong") == {"type": "pong"}


@pytest.mark.parametrize("token", ["", "forged", "a.b.c"])
def test_a_token_that_is_none_begins_anew(client: TestClient, token: str) -> None:
    page = Browser()
    page.session = token
    with page.on(client) as history:
        assert len(history["turns"]) == 1
    assert page.session not in ("", token)


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"origin": "http://testserver"}, True),
        ({"origin": "https://TESTSERVER"}, True),
        ({"origin": "http://evil.example"}, False),
        ({"origin": "http://testserver.evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": ""}, False),
    ],
)
def test_only_our_own_page_may_connect(
    client: TestClient, office: Office, headers: dict[str, str], allowed: bool
) -> None:
    page = Browser()
    if allowed:
        with page.on(client, headers=headers):
            return
    with pytest.raises(WebSocketDisconnect), page.on(client, headers=headers):
        pass
    with reading(office.engine) as session:
        assert session.scalars(select(Conversation)).all() == []


def test_the_line_is_the_one_the_page_stands_for(client: TestClient, office: Office) -> None:
    for url in (f"{URL}?line=12329", f"{URL}?line=99999"):
        with Browser().on(client, url):
            pass
    with reading(office.engine) as session:
        lines = session.scalars(select(Conversation.line).order_by(Conversation.line)).all()
        assert lines == ["12329", "12345"]


def test_too_fast_is_answered_politely_and_may_come_again(
    tmp_path: Path, engine: Engine, city: City, now: datetime
) -> None:
    limits = Limits(session=Rate(2, 1 / 3600), new_session=Rate(2, 0))
    office = Office(tmp_path, engine, city, lambda: now, limits=limits)
    with TestClient(office.app) as client:
        page = Browser()
        with page.on(client):
            assert [page.say(f"message{n}", "快")["type"] for n in range(2)] == ["ack", "ack"]
            error = page.say("message2", "快")
        assert error["code"] == "too_fast"
        assert (error["id"], error["retry"]) == ("message2", True)
        assert 0 < error["retry_after_s"] <= 3600
        assert error["text"].startswith("您发得太快了，请")
        assert "分钟后再发" in error["text"]
        with Browser().on(client):
            pass
        with client.websocket_connect(URL) as socket:  # the third new session of this address
            socket.send_text('{"type":"hello"}')
            assert json.loads(socket.receive_text())["code"] == "too_fast"
            with pytest.raises(WebSocketDisconnect) as closed:
                socket.receive_text()
            assert closed.value.code == 1013
    assert len(turns(engine)) == 2


def test_a_database_that_fails_loses_nothing(
    client: TestClient, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Browser()

    async def down(_heard: Heard) -> None:
        raise ConversationError("store_down", "away")

    with page.on(client):
        with monkeypatch.context() as patched:
            patched.setattr(office.core, "hear", down)
            error = page.say("message1", "公积金怎么取")
        assert (error["code"], error["retry"], error["id"]) == ("store_down", True, "message1")
        assert page.say("message1", "公积金怎么取")["type"] == "ack"
        page.answer("message1")


def test_a_database_that_is_away_at_the_hello_says_so_and_asks_to_come_back(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("select", {}, Exception("away"))

    monkeypatch.setattr("chat.socket.missed_after", away)
    with client.websocket_connect(URL) as socket:
        socket.send_text('{"type":"hello"}')
        error = json.loads(socket.receive_text())
        assert (error["code"], error["retry"]) == ("store_down", True)
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_text()
    assert closed.value.code == 1013


def test_replies_that_break_off_close_the_socket_for_a_new_try(
    client: TestClient, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def __aiter__(self) -> Broken:
            return self

        async def __anext__(self) -> Any:
            raise ConversationError("store_down", "away")

    def broken(_conversation: str, _cursor: int) -> Broken:
        return Broken()

    monkeypatch.setattr(office.core, "replies", broken)
    page = Browser()
    with page.on(client), pytest.raises(WebSocketDisconnect) as closed:
        page.frame()
    assert closed.value.code == 1013


def test_leaving_ends_the_conversation(client: TestClient, office: Office) -> None:
    page = Browser()
    with page.on(client):
        page.send(type="leave")
        with pytest.raises(WebSocketDisconnect):
            page.frame()
    with reading(office.engine) as session:
        (talk,) = session.scalars(select(Conversation))
        assert (talk.state, talk.ended_at) == ("ended", office.now())
    with client.websocket_connect(URL) as socket:
        socket.send_text(json.dumps({"type": "hello", "session": page.session}))
        assert json.loads(socket.receive_text())["ended"] is True


def test_goodbye_reaches_the_page(client: TestClient, office: Office) -> None:
    office.dialogue.answers["再见"] = Outcome(
        (Say("", "再见"), Bye("")), Context(), Understood(act="bye", decision="talk")
    )
    page = Browser()
    with page.on(client):
        page.say("message1", "再见")
        while (frame := page.frame()).get("reply", {}).get("type") != "bye":
            pass
        assert frame["last"]


def test_nobody_reads_the_words_of_another(client: TestClient) -> None:
    mine, other = Browser(), Browser()
    with mine.on(client):
        mine.say("message1", "我的电话是13900139000")
        mine.answer("message1")
    with other.on(client) as history:
        assert "139" not in json.dumps(history)


def test_an_answer_is_never_markup_on_the_wire(client: TestClient, office: Office) -> None:
    office.dialogue.answers["x"] = outcome("<b>粗</b>")
    page = Browser()
    with page.on(client):
        page.say("message1", "x")
        assert page.answer("message1") == "<b>粗</b>"  # text; the page puts it in as text


def test_a_thumb_is_kept_for_the_answer_it_is_about(client: TestClient, office: Office) -> None:
    answer = Say("", "可以提取。", answer="gjj.rent:条件:city")
    known = Understood("policy", "answer")
    office.dialogue.answers["租房能提吗"] = Outcome((answer,), Context(), known)
    page = Browser()
    with page.on(client):
        page.say("message1", "租房能提吗")
        page.answer("message1")
        page.say("message2", "你好")
        page.answer("message2")
        for value in ("up", "down"):
            page.send(type="rate", id="rating01", turn="message1", value=value)
            assert page.until("ack", "error") == {"type": "ack", "id": "rating01"}
        page.send(type="rate", id="rating02", turn="message2", value="up")  # no answer to rate
        assert page.until("ack", "error")["type"] == "ack"
        page.send(type="rate", id="rating03", turn="message1", value="great")
        assert page.until("ack", "error")["code"] == "frame_malformed"
    with reading(office.engine) as session:
        (row,) = session.scalars(select(Feedback))
        assert (row.heard, row.answer, row.value) == ("message1", "gjj.rent:条件:city", "down")


def test_nobody_rates_what_others_were_told(client: TestClient, office: Office) -> None:
    known = Understood("policy", "answer")
    answer = Say("", "可以提取。", answer="gjj.rent:条件:city")
    office.dialogue.answers["租房能提吗"] = Outcome((answer,), Context(), known)
    page, other = Browser(), Browser()
    with page.on(client):
        page.say("message1", "租房能提吗")
        page.answer("message1")
    with other.on(client):
        other.send(type="rate", id="rating01", turn="message1", value="down")
        other.until("ack", "error")
    with reading(office.engine) as session:
        assert session.scalars(select(Feedback)).all() == []
