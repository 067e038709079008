"""What the desk's bench makes of what it measured, and how it tells one tone from another."""

from __future__ import annotations

import numpy as np
import pytest

from qianmen.bench.desk import DeskPlan, Seen, figures_of
from qianmen.bench.deskcalls import share, tone
from telephony.line import FRAME_BYTES


def test_a_tone_is_told_from_another_from_noise_and_from_silence() -> None:
    frame = tone(1000)[: 5 * FRAME_BYTES]
    assert share(frame[:FRAME_BYTES], 1000) == pytest.approx(1, abs=0.05)
    assert share(frame[:FRAME_BYTES], 600) < 0.2
    assert share(bytes(FRAME_BYTES), 1000) == 0
    noise = np.random.default_rng(1).integers(-9000, 9000, FRAME_BYTES // 2).astype("<i2")
    assert share(noise.tobytes(), 1000) < 0.3


def test_only_what_was_measured_is_a_figure() -> None:
    assert figures_of(DeskPlan(seconds=0), Seen()) == ()
    quiet = figures_of(DeskPlan(seconds=0), Seen(offer=[10.0, 20.0], text=[5.0]))
    assert [(figure.name, figure.value) for figure in quiet if "p95" in figure.name] == [
        ("desk 转人工 to offer p95", 19.5), ("desk words to text p95", 5.0),
    ]  # fmt: skip
    loaded = {figure.name: figure for figure in figures_of(DeskPlan(), Seen(update=[1.0], lost=2))}
    assert (loaded["desk load offers lost"].value, loaded["desk load offers lost"].goal) == (2, "0")
