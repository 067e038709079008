"""The phone process by itself: nothing behind it works, and it still answers and says goodbye."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
import soundfile

from config.city import load_city
from config.settings import ROOT
from qianmen.agent_phone import agent_phone
from qianmen.citizen.call import Patience, place_call
from qianmen.processes import processes
from qianmen.readiness import until_ready
from store.engine import open_store, upgrade
from tests.scenarios.front_door import clean_environment, private_settings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


async def test_alone_it_bridges_the_caller_and_hangs_up_when_it_is_stopped(tmp_path: Path) -> None:
    settings = private_settings(tmp_path)
    engine = open_store(settings)
    upgrade(engine)
    engine.dispose()
    environment = clean_environment() | settings.environment()
    log_file = tmp_path / "phone.log"
    with log_file.open("w") as log:
        phone = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "qianmen.phone", env=environment, cwd=ROOT, stderr=log
        )
    try:
        ready = next(process for process in processes(settings) if process.name == "phone")
        async with asyncio.timeout(60):
            await until_ready(ready)
        agent_port = int(load_city(settings.city).lines[0].hunt_group.rpartition(":")[2])
        async with agent_phone(agent_port) as agent:
            call = asyncio.create_task(
                asyncio.to_thread(
                    place_call,
                    f"sip:12345@127.0.0.1:{settings.sip_port}",
                    [],
                    database=settings.database,
                    patience=Patience(stay_s=20.0),
                )
            )
            async with asyncio.timeout(60):
                # Who is called hears the caller once these have heard the sentence to its end.
                while "call_bridged" not in log_file.read_text():  # noqa: ASYNC110  # a file tells nobody
                    await asyncio.sleep(0.05)
                os.kill(phone.pid, signal.SIGTERM)
                report = await call
                await agent.calls[0].over.wait()
        assert report.ended_by == "other"
        assert any("抱歉" in turn.text for turn in report.turns)
        assert await phone.wait() == 0
    finally:
        if phone.returncode is None:
            phone.kill()
            await phone.wait()
    (recording,) = settings.recordings_dir.rglob("*.flac")
    assert soundfile.info(recording).frames > 8000
