"""One leg's media, tick by tick, without socket or clock."""

from __future__ import annotations

import itertools
import struct
from collections import Counter

import pytest

from telephony.line import SILENCE, Frame
from telephony.rtp.events import EventSender
from telephony.rtp.g711 import PCMA, PCMU, Codec, loudness
from telephony.rtp.packet import RtpPacket, parse_rtp
from telephony.rtp.playback import PlaybackQueue
from telephony.rtp.sinks import Sinks
from telephony.rtp.stream import MediaPlan, MediaStream

PEER = ("127.0.0.1", 4000)
PLAN = MediaPlan(PEER, PCMA, 8, 96)
LOUD = b"\x00\x20" * 160


class Rig:
    """A stream and everything that it tells."""

    def __init__(self, plan: MediaPlan = PLAN) -> None:
        self.heard: list[Frame] = []
        self.sent: list[Frame] = []
        self.keys: list[tuple[str, int]] = []
        self.counters: Counter[str] = Counter()
        self.playback = PlaybackQueue()
        heard, sent = Sinks(), Sinks()
        heard.add(self.heard.append)
        sent.add(self.sent.append)
        self.stream = MediaStream(
            plan,
            PEER[0],
            self.playback,
            heard,
            sent,
            lambda key, at_ms: self.keys.append((key, at_ms)),
            self.counters,
        )

    def ticks(self, count: int) -> list[RtpPacket]:
        packets = [self.stream.tick() for _ in range(count)]
        return [parse_rtp(packet) for packet in packets if packet is not None]

    def receive(self, sequence: int, payload: bytes, kind: int = 8, ssrc: int = 1) -> None:
        self.stream.receive(RtpPacket(kind, sequence, 160 * sequence, ssrc, payload).pack(), PEER)


async def test_sends_an_unbroken_stream() -> None:
    rig = Rig()
    rig.playback.play(LOUD + LOUD[:100])
    packets = rig.ticks(4)
    assert [packet.marker for packet in packets] == [True, False, False, False]
    assert len({packet.ssrc for packet in packets}) == 1
    for before, after in itertools.pairwise(packets):
        assert (after.sequence - before.sequence) & 0xFFFF == 1
        assert (after.timestamp - before.timestamp) & 0xFFFFFFFF == 160
    assert [packet.payload == PCMA.encode(SILENCE) for packet in packets] == [
        False, False, True, True,
    ]  # fmt: skip
    assert [(frame.at_ms, frame.heard) for frame in rig.sent] == [
        (0, True), (20, True), (40, False), (60, False),
    ]  # fmt: skip
    assert len(rig.sent[1].pcm) == 320


async def test_plays_piece_after_piece_and_stops_within_a_frame() -> None:
    rig = Rig()
    first, second = rig.playback.play(LOUD * 5), rig.playback.play(LOUD)
    rig.ticks(2)
    assert first.stop() == 40
    rig.ticks(1)
    assert (first.done.result(), second.done.result()) == (40, 20)
    rig.ticks(1)
    assert [frame.heard for frame in rig.sent] == [True, True, True, False]
    assert first.stop() == 40


async def test_empty_piece_and_end() -> None:
    rig = Rig()
    assert rig.playback.play(b"").done.result() == 0
    waiting = rig.playback.play(LOUD)
    rig.playback.close()
    assert waiting.done.result() == 0
    assert rig.playback.play(LOUD).done.result() == 0


@pytest.mark.parametrize("codec", [PCMA, PCMU])
def test_hears_both_laws(codec: Codec) -> None:
    rig = Rig()
    rig.receive(1, codec.encode(LOUD), codec.payload_type)
    rig.ticks(2)
    assert loudness(rig.heard[0].pcm) == pytest.approx(loudness(LOUD), rel=0.05)
    assert [frame.heard for frame in rig.heard] == [True, False]


def test_one_frame_for_every_tick_whatever_comes() -> None:
    rig = Rig()
    for tick in range(20):
        if tick % 3:
            rig.receive(tick, PCMA.encode(LOUD))
        rig.ticks(1)
    assert [frame.at_ms for frame in rig.heard] == [20 * n for n in range(20)]


def event_packets(keys: str) -> list[tuple[bytes, bool]]:
    sender = EventSender()
    sender.send(keys)
    out = []
    while sender.busy:
        event = sender.tick()
        if event:
            out.append((event.payload, event.first))
    return out


def test_key_counts_once_though_its_first_packets_are_lost() -> None:
    rig = Rig()
    for number, (payload, _) in enumerate(event_packets("4")[2:]):
        rig.stream.receive(RtpPacket(96, 10 + number, 777, 1, payload).pack(), PEER)
    assert rig.keys == [("4", 0)]


