"""Memory of the media of calls that never end: ``python -m qianmen.bench.memory_main``.

Streams are ticked as fast as they go: packets in with losses, swaps, pauses and keys, sound out,
everything recorded. One line of JSON: resident memory after one simulated minute and after sixty.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import psutil

from qianmen.bench.answerers import hum
from telephony.line import FRAME_BYTES, FRAME_MS, FrameSink, Leg
from telephony.recording import Recorder
from telephony.rtp.g711 import PCMA
from telephony.rtp.packet import RtpPacket
from telephony.rtp.playback import PlaybackQueue
from telephony.rtp.sinks import Sinks
from telephony.rtp.stream import MediaPlan, MediaStream

STREAMS = 4
MINUTES = 60
_PEER = ("127.0.0.1", 4000)
_MINUTE = 60_000 // FRAME_MS
_DRAIN_FRAMES = 500


class Simulated:
    """One call without sockets, its peer a little unreliable."""

    def __init__(self, seed: int, path: Path, pool: ThreadPoolExecutor) -> None:
        self._chance = random.Random(seed)  # noqa: S311  # a simulation that can be repeated
        self._heard, self._sent = Sinks(), Sinks()
        self._playing = PlaybackQueue()
        self._stream = MediaStream(
            MediaPlan(_PEER, PCMA, 8, 101), _PEER[0], self._playing, self._heard, self._sent,
            _pressed, Counter(),
        )  # fmt: skip
        # A recorder asks nothing of a leg but to be given its frames.
        self.recorder = Recorder(cast(Leg, self), path, pool)
        sound = hum()
        self._says = [
            PCMA.encode(sound[at : at + FRAME_BYTES]) for at in range(0, len(sound), FRAME_BYTES)
        ]
        self._plays = sound
        self._sequence = 0

    def on_audio(self, sink: FrameSink) -> None:
        """As a leg."""
        self._heard.add(sink)

    def on_sent(self, sink: FrameSink) -> None:
        """As a leg."""
        self._sent.add(sink)

    def tick(self, number: int) -> None:
        """20 ms pass."""
        if number % (len(self._plays) // FRAME_BYTES + 50) == 0:
            self._playing.play(self._plays)
        self._sequence = (self._sequence + 1) & 0xFFFF
        chance = self._chance.random()
        if chance > 0.01:
            self._receive(8, self._says[number % len(self._says)], number)
        if chance > 0.99:
            self._sequence = (self._sequence + 1) & 0xFFFF
            self._receive(101, bytes((number % 12, 138, 3, 32)), number)
        self._stream.tick()
        if self._stream.clock_ms >= self._stream.reports.due_ms:
            self._stream.report(number * FRAME_MS / 1000)

    def _receive(self, kind: int, payload: bytes, number: int) -> None:
        packet = RtpPacket(kind, self._sequence, number * 160 & 0xFFFFFFFF, 7, payload)
        self._stream.receive(packet.pack(), _PEER)


async def simulate(
    folder: Path, streams: int = STREAMS, minutes: int = MINUTES
) -> dict[str, float]:
    """Resident MiB after the first simulated minute and after the last."""
    before = 0.0
    with ThreadPoolExecutor(1) as pool:
        calls = [Simulated(seed, folder / f"{seed}.flac", pool) for seed in range(streams)]
        for number in range(minutes * _MINUTE):
            for call in calls:
                call.tick(number)
            if number % _DRAIN_FRAMES == 0:
                # What real time would have given the disk's thread.
                await asyncio.wrap_future(pool.submit(int))
            if number + 1 == _MINUTE:
                before = _resident_mib()
        after = _resident_mib()
        for call in calls:
            await call.recorder.close()
    return {"before_mib": before, "after_mib": after, "minutes": minutes, "streams": streams}


def _pressed(_key: str, _at_ms: int) -> None:
    """What the dialogue would be told."""


def _resident_mib() -> float:
    return float(psutil.Process().memory_info().rss / 2**20)


def main() -> int:
    """Simulate and tell."""
    with TemporaryDirectory(prefix="qianmen-bench-") as folder:
        sys.stdout.write(json.dumps(asyncio.run(simulate(Path(folder)))) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
