"""Recordings of the city's own speakers, said instead of what a synthesiser would say.

They lie in ``recordings/`` of the city's folder, as WAV, FLAC, Ogg or Opus at any rate:

- ``NAME.wav`` is the prompt NAME; ``NAME.1.wav``, ``NAME.2.wav`` … are the fixed pieces of one with
  ``{…}`` in it, from the left; the piece that has none is synthesised, as what fills the braces is;
- any name with a ``.txt`` beside it is the words in that file: an answer, a sentence of one, an
  option. A prompt may have one too: it is then said only while the prompt has these words.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from tts.level import HOUSE_DBFS, levelled

SUFFIXES = (".wav", ".flac", ".ogg", ".opus")
SAMPLE_RATE_HZ = 8000
LONGEST_S = 180.0
FOLDER = "recordings"
_TEXT_BYTES = 20_000
Code = Literal["unreadable", "too_long", "silent", "stale", "perhaps_stale", "unknown", "twice"]


class RecordingError(ValueError):
    """A file that cannot be said: ``code`` is unreadable, too_long or silent."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code: Code = code


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a file, for ``qianmen doctor``. All but perhaps_stale are not played."""

    file: str
    code: Code


@dataclass(frozen=True, slots=True)
class Recordings:
    """Sounds (s16le, 8 kHz) by the words that they say; ``templates`` of prompts with braces."""

    sounds: Mapping[str, bytes] = field(default_factory=dict)
    templates: tuple[re.Pattern[str], ...] = ()
    problems: tuple[Problem, ...] = ()

    def sound(self, words: str) -> bytes | None:
        """The recording of exactly these words, or None."""
        return self.sounds.get(_bare(words))

    def pieces(self, text: str) -> list[str] | None:
        """``text`` in pieces, those recorded whole; None where nothing of it is recorded."""
        if self.sound(text) is not None:
            return [text]
        for template in self.templates:
            if match := template.fullmatch(text.strip()):
                return [piece for piece in match.groups() if piece]
        return None


NONE = Recordings()


def load_recordings(
    folder: Path, prompts: Mapping[str, str], prompts_at: float = 0.0
) -> Recordings:
    """What lies in ``folder``; ``prompts`` by name, last changed at ``prompts_at`` (s, epoch).

    Slow for many files: not for the loop of calls. Never raises: what is wrong is a problem.
    """
    sounds: dict[str, bytes] = {}
    problems: list[Problem] = []
    for file in _files(folder):
        try:
            words, doubt = _words_of(file, prompts, prompts_at)
            problems += [Problem(file.name, doubt)] if doubt else []
            if words and _bare(words) in sounds:
                problems.append(Problem(file.name, "twice"))
            elif words:
                sounds[_bare(words)] = read_sound(file)
        except RecordingError as error:
            problems.append(Problem(file.name, error.code))
    templates = (_template(prompt, sounds) for prompt in prompts.values() if "{" in prompt)
    return Recordings(sounds, tuple(filter(None, templates)), tuple(problems))


def read_sound(file: Path) -> bytes:
    """A sound file as s16le, 8 kHz, mono, at the house's level; raises `RecordingError`."""
    import soundfile  # only where a city has recordings: it costs memory
    import soxr  # as above

    try:
        with soundfile.SoundFile(file) as source:
            if source.frames > LONGEST_S * source.samplerate:
                raise RecordingError("too_long", f"{file.name}: longer than {LONGEST_S:.0f} s")
            sound = source.read(dtype="float32", always_2d=True).mean(axis=1)
            narrow = soxr.resample(sound, source.samplerate, SAMPLE_RATE_HZ)
    except (OSError, RuntimeError, ValueError) as error:
        if isinstance(error, RecordingError):
            raise
        raise RecordingError("unreadable", f"{file.name}: no sound that can be read") from None
    samples = np.rint(np.clip(narrow, -1, 1) * 32767).astype(np.int16)
    if not len(samples) or np.abs(samples).max() < 100:
        raise RecordingError("silent", f"{file.name}: nothing is heard")
    return levelled(samples, SAMPLE_RATE_HZ, HOUSE_DBFS).astype("<i2").tobytes()


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES)
    except OSError:
        return []


def _words_of(file: Path, prompts: Mapping[str, str], prompts_at: float) -> tuple[str, Code | None]:
    """What ``file`` says ('' where it must not be played), and what is doubtful about it."""
    prompt = _prompt_piece(file.stem, prompts)
    beside = file.with_suffix(".txt")
    if beside.is_file():
        words = _text(beside)
        if prompt is not None and _bare(words) != _bare(prompt):
            return "", "stale"
        return words, None if words else "unknown"
    if prompt is None:
        return "", "unknown"
    return prompt, "perhaps_stale" if _written_at(file) < prompts_at else None


def _prompt_piece(name: str, prompts: Mapping[str, str]) -> str | None:
    """The prompt ``name``, or the n-th fixed piece of it for NAME.n; None for anything else."""
    if name in prompts:
        return prompts[name] if "{" not in prompts[name] else None
    whole, _, number = name.rpartition(".")
    if whole not in prompts or not number.isdecimal():
        return None
    fixed = [piece for piece, _ in _split(prompts[whole]) if piece]
    return fixed[int(number) - 1] if 0 < int(number) <= len(fixed) else None


def _split(prompt: str) -> Iterator[tuple[str, bool]]:
    """The fixed pieces of a prompt that have words, each with whether braces follow it."""
    for literal, name, _, _ in string.Formatter().parse(prompt):
        yield (literal if _bare(literal) else ""), name is not None


def _template(prompt: str, sounds: Mapping[str, bytes]) -> re.Pattern[str] | None:
    """A pattern that parts a filled prompt into its pieces, where one of them is recorded."""
    pattern, recorded = "", False
    for literal, name, _, _ in string.Formatter().parse(prompt):
        pattern += f"({re.escape(literal)})" if literal else ""
        pattern += "(.{1,2000}?)" if name is not None else ""
        recorded = recorded or _bare(literal) in sounds
    return re.compile(pattern, re.DOTALL) if recorded else None


def _text(file: Path) -> str:
    try:
        with file.open("rb") as source:
            return source.read(_TEXT_BYTES).decode("utf-8-sig").strip()
    except (OSError, UnicodeDecodeError):
        raise RecordingError("unreadable", f"{file.name}: no text in UTF-8") from None


def _written_at(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def _bare(words: str) -> str:
    """Words and digits only: a mark more or less is the same to the ear."""
    return "".join(character for character in words if character.isalnum())
