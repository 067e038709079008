"""The committed starter model at work: espeak-ng speaks, vosk listens at 8000 Hz.

Both run in processes of their own: espeak-ng keeps global state and must be started once a process.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path

import pytest

from asr.starter.archive import ensure_model
from asr.starter.distance import edit_distance
from asr.starter.text import training_sentences

SPOKEN = (
    "我租房子住能不能把公积金取出来",
    "那要带什么材料",
    "在建业小区九号楼三单元门口",
    "我的电话是幺三八零零幺三八零零零",
    "给我转个真人吧我跟人说",
)
GRAMMAR = ("是的", "不是", "转 人工", "再 说 一遍")
IN_GRAMMAR = "再说一遍"
OUTSIDE_GRAMMAR = "我要投诉楼下的饭店油烟太大"

# One program, so that model and voice are loaded once.
PROGRAM = """
import json, sys
import numpy as np, vosk
from asr.starter.speech import Speaker, Voice
from asr.starter.telephone import SAMPLE_RATE, mu_law
from asr.starter.trial import recognise, speak

job = json.load(sys.stdin)
model = vosk.Model(job["model"])
speaker = Speaker()
say = lambda text, pinyin: mu_law(speak(speaker, text, Voice(pinyin=pinyin)) * 0.5)
heard = {
    text: [recognise(model, say(text, pinyin)) for pinyin in (True, False)] for text in job["open"]
}
grammar = {text: recognise(model, say(text, True), job["grammar"]) for text in job["closed"]}
recognizer = vosk.KaldiRecognizer(model, SAMPLE_RATE)
recognizer.SetWords(True)
pcm = (np.clip(say(job["open"][0], True), -1, 1) * 32767).astype("<i2").tobytes()
recognizer.AcceptWaveform(pcm)
words = json.loads(recognizer.FinalResult())
json.dump({"heard": heard, "grammar": grammar, "words": words}, sys.stdout)
"""


@pytest.fixture(scope="module")
def spoken_and_heard(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[dict[str, object], str]:
    """What the model heard, and all that was written to stderr meanwhile."""
    job = {
        "model": str(ensure_model(tmp_path_factory.mktemp("models"))),
        "open": SPOKEN,
        "grammar": GRAMMAR,
        "closed": [IN_GRAMMAR, OUTSIDE_GRAMMAR],
    }
    done = subprocess.run(
        [sys.executable, "-c", "import vosk; vosk.SetLogLevel(0)\n" + PROGRAM],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    result: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return result, done.stderr


def test_hears_what_the_plain_voice_says(
    spoken_and_heard: tuple[dict[str, object], str],
) -> None:
    """Both ways of speaking, pinyin and characters; sentences that were never trained on."""
    heard = spoken_and_heard[0]["heard"]
    assert isinstance(heard, dict)
    assert set(SPOKEN).isdisjoint(training_sentences())
    errors = sum(edit_distance(said, text) for said, texts in heard.items() for text in texts)
    characters = sum(2 * len(said) for said in heard)
    assert errors / characters <= 0.05, heard


def test_a_grammar_set_at_run_time_limits_what_is_heard(
    spoken_and_heard: tuple[dict[str, object], str],
) -> None:
    heard = spoken_and_heard[0]["grammar"]
    assert isinstance(heard, dict)
    assert heard[IN_GRAMMAR] == IN_GRAMMAR
    assert set(heard[OUTSIDE_GRAMMAR]) <= set("".join(GRAMMAR))


def test_words_carry_times_and_confidences(
    spoken_and_heard: tuple[dict[str, object], str],
) -> None:
    words = spoken_and_heard[0]["words"]
    assert isinstance(words, dict)
    results = words["result"]
    assert "".join(word["word"] for word in results) == words["text"].replace(" ", "")
    assert all(0 < word["conf"] <= 1 and word["start"] < word["end"] for word in results)
    assert all(a["end"] <= b["start"] for a, b in itertools.pairwise(results))
    assert sum(word["conf"] for word in results) / len(results) > 0.7


def test_the_model_does_not_flood_the_log(
    spoken_and_heard: tuple[dict[str, object], str],
) -> None:
    warnings = [line for line in spoken_and_heard[1].splitlines() if "WARNING" in line]
    assert len(warnings) <= len(SPOKEN), warnings[:10]
