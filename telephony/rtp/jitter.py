"""The jitter buffer: packets in, in any order; one frame out every 20 ms, whatever came.

It starts without delay and grows by one frame each time that a packet comes too late, so the
delay is what the network's jitter asks for. It shrinks by dropping a quiet frame when frames have
been left over for some seconds. A peer that sends nothing in pauses loses nothing by that: packets
are lost by their numbers, late by their place. Pure: the caller's 20 ms tick is its only clock.
"""

from __future__ import annotations

from telephony.line import FRAME_BYTES
from telephony.rtp.concealment import Concealer
from telephony.rtp.g711 import loudness
from telephony.rtp.noise import SILENT, noise
from telephony.rtp.packet import sequence_delta

MAX_PACKETS = 25
RESTART_GAP = 100
REORDER_PACKETS = 2
SHRINK_AFTER_FRAMES = 500
QUIET_RMS = 200


class JitterBuffer:
    """Orders the packets of one RTP source.

    ``received``, ``late``, ``lost`` and ``dropped`` count packets.
    """

    def __init__(self) -> None:
        self.received = 0
        self.late = 0
        self.lost = 0
        self.dropped = 0
        self._packets: dict[int, bytes | int] = {}
        self._ready = bytearray()
        self.reset()

    def reset(self) -> None:
        """Forget everything: a new source begins."""
        self._packets.clear()
        self._ready.clear()
        self._next: int | None = None
        self._owed = 0
        self._concealer = Concealer()
        self._noise: int | None = None
        self._least = MAX_PACKETS
        self._pops = 0

    @property
    def waiting(self) -> int:
        """How many packets wait to be played."""
        return len(self._packets)

    def push(self, sequence: int, pcm: bytes) -> None:
        """Take one packet's sound, s16le."""
        self._take(sequence, pcm)

    def push_noise(self, sequence: int, level: int) -> None:
        """From this packet to the next with sound there is noise at ``level`` (-dBov)."""
        self._take(sequence, level)

    def skip(self, sequence: int) -> None:
        """This number carried no sound (a telephone-event): it is not lost, nothing is missing."""
        if self._next is not None:
            self._take(sequence, SILENT)

    def _take(self, sequence: int, sound: bytes | int) -> None:
        self.received += 1
        if self._next is None or abs(sequence_delta(sequence, self._next)) > RESTART_GAP:
            self._packets.clear()
            self._next = sequence
        if sequence_delta(sequence, self._next) < 0:
            self.late += 1
            return
        self._packets[sequence] = sound
        if len(self._packets) > MAX_PACKETS:
            self._drop_first()

    def pop(self) -> tuple[bytes, bool]:
        """The next 20 ms, and whether they were received (else concealment, noise or silence)."""
        while len(self._ready) < FRAME_BYTES and self._advance():
            pass
        self._watch_delay()
        heard = len(self._ready) >= FRAME_BYTES
        if not heard:
            self._ready += self._stand_in()
        frame = bytes(self._ready[:FRAME_BYTES])
        del self._ready[:FRAME_BYTES]
        return frame, heard

    def _stand_in(self) -> bytes:
        if self._noise is not None:
            return noise(self._noise, self._pops)
        self._owed += 1
        return self._concealer.missing()

    def _advance(self) -> bool:
        if self._next is None or not self._packets:
            return False
        sound = self._packets.pop(self._next, None)
        if sound is not None:
            self._play(sound)
        elif len(self._packets) >= REORDER_PACKETS or self._owed:
            self._give_up()
        else:
            return False
        self._next = (self._next + 1) & 0xFFFF
        return True

    def _play(self, sound: bytes | int) -> None:
        self._owed = 0
        if isinstance(sound, int):
            self._noise = sound
            self._concealer.forget()
        else:
            self._noise = None
            self._ready += self._concealer.received(sound)

    def _give_up(self) -> None:
        """The next packet is lost. Concealment played while waiting already stands for it."""
        self.lost += 1
        if self._owed:
            self._owed -= 1
        else:
            self._ready += self._stand_in_lost()

    def _stand_in_lost(self) -> bytes:
        return self._concealer.missing() if self._noise is None else b""

    def _watch_delay(self) -> None:
        self._least = min(self._least, len(self._packets))
        self._pops += 1
        if self._pops < SHRINK_AFTER_FRAMES:
            return
        if not self._least:
            self._pops, self._least = 0, MAX_PACKETS
        elif loudness(bytes(self._ready)) < QUIET_RMS and self._packets:
            self._drop_first()
            self._pops, self._least = 0, MAX_PACKETS

    def _drop_first(self) -> None:
        """Drop the packet that would play next, and what is missing before it."""
        assert self._next is not None  # noqa: S101  # there is a packet, so push has set it
        base = self._next
        first = min(self._packets, key=lambda seq: sequence_delta(seq, base))
        del self._packets[first]
        self._next = (first + 1) & 0xFFFF
        self.dropped += 1
