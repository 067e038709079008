from __future__ import annotations

import asyncio
import signal
import sys

from config.settings import ROOT
from qianmen.agent_phone import agent_phone
from qianmen.citizen.call import Patience, place_call
from qianmen.citizen.ear import Hearing


async def test_the_agent_greets_and_hears_the_citizen() -> None:
    async with agent_phone(0) as phone:
        uri = f"sip:agents@127.0.0.1:{phone.address[1]}"
        report = await asyncio.to_thread(
            place_call, uri, ["我的公积金怎么取"], hearing=Hearing(pause_s=0.6),
            patience=Patience(reply_s=0.5), caller="13900001111",
        )  # fmt: skip
        async with asyncio.timeout(60):
            await phone.calls[0].over.wait()
    (call,) = phone.calls
    assert (call.caller, call.greeted, call.ended) == ("13900001111", True, "bye")
    assert [turn.who for turn in report.turns] == ["bot", "citizen"]
    assert call.ear.speaking or call.heard


async def test_the_process_says_when_it_is_ready_and_ends_on_sigterm() -> None:
    command = [sys.executable, "-m", "qianmen.agent_phone", "--port"]
    pipe = asyncio.subprocess.PIPE
    phone = await asyncio.create_subprocess_exec(*command, "0", stdout=pipe, cwd=ROOT)
    try:
        assert phone.stdout is not None
        ready = (await phone.stdout.readline()).decode()
        assert ready.startswith("ready sip:agents@127.0.0.1:")
        port = ready.strip().rpartition(":")[2]
        second = await asyncio.create_subprocess_exec(*command, port, stderr=pipe, cwd=ROOT)
        _, said = await second.communicate()
        assert second.returncode == 1
        assert b"port_in_use" in said
        assert b"Traceback" not in said
    finally:
        phone.send_signal(signal.SIGTERM)
        assert await phone.wait() == 0
