"""Sound as it comes out at the other end: from one stream's play to another's sinks."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray

from telephony.rtp.g711 import PCMA, PCMU, Codec
from telephony.rtp.playback import PlaybackQueue
from telephony.rtp.sinks import Sinks
from telephony.rtp.stream import MediaPlan, MediaStream

HERE, THERE = ("127.0.0.1", 4000), ("127.0.0.1", 4002)
FULL_SCALE = 32767.0


def stream(
    peer: tuple[str, int], codec: Codec, playing: PlaybackQueue, heard: Sinks
) -> MediaStream:
    plan = MediaPlan(peer, codec, codec.payload_type)
    return MediaStream(plan, peer[0], playing, heard, Sinks(), lambda key, at: None, Counter())


def snr_db(sent: NDArray[np.float64], heard: NDArray[np.float64]) -> float:
    return float(10 * np.log10((sent**2).sum() / ((heard - sent) ** 2).sum()))


@pytest.mark.parametrize("codec", [PCMA, PCMU])
@pytest.mark.parametrize(("dbfs", "least"), [(-10, 35), (-20, 35), (-30, 33)])
async def test_no_more_is_lost_than_the_law_takes(codec: Codec, dbfs: float, least: float) -> None:
    """By way of 8 bit linear it would be 16 dB at -20 dBFS."""
    time = np.arange(16_000) / 8000
    amplitude = FULL_SCALE * 10 ** (dbfs / 20)
    # 820 Hz is no multiple of a frame: every frame is another.
    sound = np.round(amplitude * np.sin(2 * math.pi * 820 * time)).astype("<i2")
    playing, heard, out = PlaybackQueue(), Sinks(), bytearray()
    heard.add(lambda frame: out.extend(frame.pcm))
    here = stream(THERE, codec, playing, Sinks())
    there = stream(HERE, codec, PlaybackQueue(), heard)
    playing.play(sound.tobytes())
    for _ in range(100):
        packet = here.tick()
        assert packet is not None
        there.receive(packet, HERE)
        there.tick()
    came = np.frombuffer(bytes(out), "<i2").astype(np.float64)
    assert snr_db(sound.astype(np.float64), came) >= least
