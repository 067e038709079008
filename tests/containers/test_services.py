"""Every service's very command: it gets healthy by its very health check, and ends when told to.

Not run here: prometheus and grafana (their programs are not on this machine), and the stock images
themselves: redis is the same server from a wheel, its health check asked by our client since the
wheel brings none; postgres is Debian's, without the image's first-start script; kaldi-cn speaks
vosk-server's protocol.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import ssl
import tempfile
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import redis.asyncio
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.typing import Origin

from config.settings import ROOT, Settings
from tests.containers.compose import Service, services
from tests.containers.world import World, make_database, start_postgres, trained
from tests.fakes.vosk_server import StockVoskServer
from tests.postgres import programs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(500)]

ALL = services()
NOT_RUN = {"prometheus", "grafana"}
AFTER = ("rasa", "asr", "actions", "web", "keeper", "courier", "phone", "phone-1", "phone-2",
         "asr-gate", "proxy", "kamailio")  # fmt: skip
READY_S = 240.0


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Its folder is none of pytest's: those are closed to others whenever a session begins."""
    for program in ("nginx", "kamailio", "wget", "openssl"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is missing")
    if programs() is None:
        pytest.skip("PostgreSQL is missing: install the Debian package postgresql")
    if not Settings().rasa_python.is_file():
        pytest.skip("Rasa's environment is not set up: run `make setup`")
    folder = Path(tempfile.mkdtemp(prefix="qianmen-world-"))
    world = World(folder)
    try:
        yield world
    finally:
        world.kill()
        shutil.rmtree(folder, ignore_errors=True)


async def test_all_services_start_get_healthy_and_stop(world: World) -> None:
    trained()
    async with asyncio.timeout(READY_S), _kaldi(world):
        await _database(world)
        await _messages(world)
        await _migrated(world)
        for name in AFTER:  # one after the other: all at once starve each other on a small machine
            world.start(ALL[name], *_more(world, name))
            if name != "rasa":  # it loads meanwhile
                await world.healthy(ALL[name])
        for name in ("rasa", "kaldi-cn"):
            await world.healthy(ALL[name])
        assert set(world.running) | {"migrate", "kaldi-cn"} | NOT_RUN == set(ALL)
        (world.folder / "memory.json").write_text(json.dumps(world.memory_mb()))  # for limits
        await _web_reaches_everybody(world)
        await _citizens_come_by_tls(world)
        await _phones_reach_a_recogniser(world)
        ended = {name: await world.stop(ALL[name]) for name in reversed(tuple(world.running))}
    # uvicorn, when it has ended in order, raises the signal that told it to.
    in_order = {"web": {0, -signal.SIGTERM}, "actions": {0, -signal.SIGTERM}}
    wrong = {name: code for name, code in ended.items() if code not in in_order.get(name, {0})}
    assert wrong == {}


@asynccontextmanager
async def _kaldi(world: World) -> AsyncIterator[None]:
    fake, port = StockVoskServer(["你好"]), world.ports["kaldi-cn", 2700]
    async with serve(fake._handle, "127.0.0.1", port, max_size=None):
        yield


async def _database(world: World) -> None:
    start_postgres(world, ALL["postgres"])
    await world.healthy(ALL["postgres"])
    url = (world.secrets(ALL["web"]) / "qianmen_database_url").read_text().strip()
    make_database(url)


async def _messages(world: World) -> None:
    service = ALL["redis"]
    world.start(service, "--bind", "127.0.0.1")
    url = (world.secrets(ALL["web"]) / "qianmen_redis_url").read_text().strip()
    async with redis.asyncio.from_url(url) as client:
        while True:
            try:
                assert await client.ping()
                break
            except redis.ConnectionError:
                await asyncio.sleep(0.05)
        assert (await client.config_get("appendfsync"))["appendfsync"] == "everysec"
        assert (await client.config_get("maxmemory-policy"))["maxmemory-policy"] == "noeviction"
    unknown = redis.asyncio.from_url(f"redis://127.0.0.1:{world.ports['redis', 6379]}")
    async with unknown as client:
        with pytest.raises(redis.AuthenticationError):
            await client.ping()


async def _migrated(world: World) -> None:
    world.start(ALL["migrate"])
    code = await asyncio.to_thread(world.running.pop("migrate").wait, 120)
    assert code == 0, world.told("migrate")
    assert "初始密码" in world.told("migrate")


def _more(world: World, name: str) -> list[str]:
    """What a container finds at its standard place."""
    if name != "kamailio":
        return []
    lists = ROOT / "ops" / "kamailio"
    names = {
        "PEERS_FILE": lists / "peers.list", "PHONES_FILE": lists / "dispatcher.list",
        "CONTROL_SOCKET": f"unixs:{world.folder / 'run' / 'kamailio_ctl'}",
    }  # fmt: skip
    return [word for key, value in names.items() for word in ("-A", f'{key}="{value}"')] + [
        "-f", str(lists / "kamailio.cfg"),
    ]  # fmt: skip


async def _web_reaches_everybody(world: World) -> None:
    port = world.ports["web", 8000]
    answer = await asyncio.to_thread(_get, f"http://127.0.0.1:{port}/readyz")
    parts = json.loads(answer[1])
    assert answer[0] == 200, parts


async def _citizens_come_by_tls(world: World) -> None:
    secure = f"https://localhost:{world.ports['proxy', 8443]}"
    context = ssl.create_default_context(cafile=str(world.folder / "secrets" / "tls_certificate"))
    status, page = await asyncio.to_thread(_get, f"{secure}/", context)
    assert status == 200
    assert "12345" in page
    assert (await asyncio.to_thread(_get, f"{secure}/readyz", context))[0] == 404
    plain = f"http://localhost:{world.ports['proxy', 8080]}/orders"
    assert (await asyncio.to_thread(_get, plain))[0] == 308
    own = Origin(secure)
    async with connect(
        secure.replace("https", "wss") + "/chat/ws", ssl=context, origin=own, proxy=None
    ) as chat:
        assert await chat.ping()


async def _phones_reach_a_recogniser(world: World) -> None:
    port = world.ports["asr-gate", 2700]
    assert (await asyncio.to_thread(_get, f"http://127.0.0.1:{port}/readyz"))[0] == 200
    async with connect(f"ws://127.0.0.1:{port}", proxy=None) as sound:
        assert await sound.ping()


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def _get(url: str, context: ssl.SSLContext | None = None) -> tuple[int, str]:
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context), _Stay()
    )
    try:
        with opener.open(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(errors="replace")


def test_what_is_not_run_is_stock() -> None:
    assert not any(ALL[name].ours for name in NOT_RUN)
    assert isinstance(ALL["web"], Service)
