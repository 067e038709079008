"""``qianmen calls`` on the phone process and Redis: a caller seen, bridged, held, hung up.

Nothing else of the front door runs: none of it is needed for people to talk.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from config.city import load_city
from config.settings import ROOT, Settings
from qianmen.agent_phone import agent_phone
from qianmen.processes import processes
from qianmen.readiness import until_ready
from store.engine import open_store, reading, upgrade
from store.tables import Audit, Conversation
from telephony.line import Ended, Leg, LineSettings
from telephony.sip.line import SipLine
from tests.asr.listening import listening
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.valkey import valkey
from tests.scenarios.front_door import clean_environment, private_settings, qianmen
from turns.ids import conversation_of_call

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
CALLER = "13500135000"


class Phone:
    """The phone process, with a Redis, a database and a recogniser that hears nothing."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.agent_port = int(load_city(settings.city).lines[0].hunt_group.rpartition(":")[2])
        self.environment = clean_environment() | settings.environment()

    async def calls(self, *words: str) -> tuple[int, Any, str]:
        """``qianmen calls``: exit code, the JSON document (None without one), standard error."""

        def work() -> tuple[int, Any, str]:
            process = qianmen("calls", *words, "--json", environment=self.environment)
            out, err = process.communicate(timeout=180)
            return process.returncode, json.loads(out) if out else None, err

        return await asyncio.to_thread(work)

    async def listed(self) -> dict[str, Any]:
        code, document, told = await self.calls("list")
        assert code == 0, told
        return {info["call"]: info for info in document["calls"]}

    async def command(self, *words: str) -> str:
        """Commanded by zhang: the state that came of it."""
        code, event, told = await self.calls(*words, "--by", "zhang")
        assert code == 0, told
        return str(event["state"])

    def rows(self, table: Any, *conditions: Any) -> list[Any]:
        engine = open_store(self.settings)
        try:
            with reading(engine) as session:
                return list(session.scalars(select(table).where(*conditions)))
        finally:
            engine.dispose()


@pytest.fixture
async def phone(tmp_path: Path) -> AsyncIterator[Phone]:
    async with listening(FakeRecogniser("")) as address:
        settings = private_settings(tmp_path).model_copy(update={"asr_server": f"ws://{address}"})
        engine = open_store(settings)
        upgrade(engine)
        engine.dispose()
        one = Phone(settings)
        with (tmp_path / "phone.log").open("w") as log, valkey(tmp_path / "r", settings.redis_port):
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "qianmen.phone", env=one.environment, cwd=ROOT, stderr=log
            )
            try:
                ready = next(each for each in processes(settings) if each.name == "phone")
                async with asyncio.timeout(60):
                    await until_ready(ready)
                yield one
                process.terminate()
                assert await process.wait() == 0
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()


async def until_over(leg: Leg) -> None:
    async for event in leg.events():
        if isinstance(event, Ended):
            return


async def busy(leg: Leg) -> None:
    await leg.reject(486)


async def test_staff_see_and_command_a_call(phone: Phone) -> None:
    line = SipLine(LineSettings(host="127.0.0.1", port=0, rtp_ports=(29000, 29099)))
    await line.start(busy)
    try:
        async with agent_phone(phone.agent_port) as agent:
            leg = await line.dial(f"sip:12345@127.0.0.1:{phone.settings.sip_port}", CALLER)
            call = conversation_of_call(leg.id)
            await see_and_command(phone, call)
            async with asyncio.timeout(60):
                await until_over(leg)
                await agent.calls[0].over.wait()
                while await phone.listed():
                    pass
    finally:
        await line.stop()
    done = phone.rows(Audit, Audit.object == call)
    assert sorted((row.actor, row.action, row.data["result"]) for row in done) == [
        ("zhang", "call_bridge", "bridged"),
        ("zhang", "call_bridge", "target_unknown"),
        ("zhang", "call_hangup", "ended"),
        ("zhang", "call_hold", "held"),
    ]


async def see_and_command(phone: Phone, call: str) -> None:
    async with asyncio.timeout(60):
        while call not in (found := await phone.listed()):
            pass
    info = found[call]
    assert (info["state"], info["caller"], info["dialled"]) == ("bot", "135****5000", "12345")
    code, _, told = await phone.calls("bridge", call, "0085212345678", "--by", "zhang")
    assert code == 1
    assert "target_unknown" in told
    assert await phone.command("bridge", call[:16]) == "bridged"
    (conversation,) = phone.rows(Conversation, Conversation.id == call)
    assert conversation.state == "agent"
    assert await phone.command("hold", call) == "held"
    info = (await phone.listed())[call]
    assert (info["state"], info["parties"], info["held"]) == ("person", ["hunt_group"], ["caller"])
    assert await phone.command("hangup", call) == "ended"


async def test_without_a_redis_the_command_says_so(tmp_path: Path) -> None:
    code, document, told = await Phone(private_settings(tmp_path)).calls("list")
    assert (code, document) == (1, None)
    assert "redis_lost" in told
