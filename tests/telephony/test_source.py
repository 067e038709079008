from __future__ import annotations

from telephony.rtp.packet import RtpPacket
from telephony.rtp.source import QUIET_MS, Address, SourceCheck

ANNOUNCED = ("10.0.0.1", 4000)
NAT = ("203.0.113.5", 61000)
STRANGER = ("198.51.100.7", 4000)


def packet(sequence: int, ssrc: int = 1) -> RtpPacket:
    return RtpPacket(8, sequence & 0xFFFF, 0, ssrc, b"\xd5" * 160)


def offer(check: SourceCheck, source: Address, start: int, count: int, now_ms: int) -> list[bool]:
    return [check.accepts(packet(start + n), source, now_ms) for n in range(count)]


def test_announced_address_counts_at_once() -> None:
    check = SourceCheck(ANNOUNCED, NAT[0])
    assert offer(check, ANNOUNCED, 0, 2, 0) == [True, True]


def test_peer_behind_nat_is_followed_after_three_packets() -> None:
    check = SourceCheck(ANNOUNCED, NAT[0])
    assert offer(check, NAT, 65534, 5, 0) == [False, False, True, True, True]
    assert check.target == NAT


def test_stranger_never_counts() -> None:
    check = SourceCheck(ANNOUNCED, NAT[0])
    assert not any(offer(check, STRANGER, 0, 50, 10 * QUIET_MS))
    assert check.target == ANNOUNCED


def test_same_host_other_port_does_not_take_over_a_living_stream() -> None:
    check = SourceCheck(ANNOUNCED, NAT[0])
    assert check.accepts(packet(1), ANNOUNCED, 0)
    assert not any(offer(check, (ANNOUNCED[0], 5000), 0, 50, QUIET_MS - 1))
    assert offer(check, (ANNOUNCED[0], 5000), 0, 3, QUIET_MS) == [False, False, True]


def test_guesses_out_of_sequence_do_not_count() -> None:
    check = SourceCheck(ANNOUNCED, NAT[0])
    assert not any(check.accepts(packet(7 * n), NAT, 0) for n in range(50))
    assert not any(check.accepts(packet(n, ssrc=n), NAT, 0) for n in range(50))


def test_announced_address_takes_the_stream_back() -> None:
    check = SourceCheck(ANNOUNCED, NAT[0])
    offer(check, NAT, 0, 3, 0)
    assert check.accepts(packet(9), ANNOUNCED, 20)
    assert check.target == ANNOUNCED
