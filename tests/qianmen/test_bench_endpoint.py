"""The bench of the end of a turn: clips, pauses put in, what counts as cut."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from asr.activity import WINDOW_S
from qianmen.bench.clips import ClipsError, read_clips
from qianmen.bench.endpoint import by_endpoint, run_endpoint, trials
from qianmen.bench.pauses import Clip, on_the_line, trimmed, with_pauses
from qianmen.bench.sound import Samples
from tts.say import synthesise

WORDS = "租房怎么提取公积金需要什么材料"


def tone(seconds: float) -> Samples:
    at = np.arange(round(seconds * 8000)) / 8000
    return np.asarray(8000 * np.sin(2 * np.pi * 300 * at), np.int16)


def spoken(seconds: float = 3.0) -> Clip:
    return Clip("a", tone(seconds), WORDS)


def test_pauses_make_a_sentence_longer_and_its_words_later() -> None:
    utterance = with_pauses(spoken(), (0.3, 0.7), 1.2)
    assert utterance.seconds == pytest.approx(3.0 + 2 * 1.2, abs=0.01)
    assert list(utterance.spoken) == sorted(utterance.spoken)
    assert utterance.words_at(0.0) == ""
    assert utterance.words_at(60.0) == WORDS
    middle = utterance.words_at(utterance.seconds / 2)
    assert WORDS.startswith(middle)
    assert 4 <= len(middle) <= 11


def test_where_a_speaker_pauses_already_the_pause_is_made_so_long() -> None:
    quiet = np.zeros(4000, np.int16)
    clip = Clip("a", np.concatenate((tone(1.5), quiet, tone(1.5))), WORDS)
    utterance = with_pauses(clip, (0.5,), 1.2)
    assert utterance.seconds == pytest.approx(3.0 + 1.2, abs=0.1)


def test_pauses_stand_apart() -> None:
    assert with_pauses(spoken(1.0), (0.4, 0.5, 0.6), 1.2).seconds < 1.0 + 2 * 1.2


def test_noise_follows_its_seed_and_the_speech_s_level() -> None:
    silence = np.zeros(8000, np.int16)
    first, again, other = (on_the_line(silence, 20.0, tone(1.0), seed) for seed in (1, 1, 2))
    assert (first == again).all()
    assert not (first == other).all()
    level = np.sqrt((first.astype(float) ** 2).mean())
    assert level == pytest.approx(8000 / np.sqrt(2) / 10, rel=0.1)


def test_a_clip_is_cut_to_its_sound() -> None:
    quiet = np.zeros(8000, np.int16)
    assert len(trimmed(np.concatenate((quiet, tone(1.0), quiet)))) == pytest.approx(8000, abs=800)
    assert len(trimmed(quiet[:50])) == 0


def voices(trial_seconds: float, spans: list[tuple[float, float]]) -> list[float]:
    times = np.arange(0.0, trial_seconds, WINDOW_S)
    return [0.9 if any(a <= at < b for a, b in spans) else 0.0 for at in times]


@pytest.mark.parametrize("words", [False, True])
def test_one_cut_off_teaches_the_machine(words: bool) -> None:
    trial = trials([spoken(), spoken()], 1)[0]
    half = (trial.first.seconds - 1.2) / 2
    at, behind = trial.first_at, trial.second_at + trial.second.seconds
    spans = [(at, at + half), (at + half + 1.2, at + 2 * half + 1.2)]
    piece = (trial.second.seconds - 3 * 1.2) / 4
    for part in range(4):
        start = trial.second_at + part * (piece + 1.2)
        spans.append((start, start + piece))
    seen = by_endpoint(trial, voices(behind + 2.5, spans), words=words)
    assert seen.first_cut
    assert not seen.second_cut
    assert seen.waited_s is not None
    assert 1.5 < seen.waited_s < 2.1


def folder_of(path: Path, rows: str, *, seconds: float = 1.5) -> Path:
    pcm = synthesise(WORDS)[: round(16000 * seconds)]
    for name in ("a.wav", "b.wav"):
        with wave.open(str(path / name), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(pcm)
    (path / "transcripts.tsv").write_text(rows, encoding="utf-8")
    return path


def test_the_figures_of_a_folder(tmp_path: Path) -> None:
    clips = read_clips(folder_of(tmp_path, f"text\tfile\n{WORDS}\ta.wav\n{WORDS}\tb.wav\n"))
    told: list[int] = []
    figures = run_endpoint(clips, 1, None, on_progress=told.append)
    assert told == [1, 2]
    assert figures.peers == ()
    values = {figure.name: figure for figure in figures.figures}
    for name in ("voice activity", "with words"):
        row = values[f"premature ends: {name}, after adapting"]
        assert row.goal == "≤ 2.5"
        assert 0 <= row.value <= 100
        assert values[f"premature ends: {name}, 95 % to"].value > row.value


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ("file\ttext\na.wav\t租房\n", "clips_invalid"),
        ("file\ttext\na.wav\t租房\nc.wav\t租房\n", "clips_invalid"),
        ("file\ttext\na.wav\t\nb.wav\t租房\n", "clips_invalid"),
        ("name\n1\n2\n", "clips_invalid"),
    ],
)
def test_a_folder_that_cannot_be_used(tmp_path: Path, rows: str, code: str) -> None:
    with pytest.raises(ClipsError) as caught:
        read_clips(folder_of(tmp_path, rows))
    assert caught.value.code == code


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ClipsError) as caught:
        read_clips(tmp_path / "none")
    assert caught.value.code == "clips_missing"
