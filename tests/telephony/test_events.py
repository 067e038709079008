from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.rtp.events import KEYS, EventPayload, EventReceiver, EventSender


def sent(keys: str) -> list[EventPayload | None]:
    sender, out = EventSender(), []
    sender.send(keys)
    while sender.busy:
        out.append(sender.tick())
    return out


def packets(keys: str) -> list[tuple[bytes, int]]:
    """Payload and timestamp as ``MediaStream`` sends them."""
    out, timestamp, start = [], 0, 0
    for event in sent(keys):
        if event is not None:
            start = timestamp if event.first else start
            out.append((event.payload, start))
        timestamp += 160
    return out


def test_shape_of_a_press() -> None:
    frames = sent("5")
    assert [frame.payload.hex() if frame else None for frame in frames] == [
        "050a00a0", "050a0140", "050a01e0", "050a0280", "058a0320", "058a0320", "058a0320", None,
    ]  # fmt: skip
    assert [bool(frame and frame.first) for frame in frames] == [True] + [False] * 7


def test_all_keys() -> None:
    receiver = EventReceiver()
    got = [receiver.receive(*packet) for packet in packets(KEYS)]
    assert "".join(key for key in got if key) == KEYS


@given(st.integers(0, 1), st.sets(st.integers(0, 13), max_size=12))
def test_each_press_counts_once_whatever_is_lost(repeat: int, lost: set[int]) -> None:
    """Two presses of one key, seven packets each; any may be lost, or come twice."""
    receiver = EventReceiver()
    kept = [packet for n, packet in enumerate(packets("77")) if n not in lost]
    got = [receiver.receive(*packet) for packet in kept for _ in range(1 + repeat)]
    expected = (not {0, 1, 2, 3, 4, 5, 6} <= lost) + (not {7, 8, 9, 10, 11, 12, 13} <= lost)
    # Where every end packet of the first press is lost, the second may look like its rest.
    if {4, 5, 6} <= lost and not {0, 1, 2, 3} <= lost:
        assert got.count("7") in (1, expected)
    else:
        assert got.count("7") == expected


def test_sender_that_moves_the_timestamp_within_a_press() -> None:
    receiver = EventReceiver()
    got = [receiver.receive(payload, 160 * n) for n, (payload, _) in enumerate(packets("9")[:5])]
    assert got == ["9", None, None, None, None]


@pytest.mark.parametrize("payload", [b"", b"\1", b"\1\2\3", b"\x10\x0a\x00\xa0", b"\xff" * 4])
def test_unfit_payloads(payload: bytes) -> None:
    assert EventReceiver().receive(payload, 0) is None


def test_unknown_key() -> None:
    with pytest.raises(ValueError, match="substring"):
        EventSender().send("1x")
