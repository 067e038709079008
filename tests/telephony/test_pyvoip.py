"""The stock pyVoIP telephone as a line, an extension of Kamailio; the other end is our engine."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest

from telephony.line import DialError, Digit, Ended, Frame, Leg, LegEvent, LineError, LineSettings
from telephony.pyvoip.buffers import SILENT_FRAME, Inlet, Outlet
from telephony.pyvoip.leg import PyvoipLeg
from telephony.pyvoip.line import PyvoipLine
from telephony.rtp.g711 import loudness
from telephony.sip.line import SipLine
from tests.ports import free_port
from tests.telephony.pbx.pbx import kamailio, until
from tests.telephony.test_pyvoip_table import registrar

TONE_HZ = 997  # no divisor of the rate: every level of the 8 bits is used
DBFS = -20.0


def sine(milliseconds: int) -> bytes:
    """At ``DBFS`` (RMS of a full-scale sine is 0 dBFS)."""
    time_s = np.arange(milliseconds * 8) / 8000
    wave = 32767 * 10 ** (DBFS / 20) * np.sin(2 * np.pi * TONE_HZ * time_s)
    return bytes(wave.astype("<i2").tobytes())


def snr_db(frames: list[Frame]) -> float:
    """The best of the stretches of 200 ms: one in which a frame is missing says nothing."""
    loud = [loudness(frame.pcm) > 1000 for frame in frames]
    stretches = [
        b"".join(frame.pcm for frame in frames[at : at + 10])
        for at in range(0, len(frames) - 10, 10)
        if all(loud[at : at + 10])
    ]
    assert len(stretches) >= 3
    return max(_snr_db(stretch) for stretch in stretches)


def _snr_db(pcm: bytes) -> float:
    """Against the best sine of the tone's frequency; an offset does not count."""
    heard = np.frombuffer(pcm, dtype="<i2").astype(float)
    phase = 2 * np.pi * TONE_HZ * np.arange(len(heard)) / 8000
    basis = np.stack([np.sin(phase), np.cos(phase), np.ones_like(phase)], axis=1)
    fit = basis @ np.linalg.lstsq(basis, heard, rcond=None)[0]
    return float(10 * np.log10(np.sum(fit**2) / np.sum((heard - fit) ** 2)))


class Desk:
    """Answers, says the tone, keeps what it hears and what happens."""

    def __init__(self) -> None:
        self.legs: list[Leg] = []
        self.heard: list[Frame] = []
        self.sent: list[Frame] = []
        self.events: list[LegEvent] = []
        self.silent = False
        self.over = asyncio.Event()

    async def __call__(self, leg: Leg) -> None:
        self.legs.append(leg)
        leg.on_audio(self.heard.append)
        leg.on_sent(self.sent.append)
        await leg.ring()
        if not self.silent:
            await leg.answer()
            leg.play(sine(4000))
            async for event in leg.events():
                self.events.append(event)
        await self.over.wait()


def loud(frames: list[Frame]) -> int:
    return sum(loudness(frame.pcm) > 1000 for frame in frames)


class Both:
    """Our engine as 8001 and the stock telephone as 8002."""

    def __init__(self, ours: SipLine, stock: PyvoipLine) -> None:
        self.ours, self.stock = ours, stock
        self.our_desk, self.stock_desk = Desk(), Desk()

    async def start(self) -> None:
        await self.ours.start(self.our_desk)
        await self.stock.start(self.stock_desk)
        await until(lambda: self.ours.registration == self.stock.registration == "registered")


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[Both]:
    before = threading.active_count()
    async with kamailio(tmp_path) as pbx:
        both = Both(SipLine(pbx.extension("8001")), PyvoipLine(pbx.extension("8002")))
        await both.start()
        yield both
        both.our_desk.over.set()
        both.stock_desk.over.set()
        await asyncio.gather(both.ours.stop(), both.stock.stop())
    assert not [t for t in threading.enumerate() if isinstance(t, threading.Timer)], before


