"""Callers and people on real SIP and RTP: our own telephones, SIPp and Debian's baresip."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from config.city import City
from config.targets import Target, TargetsFile
from qianmen.bench import g711
from telephony.call import Call
from telephony.line import Frame, Leg, LineSettings
from telephony.parts import CallParts
from telephony.sip.line import SipLine
from telephony.tones import RINGING_HZ
from tests.asr.listening import listening
from tests.fakes.recogniser import FakeRecogniser
from tests.ports import free_port
from tests.scenarios.callers import needs_baresip, needs_sipp, write_baresip_folder
from tests.telephony.sipp import Desk as Answering
from tests.telephony.sipp import Sipp
from tests.telephony.test_call import FakeCore, Plain
from tests.telephony.test_connecting import Desk
from tests.telephony.tones import level, tone
from tests.telephony.virtual import RTP_PORTS
from tts.speaker import Speaker
from turns.calls import CallCommand, CallEvent, Verb
from turns.ids import conversation_of_call
from turns.replies import Say

CITIZEN_HZ, AGENT_HZ, POLICE_HZ = 500.0, 800.0, 1250.0
_LOUD, _QUIET = 1000.0, 100.0
_WINDOW = 10  # frames: 200 ms
_HALF_S = 8000  # bytes


class Telephone:
    """A telephone of our own engine that hums one tone and hears what comes."""

    def __init__(self, hertz: float) -> None:
        self._hum = tone(hertz, 60)
        self.calls = 0
        self.leg: Leg | None = None
        self._heard: list[bytes] = []

    async def start(self) -> str:
        self.line = SipLine(LineSettings(host="127.0.0.1", port=0, rtp_ports=RTP_PORTS))
        await self.line.start(self.take)
        return f"127.0.0.1:{self.line.address[1]}"

    async def take(self, leg: Leg) -> None:
        self.calls += 1
        await leg.ring()
        await leg.answer()
        await self.hold(leg)

    async def hold(self, leg: Leg) -> None:
        """Hum and listen until the call is over."""
        self.leg = leg
        leg.on_audio(self._hear)
        leg.play(self._hum)
        async for _ in leg.events():
            pass

    def _hear(self, frame: Frame) -> None:
        self._heard = [*self._heard[1 - _WINDOW :], frame.pcm]

    def level(self, hertz: float) -> float:
        """How loud that tone was in the last 200 ms."""
        return level(b"".join(self._heard), hertz) if len(self._heard) == _WINDOW else 0.0

    def hears(self, *hertz: float) -> bool:
        """These tones, and none of the other ones."""
        others = {CITIZEN_HZ, AGENT_HZ, POLICE_HZ} - set(hertz)
        return all(self.level(each) > _LOUD for each in hertz) and all(
            self.level(each) < _QUIET for each in others
        )


class Town:
    """A front door, a citizen in a call with it, and those who may be called."""

    def __init__(self, city: City, stack: AsyncExitStack, folder: Path, now: datetime) -> None:
        self.citizen, self.agent = Telephone(CITIZEN_HZ), Telephone(AGENT_HZ)
        self.police = Telephone(POLICE_HZ)
        self.desk = Desk()
        self.folder = folder
        self._city, self._stack, self._now = city, stack, now
        self._count = 0

    async def open(self, extra: str = "", *, calls: bool = True) -> None:
        """Start all; ``extra``: host and port of one more target, ``stranger``.

        ``calls``: the citizen calls.
        """
        agent, police = await self.agent.start(), await self.police.start()
        await self.citizen.start()
        city = self._with_targets(agent, police, extra or agent)
        core = FakeCore(self._now)
        core.greeting = [Say("g", "您好")]
        pool = self._stack.enter_context(ThreadPoolExecutor(1))
        address = await self._stack.enter_async_context(listening(FakeRecogniser("")))
        speaker = await self._stack.enter_async_context(
            Speaker(self.folder / "speech", synthesiser=Plain())
        )
        self.line = SipLine(LineSettings(host="127.0.0.1", port=0, rtp_ports=RTP_PORTS))
        parts = CallParts(
            self.line, core, speaker, city, f"ws://{address}", None, pool, lambda: self._now,
            office=self.desk, node="n1",
        )  # fmt: skip

        async def on_call(leg: Leg) -> None:
            self.call = conversation_of_call(leg.id)
            await Call(leg, parts).run()

        await self.line.start(on_call)
        for line in (self.agent.line, self.police.line, self.citizen.line, self.line):
            self._stack.push_async_callback(line.stop)
        if not calls:
            return
        leg = await self.citizen.line.dial(
            f"sip:12345@127.0.0.1:{self.line.address[1]}", "13900139000"
        )
        self._holding = asyncio.create_task(self.citizen.hold(leg))
        await self.until(lambda: bool(self.desk.infos))

    def _with_targets(self, agent: str, police: str, stranger: str) -> City:
        def target(name: str, host: str, **more: object) -> Target:
            plain = {"name": name, "label": name, "kind": "agent", "uri": f"sip:{name}@{host}",
                     "desk": True, "three_way": True}  # fmt: skip
            return Target.model_validate(plain | more)

        targets = (
            target("agent", agent),
            target("police", police),
            target("stranger", stranger, next=["agent"]),
            target("branch", "192.0.2.1", uri="sip:2001@192.0.2.1", refer=True),
        )
        return self._city.model_copy(update={"targets": TargetsFile(targets=targets)})

    def order(self, verb: Verb, target: str = "") -> str:
        self._count += 1
        self.desk.take(CallCommand(f"k{self._count}", self.call, verb, target, "zhang"))
        return f"k{self._count}"

    async def ordered(self, verb: Verb, target: str = "") -> CallEvent:
        command = self.order(verb, target)
        await self.until(lambda: self.desk.outcome(command) is not None)
        event = self.desk.outcome(command)
        assert event is not None
        return event

    async def until(self, condition: Callable[[], bool], seconds: float = 60) -> None:
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110  # sound gives no event
                await asyncio.sleep(0.02)

    async def end(self) -> None:
        assert self.citizen.leg is not None
        await self.citizen.leg.hang_up()
        await self._holding
        await self.until(lambda: self.line.legs() == ())
        await self.until(lambda: self.desk.over)


@pytest.fixture
async def town(city: City, now: datetime, tmp_path: Path) -> AsyncIterator[Town]:
    async with AsyncExitStack() as stack:
        yield Town(city, stack, tmp_path, now)


async def test_two_then_three_talk_and_hold_and_part(town: Town) -> None:
    await town.open()
    assert (await town.ordered("bridge", "sip:0085212345678@127.0.0.1")).cause == "target_unknown"
    assert (await town.ordered("bridge", "agent")).state == "bridged"
    await town.until(lambda: town.citizen.hears(AGENT_HZ) and town.agent.hears(CITIZEN_HZ))

    await town.ordered("hold")
    await town.until(lambda: town.agent.hears() and town.citizen.level(AGENT_HZ) < _QUIET)
    await town.ordered("resume")
    await town.until(lambda: town.citizen.hears(AGENT_HZ) and town.agent.hears(CITIZEN_HZ))

    assert town.agent.leg is not None
    await town.agent.leg.hold()
    await town.until(lambda: town.desk.infos[-1].held == ("target",))
    await town.until(lambda: town.citizen.level(AGENT_HZ) < _QUIET)
    await town.agent.leg.resume()
    await town.until(lambda: town.citizen.hears(AGENT_HZ) and town.agent.hears(CITIZEN_HZ))

    assert (await town.ordered("three_way", "police")).state == "joined"
    await town.until(
        lambda: (
            town.citizen.hears(AGENT_HZ, POLICE_HZ)
            and town.agent.hears(CITIZEN_HZ, POLICE_HZ)
            and town.police.hears(CITIZEN_HZ, AGENT_HZ)
        )
    )
    await town.agent.leg.hang_up()
    await town.until(lambda: town.citizen.hears(POLICE_HZ) and town.police.hears(CITIZEN_HZ))
    await town.end()
    assert town.police.leg is not None
    await town.until(lambda: town.police.leg is not None and town.police.leg.ended is not None)
    assert (town.agent.calls, town.police.calls) == (1, 1)


@needs_sipp
async def test_sipp_is_busy_and_the_next_is_reached(town: Town) -> None:
    port = free_port()
    await town.open(f"127.0.0.1:{port}")
    sipp = Sipp(town.line, Answering(), town.folder)
    busy = await sipp.start("callee_busy", port=port)
    event = await town.ordered("bridge", "stranger")
    assert (event.state, event.target) == ("bridged", "agent")
    assert ("failed", "stranger", "busy") in town.desk.story()
    await town.until(lambda: town.citizen.hears(AGENT_HZ))
    await sipp.ends_well("callee_busy", busy)
    await town.end()


@needs_sipp
async def test_sipps_early_media_is_heard_by_the_caller(town: Town) -> None:
    port = free_port()
    await town.open(f"127.0.0.1:{port}")
    samples = np.frombuffer(tone(POLICE_HZ), "<i2")
    (town.folder / "tone.alaw").write_bytes(g711.encode(samples))
    sipp = Sipp(town.line, Answering(), town.folder)
    process = await sipp.start("target_early_media", port=port)
    command = town.order("bridge", "stranger")
    await town.until(lambda: town.citizen.hears(POLICE_HZ))
    await town.until(lambda: town.citizen.level(RINGING_HZ) < _QUIET)
    assert town.desk.outcome(command) is None
    await town.until(lambda: town.desk.outcome(command) is not None)
    await town.until(lambda: town.citizen.hears(POLICE_HZ))
    await town.end()
    await sipp.ends_well("target_early_media", process)


@needs_sipp
async def test_sipp_is_transferred_by_its_trunk(town: Town) -> None:
    await town.open(calls=False)
    sipp = Sipp(town.line, Answering(), town.folder)
    process = await sipp.start("refer_accepted")
    await town.until(lambda: bool(town.desk.infos))
    event = await town.ordered("transfer", "branch")
    assert (event.state, event.leg, event.cause) == ("transferred", "caller", "200")
    story = [each for each in town.desk.story() if each[0] == "transferring"]
    assert [cause for _, _, cause in story] == ["", "100", "180"]
    await sipp.ends_well("refer_accepted", process)
    await town.until(lambda: town.desk.over)


@needs_baresip
async def test_baresip_is_the_second_telephone(town: Town) -> None:
    port = free_port()
    async with baresip(town.folder / "baresip", port) as folder:
        await town.open(f"127.0.0.1:{port}")
        event = await town.ordered("bridge", "stranger")
        assert (event.state, event.target) == ("bridged", "stranger")
        await town.until(lambda: town.citizen.hears(POLICE_HZ))
        (heard,) = folder.glob("dump-*-dec.wav")
        before = heard.stat().st_size
        await town.until(lambda: heard.stat().st_size > before + 2 * _HALF_S)  # it hears, too
        await town.end()
    with wave.open(str(heard)) as file:
        pcm = file.readframes(file.getnframes())
    halves = (pcm[start : start + _HALF_S] for start in range(0, len(pcm) - _HALF_S, _HALF_S // 4))
    assert max(level(half, CITIZEN_HZ) for half in halves) > _LOUD


@asynccontextmanager
async def baresip(folder: Path, port: int) -> AsyncIterator[Path]:
    """baresip that answers at once and hums."""
    _write_baresip(folder, port)
    process = await asyncio.create_subprocess_exec(
        "baresip", "-f", str(folder), cwd=folder, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            told = b""
            while b"baresip is ready" not in told:
                line = await process.stdout.readline()
                assert line, told.decode(errors="replace")  # it ended
                told += line
        yield folder
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


def _write_baresip(folder: Path, port: int) -> None:
    folder.mkdir()
    write_baresip_folder(folder, [], "stranger", 0, 0)
    account = "<sip:stranger@127.0.0.1>;regint=0;audio_codecs=PCMA/8000/1;answermode=auto\n"
    (folder / "accounts").write_text(account)
    config = (folder / "config").read_text()
    (folder / "config").write_text(config.replace("127.0.0.1:0", f"127.0.0.1:{port}"))
    with wave.open(str(folder / "question.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(tone(POLICE_HZ, 30))
