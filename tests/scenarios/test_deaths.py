"""``kill -9`` of each process in the middle of a call and of a chat: a sentence and a person."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from qianmen.agent_phone import AgentPhone, agent_phone
from qianmen.citizen.call import Patience, place_call
from qianmen.citizen.chat import open_chat
from qianmen.citizen.report import CallReport
from store.tables import HandoffEntry, WorkOrder
from tests.scenarios.front_door import FrontDoor
from tests.scenarios.said import ASKS, ASKS_ON, PERSON

pytestmark = [pytest.mark.slow, pytest.mark.timeout(500)]


@pytest.fixture
async def agent(front_door: FrontDoor) -> AsyncIterator[AgentPhone]:
    """Somebody at the hunt group."""
    async with agent_phone(front_door.agent_port) as phone:
        yield phone


async def call_while(front_door: FrontDoor, dies: str) -> CallReport:
    """A call in which the process dies when the greeting is over; then the citizen asks."""
    loop = asyncio.get_running_loop()
    greeted = False

    def on_progress(event: str, _text: str) -> None:
        nonlocal greeted
        if event == "heard" and not greeted:
            greeted = True
            loop.call_soon_threadsafe(front_door.kill, dies)

    return await asyncio.to_thread(
        place_call,
        f"sip:12345@127.0.0.1:{front_door.settings.sip_port}",
        [ASKS],
        database=front_door.settings.database,
        patience=Patience(stay_s=8.0),
        on_progress=on_progress,
    )


@pytest.mark.parametrize("dies", ["asr", "rasa", "actions", "redis"])
async def test_a_caller_is_told_and_gets_a_person(
    front_door: FrontDoor, agent: AgentPhone, dies: str
) -> None:
    report = await call_while(front_door, dies)
    told = [turn.text for turn in report.turns if turn.who == "bot"]
    if agent.calls:
        assert report.order
        assert "抱歉" in told[-1], told
    else:  # the manager was quicker than the caller: answered as if nothing had happened
        assert any("连续足额缴存" in text for text in told), told
    await front_door.recovered()


async def test_a_caller_whose_phone_process_dies_can_call_again(
    front_door: FrontDoor, agent: AgentPhone
) -> None:
    uri = f"sip:12345@127.0.0.1:{front_door.settings.sip_port}"
    front_door.kill("phone")
    await front_door.recovered()
    report = await asyncio.to_thread(
        place_call, uri, [PERSON], database=front_door.settings.database,
        patience=Patience(stay_s=8.0),
    )  # fmt: skip
    assert report.order
    assert agent.calls


@pytest.mark.parametrize("dies", ["actions", "redis"])
async def test_a_chatter_is_told_and_waits_for_a_person(front_door: FrontDoor, dies: str) -> None:
    async with open_chat(front_door.settings.web_address) as line:
        await line.say(ASKS)
        front_door.kill(dies)
        answer = await line.say(ASKS_ON)
    assert answer is not None
    assert "已经为您转人工" in answer.text or "身份证" in answer.text
    await front_door.recovered()


async def test_a_person_is_reached_without_rasa_and_waits_once(front_door: FrontDoor) -> None:
    front_door.kill("rasa")
    async with open_chat(front_door.settings.web_address) as line:
        apology = await line.say(ASKS)
    assert apology is not None
    assert "已经为您转人工" in apology.text
    async with open_chat(front_door.settings.web_address) as line:
        answer = await line.say(PERSON)
    assert answer is not None
    assert "工单" in answer.text
    front_door.kill("web")
    await front_door.recovered()
    for table in (HandoffEntry, WorkOrder):
        assert len(front_door.rows(table, table.conversation_id == line.conversation)) == 1
