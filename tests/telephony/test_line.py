"""Two real lines on the loopback: dial and answer, sound through, every way to end."""

from __future__ import annotations

import asyncio
import math
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from telephony.line import (
    FRAME_BYTES,
    DialError,
    Digit,
    Ended,
    Frame,
    Leg,
    LineError,
    LineSettings,
)
from telephony.rtp.g711 import loudness
from telephony.sip.leg import SipLeg
from telephony.sip.line import SipLine
from tests.telephony.virtual import RTP_PORTS, request

LOOPBACK = LineSettings(host="127.0.0.1", port=0, rtp_ports=RTP_PORTS)
OnCall = Callable[[Leg], Awaitable[None]]


def tone(ms: int) -> bytes:
    """A 440 Hz tone at -20 dBFS."""
    samples = (int(3277 * math.sin(2 * math.pi * 440 * n / 8000)) for n in range(8 * ms))
    return b"".join(struct.pack("<h", sample) for sample in samples)


class Lines:
    """Opens lines, and closes them in the end."""

    def __init__(self) -> None:
        self._lines: list[SipLine] = []

    async def open(
        self, on_call: OnCall | None = None, settings: LineSettings = LOOPBACK
    ) -> SipLine:
        async def refuse(leg: Leg) -> None:
            await leg.reject(486)

        line = SipLine(settings)
        await line.start(on_call or refuse)
        self._lines.append(line)
        return line

    async def close(self) -> None:
        for line in self._lines:
            await line.stop()


@pytest.fixture
async def lines() -> AsyncIterator[Lines]:
    lines = Lines()
    yield lines
    await lines.close()


def uri(line: SipLine, user: str = "12345") -> str:
    return f"sip:{user}@127.0.0.1:{line.address[1]}"


async def ending(leg: Leg) -> Ended:
    async for event in leg.events():
        if isinstance(event, Ended):
            return event
    raise AssertionError("events stopped without Ended")


class Desk:
    """Answers every call and stays until it ends."""

    def __init__(self) -> None:
        self.legs: asyncio.Queue[Leg] = asyncio.Queue()
        self.keys: list[str] = []
        self.ended: asyncio.Queue[Ended] = asyncio.Queue()

    async def __call__(self, leg: Leg) -> None:
        await leg.ring()
        await leg.answer()
        self.legs.put_nowait(leg)
        async for event in leg.events():
            if isinstance(event, Digit):
                self.keys.append(event.key)
            if isinstance(event, Ended):
                self.ended.put_nowait(event)


def hears(leg: Leg, frames: int) -> asyncio.Future[list[Frame]]:
    """Resolves to all frames up to the ``frames``-th that carries sound."""
    got: list[Frame] = []
    done: asyncio.Future[list[Frame]] = asyncio.get_running_loop().create_future()

    def sink(frame: Frame) -> None:
        got.append(frame)
        loud = sum(loudness(each.pcm) > 1000 for each in got)
        if loud >= frames and not done.done():
            done.set_result(got)

    leg.on_audio(sink)
    return done


async def test_sound_goes_both_ways_and_digits_arrive(lines: Lines) -> None:
    desk = Desk()
    callee, caller = await lines.open(desk), await lines.open()
    leg = await caller.dial(uri(callee), caller="13800000000")
    other = await desk.legs.get()
    assert (other.caller, other.dialled, other.id) == ("13800000000", "12345", leg.id)
    there, here = hears(other, 10), hears(leg, 10)
    leg.play(tone(300))
    other.play(tone(300))
    for frames in (await there, await here):
        assert [frame.at_ms for frame in frames] == [20 * n for n in range(len(frames))]
        assert {len(frame.pcm) for frame in frames} == {FRAME_BYTES}
    leg.send_digits("0*#")
    await leg.play(tone(600)).done
    await leg.hang_up()
    assert await desk.ended.get() == Ended("bye")
    assert await ending(leg) == Ended("hung_up")
    assert desk.keys == ["0", "*", "#"]


async def test_callee_hangs_up(lines: Lines) -> None:
    desk = Desk()
    callee, caller = await lines.open(desk), await lines.open()
    leg = await caller.dial(uri(callee))
    await (await desk.legs.get()).hang_up()
    assert await ending(leg) == Ended("bye")
    assert leg.play(tone(100)).done.result() == 0


async def test_on_call_that_returns_hangs_up(lines: Lines) -> None:
    async def answer_only(leg: Leg) -> None:
        await leg.answer()

    callee, caller = await lines.open(answer_only), await lines.open()
    assert await ending(await caller.dial(uri(callee))) == Ended("bye")


