"""SIPp as the other side: each case is a scenario in ``tests/scenarios/sipp``, named after it."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from telephony.line import Frame, Leg, LegEvent
from telephony.sip.line import SipLine
from tests.ports import free_port
from tests.telephony.test_line import tone

SCENARIOS = Path(__file__).parent.parent / "scenarios" / "sipp"


class Desk:
    """Answers every call with 10 s of sound and keeps what it tells."""

    def __init__(self) -> None:
        self.answers = True
        self.hangs_up = False
        self.calls = 0
        self.heard: list[Frame] = []
        self.events: list[LegEvent] = []

    async def __call__(self, leg: Leg) -> None:
        self.calls += 1
        leg.on_audio(self.heard.append)
        await leg.ring()
        if self.answers:
            await leg.answer()
            leg.play(tone(200) * 50)
        if self.hangs_up:
            await asyncio.sleep(0.2)
            await leg.hang_up()
        async for event in leg.events():
            self.events.append(event)


class Sipp:
    """Runs scenarios against one line."""

    def __init__(self, line: SipLine, desk: Desk, folder: Path) -> None:
        self.line = line
        self.desk = desk
        self._folder = folder

    async def start(
        self,
        case: str,
        *,
        port: int | None = None,
        rtp_port: int = 9,
        through: tuple[str, int] | None = None,
    ) -> asyncio.subprocess.Process:
        program = shutil.which("sipp")
        if program is None:
            pytest.skip("SIPp missing: install the Debian package sip-tester")
        host, line_port = through or self.line.address
        return await asyncio.create_subprocess_exec(
            program, f"{host}:{line_port}", "-sf", str(SCENARIOS / f"{case}.xml"), "-m", "1",
            "-i", host, "-p", str(port or free_port()), "-mp", str(free_port()),
            "-key", "rtp_port", str(rtp_port), "-nostdin", "-timeout", "60", "-timeout_error",
            "-trace_err", "-error_file", str(self._folder / f"{case}.err"),
            cwd=self._folder,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip

    async def ends_well(self, case: str, process: asyncio.subprocess.Process) -> None:
        _, stderr = await process.communicate()
        errors = self._folder / f"{case}.err"
        said = errors.read_text(errors="replace") if errors.exists() else ""
        assert process.returncode == 0, f"{case}: {said}{stderr.decode()[-2000:]}"

    async def run(self, case: str, rtp_port: int = 9) -> None:
        await self.ends_well(case, await self.start(case, rtp_port=rtp_port))


class Ear:
    """A socket that counts the packets sent to it."""

    def __enter__(self) -> Ear:
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.bind(("127.0.0.1", 0))
        self._sock.setblocking(False)
        self.port: int = self._sock.getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._sock.close()

    def packets(self) -> int:
        count = 0
        while True:
            try:
                self._sock.recv(2048)
            except BlockingIOError:
                return count
            count += 1


class Callee:
    """SIPp that waits for a call of ours."""

    def __init__(self, sipp: Sipp, case: str) -> None:
        self._sipp = sipp
        self._case = case
        self._port = free_port()

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self._port

    async def dial(
        self,
        timeout_s: float = 20,
        on_early: Callable[[Leg], None] | None = None,
        through: tuple[str, int] | None = None,
    ) -> Leg:
        self._process = await self._sipp.start(self._case, port=self._port)
        await self._listens()  # the time to answer is not the time to start
        host, port = through or self.address
        return await self._sipp.line.dial(f"sip:agent@{host}:{port}", "12345", timeout_s, on_early)

    async def _listens(self) -> None:
        taken = re.compile(rf"^ *\d+: [0-9A-F]+:{self._port:04X} ", re.MULTILINE)
        async with asyncio.timeout(60):
            while not taken.search(Path("/proc/net/udp").read_text()):  # noqa: ASYNC240  # no disk
                assert self._process.returncode is None
                await asyncio.sleep(0.01)

    async def ends_well(self) -> None:
        await self._sipp.ends_well(self._case, self._process)
