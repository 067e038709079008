"""One turn through the core and the real actions: one trace in both logs, nothing personal."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY
from sqlalchemy import Engine
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from bot.actions.app import create_app
from bot.actions.dialogue import Dialogue
from bot.bus import Bus
from bot.conversation import Conversations, DialogueError, Parts
from bot.metrics import gap_known
from bot.rasa_client import RasaClient, RasaError
from config.city import City
from config.logs import mask_event
from config.metrics import exposition
from knowledge.search import Search
from tests.bot.calling import Conversation, Orders
from tests.fakes.exchange import Canned
from turns import wire
from turns.heard import Heard
from turns.trace import trace_of
from turns.understood import Outcome

NAME = "web-" + "0123456789abcdef" * 2
CALLER = "13900139000"
SAID = "我叫王建国，电话13900139000，阳光花园二期租房怎么提取公积金"


class ActionsAsRasaCallsThem:
    """Rasa's part of a turn outside the form: its metadata goes to the actions as they came."""

    def __init__(self, http: httpx.AsyncClient, talk: Conversation) -> None:
        self._http, self._talk = http, talk
        self.metadata: dict[str, Any] = {}
        self.fails = False

    async def turn(self, sender: str, text: str, metadata: dict[str, Any]) -> Outcome:
        if self.fails:
            raise DialogueError("rasa_down", "as told")
        self.metadata = metadata
        body = self._talk.body("action_turn", text, "policy")
        body["tracker"]["sender_id"] = sender
        body["tracker"]["latest_message"]["metadata"] = metadata
        answer = await self._http.post("/webhook", json=body)
        return wire.load(Outcome, answer.json()["responses"][0]["custom"])

    async def forget(self, sender: str, heard: str) -> None:
        """Nobody dies here."""

    async def close(self) -> None:
        """Its connections are the test's."""

    async def take_back(self, sender: str) -> None:
        """Nothing here is taken back."""
        raise DialogueError("rasa_down", "as told")


class Front:
    """Core and actions in one process, and a citizen of theirs."""

    def __init__(self, core: Conversations, rasa: ActionsAsRasaCallsThem, now: datetime) -> None:
        self.core, self.rasa, self.now = core, rasa, now

    async def say(self, text: str, heard: str = "h1") -> list[dict[str, Any]]:
        """One turn; what was logged, as it would be written."""
        await self.core.open(NAME, channel="web", line="12345", citizen=CALLER, at=self.now)
        with capture_logs(processors=[merge_contextvars, mask_event]) as logs:
            await self.core.answer(Heard(heard, NAME, "web", "12345", "text", text, self.now))
        return [dict(log) for log in logs]


@pytest.fixture
async def front(engine: Engine, city: City, search: Search, now: datetime) -> AsyncIterator[Front]:
    async def knowledge() -> Search:
        return search

    app = create_app(Dialogue(city, knowledge, Orders().write))
    bus = Bus("redis://127.0.0.1:1/0")
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://actions"
    ) as http:
        rasa = ActionsAsRasaCallsThem(http, Conversation(city, search, now.astimezone(city.zone)))
        parts = Parts(
            engine, city, rasa, bus, lambda _: None, lambda _: ("", ""), lambda _said, _now: (),
            lambda: now,
        )  # fmt: skip
        yield Front(Conversations(parts), rasa, now)
        await bus.stop()


async def test_core_and_actions_log_one_turn_under_one_trace(front: Front) -> None:
    logs = await front.say("租房怎么提取公积金")
    trace = trace_of(NAME, "h1")
    assert front.rasa.metadata["trace"] == trace
    lines = {log["event"]: log for log in logs}
    assert {"action_done", "turn_done"} <= lines.keys()
    for event in ("action_done", "turn_done"):
        assert (lines[event]["trace"], lines[event]["conversation"]) == (trace, NAME)
    done = lines["turn_done"]
    assert done["act"] == "policy"
    assert done["timings"]["dialogue_ms"] > 0


async def test_two_turns_have_two_traces(front: Front) -> None:
    first = await front.say("租房怎么提取公积金")
    second = await front.say("要带什么材料", "h2")
    traces = {log["trace"] for log in (*first, *second) if log["event"] == "turn_done"}
    assert traces == {trace_of(NAME, "h1"), trace_of(NAME, "h2")}


async def test_a_failure_is_logged_under_the_turns_trace(front: Front) -> None:
    front.rasa.fails = True
    logs = await front.say("租房怎么提取公积金")
    (failed,) = [log for log in logs if log["event"] == "dialogue_failed"]
    assert (failed["code"], failed["trace"]) == ("rasa_down", trace_of(NAME, "h1"))


async def test_nothing_personal_in_logs_and_measurements(front: Front) -> None:
    logs = await front.say(SAID)
    written = json.dumps(logs, ensure_ascii=False, default=str) + exposition()[0].decode()
    for word in ("王建国", CALLER, "阳光花园", "公积金"):
        assert word not in written


async def test_an_outside_trace_that_is_none_is_not_taken_over(front: Front) -> None:
    turn = front.rasa._talk.body("action_turn", "你好", "greet")
    turn["tracker"]["latest_message"]["metadata"]["trace"] = "13900139000\n"
    with capture_logs(processors=[merge_contextvars]) as logs:
        await front.rasa._http.post("/webhook", json=turn)
    (done,) = [log for log in logs if log["event"] == "action_done"]
    assert done["trace"] == trace_of("c1", "h0")


async def test_turns_and_hand_overs_are_counted(front: Front) -> None:
    def value(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, labels) or 0.0

    turn = {"channel": "web", "act": "policy", "decision": "answer"}
    before = value("qianmen_turns_total", **turn)
    failures = value("qianmen_handovers_total", channel="web", reason="failure")
    await front.say("租房提取公积金要带什么材料")
    assert value("qianmen_turns_total", **turn) == before + 1
    front.rasa.fails = True
    await front.say("在吗", "h2")
    assert value("qianmen_handovers_total", channel="web", reason="failure") == failures + 1


async def test_rasas_failures_are_counted_by_code() -> None:
    labels = {"request": "turn", "code": "rasa_empty"}
    before = REGISTRY.get_sample_value("qianmen_rasa_failures_total", labels) or 0
    client = RasaClient("", 1.0, http=Canned(200, b"[]"))
    with pytest.raises(RasaError):
        await client.turn("c", "你好", {})
    await client.close()
    assert REGISTRY.get_sample_value("qianmen_rasa_failures_total", labels) == before + 1


def test_a_wait_is_observed_once_when_all_its_parts_are_known() -> None:
    def count(part: str) -> float:
        labels = {"part": part}
        name = "qianmen_voice_gap_part_seconds_sum"
        return REGISTRY.get_sample_value(name, labels) or 0.0

    def waits() -> float:
        return REGISTRY.get_sample_value("qianmen_voice_gap_seconds_count") or 0.0

    parts = {"endpoint_ms": 400.0, "words_ms": 5.0, "dialogue_ms": 30.0}
    whole = {**parts, "speech_ms": 10.0, "gap_ms": 500.0}
    before = waits(), count("elsewhere"), count("endpoint")
    gap_known({}, parts)
    gap_known(parts, whole)
    gap_known(whole, {**whole, "told_at_ms": 3})
    assert waits() == before[0] + 1
    assert count("elsewhere") - before[1] == pytest.approx(0.055)
    assert count("endpoint") - before[2] == pytest.approx(0.4)
