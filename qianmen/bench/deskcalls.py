"""From an agent's click to two-way sound on a telephone that answers at once: a real web process,
a real phone process, both ends of the talk in the bench.

The recogniser is not there, so that a caller gets a person at once. The city's sentence that agents
hear before they are joined (the whisper) is left out: it lasts as long as it lasts.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from sqlalchemy import update

from config.settings import ROOT
from qianmen.bench.deskrig import Desk, Office, answers, desk, free_port, office, process
from qianmen.bench.figures import Figure, spread
from store.engine import writing
from store.tables import Staff
from telephony.line import SAMPLE_RATE_HZ, Ended, Frame, Leg, LineSettings
from telephony.sip.line import SipLine

GOAL_MS = 500
_AGENT_HZ, _CITIZEN_HZ = 1000, 600
_SURE = 0.6
"""A tone's share of a frame's energy from which it is that tone, no music and no speech."""
_SAMPLE = ROOT / "config" / "cities" / "sample"
_QUIET_FRAMES = 75
_WAIT_S = 60.0
_TALK_S = 600.0


async def call_figures(calls: int = 10) -> tuple[Figure, ...]:
    """The figures of ``calls`` one after the other; nothing for none."""
    if not calls:
        return ()
    async with _telephone() as agent, _front_door(agent.port) as (found, sip_port):
        caller = SipLine(LineSettings(host="127.0.0.1", port=0, rtp_ports=(44_000, 44_099)))
        await caller.start(_refuse)
        try:
            async with desk(found, "a0000") as one:
                await one.ask(type="status", value="online")
                took = [await _call(caller, agent, one, sip_port) for _ in range(calls)]
        finally:
            await caller.stop()
    return spread("desk accept to two-way sound", took, (50, 95), {95: f"≤ {GOAL_MS}"})


@dataclass(slots=True)
class Ear:
    """When a tone was first heard (perf_counter), and when nothing was said any more."""

    hertz: int
    at: asyncio.Future[float] = field(default_factory=lambda: _future())
    quiet: asyncio.Future[float] = field(default_factory=lambda: _future())
    _still: int = -1

    def hear(self, frame: Frame) -> None:
        """One frame of 20 ms."""
        if is_loud(frame.pcm):
            self._still = 0
            if not self.at.done() and share(frame.pcm, self.hertz) > _SURE:
                self.at.set_result(time.perf_counter())
        elif self._still >= 0:
            self._still += 1
            if self._still == _QUIET_FRAMES and not self.quiet.done():
                self.quiet.set_result(time.perf_counter())


def _future() -> asyncio.Future[float]:
    return asyncio.get_running_loop().create_future()


@dataclass(slots=True)
class Telephone:
    """The agent's: answers at once and hums; ``ears`` has one for each call, in order."""

    port: int = 0
    ears: asyncio.Queue[Ear] = field(default_factory=asyncio.Queue)

    async def take(self, leg: Leg) -> None:
        """One call, until the other side hangs up."""
        ear = Ear(_CITIZEN_HZ)
        await leg.answer()
        leg.on_audio(ear.hear)
        leg.play(tone(_AGENT_HZ))
        self.ears.put_nowait(ear)
        async for event in leg.events():
            if isinstance(event, Ended):
                return


async def _call(caller: SipLine, agent: Telephone, one: Desk, sip_port: int) -> float:
    """One call; ms from the click until both hear each other."""
    async with asyncio.timeout(_WAIT_S):
        offered = one.when(lambda frame: frame["offer"])
        leg = await caller.dial(f"sip:12345@127.0.0.1:{sip_port}", caller="13912345678")
        ear = Ear(_AGENT_HZ)
        leg.on_audio(ear.hear)
        leg.play(tone(_CITIZEN_HZ))
        await offered
        await ear.quiet  # what callers are told first is said to its end, whoever is there
        began = time.perf_counter()
        await one.ask(type="accept", offer=one.desk["offer"]["offer"])
        other = await agent.ears.get()
        heard = max(await ear.at, await other.at)
        await one.when(lambda frame: any(case["state"] == "connected" for case in frame["mine"]))
        handoff = one.desk["mine"][0]["handoff"]
        await leg.hang_up()
        await one.when(lambda frame: not frame["mine"] or frame["mine"][0]["gone"])
        await one.ask(type="finish", handoff=handoff, result="answered")
        await one.ask(type="ready")
        await one.when(lambda frame: not frame["mine"] and frame["status"] == "online")
    return (heard - began) * 1000


def tone(hertz: int) -> bytes:
    """A tone of that many whole periods a second, s16le."""
    second = 6000 * np.sin(2 * np.pi * hertz * np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ)
    return bytes(second.astype("<i2").tobytes()) * int(_TALK_S)


def is_loud(pcm: bytes) -> bool:
    """Whether anything is to be heard in a frame."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    return float(samples @ samples) >= samples.size * 100.0


def share(pcm: bytes, hertz: int) -> float:
    """How much of a frame's energy is that tone, 0 to 1."""
    if not is_loud(pcm):
        return 0.0
    samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    energy = float(samples @ samples)
    phase = np.exp(-2j * np.pi * hertz * np.arange(samples.size) / SAMPLE_RATE_HZ)
    return float(2 * abs(samples @ phase) ** 2 / (samples.size * energy))


@asynccontextmanager
async def _telephone() -> AsyncIterator[Telephone]:
    phone = Telephone()
    line = SipLine(LineSettings(host="127.0.0.1", port=0, rtp_ports=(44_100, 44_199)))
    await line.start(phone.take)
    phone.port = line.address[1]
    try:
        yield phone
    finally:
        await line.stop()


async def _refuse(leg: Leg) -> None:
    await leg.hang_up()


@asynccontextmanager
async def _front_door(agent_port: int) -> AsyncIterator[tuple[Office, int]]:
    """Web and phone of a city whose agents have the bench's telephone."""
    with tempfile.TemporaryDirectory(prefix="qianmen-city-") as name:
        city = Path(name) / "city"
        shutil.copytree(_SAMPLE, city)
        targets = city / "targets.yaml"
        targets.write_text(targets.read_text("utf-8").replace(":5070", f":{agent_port}"), "utf-8")
        queue = city / "queue.yaml"
        kept = [line for line in queue.read_text("utf-8").splitlines()
                if not line.startswith(("announcements:", "offer_s:"))]  # fmt: skip
        calm = "announcements: {hold: silence, whisper: false, every_s: 0}\noffer_s: 120\n"
        queue.write_text("\n".join([*kept, calm]), "utf-8")
        sip_port, health = free_port(), free_port()
        env = {
            "QIANMEN_CITY": str(city), "QIANMEN_SIP_HOST": "127.0.0.1",
            "QIANMEN_SIP_PORT": str(sip_port), "QIANMEN_RTP_FIRST_PORT": "44200",
            "QIANMEN_RTP_LAST_PORT": "44399", "QIANMEN_PHONE_HEALTH_PORT": str(health),
            "QIANMEN_ASR_PORT": str(free_port()), "QIANMEN_RECORDING": "false",
        }  # fmt: skip
        async with office(["a0000"], **env) as found:
            with writing(found.engine) as session:
                session.execute(update(Staff).values(phone_uri=f"sip:8001@127.0.0.1:{agent_port}"))
            with process("qianmen.phone", found):
                await answers(f"http://127.0.0.1:{health}/readyz")
                yield found, sip_port
