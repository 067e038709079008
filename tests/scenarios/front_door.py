"""The whole front door, started as its keeper starts it, on free ports and data of its own."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import select

from bot.rasa_process import folder as rasa_folder
from bot.rasa_process import train_if_needed
from config.settings import ROOT, Settings
from knowledge.asking import read_phrasings
from knowledge.files import read_folder
from knowledge.learnedcache import learn_once
from qianmen.processes import processes
from qianmen.readiness import until_ready
from qianmen.supervise import running
from store.engine import open_store, reading
from tests.ports import free_ports

START_S = 150.0
_END_S = 100.0


@dataclass(frozen=True)
class FrontDoor:
    """A running front door; ``agent_port`` is where its hunt group's telephone should be."""

    settings: Settings
    process: subprocess.Popen[str]
    agent_port: int

    @property
    def environment(self) -> dict[str, str]:
        """What makes the command line speak to this one."""
        return clean_environment() | self.settings.environment()

    def kill(self, name: str) -> None:
        """``kill -9`` one of its processes."""
        managed = running(self.settings)
        assert managed is not None
        os.kill(managed[name].pid, signal.SIGKILL)

    async def recovered(self) -> None:
        """Return once every process is ready again."""
        async with asyncio.timeout(START_S):
            await asyncio.gather(*(until_ready(process) for process in processes(self.settings)))

    def rows(self, table: Any, *conditions: Any) -> list[Any]:
        """Rows of its database."""
        engine = open_store(self.settings)
        try:
            with reading(engine) as session:
                return list(session.scalars(select(table).where(*conditions)).all())
        finally:
            engine.dispose()


def clean_environment() -> dict[str, str]:
    """Ours without what would point the front door at somebody's installation."""
    plain = {"MODEL", "ASR_URL", "REDIS_URL", "DATABASE_URL"}
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("QIANMEN_") and key not in plain
    }
    return kept | {"PYTHONFAULTHANDLER": "1"}


def qianmen(*words: str, environment: dict[str, str]) -> subprocess.Popen[str]:
    """One command of the command line, with its two outputs."""
    return subprocess.Popen(
        [sys.executable, "-m", "qianmen.cli", *words], env=environment, cwd=ROOT, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def private_settings(data: Path) -> Settings:
    """Settings on free ports, with the sample city's hunt group on one of them too."""
    ports = iter(free_ports(11))
    sip, agent = next(ports), next(ports)
    city = data / "city"
    shutil.copytree(ROOT / "config" / "cities" / "sample", city)
    for name in ("city.yaml", "targets.yaml"):
        text = (city / name).read_text("utf-8").replace(":5070", f":{agent}")
        (city / name).write_text(text, "utf-8")
    return Settings(
        data_dir=data / "var", city=city, sip_host="127.0.0.1", sip_port=sip,
        rtp_first_port=30000, rtp_last_port=30999, phone_health_port=next(ports),
        asr_port=next(ports), actions_port=next(ports), rasa_port=next(ports), web_port=next(ports),
        redis_port=next(ports), web_metrics_port=next(ports), keeper_port=next(ports),
        courier_port=next(ports),
    )  # fmt: skip


def lend_rasa_model(settings: Settings) -> None:
    """Train once for all tests, in the installation's own folder, and copy from there."""
    installed = Settings()
    train_if_needed(installed)
    shutil.copytree(rasa_folder(installed), rasa_folder(settings), dirs_exist_ok=True)
    kept = installed.data_dir / "learned"
    learn_once(read_folder(settings.city / "knowledge").matters, read_phrasings(), kept)
    shutil.copytree(kept, settings.data_dir / "learned", dirs_exist_ok=True)


@contextmanager
def front_door_on(data: Path) -> Iterator[FrontDoor]:
    """Start it by ``qianmen up``, and stop it by SIGINT, as Ctrl-C does: nothing may be left."""
    settings = private_settings(data)
    lend_rasa_model(settings)
    agent = int((settings.city / "city.yaml").read_text("utf-8").split("127.0.0.1:")[1].split()[0])
    process = qianmen("up", environment=clean_environment() | settings.environment())
    try:
        told = _told_until(process, lambda text: "Ctrl-C" in text)
        assert "Ctrl-C" in told, told
        door = FrontDoor(settings, process, agent)
        yield door
        if process.poll() is None:
            stopped(door, signal.SIGINT)
    finally:
        process.send_signal(signal.SIGINT)
        ended(process)


def stopped(door: FrontDoor, number: signal.Signals) -> None:
    """Send it ``number``: every process ends, and its port is free again."""
    children = psutil.Process(door.process.pid).children(recursive=True)
    assert len(children) >= 7
    door.process.send_signal(number)
    ended(door.process)
    _, alive = psutil.wait_procs(children, timeout=60)
    assert alive == []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", door.settings.sip_port))


def ended(process: subprocess.Popen[str]) -> str:
    """What it still said on standard error until it ended; what it hangs in, if it does not."""
    try:
        return process.communicate(timeout=_END_S)[1]
    except subprocess.TimeoutExpired:
        held = _pipe_holders(process)
        process.send_signal(signal.SIGABRT)  # faulthandler prints where each thread stands
        _, told = process.communicate(timeout=_END_S)
        raise AssertionError(f"it did not end; its pipes are held by {held}\n{told}") from None


def _pipe_holders(process: subprocess.Popen[str]) -> list[str]:
    """The command lines of those that keep its outputs open, itself among them."""
    assert process.stdout is not None
    assert process.stderr is not None
    pipes = {os.fstat(pipe.fileno()).st_ino for pipe in (process.stdout, process.stderr)}
    return [" ".join(one.cmdline()) for one in psutil.process_iter() if pipes & _inodes(one.pid)]


def _inodes(pid: int) -> set[int]:
    inodes = set()
    with suppress(OSError):  # it ended meanwhile
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                inodes.add(entry.stat().st_ino)
    return inodes


def _told_until(process: subprocess.Popen[str], enough: Callable[[str], bool]) -> str:
    """What it said on standard error until that is enough, or it ended."""
    assert process.stderr is not None
    told = ""
    for line in process.stderr:
        told += line
        if enough(told):
            break
    return told