def test_keys_go_out_by_the_offers_number_and_one_timestamp() -> None:
    rig = Rig()
    rig.ticks(1)
    rig.stream.send_digits("8")
    packets = rig.ticks(9)
    events = [packet for packet in packets if packet.payload_type == 96]
    assert len(events) == 7
    assert len({packet.timestamp for packet in events}) == 1
    assert [packet.marker for packet in events] == [True] + [False] * 6
    assert [packet.payload_type for packet in packets[7:]] == [8, 8]


def test_no_keys_to_a_peer_without_telephone_events() -> None:
    rig = Rig(MediaPlan(PEER, PCMA, 8, None))
    rig.stream.send_digits("8")
    assert {packet.payload_type for packet in rig.ticks(9)} == {8}
    with pytest.raises(ValueError, match="substring"):
        rig.stream.send_digits("?")


async def test_hold_pauses_what_plays() -> None:
    rig = Rig()
    piece = rig.playback.play(LOUD * 3)
    assert len(rig.ticks(1)) == 1
    rig.stream.replan(MediaPlan(PEER, PCMA, 8, 96, sends=False))
    assert rig.ticks(5) == []
    assert piece.heard_ms == 20
    rig.stream.replan(PLAN)
    after = rig.ticks(2)
    assert after[0].marker
    assert piece.done.result() == 60
    assert [frame.at_ms for frame in rig.sent] == [20 * n for n in range(8)]


def test_new_ssrc_counts_from_its_second_packet() -> None:
    rig = Rig()
    rig.receive(100, PCMA.encode(LOUD))
    rig.ticks(1)
    rig.receive(7, PCMA.encode(LOUD), ssrc=2)
    rig.receive(5000, PCMA.encode(LOUD), ssrc=3)
    rig.ticks(1)
    rig.receive(8, PCMA.encode(LOUD), ssrc=2)
    rig.receive(9, PCMA.encode(LOUD), ssrc=2)
    rig.receive(10, PCMA.encode(LOUD), ssrc=2)
    rig.ticks(2)
    assert [frame.heard for frame in rig.heard] == [True, False, True, True]


@pytest.mark.parametrize(
    ("data", "source", "counter"),
    [
        (b"junk", PEER, "rtp_short"),
        (b"\0" * 40, PEER, "rtp_version"),
        (RtpPacket(8, 1, 1, 1, b"\xd5" * 160).pack(), ("10.9.9.9", 1), "rtp_stranger"),
        (RtpPacket(18, 1, 1, 1, b"\xd5" * 20).pack(), PEER, "rtp_payload"),
        (RtpPacket(8, 1, 1, 1, b"").pack(), PEER, "rtp_payload"),
        (RtpPacket(8, 1, 1, 1, b"\xd5" * 1700).pack(), PEER, "rtp_payload"),
    ],
)
def test_unfit_datagrams_are_counted(data: bytes, source: tuple[str, int], counter: str) -> None:
    rig = Rig()
    rig.stream.receive(data, source)
    rig.ticks(1)
    assert rig.counters == {counter: 1}
    assert not rig.heard[0].heard


REPORT = bytes.fromhex("80c9000100000001")


def test_reports_go_where_the_peer_wants_them() -> None:
    assert Rig().stream.rtcp_target == (PEER[0], PEER[1] + 1)
    elsewhere = ("10.0.0.9", 9000)
    assert Rig(MediaPlan(PEER, PCMA, 8, rtcp=elsewhere)).stream.rtcp_target == elsewhere
    assert Rig(MediaPlan(PEER, PCMA, 8, rtcp_mux=True)).stream.rtcp_target == PEER
    assert Rig(MediaPlan((PEER[0], 65535), PCMA, 8)).stream.rtcp_target is None


def test_behind_a_nat_reports_wait_until_the_peers_come() -> None:
    rig = Rig(MediaPlan(("10.0.0.9", 4000), PCMA, 8))
    rig.ticks(60)
    for number in range(3):
        rig.receive(number, PCMA.encode(LOUD))
    targets = [rig.stream.rtcp_target]
    rig.stream.receive_rtcp(REPORT, (PEER[0], 777))
    targets.append(rig.stream.rtcp_target)
    rig.stream.replan(MediaPlan(("10.0.0.8", 4000), PCMA, 8))
    targets.append(rig.stream.rtcp_target)
    assert targets == [None, (PEER[0], 777), ("10.0.0.8", 4001)]


def test_reports_of_a_stranger_move_nothing() -> None:
    rig = Rig()
    rig.stream.receive_rtcp(REPORT, ("10.9.9.9", 1))
    assert rig.stream.rtcp_target == (PEER[0], PEER[1] + 1)
    assert rig.counters == {"rtcp_stranger": 1}


def test_reports_that_come_with_the_sound_are_read() -> None:
    rig = Rig()
    rig.stream.receive(REPORT, PEER)
    assert rig.counters == {"rtcp_received": 1}


