"""`python -m asr.server` as a process: what it says when it cannot start, and how it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from asr.client import AsrError, Listener
from tests.asr.listening import frames, silence, speech
from tests.fakes.vosk_server import StockVoskServer
from tests.ports import free_port
from turns.voice import TurnEnded

ROOT = Path(__file__).resolve().parents[2]


@asynccontextmanager
async def process(folder: Path, **settings: str) -> AsyncIterator[Process]:
    """The recogniser process with these settings; killed at the end if still there."""
    inherited = {k: v for k, v in os.environ.items() if not k.upper().startswith("QIANMEN_")}
    env = {**inherited, "PYTHONPATH": str(ROOT), "QIANMEN_DATA_DIR": str(folder), **settings}
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "asr.server",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=folder,
        env=env,
    )
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.communicate()


async def until_ready(port: int) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
        while True:
            try:
                if (await http.get("/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)


async def refusal(folder: Path, **settings: str) -> str:
    """The one line with which the process refuses to start."""
    async with process(folder, QIANMEN_ASR_PORT=str(free_port()), **settings) as child:
        _, errors = await child.communicate()
        assert child.returncode == 1
    lines = errors.decode().splitlines()
    assert len(lines) == 1, lines
    assert "Traceback" not in lines[0]
    return lines[0]


async def test_a_missing_model_is_named(tmp_path: Path) -> None:
    line = await refusal(tmp_path, MODEL=str(tmp_path / "nowhere"))
    assert line.startswith("asr: model_missing: ")
    assert str(tmp_path / "nowhere") in line


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"am/final.mdl": b""},
        {"am/final.mdl": b"x" * 1000},
        {"am/final.mdl": b"x" * 1000, "graph/HCLG.fst": b""},
        {"am/final.mdl": b"x" * 1000, "graph/HCLG.fst": b"y", "conf/mfcc.conf": b"--x=1\n"},
        {"am/final.mdl": b"\0BAL", "graph/HCLr.fst": b"y" * 99, "conf/mfcc.conf": b""},
    ],
)
async def test_a_corrupt_model_is_named(tmp_path: Path, files: dict[str, bytes]) -> None:
    model = tmp_path / "model"
    model.mkdir()
    for name, content in files.items():
        (model / name).parent.mkdir(exist_ok=True)
        (model / name).write_bytes(content)
    line = await refusal(tmp_path, MODEL=str(model))
    assert line.startswith("asr: model_corrupt: ")
    assert str(model) in line


async def test_a_remote_recogniser_that_is_not_there_is_named(tmp_path: Path) -> None:
    line = await refusal(tmp_path, ASR_URL="ws://127.0.0.1:1")
    assert line.startswith("asr: asr_unreachable: ")


async def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    async with StockVoskServer([]).serving() as url:
        port = url.rpartition(":")[2]
        async with process(tmp_path, QIANMEN_ASR_PORT=port, ASR_URL=url) as child:
            _, errors = await child.communicate()
    assert child.returncode == 1
    assert errors.decode().startswith(f"asr: port_in_use: cannot listen on 127.0.0.1:{port}")


async def test_wrong_settings_are_one_line(tmp_path: Path) -> None:
    async with process(tmp_path, QIANMEN_ASR_PORT="many") as child:
        _, errors = await child.communicate()
    assert child.returncode == 1
    assert errors.decode().startswith("asr: settings_invalid: ")
    assert "Traceback" not in errors.decode()


async def test_it_recognises_and_ends_when_told(tmp_path: Path) -> None:
    port = free_port()
    async with (
        StockVoskServer(["租房", "提取"]).serving() as url,
        process(tmp_path, QIANMEN_ASR_PORT=str(port), ASR_URL=url) as child,
    ):
        await until_ready(port)
        async with Listener.connect(f"ws://127.0.0.1:{port}") as listener:
            for frame in frames(speech() + silence(1.2)):
                listener.feed(frame)
            async for event in listener.events():
                if isinstance(event, TurnEnded):
                    assert event.text == "租房提取"
                    break
            child.send_signal(signal.SIGTERM)
            async with asyncio.timeout(60):
                assert await child.wait() == 0


async def test_killed_in_the_middle_of_a_turn_it_is_lost_and_can_be_reached_again(
    tmp_path: Path,
) -> None:
    port = free_port()
    settings = {"QIANMEN_ASR_PORT": str(port)}
    async with StockVoskServer(["租房", "提取"]).serving() as url:
        async with process(tmp_path, ASR_URL=url, **settings) as child:
            await until_ready(port)
            async with Listener.connect(f"ws://127.0.0.1:{port}") as listener:
                for frame in frames(speech()):
                    listener.feed(frame)
                await anext(listener.events())
                child.kill()
                with pytest.raises(AsrError) as caught:
                    async for _ in listener.events():
                        pass
                assert caught.value.code == "asr_lost"
            await child.wait()
        with pytest.raises(AsrError):
            async with Listener.connect(f"ws://127.0.0.1:{port}"):
                pass
        async with process(tmp_path, ASR_URL=url, **settings):
            await until_ready(port)
            async with Listener.connect(f"ws://127.0.0.1:{port}") as listener:
                for frame in frames(speech()):
                    listener.feed(frame)
                assert await anext(listener.events())