@pytest.mark.slow
async def test_it_talks_both_ways_hears_keys_and_the_end_and_hangs_up(both: Both) -> None:
    leg = await both.ours.dial("tel:8002")
    heard: list[Frame] = []
    leg.on_audio(heard.append)
    leg.play(sine(2000))
    desk = both.stock_desk
    await until(lambda: loud(desk.heard) > 60 and loud(heard) > 60)
    leg.send_digits("42")
    await until(lambda: sum(isinstance(event, Digit) for event in desk.events) == 2)
    (stock,) = desk.legs
    assert (stock.caller, stock.dialled) == ("8001", "8002")
    assert [frame.at_ms for frame in desk.heard[:5]] == [0, 20, 40, 60, 80]
    # 8 bits give 30 dB for this sine (0 dBFS: 50), less for speech. The default engine has 35.
    figures = snr_db(desk.heard), snr_db(heard)
    print(f"pyVoIP at {DBFS:g} dBFS: heard {figures[0]:.1f} dB, sent {figures[1]:.1f} dB SNR")  # noqa: T201  # a figure of the README
    assert all(12 < figure < 35 for figure in figures)
    await leg.hang_up()
    await until(lambda: desk.events[-1:] == [Ended("bye")])
    assert [event.key for event in desk.events if isinstance(event, Digit)] == ["4", "2"]
    assert both.stock.legs() == ()

    await _hangs_up_and_stops_what_it_says_at_once(both)


async def _hangs_up_and_stops_what_it_says_at_once(both: Both) -> None:
    leg = await both.ours.dial("tel:8002")
    await until(lambda: len(both.stock_desk.legs) == 2)
    stock = both.stock_desk.legs[-1]
    await until(lambda: stock.clock_ms > 200)
    playback = stock.play(sine(200))
    assert playback.stop() == 0
    for attempt in (stock.hold(), stock.resume(), stock.refer("tel:110")):
        with pytest.raises(LineError) as error:
            await attempt
        assert error.value.code == "unsupported"
    with pytest.raises(LineError) as error:
        both.stock.confer([stock])
    assert error.value.code == "unsupported"
    with pytest.raises(LineError) as error:
        await stock.reject()
    assert error.value.code == "answered"
    await stock.hang_up()
    assert stock.ended == Ended("hung_up")
    assert [event async for event in leg.events()][-1] == Ended("bye")


@pytest.mark.slow
async def test_it_dials_out_and_is_joined(both: Both, capfd: pytest.CaptureFixture[str]) -> None:
    leg = await both.stock.dial("tel:8001")
    second = await both.ours.dial("tel:8002")
    heard: list[Frame] = []
    second.on_audio(heard.append)
    (inbound,) = both.stock_desk.legs
    await until(lambda: inbound.clock_ms > 0 and loud(both.our_desk.sent) > 10)
    bridge = both.stock.join(leg, inbound)
    second.play(sine(3000))
    await until(lambda: loud(both.our_desk.heard) > 40)
    bridge.stop()
    await second.hang_up()
    await leg.hang_up()
    await until(lambda: both.our_desk.events[-1:] == [Ended("bye")])
    with pytest.raises(LineError) as error:
        both.stock.join(leg, inbound)
    assert error.value.code == "not_answered"
    for target in ("http://x", "sip:a b@c", "sip:@10.0.0.1"):
        with pytest.raises(DialError) as refused:
            await both.stock.dial(target)
        assert refused.value.code == "unreachable"

    await _calls_that_nobody_takes(both)
    told = capfd.readouterr()
    assert "8009" not in told.out + told.err


async def _calls_that_nobody_takes(both: Both) -> None:
    with pytest.raises(DialError) as error:
        await both.stock.dial("tel:8009")
    assert (error.value.code, error.value.status) == ("rejected", 404)
    both.our_desk.silent = True
    with pytest.raises(DialError) as error:
        await both.stock.dial("tel:8001", timeout_s=0.5)
    assert error.value.code == "no_answer"
    late = both.our_desk.legs[-1]
    await late.answer()  # pyVoIP cannot CANCEL: it hangs up as soon as somebody answers
    assert [event async for event in late.events()] == [Ended("bye")]


