from __future__ import annotations

import numpy as np

from asr.activity import WINDOW_BYTES, SileroActivity, SileroPool
from tests.asr.listening import frames, silence, speech


def voiced(activity: SileroActivity, pcm: bytes) -> float:
    """The share of windows with a voice."""
    probabilities = [p for frame in frames(pcm) for p in activity.hear(frame)]
    return sum(p > 0.5 for p in probabilities) / len(probabilities)


def test_speech_is_voice_and_noise_is_not() -> None:
    noise = np.random.default_rng(1).normal(0, 600, 16000).astype("<i2").tobytes()
    time = np.arange(16000) / 8000
    tone = (8000 * np.sin(2 * np.pi * 440 * time)).astype("<i2").tobytes()
    with SileroPool().lend() as activity:
        assert voiced(activity, silence(2.0)) == 0
        assert voiced(activity, noise) < 0.05
        assert voiced(activity, tone) < 0.2
        assert voiced(activity, speech()) > 0.6


def test_windows_do_not_depend_on_how_the_sound_is_cut() -> None:
    pool = SileroPool()
    whole = speech()
    with pool.lend() as one, pool.lend() as other:
        at_once = one.hear(whole)
        in_pieces = [p for frame in frames(whole, 62) for p in other.hear(frame)]
    assert len(at_once) == len(whole) // WINDOW_BYTES
    assert np.allclose(at_once, in_pieces, atol=1e-4)


def test_a_network_used_again_remembers_nothing() -> None:
    pool = SileroPool()
    with pool.lend() as activity:
        first = activity.hear(speech())
    with pool.lend() as activity:
        assert np.allclose(activity.hear(speech()), first, atol=1e-4)
