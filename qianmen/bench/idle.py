"""What thousands of citizens cost one web process who are connected and say nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import psutil

from config.settings import Settings
from qianmen.bench.figures import Figure
from qianmen.citizen.errors import CitizenError
from store.engine import open_store, upgrade

HOST = "127.0.0.1"
SOCKETS = 10_000
GOAL_MB = 600
START_S = 400.0
SETTLE_S = 5.0
IDLE_S = 30.0


async def idle_sockets(settings: Settings, count: int = SOCKETS) -> tuple[Figure, ...]:
    """Memory of a web process of its own with ``count`` idle browsers, and how many it answers.

    Raises ``CitizenError`` where it does not start.
    """
    with TemporaryDirectory(prefix="qianmen-bench-") as folder:
        async with own_web(settings, Path(folder)) as (port, web):
            before = web.memory_info().rss
            client = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "qianmen.bench.idle_main", str(port), str(count),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            assert client.stdout is not None  # noqa: S101  # both are pipes, as asked for
            assert client.stdin is not None  # noqa: S101  # as above
            try:
                opened = _count(await client.stdout.readline())
                await asyncio.sleep(SETTLE_S)  # what is waited for here is that nothing happens
                begun = _cpu_s(web)
                await asyncio.sleep(IDLE_S)
                busy = (_cpu_s(web) - begun) / IDLE_S
                after = web.memory_info().rss
                client.stdin.write(b"\n")
                await client.stdin.drain()
                answered = _count(await client.stdout.readline())
                last = web.memory_info().rss
            finally:
                with contextlib.suppress(ProcessLookupError):
                    client.kill()
                await client.wait()
    used = max(after, last)
    return (
        Figure("idle sockets open", opened, "", f"{count}"),
        Figure("idle sockets that answer", answered, "", f"{count}"),
        Figure("web process with idle sockets", round(used / 1e6, 1), "MB", f"≤ {GOAL_MB}"),
        Figure("web process without sockets", round(before / 1e6, 1), "MB"),
        Figure("one idle socket", round((used - before) / 1000 / max(opened, 1), 1), "kB"),
        Figure("processor time while all idle", round(100 * busy, 1), "%"),
    )


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


@contextlib.asynccontextmanager
async def own_web(
    settings: Settings, folder: Path, more: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[int, psutil.Process]]:
    """A web process on an empty database; ``more`` are settings as environment variables.

    Its port and its process. Raises ``CitizenError`` where it does not start.
    """
    port = free_port()
    settings = settings.model_copy(update={"data_dir": folder, "database_url": ""})
    engine = open_store(settings)
    upgrade(engine)
    engine.dispose()
    own = {"QIANMEN_DATA_DIR": str(folder), "QIANMEN_WEB_PORT": str(port), "DATABASE_URL": "",
           "QIANMEN_WEB_METRICS_PORT": str(free_port()), "QIANMEN_CITY": str(settings.city),
           "QIANMEN_LOG_LEVEL": "error"}  # fmt: skip
    env = {**os.environ, **own, **(more or {})}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "web", env=env, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        await _ready(port, process)
        yield port, psutil.Process(process.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _ready(port: int, process: asyncio.subprocess.Process) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(START_S):
                while process.returncode is None:
                    with contextlib.suppress(httpx.HTTPError):
                        page = await http.get(f"http://{HOST}:{port}/")
                        if page.status_code == httpx.codes.OK:
                            return
                    await asyncio.sleep(0.1)
    raise CitizenError("unreachable", "the web process of the measurement does not start")


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        return int(sock.getsockname()[1])


def _count(line: bytes) -> int:
    words = line.split()
    return int(words[1]) if len(words) == 2 else 0
