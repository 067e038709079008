"""How often a hesitant caller's turn is ended too early, on recorded sentences.

Each sentence is heard in a call of its own: first another sentence with one pause, by which the
machine may learn this caller's pace, then the sentence with pauses at several places. Both go
through noise and A-law. Once the machine hears voice activity alone, once also the transcript's
words as a recogniser would tell them; beside it Vosk's own endpointing, on the same sound.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import vosk

from asr.activity import WINDOW_S, SileroPool
from asr.endpoint import Ended, Endpoint
from qianmen.bench.figures import Figure, Figures, spread
from qianmen.bench.pauses import Clip, Utterance, on_the_line, with_pauses
from qianmen.bench.sound import RATE, Samples
from qianmen.bench.vosk_endpoint import ends_at
from qianmen.evaluation.scoring import wilson

PAUSE_S = 1.2
PLACES = (0.3, 0.5, 0.7)
NOISE_DB = 20.0
GOAL_SHARE = 2.5
_LEAD_S, _BETWEEN_S = 0.6, 2.5
_EDGE_S = 0.05
"""Voice activity sees an end a window earlier or later."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One call: what it sounds like, and where its two sentences stand in it, s."""

    sound: Samples
    first: Utterance
    second: Utterance

    @property
    def first_at(self) -> float:
        """Where the sentence begins by which the machine may learn."""
        return _LEAD_S

    @property
    def second_at(self) -> float:
        """Where the sentence begins that counts."""
        return self.first_at + self.first.seconds + _BETWEEN_S

    def words_at(self, now: float) -> tuple[int, str]:
        """Which sentence (0, 1) words told ``now`` belong to, and its words so far."""
        if now < self.second_at - _BETWEEN_S / 5:
            return 0, self.first.words_at(now - self.first_at)
        return 1, self.second.words_at(now - self.second_at)


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a trial: whether each sentence was cut, and the silence behind the second."""

    first_cut: bool
    second_cut: bool
    waited_s: float | None


def trials(clips: Sequence[Clip], seed: int) -> list[Trial]:
    """A call for each clip; ``seed`` picks the noise."""
    made = []
    for number, clip in enumerate(clips):
        first = with_pauses(clips[number - 1], (0.5,), PAUSE_S)
        second = with_pauses(clip, PLACES, PAUSE_S)
        quiet = np.zeros(round(_BETWEEN_S * RATE), np.int16)
        whole = np.concatenate(
            (quiet[: round(_LEAD_S * RATE)], first.samples, quiet, second.samples, quiet)
        )
        sound = on_the_line(whole, NOISE_DB, clip.samples, 1000 * seed + number)
        made.append(Trial(sound, first, second))
    return made


def by_endpoint(trial: Trial, voices: Sequence[float], *, words: bool) -> Seen:
    """What the machine makes of a call whose voice activity is ``voices``."""
    machine = Endpoint()
    ends: list[Ended] = []
    told = [0, 0]
    for voice in voices:
        sentence, text = trial.words_at(machine.now)
        if words:
            machine.partial(text[told[sentence] :])
        for signal in machine.hear(WINDOW_S, voice):
            if isinstance(signal, Ended):
                ends.append(signal)
                told[sentence] = len(text)
    return _seen(trial, [(end.end, end.decided) for end in ends])


def by_vosk(trial: Trial, model: vosk.Model, rate: int) -> Seen:
    """What Vosk's own endpointing makes of the same sound."""
    return _seen(trial, [(at, at) for at in ends_at(model, rate, trial.sound)])


def _seen(trial: Trial, ends: Sequence[tuple[float, float]]) -> Seen:
    second_end = trial.second_at + trial.second.seconds
    after = [decided - second_end for _, decided in ends if decided > second_end - _EDGE_S]
    return Seen(
        _within(ends, trial.first_at, trial.first_at + trial.first.seconds),
        _within(ends, trial.second_at, second_end),
        after[0] if after else None,
    )


def _within(ends: Sequence[tuple[float, float]], start: float, end: float) -> bool:
    return any(start + _EDGE_S < decided < end - _EDGE_S for _, decided in ends)


def run_endpoint(
    clips: Sequence[Clip],
    seeds: int,
    peer: Path | None,
    rate: int = RATE,
    on_progress: Callable[[int], None] = lambda _done: None,
) -> Figures:
    """The figures on ``clips`` with ``seeds`` noises; ``peer``: a Vosk model's folder and rate."""
    vosk.SetLogLevel(-2)
    model = None if peer is None else vosk.Model(str(peer))
    pool = SileroPool()
    alone: list[Seen] = []
    with_words: list[Seen] = []
    vosks: list[Seen] = []
    for seed in range(1, seeds + 1):
        for trial in trials(clips, seed):
            with pool.lend() as activity:
                voices = activity.hear(trial.sound.tobytes())
            alone.append(by_endpoint(trial, voices, words=False))
            with_words.append(by_endpoint(trial, voices, words=True))
            if model is not None:
                vosks.append(by_vosk(trial, model, rate))
            on_progress(len(alone))
    figures = (
        Figure("endpoint turns", len(alone), ""),
        *_rows("premature ends: voice activity", alone, f"≤ {GOAL_SHARE}"),
        *_rows("premature ends: with words", with_words, f"≤ {GOAL_SHARE}"),
    )
    return Figures(figures, _rows("premature ends: Vosk's own", vosks) if vosks else ())


def _rows(name: str, seen: Sequence[Seen], goal: str = "") -> tuple[Figure, ...]:
    cut, count = sum(each.second_cut for each in seen), len(seen)
    low, high = wilson(cut, count)
    before = sum(each.first_cut for each in seen)
    waits = [1000 * each.waited_s for each in seen if each.waited_s is not None]
    return (
        Figure(f"{name}, after adapting", _percent(cut, count), "%", goal),
        Figure(f"{name}, 95 % from", round(100 * low, 2), "%"),
        Figure(f"{name}, 95 % to", round(100 * high, 2), "%"),
        Figure(f"{name}, before adapting", _percent(before, count), "%"),
        *spread(f"{name}, silence at the end", waits, (50, 95)),
    )


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0.0
