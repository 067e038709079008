from __future__ import annotations

import numpy as np
import pytest

from telephony.rtp.g711 import CODECS, PCMA, PCMU, Codec, attenuated, loudness


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_snr_of_speech_level_is_that_of_16_bit(codec: Codec) -> None:
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 32767 * 10 ** (-20 / 20), 80_000).clip(-32768, 32767)
    tone = 32767 * 10 ** (-20 / 20) * np.sqrt(2) * np.sin(np.arange(80_000) * 2 * np.pi * 0.1234)
    for signal in (noise, tone):
        pcm = signal.astype("<i2")
        back = np.frombuffer(codec.decode(codec.encode(pcm.tobytes())), "<i2")
        error = back.astype(float) - pcm
        snr_db = 10 * np.log10((pcm.astype(float) ** 2).mean() / (error**2).mean())
        assert snr_db >= 35


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_every_code_word_survives_a_round_trip(codec: Codec) -> None:
    words = bytes(range(256))
    pcm = codec.decode(words)
    assert codec.decode(codec.encode(pcm)) == pcm


def test_known_values() -> None:
    assert PCMA.encode(b"\0\0") == b"\xd5"
    assert PCMU.encode(b"\0\0") == b"\xff"
    assert np.frombuffer(PCMA.decode(b"\x2a\xaa"), "<i2").tolist() == [-32256, 32256]
    assert np.frombuffer(PCMU.decode(b"\x00\x80"), "<i2").tolist() == [-32124, 32124]


def test_loudness_and_attenuation() -> None:
    pcm = np.full(160, 1000, "<i2").tobytes()
    assert loudness(pcm) == 1000
    assert loudness(attenuated(pcm, 0.5)) == 500
    assert loudness(b"") == 0
