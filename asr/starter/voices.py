"""Whose voices the model is trained on, and whose are kept out (espeak-ng voice variants)."""

from __future__ import annotations

import random
from collections.abc import Sequence

from asr.starter.speech import Voice

TRAINING_VARIANTS = (
    "", "", "", "m1", "m2", "m3", "m4", "m5", "m6", "f1", "f2", "f3", "f4",
    "klatt", "klatt2", "klatt3", "Annie", "Andy", "Denis", "Mario", "Michael", "Storm",
    "linda", "grandma", "adam", "steph", "anika", "max", "belinda", "rob",
)  # fmt: skip
"""Variants heard in training; the plain voice thrice."""
HELD_OUT_VARIANTS = ("m7", "m8", "f5", "klatt4", "john", "victor", "michel", "edward")
"""Variants never heard in training."""
DISTORTED_VARIANTS = ("Alicia", "Lee")
"""Never heard in training and measured apart: hardly voiced (Alicia), and with a third formant at a
tenth of where any mouth puts it (Lee)."""


def random_voice(variants: Sequence[str], choose: random.Random) -> Voice:
    """A speaker at 135 to 230 words a minute, reading pinyin half the time."""
    return Voice(
        variant=choose.choice(variants),
        speed=choose.randint(135, 230),
        pitch=choose.randint(20, 80),
        pitch_range=choose.randint(25, 75),
        pinyin=choose.random() < 0.5,
    )
