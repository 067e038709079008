"""From text to a trained network: what is spoken, how much of it, and the training itself."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import structlog

from asr.starter.examples import speak_examples
from asr.starter.text import held_out_sentences, training_sentences
from asr.starter.train import Recipe, train
from asr.starter.vocabulary import random_phrases
from asr.starter.voices import HELD_OUT_VARIANTS, TRAINING_VARIANTS

log = structlog.get_logger(__name__)

FRAMES_AN_HOUR = 360_000


@dataclass(frozen=True)
class Spoken:
    """How much is spoken for training: sentences of the training text, random phrases, seed."""

    sentences: int = 8000
    phrases: int = 6000
    seed: int = 20240612


@dataclass(frozen=True)
class TrainingReport:
    """What a training run used. `hours` of audio; held-out phone error rate, 0 to 1."""

    utterances: int
    hours: float
    phone_error_rate: float


def train_acoustic_model(spoken: Spoken, recipe: Recipe, checkpoint: Path) -> TrainingReport:
    """Speak, worsen, train; the weights go to `checkpoint`."""
    choose = random.Random(spoken.seed)  # noqa: S311 - reproducible data, not a secret
    text = training_sentences()
    chosen = choose.sample(text, min(spoken.sentences, len(text)))
    phrases = random_phrases(spoken.phrases, spoken.seed)
    examples = list(speak_examples([*chosen, *phrases], TRAINING_VARIANTS, spoken.seed))
    choose.shuffle(examples)
    held_out = list(speak_examples(held_out_sentences(), HELD_OUT_VARIANTS, spoken.seed + 1))
    hours = sum(len(example.features) for example in examples) / FRAMES_AN_HOUR
    log.info("starter_spoken", utterances=len(examples), hours=round(hours, 2))
    rate = train(examples, held_out, recipe, checkpoint)
    return TrainingReport(len(examples), round(hours, 2), round(rate, 4))
