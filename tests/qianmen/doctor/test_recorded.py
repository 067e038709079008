"""What the doctor says of the city's recordings."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import soundfile

from config.city import City, load_city
from qianmen.doctor.recorded import RecordedFacts, judge_recorded
from qianmen.recorded import city_recordings
from tts.recordings import FOLDER, Code, Problem


def test_a_city_without_recordings_is_well() -> None:
    assert list(judge_recorded(RecordedFacts())) == []
    (found,) = judge_recorded(RecordedFacts(3))
    assert found.level == "ok"


@pytest.mark.parametrize("code", get_args(Code))
def test_every_problem_is_named_with_what_to_do(code: Code) -> None:
    problems = tuple(Problem(f"{n}.wav", code) for n in range(7))
    (found,) = judge_recorded(RecordedFacts(2, problems))
    assert (found.level, found.code) == ("warning", f"recording_{code}")
    assert "0.wav" in found.seen
    assert "6.wav" not in found.seen
    assert found.do


def test_a_city_s_greeting_is_recorded_with_its_name(city: City, tmp_path: Path) -> None:
    folder = tmp_path / "city"
    shutil.copytree(city.folder, folder, ignore=shutil.ignore_patterns("knowledge"))
    (folder / FOLDER).mkdir()
    tone = 0.3 * np.sin(np.arange(8000) / 3)
    for name in ("greeting_call.wav", "greeting_chat.wav", "nothing.wav"):
        soundfile.write(folder / FOLDER / name, tone, 8000)
    (folder / FOLDER / "greeting_call.txt").write_text("旧的开场白", encoding="utf-8")
    mine = load_city(folder)
    found = city_recordings(mine)
    assert found.sound(mine.prompts.fill("greeting_chat", city=mine.name)) is not None
    assert found.sound(mine.prompts.fill("greeting_call", city=mine.name)) is None
    assert set(found.problems) == {
        Problem("greeting_call.wav", "stale"), Problem("nothing.wav", "unknown")
    }  # fmt: skip
