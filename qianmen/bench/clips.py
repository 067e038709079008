"""Recorded sentences with their words, from a folder: ``transcripts.tsv`` and WAV files."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from qianmen.bench.pauses import Clip, trimmed
from qianmen.citizen.errors import CitizenError
from qianmen.citizen.sounds import load_wav

TRANSCRIPTS = "transcripts.tsv"
_SHORTEST_S = 1.0


class ClipsError(Exception):
    """A folder that cannot be used; ``code``: ``clips_missing`` or ``clips_invalid``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def read_clips(folder: Path) -> list[Clip]:
    """The clips that ``folder/transcripts.tsv`` (columns ``file`` and ``text``) names.

    Raises :class:`ClipsError`.
    """
    try:
        with (folder / TRANSCRIPTS).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
    except (OSError, UnicodeDecodeError, csv.Error):
        raise ClipsError("clips_missing", f"{folder / TRANSCRIPTS} 读不了") from None
    clips = [_clip(folder, row) for row in rows]
    if len(clips) < 2:
        raise ClipsError("clips_invalid", f"{folder} 里至少要有两段录音")
    return clips


def _clip(folder: Path, row: dict[str, str | None]) -> Clip:
    name, text = row.get("file") or "", (row.get("text") or "").strip()
    if not name or not text:
        raise ClipsError("clips_invalid", f"{TRANSCRIPTS} 的每一行都要有 file 和 text")
    try:
        samples = np.frombuffer(load_wav(folder / name), dtype="<i2")
    except CitizenError as error:
        raise ClipsError("clips_invalid", str(error)) from None
    samples = trimmed(samples)
    if len(samples) < _SHORTEST_S * 8000:
        raise ClipsError("clips_invalid", f"{name} 太短")
    return Clip(name, samples, text)