def test_for_how_long_nothing_came() -> None:
    rig = Rig()
    rig.ticks(5)
    assert rig.stream.silent_ms == 100
    rig.receive(1, PCMA.encode(LOUD))
    rig.ticks(1)
    assert rig.stream.silent_ms == 20
    rig.ticks(9)
    rig.stream.receive_rtcp(REPORT, PEER)
    assert rig.stream.silent_ms == 0


def test_the_second_source_is_reported_anew() -> None:
    rig = Rig()
    for number in (100, 101, 105):
        rig.receive(number, PCMA.encode(LOUD))
    assert rig.stream.reports.reception is not None
    assert rig.stream.reports.reception.lost == 3
    for number in (7, 8, 9):
        rig.receive(number, PCMA.encode(LOUD), ssrc=2)
    assert (rig.stream.reports.reception.ssrc, rig.stream.reports.reception.lost) == (2, 0)


def test_comfort_noise_is_heard_and_no_loss() -> None:
    rig = Rig()
    rig.receive(1, PCMA.encode(LOUD))
    rig.receive(2, bytes([40]), kind=13)
    rig.ticks(50)
    rig.receive(3, PCMA.encode(LOUD))
    rig.ticks(1)
    assert [frame.heard for frame in rig.heard] == [True, *[False] * 49, True]
    assert 200 < loudness(rig.heard[20].pcm) < 450
    assert (rig.stream.jitter.lost, rig.stream.jitter.late) == (0, 0)
    rig.receive(4, b"", kind=13)
    assert rig.counters == {"rtp_payload": 1}


def press(rig: Rig, packets: list[tuple[int, int, bytes]], kind: int = 96) -> list[str]:
    """Give (sequence, timestamp, payload) of telephone-events; the keys that were told."""
    for sequence, timestamp, payload in packets:
        rig.stream.receive(RtpPacket(kind, sequence, timestamp, 1, payload).pack(), PEER)
    return [key for key, _ in rig.keys]


def key(name: str, *, end: bool, duration: int) -> bytes:
    return struct.pack("!BBH", "0123456789*#ABCD".index(name), 10 | end << 7, duration)


def test_only_the_last_packet_of_a_press_came() -> None:
    assert press(Rig(), [(9, 777, key("5", end=True, duration=800))]) == ["5"]


def test_a_long_press_is_one_key() -> None:
    """RFC 4733 §2.5.1.3: beyond 0xFFFF units a new segment, with a timestamp of its own."""
    packets = [(n, 1000, key("3", end=False, duration=160 * n)) for n in range(1, 400)]
    packets += [(n + 400, 66_440, key("3", end=False, duration=160 * n)) for n in range(1, 9)]
    packets += [(n, 66_440, key("3", end=True, duration=1400)) for n in (410, 411, 412)]
    packets = [packet for packet in packets if packet[0] not in {398, 399, 401}]
    assert press(Rig(), packets) == ["3"]


def test_the_same_key_again_is_another_press_also_where_ends_are_lost() -> None:
    one = [(n, 1000, key("7", end=False, duration=160 * n)) for n in (1, 2, 3)]
    two = [(n + 10, 4000, key("7", end=False, duration=160 * n)) for n in (1, 2, 3)]
    assert press(Rig(), one + two) == ["7", "7"]


def test_a_sender_that_moves_the_timestamp_on_presses_once() -> None:
    packets = [(n, 160 * n, key("8", end=n > 4, duration=160 * n)) for n in range(1, 6)]
    assert press(Rig(), packets) == ["8"]


def test_late_packets_of_a_press_that_is_over_count_no_more() -> None:
    one = [(n, 1000, key("1", end=n > 3, duration=160 * n)) for n in range(1, 6)]
    two = [(n + 5, 3000, key("2", end=n > 3, duration=160 * n)) for n in range(1, 6)]
    assert press(Rig(), [*one[1:], two[0], one[0], *two[1:]]) == ["1", "2"]


@pytest.mark.parametrize("kind", [96, 101, 127])
def test_keys_come_by_the_number_agreed_on_and_no_other(kind: int) -> None:
    rig = Rig(MediaPlan(PEER, PCMA, 8, kind))
    payload = key("9", end=False, duration=160)
    assert press(rig, [(1, 5, payload)], kind=kind) == ["9"]
    assert press(rig, [(2, 500, payload)], kind=kind - 1) == ["9"]
    assert rig.counters == {"rtp_payload": 1}


def test_events_that_are_no_keys_are_ignored() -> None:
    flash, unfit = struct.pack("!BBH", 16, 10, 160), b"\1\2"
    assert press(Rig(), [(1, 5, flash), (2, 9, unfit)]) == []