@pytest.mark.slow
async def test_a_wrong_password(tmp_path: Path) -> None:
    async with kamailio(tmp_path) as pbx:
        line = PyvoipLine(pbx.extension("8002", "wrong"))
        await line.start(Desk())
        await until(lambda: line.registration == "failed")
        with pytest.raises(LineError) as error:
            await line.dial("tel:8001")
        assert error.value.code == "not_started"
        await line.stop()
        assert line.registration == "stopped"


@pytest.mark.slow
async def test_a_pbx_that_never_answers_a_call() -> None:
    port = free_port()
    pbx = await registrar(port)
    line = PyvoipLine(
        LineSettings(host="127.0.0.1", port=0, registrar=f"127.0.0.1:{port}", user="8002")
    )
    await line.start(Desk())
    await until(lambda: line.registration == "registered")
    for _ in range(2):
        with pytest.raises(DialError) as error:
            await line.dial("tel:8001", timeout_s=0.3)
        assert error.value.code == "no_answer"
    await line.stop()
    pbx.transport.close()


class Ringing:
    """A call whose thread has just ended: nothing that is asked of it is done any more."""

    answered = False
    refused = 0
    heard: object = None

    def header(self, name: str) -> object:
        known = {
            "From": {"number": "Anonymous", "caller": '"前门" '},
            "To": {"number": "8002"},
            "Diversion": "<sip:12345@pbx>;reason=unconditional",
        }
        return known.get(name, "")

    def soon(self, work: Callable[[], None]) -> None:
        """Too late."""

    def leave(self) -> None:
        """Gone already."""


async def test_a_caller_who_gives_up_while_we_answer() -> None:
    forgotten: list[PyvoipLeg] = []
    leg = PyvoipLeg(Ringing(), Counter(), forgotten.append)  # type: ignore[arg-type]  # stands for a call
    assert (leg.caller, leg.display_name) == ("", "前门")
    assert (leg.dialled, leg.diverted_from) == ("8002", "12345")
    answering = asyncio.create_task(leg.answer())
    await asyncio.sleep(0)
    leg.on_over()
    with pytest.raises(LineError) as error:
        await answering
    assert error.value.code == "ended"
    assert leg.ended == Ended("cancel")
    assert forgotten == [leg]
    assert await leg.play(sine(100)).done == 0
    with pytest.raises(LineError) as error:
        await leg.ring()
    assert error.value.code == "ended"


async def test_it_needs_a_registrar_and_a_port() -> None:
    with pytest.raises(LineError) as error:
        await PyvoipLine(LineSettings(host="127.0.0.1", port=0)).start(Desk())
    assert error.value.code == "bad_settings"
    taken = SipLine(LineSettings(host="127.0.0.1", port=0))
    await taken.start(Desk())
    settings = LineSettings(
        host="127.0.0.1", port=taken.address[1], registrar="127.0.0.1", user="1"
    )
    line = PyvoipLine(settings)
    with pytest.raises(LineError) as error:
        await line.start(Desk())
    assert error.value.code == "port_in_use"
    assert line.registration == "none"
    await taken.stop()
    with pytest.raises(LineError) as error:
        await line.dial("tel:1")
    assert error.value.code == "not_started"


def test_what_is_heard_comes_in_frames_with_a_lead_and_no_old_sound() -> None:
    inlet = Inlet()
    inlet.write(0, b"a" * 160)
    assert inlet.take() is None
    inlet.write(160, b"b" * 240)
    assert [inlet.take(), inlet.take(), inlet.take()] == [b"a" * 160, b"b" * 160, None]
    for number in range(30):
        inlet.write(0, bytes([number]) * 160)
    assert inlet.waiting_ms == 200


def test_what_is_sent_loses_silence_when_the_sender_is_late() -> None:
    outlet = Outlet()
    assert outlet.read() == SILENT_FRAME
    for _ in range(5):
        outlet.put(None)
    outlet.put(b"x" * 160)
    assert [outlet.read() for _ in range(4)] == [
        SILENT_FRAME, SILENT_FRAME, b"x" * 160, SILENT_FRAME,
    ]  # fmt: skip
