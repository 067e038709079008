"""Streams joined, tick by tick: who hears whom, muted and whispered to."""

from __future__ import annotations

import math
import struct
from collections import Counter

import numpy as np
import pytest

from telephony.line import SILENCE, Frame
from telephony.rtp.conference import Conference
from telephony.rtp.events import EventSender
from telephony.rtp.g711 import PCMA, PCMU, Codec, loudness
from telephony.rtp.mixer import Limiter, Mixer
from telephony.rtp.packet import RtpPacket, parse_rtp
from telephony.rtp.playback import PlaybackQueue
from telephony.rtp.sinks import Sinks
from telephony.rtp.stream import MediaPlan, MediaStream

PEER = ("127.0.0.1", 4000)


def tone(hz: float, amplitude: int = 3000) -> bytes:
    """20 ms; a multiple of 50 Hz goes on without a step in the next frame."""
    values = (round(amplitude * math.sin(2 * math.pi * hz * n / 8000)) for n in range(160))
    return struct.pack("<160h", *values)


def has(pcm: bytes, hz: float) -> bool:
    """Whether a tone of ``hz`` is in 20 ms of sound."""
    spectrum = np.abs(np.fft.rfft(np.frombuffer(pcm, "<i2"))) / 80
    return bool(spectrum[round(hz / 50)] > 300)


class Party:
    """A stream whose peer says one tone."""

    def __init__(self, hz: float, codec: Codec = PCMA) -> None:
        self.hz = hz
        self.codec = codec
        self.playback = PlaybackQueue()
        self.sent: list[Frame] = []
        sent = Sinks()
        sent.add(self.sent.append)
        plan = MediaPlan(PEER, codec, codec.payload_type, 101)
        self.stream = MediaStream(
            plan, PEER[0], self.playback, Sinks(), sent, lambda key, at_ms: None, Counter()
        )
        self._sequence = 0

    def tick(self) -> RtpPacket:
        self._sequence += 1
        payload = self.codec.encode(tone(self.hz))
        self._receive(RtpPacket(self.codec.payload_type, self._sequence, 0, 1, payload))
        packet = self.stream.tick()
        assert packet is not None
        return parse_rtp(packet)

    def press(self, key: str) -> None:
        sender = EventSender()
        sender.send(key)
        event = sender.tick()
        assert event is not None
        self._sequence += 1
        self._receive(RtpPacket(101, self._sequence, 9, 1, event.payload))

    def _receive(self, packet: RtpPacket) -> None:
        self.stream.receive(packet.pack(), PEER)

    def hears(self, other: Party) -> bool:
        return has(self.sent[-1].pcm, other.hz)


def rounds(parties: tuple[Party, ...], count: int = 3) -> list[RtpPacket]:
    return [party.tick() for _ in range(count) for party in parties][-len(parties) :]


def three() -> tuple[tuple[Party, Party, Party], Conference]:
    parties = Party(500), Party(900, PCMU), Party(1300)
    return parties, Conference(party.stream for party in parties)


async def test_each_hears_the_others_and_not_itself() -> None:
    parties, conference = three()
    rounds(parties)
    for party in parties:
        assert [party.hears(other) for other in parties] == [
            other is not party for other in parties
        ]
    assert conference.streams == tuple(party.stream for party in parties)


async def test_two_are_a_plain_relay_from_law_to_law() -> None:
    a, b = Party(500), Party(900, PCMU)
    Conference((a.stream, b.stream))
    packets = rounds((a, b))
    assert [packet.payload_type for packet in packets] == [8, 0]
    assert PCMA.decode(packets[0].payload) == PCMA.decode(
        PCMA.encode(PCMU.decode(PCMU.encode(tone(900))))
    )


async def test_who_leaves_hears_nothing_and_the_others_go_on() -> None:
    (a, b, c), conference = three()
    rounds((a, b, c))
    conference.remove(b.stream)
    conference.remove(b.stream)
    rounds((a, b, c))
    assert not b.sent[-1].heard
    assert a.hears(c)
    assert c.hears(a)
    assert not a.hears(b)
    conference.add(b.stream)
    conference.add(b.stream)
    rounds((a, b, c))
    assert a.hears(b)
    assert b.hears(c)
    conference.stop()
    rounds((a, b, c))
    assert [party.sent[-1].heard for party in (a, b, c)] == [False] * 3
    assert conference.streams == ()


