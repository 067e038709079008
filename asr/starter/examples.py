"""Training utterances: who says which sentence, spoken by espeak-ng and worsened by a line."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import numpy as np
from pypinyin import Style, lazy_pinyin

from asr.starter.features import mfcc
from asr.starter.phones import PHONES, phones_of
from asr.starter.speech import Speaker, Voice
from asr.starter.telephone import to_telephone_rate, worsen
from asr.starter.train import BLANK, Example
from asr.starter.voices import random_voice


def outputs_of(text: str) -> list[int]:
    """Network outputs that spell `text`, as `pypinyin` reads it."""
    syllables = lazy_pinyin(text, style=Style.NORMAL, v_to_u=False, strict=False)
    plain = (syllable.replace("ü", "v") for syllable in syllables)
    return [PHONES.index(phone) + BLANK + 1 for s in plain for phone in phones_of(s)]


def speak_examples(
    sentences: Sequence[str], variants: Sequence[str], seed: int
) -> Iterator[Example]:
    """One example a sentence, in order.

    A sentence that the character voice misreads is spoken from pinyin instead.
    """
    choose = random.Random(seed)  # noqa: S311 - reproducible data, not a secret
    noise = np.random.default_rng(seed)
    speaker = Speaker()
    for sentence in sentences:
        voice = random_voice(variants, choose)
        if not voice.pinyin and not speaker.reads_characters_rightly(sentence):
            voice = Voice(voice.variant, voice.speed, voice.pitch, voice.pitch_range, pinyin=True)
        clean = to_telephone_rate(speaker.say(sentence, voice), speaker.sample_rate)
        features = mfcc(worsen(clean, noise)).astype(np.float16)
        yield Example(features, np.array(outputs_of(sentence), np.int16))
