"""Two extensions of one PBX call each other: our engine and a stock pyVoIP telephone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from telephony.line import DialError, Ended, Frame, Leg, LegEvent
from telephony.rtp.g711 import loudness
from telephony.sip.line import SipLine
from tests.telephony.pbx.pbx import Pbx, kamailio, until
from tests.telephony.test_line import tone

pytestmark = pytest.mark.slow


class Desk:
    """Answers, says a tone, keeps what it hears and what happens."""

    def __init__(self) -> None:
        self.legs: list[Leg] = []
        self.heard: list[Frame] = []
        self.events: list[LegEvent] = []

    async def __call__(self, leg: Leg) -> None:
        self.legs.append(leg)
        leg.on_audio(self.heard.append)
        await leg.answer()
        leg.play(tone(400) * 10)
        async for event in leg.events():
            self.events.append(event)

    @property
    def loud(self) -> int:
        return sum(loudness(frame.pcm) > 1000 for frame in self.heard)


def registered(line: SipLine) -> bool:
    return line.registration == "registered"


@pytest.fixture(params=["MD5", "SHA-256"])
async def pbx(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Pbx]:
    async with kamailio(tmp_path, request.param) as pbx:
        yield pbx


async def test_two_extensions_talk(pbx: Pbx) -> None:
    desk, nobody = Desk(), Desk()
    called, calling = SipLine(pbx.extension("8001")), SipLine(pbx.extension("8003"))
    await called.start(desk)
    await calling.start(nobody)
    try:
        await until(lambda: registered(called) and registered(calling))
        leg = await calling.dial("sip:8001@pbx.example", "12345")
        heard: list[Frame] = []
        leg.on_audio(heard.append)
        leg.play(tone(400) * 10)
        leg.send_digits("5")
        await until(lambda: desk.loud > 20 and sum(loudness(f.pcm) > 1000 for f in heard) > 20)
        assert desk.legs[0].caller == "8003"
        assert desk.legs[0].dialled == "8001"
        await leg.hang_up()
        await until(lambda: desk.events[-1:] == [Ended("bye")])
        with pytest.raises(DialError) as error:
            await calling.dial("tel:8009")
        assert (error.value.code, error.value.status) == ("rejected", 404)
        assert calling.counters()["sip_authenticated"] >= 3
    finally:
        await asyncio.gather(called.stop(), calling.stop())
    assert called.registration == "stopped"


async def test_a_wrong_password(tmp_path: Path) -> None:
    async with kamailio(tmp_path) as pbx:
        line = SipLine(pbx.extension("8001", "wrong"))
        await line.start(Desk())
        try:
            await until(lambda: line.registration == "failed")
            with pytest.raises(DialError) as error:
                await line.dial("tel:8001")
            assert (error.value.code, error.value.status) == ("rejected", 407)
            assert line.counters()["register_sent"] == 1
        finally:
            await line.stop()
