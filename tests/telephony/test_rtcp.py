"""RTCP: packets as bytes, what is counted of a source, and when what is reported."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.rtp.reception import Reception
from telephony.rtp.reports import INTERVAL_MS, NTP_EPOCH_S, PeerView, Reports, ntp
from telephony.rtp.rtcp import (
    Block,
    Goodbye,
    Name,
    Part,
    Report,
    RtcpError,
    compound,
    parse_rtcp,
)

BLOCK = Block(0x11223344, 25, -3, 0x0001FFFE, 77, 0xAABBCCDD, 65536)
# By hand from RFC 3550 §6.4.2: a receiver report with one block, then a name, then a goodbye.
WIRE = bytes.fromhex(
    "81c90007010203041122334419fffffd0001fffe0000004daabbccdd00010000"
    "81ca0003010203040103612f62000000"
    "81cb000101020304"
)  # fmt: skip
PARTS: tuple[Part, ...] = (
    Report(0x01020304, (BLOCK,)), Name(0x01020304, "a/b"), Goodbye((0x01020304,)),
)  # fmt: skip


def test_bytes_of_the_standard() -> None:
    assert parse_rtcp(WIRE) == PARTS
    assert compound(PARTS) == WIRE


@pytest.mark.parametrize(
    "part",
    [
        Report(5, (BLOCK, BLOCK), 0x83AA7E8012345678, 4000000000, 12, 1920),
        Report(5),
        Name(6, "A" * 24),
        Name(6, ""),
        Goodbye((1, 2, 3)),
        Goodbye(()),
    ],
)
def test_out_and_in(part: Part) -> None:
    assert len(part.pack()) % 4 == 0
    assert parse_rtcp(part.pack()) == (part,)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "short"),
        (WIRE[:3], "short"),
        (WIRE[:-1], "length"),
        (WIRE + b"\x81", "length"),
        (b"\x41" + WIRE[1:], "version"),
        (WIRE[:1] + b"\x08" + WIRE[2:], "type"),
        (b"\x9f" + WIRE[1:32], "length"),
        (bytes.fromhex("80c8000101020304"), "length"),
        (bytes.fromhex("83cb000101020304"), "length"),
    ],
)
def test_broken_bytes_have_a_code(data: bytes, code: str) -> None:
    with pytest.raises(RtcpError) as error:
        parse_rtcp(data)
    assert error.value.code == code


def test_other_packets_are_left_out() -> None:
    application = bytes.fromhex("80cc00020102030474657374")
    feedback = bytes.fromhex("81cd00020102030400000000")
    tool_only = bytes.fromhex("81ca00020102030406000000")
    assert parse_rtcp(application + feedback + tool_only + WIRE) == PARTS


@given(st.binary(max_size=200))
def test_any_bytes_are_parsed_or_refused(data: bytes) -> None:
    for candidate in (data, bytes.fromhex("81c8") + data, WIRE[:32] + data):
        try:
            parse_rtcp(candidate)
        except RtcpError:
            continue


def received(*numbers: int) -> Reception:
    reception = Reception(9, numbers[0])
    for number in numbers:
        reception.packet(number)
    return reception


def test_losses_are_counted_across_the_wrap() -> None:
    reception = received(65533, 65534, 1, 2, 4)
    assert (reception.expected, reception.lost) == (8, 3)
    block = reception.block(0, 0)
    assert (block.fraction, block.lost, block.highest) == (3 * 256 // 8, 3, 65536 + 4)
    for number in range(5, 9):
        reception.packet(number)
    assert reception.block(0, 0).fraction == 0


def test_what_comes_twice_or_late_is_no_loss() -> None:
    reception = received(10, 12, 11, 11)
    assert reception.lost == -1
    block = reception.block(0, 0)
    assert (block.fraction, block.lost) == (0, -1)
    (report,) = parse_rtcp(Report(1, (block,)).pack())
    assert isinstance(report, Report)
    assert report.blocks[0].lost == -1


def test_a_sender_that_begins_anew_is_counted_anew() -> None:
    reception = received(10, 11, 40_000, 40_001)
    assert (reception.expected, reception.lost) == (2, 0)


def test_jitter_is_that_of_the_standard() -> None:
    reception = Reception(9, 0)
    for number in range(1000):
        late = 40 * (number % 2)  # 5 ms, every other packet
        reception.timing(160 * number, 7.0e9 + 160 * number + late)
    assert reception.jitter == pytest.approx(40, abs=0.5)
    steady = Reception(9, 0)
    for number in range(1000):
        steady.timing(0xFFFFFF00 + 160 * number & 0xFFFFFFFF, 5.0e9 + 160 * number)
    assert steady.jitter == 0


def reports(chance: float = 0.5) -> tuple[Reports, Counter[str]]:
    counters: Counter[str] = Counter()
    return Reports(77, counters, lambda: chance, "me"), counters


@pytest.mark.parametrize(("chance", "share"), [(0.0, 0.5), (0.5, 1.0), (1.0, 1.5)])
def test_reports_are_due_at_random_times(chance: float, share: float) -> None:
    ours, _ = reports(chance)
    assert ours.due_ms == INTERVAL_MS * share / 2
    ours.report(1.0, 10_000, 0)
    assert ours.due_ms == 10_000 + INTERVAL_MS * share


def test_who_sends_says_how_much_and_who_listens_only_does_not() -> None:
    ours, counters = reports()
    ours.sent(160)
    ours.sent(160)
    told, name = parse_rtcp(ours.report(1000.5, 0, 1234))
    assert told == Report(77, (), ntp(1000.5), 1234, 2, 320)
    assert name == Name(77, "me")
    assert ntp(1000.5) == (NTP_EPOCH_S + 1000 << 32) + (1 << 31)
    assert parse_rtcp(ours.report(1001.0, 0, 0))[0] == Report(77)
    assert counters["rtcp_sent"] == 2


def test_delay_and_round_trip() -> None:
    """RFC 3550 figure 2: both ends' arithmetic, against each other."""
    (ours, counters), (theirs, _) = reports(), reports()
    theirs._ssrc = 88
    ours.source(88, 0).packet(0)
    theirs.source(77, 0).packet(0)
    ours.sent(160)
    theirs.receive(ours.report(1000.0, 0, 0), 1000.1)
    theirs.sent(160)
    ours.receive(theirs.report(1003.1, 0, 0), 1003.2)
    assert ours.peer is not None
    assert ours.peer.round_trip_ms == pytest.approx(200, abs=1)
    assert theirs.peer is None or theirs.peer.round_trip_ms is None
    assert counters["rtcp_received"] == 1


def told(ours: Reports, block: Block) -> PeerView:
    ours.receive(Report(88, (block,)).pack(), 1000.0)
    assert ours.peer is not None
    return ours.peer


def test_a_lying_or_ignorant_peer() -> None:
    ours, counters = reports()
    ours.sent(160)
    for last_sr in (0, 0x12345678):
        view = told(ours, Block(77, 255, 9, 1, 80, last_sr, 0))
        assert view == PeerView(9, 1.0, 255 / 256, 10.0, None)
    rounded = Block(77, 0, 0, 1, 0, ntp(1000.001) >> 16 & 0xFFFFFFFF, 0)
    assert told(ours, rounded).round_trip_ms == 0
    ours.receive(b"junk", 1000.0)
    assert counters["rtcp_version"] == 1


def test_goodbye_from_who_was_there() -> None:
    ours, _ = reports()
    assert ours.goodbye(1.0, 0) is None
    ours.sent(160)
    goodbye = ours.goodbye(1.0, 0)
    assert goodbye is not None
    assert parse_rtcp(goodbye)[-1] == Goodbye((77,))
