"""SIPp as the other side: each case is a scenario in ``tests/scenarios/sipp``, named after it."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from telephony.line import (
    DialError,
    Digit,
    Ended,
    Frame,
    Held,
    Leg,
    LegEvent,
    LineSettings,
    Resumed,
)
from telephony.rtp.g711 import PCMA, loudness
from telephony.sip.line import SipLine
from tests.telephony.test_line import rubbish, tone
from tests.telephony.virtual import RTP_PORTS

pytestmark = pytest.mark.slow

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
        self, case: str, *, port: int | None = None, rtp_port: int = 9
    ) -> asyncio.subprocess.Process:
        program = shutil.which("sipp")
        if program is None:
            pytest.skip("SIPp missing: install the Debian package sip-tester")
        host, line_port = self.line.address
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


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@pytest.fixture
async def sipp(tmp_path: Path) -> AsyncIterator[Sipp]:
    desk = Desk()
    line = SipLine(LineSettings(host="127.0.0.1", port=0, rtp_ports=RTP_PORTS))
    await line.start(desk)
    yield Sipp(line, desk, tmp_path)
    await line.stop()
    assert "sip_handler_failed" not in line.counters()
    assert "media_tick_failed" not in line.counters()


async def test_basic_call_pcma_media(sipp: Sipp, tmp_path: Path) -> None:
    (tmp_path / "tone.alaw").write_bytes(PCMA.encode(tone(1000)))
    await sipp.run("basic_call_pcma_media")
    assert sum(loudness(frame.pcm) > 1000 for frame in sipp.desk.heard) >= 40
    assert sipp.desk.events == [Ended("bye")]


async def test_call_amid_rubbish(sipp: Sipp, tmp_path: Path) -> None:
    (tmp_path / "tone.alaw").write_bytes(PCMA.encode(tone(1000)))
    process = await sipp.start("basic_call_pcma_media")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        while process.returncode is None:
            for junk in rubbish():
                stranger.sendto(junk, sipp.line.address)
                stranger.sendto(junk, ("127.0.0.1", RTP_PORTS[0]))
            await asyncio.sleep(0.05)
    await sipp.ends_well("basic_call_pcma_media", process)
    assert sum(loudness(frame.pcm) > 1000 for frame in sipp.desk.heard) >= 40
    assert sipp.desk.events == [Ended("bye")]
    assert sipp.line.counters()["sip_malformed"] > 0


@pytest.mark.parametrize(
    "case",
    [
        "options",
        "bye_of_unknown_dialog",
        "content_length_too_long",
        "only_g729",
        "require_100rel",
        "record_route",
    ],
)
async def test_answered_as_the_table_says(sipp: Sipp, case: str) -> None:
    await sipp.run(case)


async def test_options_while_draining(sipp: Sipp) -> None:
    sipp.line._agent.draining = True  # type: ignore[union-attr]  # started
    await sipp.run("options_while_draining")


async def test_hung_up_by_us(sipp: Sipp) -> None:
    sipp.desk.hangs_up = True
    await sipp.run("hung_up_by_us")
    assert sipp.desk.events == [Ended("hung_up")]


async def test_cancel_while_ringing(sipp: Sipp) -> None:
    sipp.desk.answers = False
    await sipp.run("cancel_while_ringing")
    assert sipp.desk.events == [Ended("cancel", 487)]


async def test_retransmitted_invite(sipp: Sipp) -> None:
    await sipp.run("retransmitted_invite")
    assert sipp.desk.calls == 1
    assert sipp.line.counters()["sip_retransmitted_request"] == 1


async def test_no_ack(sipp: Sipp) -> None:
    await sipp.run("no_ack")
    assert sipp.desk.events == [Ended("ack_timeout")]


async def test_info_digits(sipp: Sipp) -> None:
    await sipp.run("info_digits")
    assert [event.key for event in sipp.desk.events if isinstance(event, Digit)] == ["5"]


async def test_no_sdp(sipp: Sipp) -> None:
    with Ear() as ear:
        await sipp.run("no_sdp", rtp_port=ear.port)
        assert ear.packets() >= 15


async def test_hold_and_resume(sipp: Sipp) -> None:
    with Ear() as ear:
        await sipp.run("hold_and_resume", rtp_port=ear.port)
        held, resumed, ended = sipp.desk.events
        assert (type(held), type(resumed), ended) == (Held, Resumed, Ended("bye"))
        assert isinstance(held, Held)
        assert isinstance(resumed, Resumed)
        in_hold = (resumed.at_ms - held.at_ms) // 20
        ticks = len(sipp.desk.heard)
        # One packet for every tick outside the hold, none within.
        assert abs(ear.packets() - (ticks - in_hold)) <= 2


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

    async def dial(self, timeout_s: float = 20) -> Leg:
        self._process = await self._sipp.start(self._case, port=self._port)
        # Until SIPp listens, the INVITE is repeated.
        return await self._sipp.line.dial(
            f"sip:agent@127.0.0.1:{self._port}", "12345", timeout_s=timeout_s
        )

    async def ends_well(self) -> None:
        await self._sipp.ends_well(self._case, self._process)


async def test_callee_answers(sipp: Sipp) -> None:
    callee = Callee(sipp, "callee_answers")
    leg = await callee.dial()
    assert await leg.play(tone(200)).done == 200
    await leg.hang_up()
    await callee.ends_well()


async def test_callee_hangs_up(sipp: Sipp) -> None:
    callee = Callee(sipp, "callee_hangs_up")
    leg = await callee.dial()
    assert [event async for event in leg.events()] == [Ended("bye")]
    await callee.ends_well()


@pytest.mark.parametrize(
    ("case", "code"), [("callee_busy", "busy"), ("callee_declines", "rejected")]
)
async def test_callee_refuses(sipp: Sipp, case: str, code: str) -> None:
    callee = Callee(sipp, case)
    with pytest.raises(DialError) as error:
        await callee.dial()
    assert error.value.code == code
    await callee.ends_well()


async def test_callee_rings_until_cancel(sipp: Sipp) -> None:
    callee = Callee(sipp, "callee_rings_until_cancel")
    with pytest.raises(DialError) as error:
        await callee.dial(timeout_s=3)
    assert error.value.code == "no_answer"
    await callee.ends_well()
