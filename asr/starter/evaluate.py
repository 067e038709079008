"""Character error rates of a Vosk model on espeak-ng speech over an 8 kHz telephone line.

Run as a process of its own (`python -m asr.starter.evaluate MODEL`), which writes JSON: vosk and
kaldifst must never meet in one process.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import vosk

from asr.starter.distance import edit_distance
from asr.starter.speech import Speaker, Voice
from asr.starter.telephone import (
    SAMPLE_RATE,
    Samples,
    add_noise,
    coloured_noise,
    mu_law,
)
from asr.starter.text import (
    fresh_sentences,
    hanzi_only,
    held_out_sentences,
    training_sentences,
)
from asr.starter.trial import recognise, speak
from asr.starter.vocabulary import known_words
from asr.starter.voices import DISTORTED_VARIANTS, HELD_OUT_VARIANTS, TRAINING_VARIANTS

GRAMMAR_SIZE = 20
SEEN_SENTENCES = 60
_SEED = 7


@dataclass(frozen=True)
class Condition:
    """How the test speech is made. `snr_db` None is a clean line; `babble` mixes eight other
    voices in instead of plain noise; `text` is held_out, fresh or training."""

    name: str
    variants: tuple[str, ...]
    speeds: tuple[int, ...] = (150, 160, 175)
    pinyin: bool = True
    snr_db: float | None = None
    babble: bool = False
    grammar: bool = False
    text: str = "held_out"


CONDITIONS = (
    Condition("held_out_sentences_held_out_voices", HELD_OUT_VARIANTS, (145, 160, 175, 190, 205)),
    Condition("held_out_sentences_seen_voices", TRAINING_VARIANTS),
    Condition("held_out_sentences_plain_voice", ("",)),
    Condition("held_out_sentences_plain_voice_characters", ("",), pinyin=False),
    Condition("held_out_sentences_held_out_voices_grammar", HELD_OUT_VARIANTS, grammar=True),
    Condition("held_out_sentences_held_out_voices_noise_15_db", HELD_OUT_VARIANTS, snr_db=15.0),
    Condition(
        "held_out_sentences_held_out_voices_babble_20_db",
        HELD_OUT_VARIANTS,
        snr_db=20.0,
        babble=True,
    ),
    Condition("held_out_sentences_distorted_voices", DISTORTED_VARIANTS),
    Condition("training_sentences_held_out_voices", HELD_OUT_VARIANTS, text="training"),
    Condition("fresh_sentences_held_out_voices", HELD_OUT_VARIANTS, text="fresh"),
    Condition("fresh_sentences_plain_voice", ("",), text="fresh"),
)


@dataclass
class Score:
    """Sums over one condition. `seconds` of audio, `confidence` mean of words in right results."""

    sentences: int = 0
    exact: int = 0
    characters: int = 0
    errors: int = 0
    seconds: float = 0.0

    @property
    def cer(self) -> float:
        """Character error rate, 0 to 1 (more with insertions)."""
        return self.errors / max(1, self.characters)


class Line:
    """Speaks test sentences over a telephone line."""

    def __init__(self, speaker: Speaker) -> None:
        self._speaker = speaker
        self._choose = random.Random(_SEED)  # noqa: S311 - reproducible data, not a secret
        self._rng = np.random.default_rng(_SEED)

    def _noise(self, length: int, condition: Condition, others: Sequence[str]) -> Samples:
        if not condition.babble:
            return coloured_noise(length, 0.8, self._rng)
        voices = [
            speak(self._speaker, self._choose.choice(others), Voice(v)) for v in HELD_OUT_VARIANTS
        ]
        return np.asarray(np.sum([np.resize(voice, length) for voice in voices], axis=0))

    def call(self, text: str, condition: Condition, others: Sequence[str]) -> Samples:
        """`text` as the far end hears it under a condition."""
        voice = Voice(
            self._choose.choice(condition.variants),
            self._choose.choice(condition.speeds),
            self._choose.randint(35, 65),
            pinyin=condition.pinyin,
        )
        samples = speak(self._speaker, text, voice) * 0.5
        if condition.snr_db is not None:
            noise = self._noise(len(samples), condition, others)
            samples = add_noise(samples, noise, condition.snr_db)
        return mu_law(samples)


def _sentences(condition: Condition) -> list[str]:
    if condition.text == "held_out":
        return held_out_sentences()
    if condition.text == "fresh":
        return fresh_sentences()
    chooser = random.Random(_SEED)  # noqa: S311 - reproducible data, not a secret
    return chooser.sample(training_sentences(), SEEN_SENTENCES)


def _grammar_around(index: int, sentences: Sequence[str], words: frozenset[str]) -> list[str]:
    """Phrases that a runtime grammar would hold: the sentence and its neighbours, in words."""
    near = [sentences[(index + step) % len(sentences)] for step in range(GRAMMAR_SIZE)]
    return [" ".join(known_words(sentence, words)) for sentence in near]


def words_of(model_folder: Path) -> frozenset[str]:
    """The words a model folder knows."""
    text = (model_folder / "graph" / "words.txt").read_text(encoding="utf-8")
    return frozenset(line.split()[0] for line in text.splitlines())


def score(
    model: vosk.Model, words: frozenset[str], speaker: Speaker, condition: Condition
) -> tuple[Score, list[tuple[str, str]]]:
    """Totals of a condition, and (said, heard) of every sentence heard wrong."""
    sentences, line, result = _sentences(condition), Line(speaker), Score()
    wrong: list[tuple[str, str]] = []
    for index, sentence in enumerate(sentences):
        samples = line.call(sentence, condition, sentences)
        grammar = _grammar_around(index, sentences, words) if condition.grammar else None
        heard = hanzi_only(recognise(model, samples, grammar))
        errors = edit_distance(sentence, heard)
        result.sentences += 1
        result.exact += errors == 0
        result.characters += len(sentence)
        result.errors += errors
        result.seconds += len(samples) / SAMPLE_RATE
        if errors:
            wrong.append((sentence, heard))
    return result, wrong


def main(model_folder: Path) -> None:
    """Write one JSON object: condition → totals, CER and what went wrong."""
    vosk.SetLogLevel(-1)
    model = vosk.Model(str(model_folder))
    words, speaker, report = words_of(model_folder), Speaker(), {}
    for condition in CONDITIONS:
        result, wrong = score(model, words, speaker, condition)
        report[condition.name] = {
            **asdict(result),
            "seconds": round(result.seconds),
            "cer": round(result.cer, 4),
            "wrong": wrong,
        }
    sys.stdout.write(json.dumps(report, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