async def test_on_call_that_fails_refuses(lines: Lines) -> None:
    async def broken(leg: Leg) -> None:
        raise RuntimeError("broken")

    callee, caller = await lines.open(broken), await lines.open()
    with pytest.raises(DialError) as error:
        await caller.dial(uri(callee))
    assert error.value.status == 480


async def test_busy(lines: Lines) -> None:
    callee, caller = await lines.open(), await lines.open()
    with pytest.raises(DialError) as error:
        await caller.dial(uri(callee))
    assert (error.value.code, error.value.status) == ("busy", 486)
    assert caller.legs() == ()


async def test_no_answer_is_cancelled(lines: Lines) -> None:
    ended: asyncio.Queue[Ended] = asyncio.Queue()

    async def ring_only(leg: Leg) -> None:
        await leg.ring()
        ended.put_nowait(await ending(leg))

    callee, caller = await lines.open(ring_only), await lines.open()
    with pytest.raises(DialError) as error:
        await caller.dial(uri(callee), timeout_s=0.1)
    assert error.value.code == "no_answer"
    assert await ended.get() == Ended("cancel", 487)


@pytest.mark.parametrize(
    "target",
    ["", "12345", "sip:a@host.example", "tel:12345", "sip:a b@127.0.0.1", "sips:a@1.2.3.4"],
)
async def test_targets_that_cannot_be_called(lines: Lines, target: str) -> None:
    caller = await lines.open()
    with pytest.raises(DialError) as error:
        await caller.dial(target)
    assert error.value.code == "unreachable"


async def test_tel_goes_by_the_proxy(lines: Lines) -> None:
    desk = Desk()
    callee = await lines.open(desk)
    settings = LineSettings(
        host="127.0.0.1", port=0, rtp_ports=RTP_PORTS, proxy=f"localhost:{callee.address[1]}"
    )
    caller = await lines.open(settings=settings)
    await caller.dial("tel:+86-110")
    assert (await desk.legs.get()).dialled == "+86110"


async def test_stop_playing(lines: Lines) -> None:
    desk = Desk()
    callee, caller = await lines.open(desk), await lines.open()
    leg = await caller.dial(uri(callee))
    heard = hears(await desk.legs.get(), 3)
    first, second = leg.play(tone(5000)), leg.play(tone(5000))
    await heard
    stopped = first.stop()
    assert 60 <= stopped < 5000
    assert await first.done == stopped
    assert second.stop() == 0


async def test_joined_legs_hear_each_other(lines: Lines) -> None:
    desk = Desk()
    outer, middle = await lines.open(desk), await lines.open()
    a = await middle.dial(uri(outer, "1"))
    caller = await desk.legs.get()
    b = await middle.dial(uri(outer, "2"))
    agent = await desk.legs.get()
    bridge = middle.join(a, b)
    recorded = hears(a, 10)
    there, here = hears(agent, 10), hears(caller, 10)
    caller.play(tone(300))
    agent.play(tone(300))
    await asyncio.gather(there, here, recorded)
    caller.send_digits("5")
    await caller.play(tone(400)).done
    assert desk.keys == ["5"]
    bridge.stop()
    bridge.stop()
    assert a.ended is b.ended is None


async def test_bridge_ends_with_a_leg(lines: Lines) -> None:
    desk = Desk()
    outer, middle = await lines.open(desk), await lines.open()
    a, b = await middle.dial(uri(outer)), await middle.dial(uri(outer))
    bridge = middle.join(a, b)
    await (await desk.legs.get()).hang_up()
    await ending(a)
    assert b.ended is None
    bridge.stop()
    with pytest.raises(LineError) as error:
        middle.join(a, b)
    assert error.value.code == "not_answered"


async def test_a_sink_that_raises_does_not_stop_the_media(lines: Lines) -> None:
    def broken(frame: Frame) -> None:
        raise RuntimeError("broken sink")

    desk = Desk()
    callee, caller = await lines.open(desk), await lines.open()
    leg = await caller.dial(uri(callee))
    leg.on_audio(broken)
    heard = hears(leg, 3)
    (await desk.legs.get()).play(tone(200))
    await heard


async def test_stop_says_goodbye(lines: Lines) -> None:
    desk = Desk()
    callee, caller = await lines.open(desk), await lines.open()
    leg = await caller.dial(uri(callee))
    await callee.stop()
    assert await ending(leg) == Ended("bye")
    assert await desk.ended.get() == Ended("shutdown")


