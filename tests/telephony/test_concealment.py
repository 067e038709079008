"""What stands in for lost sound: like it, soft at its edges, and over soon."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from telephony.line import FRAME_BYTES, SILENCE
from telephony.rtp.concealment import (
    LONGEST_GAP,
    LONGEST_PITCH,
    SHORTEST_PITCH,
    Concealer,
    pitch,
)
from telephony.rtp.g711 import attenuated

FRAMES = 60


def voice(hz: float) -> NDArray[np.int16]:
    """A vowel: harmonics of a slowly gliding pitch."""
    time = np.arange(FRAMES * 160) / 8000
    phase = 2 * math.pi * (hz * time + 4 * time**2)
    sound = sum(np.cos(n * phase + n * n) / n for n in range(1, 9))
    return (np.asarray(sound) * 2500).astype("<i2")


def frames(sound: NDArray[np.int16]) -> list[bytes]:
    return [sound[at : at + 160].tobytes() for at in range(0, len(sound), 160)]


def with_losses(sound: NDArray[np.int16], lost: set[int]) -> NDArray[np.float64]:
    concealer = Concealer()
    pieces = [
        concealer.missing() if number in lost else concealer.received(frame)
        for number, frame in enumerate(frames(sound))
    ]
    return np.frombuffer(b"".join(pieces), "<i2").astype(np.float64)


def repeated(sound: NDArray[np.int16], lost: set[int]) -> NDArray[np.float64]:
    """The usual poor man's way: the last frame again, softer."""
    pieces: list[bytes] = []
    for number, frame in enumerate(frames(sound)):
        pieces.append(attenuated(pieces[-1], 0.6) if number in lost else frame)
    return np.frombuffer(b"".join(pieces), "<i2").astype(np.float64)


def distance(sound: NDArray[np.int16], made: NDArray[np.float64], lost: set[int]) -> float:
    """Log-spectral distance, dB, of the frames lost and those right after."""
    total = []
    for number in sorted(lost | {number + 1 for number in lost}):
        spectra = [
            10 * np.log10(np.abs(np.fft.rfft(piece * np.hanning(320))) ** 2 + 1e4)
            for piece in (
                sound[number * 160 - 80 : number * 160 + 240].astype(np.float64),
                made[number * 160 - 80 : number * 160 + 240],
            )
        ]
        total.append(math.sqrt(float(((spectra[0] - spectra[1]) ** 2).mean())))
    return sum(total) / len(total)


@pytest.mark.parametrize("hz", [80, 110, 145, 210, 280])
def test_a_voice_is_nearer_to_itself_than_by_repeating_frames(hz: float) -> None:
    lost = {7, 15, 16, 24, 33, 34, 35, 44, 52}
    sound = voice(hz)
    ours = distance(sound, with_losses(sound, lost), lost)
    assert ours < 0.8 * distance(sound, repeated(sound, lost), lost)


@pytest.mark.parametrize("hz", [70.0, 100.0, 160.0, 195.0])
def test_the_pitch_is_found(hz: float) -> None:
    lag = pitch(voice(hz)[:800].astype(np.float64))
    periods = lag * hz / 8000
    assert periods == pytest.approx(round(periods), abs=0.06)
    assert SHORTEST_PITCH <= lag <= LONGEST_PITCH


def test_what_came_is_untouched_where_nothing_is_lost() -> None:
    sound = voice(130)
    assert (with_losses(sound, set()) == sound).all()


def test_no_step_at_either_edge_of_a_gap() -> None:
    sound = voice(130)
    made = with_losses(sound, {20})
    usual = np.abs(np.diff(sound.astype(np.float64))).max()
    assert np.abs(np.diff(made)).max() < 1.5 * usual


def test_silence_after_a_long_gap_and_in_silence() -> None:
    concealer = Concealer()
    for frame in frames(voice(130)):
        concealer.received(frame)
    made = [concealer.missing() for _ in range(10)]
    last = LONGEST_GAP // 160
    assert SILENCE not in made[:last]
    assert made[last:] == [SILENCE] * (10 - last)
    concealer.forget()
    assert concealer.missing() == SILENCE
    for _ in range(5):
        concealer.received(SILENCE)
    assert concealer.missing() == SILENCE
    assert Concealer().missing() == SILENCE


@given(st.lists(st.one_of(st.none(), st.binary(max_size=500)), max_size=30))
def test_whatever_comes_a_frame_stands_in(pieces: list[bytes | None]) -> None:
    concealer = Concealer()
    for piece in pieces:
        if piece is None:
            assert len(concealer.missing()) == FRAME_BYTES
        else:
            pcm = piece[: len(piece) // 2 * 2]
            assert len(concealer.received(pcm)) == len(pcm)