async def test_muted_is_not_heard_and_still_hears() -> None:
    (a, b, c), conference = three()
    conference.mute(b.stream)
    assert conference.muted(b.stream)
    rounds((a, b, c))
    assert not a.hears(b)
    assert not c.hears(b)
    assert b.hears(a)
    conference.mute(b.stream, muted=False)
    rounds((a, b, c))
    assert a.hears(b)


async def test_who_left_muted_comes_back_heard() -> None:
    (a, b, c), conference = three()
    conference.mute(b.stream)
    conference.remove(b.stream)
    conference.mute(b.stream)
    conference.add(b.stream)
    rounds((a, b, c))
    assert a.hears(b)


async def test_a_whisper_is_heard_by_one_over_the_others() -> None:
    (a, b, c), conference = three()
    rounds((a, b, c))
    whisper = conference.whisper(a.stream, tone(2000) * 5)
    rounds((a, b, c), 1)
    assert has(a.sent[-1].pcm, 2000)
    assert loudness(a.sent[-1].pcm) < 3 * loudness(tone(2000))
    assert not has(b.sent[-1].pcm, 2000)
    assert b.hears(a)
    assert whisper.stop() == 20
    rounds((a, b, c), 1)
    assert not has(a.sent[-1].pcm, 2000)
    assert a.hears(b)


async def test_a_whisper_ends_with_the_stream_and_needs_no_conference() -> None:
    a = Party(500)
    whisper = a.stream.whisper(tone(2000) * 2)
    a.tick()
    assert has(a.sent[-1].pcm, 2000)
    a.stream.close()
    assert whisper.done.result() == 20
    assert a.stream.whisper(tone(2000)).done.result() == 0


async def test_a_prompt_is_heard_instead_of_the_others_and_leaves_no_delay() -> None:
    (a, b, c), _ = three()
    rounds((a, b, c))
    a.playback.play(tone(2000) * 4)
    rounds((a, b, c), 4)
    assert has(a.sent[-1].pcm, 2000)
    assert not a.hears(b)
    rounds((a, b, c), 1)
    assert a.hears(b)


@pytest.mark.parametrize("muted", [False, True])
async def test_keys_go_to_the_others(muted: bool) -> None:
    (a, b, c), conference = three()
    conference.mute(a.stream, muted)
    a.press("7")
    types = [[packet.payload_type for packet in rounds((a, b, c), 1)] for _ in range(2)]
    assert types[1] == ([8, 0, 8] if muted else [8, 101, 101])


def test_loud_parties_are_turned_down_and_not_clipped() -> None:
    limiter = Limiter()
    loud = [tone(500, 30000), tone(900, 30000)]
    for _ in range(3):
        mixed = np.frombuffer(limiter.sum(loud), "<i2").astype(float)
    wanted = sum(np.frombuffer(frame, "<i2").astype(float) for frame in loud)
    gain = float(np.dot(mixed, wanted) / np.dot(wanted, wanted))
    assert 0.5 < gain < 0.6
    assert np.abs(mixed - gain * wanted).max() < 2
    for _ in range(200):
        soft = limiter.sum([tone(500, 100), tone(900, 100)])
    assert loudness(soft) == pytest.approx(loudness(tone(500, 100)) * math.sqrt(2), rel=0.05)


def test_silence_and_full_scale_are_no_trouble_to_the_limiter() -> None:
    limiter = Limiter()
    assert limiter.sum([SILENCE, SILENCE]) == SILENCE
    lowest = struct.pack("<h", -32768) * 160
    assert np.frombuffer(limiter.sum([lowest] * 5), "<i2").min() >= -32767
    assert limiter.sum([lowest, SILENCE])


def test_a_source_that_runs_ahead_loses_its_oldest_frame() -> None:
    mixer = Mixer()
    frames = [bytes([n]) * 320 for n in range(4)]
    for frame in frames:
        mixer.put("a", frame)
    assert [mixer.take() for _ in range(3)] == [frames[2], frames[3], None]
    mixer.put("a", frames[0])
    mixer.drop("a")
    mixer.drop("nobody")
    assert mixer.take() is None