async def test_port_in_use(lines: Lines) -> None:
    line = await lines.open()
    with pytest.raises(LineError, match="taken by another program") as error:
        await lines.open(settings=LineSettings(host="127.0.0.1", port=line.address[1]))
    assert error.value.code == "port_in_use"


@pytest.mark.parametrize(
    "settings",
    [
        LineSettings(host="localhost"),
        LineSettings(host="127.0.0.1", port=70000),
        LineSettings(host="127.0.0.1", port=0, public_host="example.com"),
        LineSettings(host="127.0.0.1", port=0, allowed_peers=("10.0.0.300",)),
        LineSettings(host="127.0.0.1", port=0, rtp_ports=(30001, 30001)),
        LineSettings(host="127.0.0.1", port=0, rtp_ports=(30001, 300)),
        LineSettings(host="127.0.0.1", port=0, max_calls=0),
        LineSettings(host="127.0.0.1", port=0, proxy="127.0.0.1:0"),
        LineSettings(host="127.0.0.1", port=0, user_agent="a\r\nb"),
        LineSettings(host="192.0.2.1", port=0),
    ],
)
async def test_bad_settings(lines: Lines, settings: LineSettings) -> None:
    with pytest.raises(LineError) as error:
        await lines.open(settings=settings)
    assert error.value.code == "bad_settings"


async def test_foreign_peers_are_ignored_and_counted(lines: Lines) -> None:
    settings = LineSettings(
        host="127.0.0.1", port=0, rtp_ports=RTP_PORTS, allowed_peers=("10.0.0.0/8",)
    )
    line = await lines.open(settings=settings)
    line._socket.datagram_received(request("OPTIONS").encode(), ("127.0.0.1", 9))  # type: ignore[union-attr]  # started
    assert line.counters() == {"sip_foreign_peer": 1}


async def test_rubbish_disturbs_no_call(lines: Lines) -> None:
    desk = Desk()
    callee, caller = await lines.open(desk), await lines.open()
    leg = await caller.dial(uri(callee))
    other = await desk.legs.get()
    heard = hears(other, 20)
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with stranger:
        stranger.bind(("127.0.0.1", 0))
        playback = leg.play(tone(1000))
        media = callee_port(other)
        for junk in rubbish():
            stranger.sendto(junk, callee.address)
            stranger.sendto(junk, ("127.0.0.1", media))
        frames = await heard
    assert all(loudness(f.pcm) > 1000 for f in frames[-10:])
    await playback.done
    counters = callee.counters()
    assert counters["sip_malformed"] > 0
    assert counters["rtp_stranger"] > 0
    assert "sip_handler_failed" not in counters
    assert "media_tick_failed" not in counters
    assert leg.ended is None


def callee_port(leg: Leg) -> int:
    assert isinstance(leg, SipLeg)
    return leg.media.open()


def rubbish() -> list[bytes]:
    rtp = struct.pack("!BBHII", 0x80, 8, 1, 1, 1) + b"\xd5" * 160
    return [
        b"", b"\0" * 50, b"\x80", bytes(range(256)) * 4, b"INVITE", b"SIP/2.0 x y\r\n\r\n",
        b"INVITE sip:a SIP/2.0\r\nVia: x\r\nFrom: <>\r\nTo: x\r\nCall-ID: 1\r\nCSeq: z\r\n\r\n",
        rtp, rtp[:13], b"\xff" + rtp, b"\xb0" + rtp[1:], b"x" * 60000,
    ] * 5  # fmt: skip


async def test_three_in_a_conference_until_they_leave(lines: Lines) -> None:
    desk = Desk()
    callee, caller = await lines.open(desk), await lines.open()
    near, far = [], []
    for _ in range(3):
        far.append(await caller.dial(uri(callee)))
        near.append(await desk.legs.get())
    bridge = callee.join(near[0], near[1])
    conference = callee.confer(near)
    assert conference.legs == tuple(near)
    there = [hears(far[1], 5), hears(far[2], 5)]
    far[0].play(tone(2000))
    await asyncio.gather(*there)
    whispered = hears(far[0], 3)
    assert await conference.whisper(near[0], tone(200)).done == 200
    await whispered
    bridge.stop()
    assert conference.legs == tuple(near)
    await far[0].hang_up()
    await desk.ended.get()
    assert conference.legs == tuple(near[1:])
    with pytest.raises(LineError) as caught:
        conference.add(near[0])
    assert caught.value.code == "not_answered"
    with pytest.raises(LineError):
        callee.confer(near)
    with pytest.raises(LineError):
        conference.whisper(near[0], tone(20))
    conference.mute(near[0])
    conference.remove(near[0])
    conference.stop()
    assert conference.legs == ()
