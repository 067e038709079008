from __future__ import annotations

import math
import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.line import FRAME_BYTES, SILENCE
from telephony.rtp.g711 import loudness
from telephony.rtp.jitter import MAX_PACKETS, SHRINK_AFTER_FRAMES, JitterBuffer


def sound(number: int, samples: int = 160) -> bytes:
    """Loud, and different for every packet."""
    return struct.pack("<h", 1000 + number) * samples


def played(buffer: JitterBuffer, frames: int) -> list[int]:
    """Packet numbers in the order played; -1 where nothing was received."""
    out = []
    for _ in range(frames):
        pcm, heard = buffer.pop()
        assert len(pcm) == FRAME_BYTES
        # The last sample: the first are blended with what stood in for a gap before.
        out.append(struct.unpack_from("<h", pcm, FRAME_BYTES - 2)[0] - 1000 if heard else -1)
    return out


def fed(*numbers: int, start: int = 65534) -> tuple[JitterBuffer, list[int]]:
    """One packet before every tick (-1: none)."""
    buffer, out = JitterBuffer(), []
    for number in numbers:
        if number >= 0:
            buffer.push((start + number) & 0xFFFF, sound(number))
        out += played(buffer, 1)
    return buffer, out


def test_silence_before_the_first_packet() -> None:
    assert JitterBuffer().pop() == (SILENCE, False)


def test_packets_in_time_play_at_once_across_the_wrap() -> None:
    _, out = fed(*range(10))
    assert out == list(range(10))


def test_swapped_packets_play_in_order() -> None:
    _, out = fed(0, 1, 3, 2, 4, 5)
    assert out == [0, 1, -1, 2, 3, 4]


def test_lost_packet_is_concealed_by_one_frame() -> None:
    buffer, out = fed(0, 1, -1, 3, 4, 5)
    assert out == [0, 1, -1, 3, 4, 5]
    assert buffer.lost == 1


def test_concealment_fades() -> None:
    buffer = JitterBuffer()
    for number in range(3):
        buffer.push(number, sound(0))
        buffer.pop()
    levels = [loudness(buffer.pop()[0]) for _ in range(6)]
    assert 900 < levels[0] <= 1000
    assert levels[:4] == sorted(levels[:4], reverse=True)
    assert levels[3] > 100
    assert levels[4:] == [0, 0]


def test_comfort_noise_is_at_its_level_and_no_loss() -> None:
    buffer, _ = fed(0, 1, start=0)
    buffer.push_noise(2, 40)
    frames = [buffer.pop() for _ in range(100)]
    assert not any(heard for _, heard in frames)
    for pcm, _ in frames:
        assert 20 * math.log10(loudness(pcm) / 32767) == pytest.approx(-40, abs=2)
    assert len({pcm for pcm, _ in frames[:50]}) == 50
    buffer.push_noise(3, 127)
    assert buffer.pop() == (SILENCE, False)
    buffer.push(4, sound(4))
    assert played(buffer, 1) == [4]
    assert (buffer.lost, buffer.late, buffer.received) == (0, 0, 5)


def test_a_pause_in_which_nothing_is_sent_is_no_loss_and_not_late() -> None:
    buffer, _ = fed(0, 1, start=0)
    assert played(buffer, 150) == [-1] * 150
    buffer.push(2, sound(2))
    buffer.push(3, sound(3))
    assert played(buffer, 2) == [2, 3]
    assert (buffer.lost, buffer.late, buffer.dropped) == (0, 0, 0)


def test_the_first_packet_after_a_pause_may_be_lost() -> None:
    buffer, _ = fed(0, 1, start=0)
    buffer.push_noise(2, 50)
    played(buffer, 50)
    buffer.push(4, sound(4))
    buffer.push(5, sound(5))
    assert [frame for frame in played(buffer, 3) if frame >= 0] == [4, 5]
    assert buffer.lost == 1


def test_a_key_is_no_gap_to_conceal() -> None:
    buffer, _ = fed(0, 1, 2, start=0)
    buffer.skip(3)
    assert buffer.pop() == (SILENCE, False)
    buffer.push(4, sound(4))
    assert played(buffer, 1) == [4]
    assert buffer.lost == 0


def test_late_packet_stretches_and_is_not_lost() -> None:
    buffer = JitterBuffer()
    buffer.push(1, sound(1))
    assert played(buffer, 2) == [1, -1]
    buffer.push(2, sound(2))
    buffer.push(3, sound(3))
    assert played(buffer, 2) == [2, 3]
    assert buffer.lost == 0


def test_repeated_and_stale_packets_are_ignored() -> None:
    buffer, _ = fed(0, 1, 2)
    buffer.push(65534, sound(0))
    assert buffer.late == 1
    assert played(buffer, 1) == [-1]


def test_burst_is_bounded() -> None:
    buffer = JitterBuffer()
    for number in range(60):
        buffer.push(number, sound(number))
    assert buffer.dropped == 60 - MAX_PACKETS
    assert played(buffer, 3) == [60 - MAX_PACKETS, 61 - MAX_PACKETS, 62 - MAX_PACKETS]


def test_far_jump_is_a_new_beginning() -> None:
    buffer, _ = fed(0, 1)
    buffer.push(20000, sound(7))
    assert played(buffer, 1) == [7]


def test_other_packet_lengths() -> None:
    buffer = JitterBuffer()
    for number, samples in enumerate((240, 80, 480, 80)):
        buffer.push(number, sound(number, samples))
    assert sum(frame >= 0 for frame in played(buffer, 6)) == (240 + 80 + 480 + 80) // 160


def test_delay_shrinks_in_a_quiet_moment_only() -> None:
    buffer = JitterBuffer()
    buffer.push(0, sound(0))
    for number in range(1, SHRINK_AFTER_FRAMES + 50):
        buffer.push(number, sound(number))
        buffer.pop()
    assert buffer.dropped == 0
    for number in range(SHRINK_AFTER_FRAMES + 50, SHRINK_AFTER_FRAMES + 60):
        buffer.push(number, SILENCE)
        buffer.pop()
    assert buffer.dropped == 1


@given(
    st.lists(st.tuples(st.integers(0, 0xFFFF), st.integers(-9, 400)), max_size=80),
    st.integers(0, 2**32),
)
def test_any_order_gives_whole_frames(packets: list[tuple[int, int]], seed: int) -> None:
    buffer, rng = JitterBuffer(), random.Random(seed)
    for sequence, samples in packets:
        if samples < 0:
            buffer.push_noise(sequence, 60 - samples)
        else:
            buffer.push(sequence, b"\1\2" * samples)
        for _ in range(rng.randrange(3)):
            assert len(buffer.pop()[0]) == FRAME_BYTES
