"""What a caller hears who waits."""

from __future__ import annotations

import asyncio

import numpy as np

from telephony.line import FRAME_BYTES, Ended
from telephony.tones import Loop, melody, ringing
from tests.fakes.leg import FakeLeg


def test_ringing_has_the_national_cadence() -> None:
    samples = np.frombuffer(ringing(), "<i2").astype(float)
    assert len(samples) == 5 * 8000
    assert not samples[8000:].any()
    spectrum = np.abs(np.fft.rfft(samples[:8000]))
    assert int(spectrum.argmax()) == 450
    assert spectrum[450] > 50 * np.delete(spectrum[400:500], 50).max() / 10


def test_the_melody_is_soft_and_never_pauses_long() -> None:
    samples = np.frombuffer(melody(), "<i2").astype(float)
    assert 0 < np.abs(samples).max() < 32767 * 10 ** (-23 / 20)
    loud = np.flatnonzero(np.abs(samples) > 30)
    assert np.diff(loud).max() < 3 * 8000
    assert len(samples) - loud[-1] < 4 * 8000
    assert len(melody()) % FRAME_BYTES == 0


async def test_a_loop_goes_on_until_it_is_stopped() -> None:
    leg = FakeLeg()
    leg.at_once = False
    loop = Loop(leg, b"\1" * FRAME_BYTES, first=b"\2" * FRAME_BYTES)
    await asyncio.sleep(0)
    await asyncio.sleep(0.012)  # more than half of 20 ms: it was played, not swallowed
    leg.playbacks[0].finish(20)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert leg.played == [b"\2" * FRAME_BYTES, b"\1" * FRAME_BYTES]
    loop.stop()
    await asyncio.sleep(0)
    assert leg.playbacks[1].stopped
    assert len(leg.played) == 2
    loop.stop()


async def test_a_loop_ends_with_its_leg() -> None:
    leg = FakeLeg()
    leg.at_once = False
    Loop(leg, b"\1" * FRAME_BYTES)
    await asyncio.sleep(0)
    leg.end(Ended("bye"))
    leg.playbacks[0].finish(20)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(leg.played) == 1


async def test_a_leg_that_swallows_sound_is_not_flooded() -> None:
    leg = FakeLeg()
    loop = Loop(leg, ringing())
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(leg.played) == 1
    loop.stop()
