"""The whole run in process: asked, misheard, heard, judged, drawn, told; with a made-up bot."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from asr.assess.wav import read_wav
from config.errors import ConfigError
from qianmen.ask import Question
from qianmen.commands import evaluate as command
from qianmen.evaluation import picture
from qianmen.evaluation.baselines import (
    NOTHING,
    Guess,
    apart,
    characters,
    judged_by,
    outcome,
    summary,
    threshold,
)
from qianmen.evaluation.labels import Label, read_labels
from qianmen.evaluation.report import Report, Wanted, evaluated
from qianmen.evaluation.spoken import write_a_law

MATTERS = {"gjj.rent", "gjj.loan"}
ROWS = """text\tconversation\tturn\tchannel\tmatter\taspect\tact
租房要啥\t\t\t\tgjj.rent\t材料\t
贷款多少\tc\t1\tphone\tgjj.loan\t额度\t
多久呢\tc\t2\tphone\tgjj.loan\t时限\t
天气好吗\t\t\t\t\t\t
谢谢你们\t\t\t\t\t\tpraise
"""


class Bot:
    """Answers 材料 rightly, all else with the loan's 额度; takes praise for a greeting."""

    def __init__(self) -> None:
        self.asked: list[Question] = []

    async def __call__(self, questions: Sequence[Question]) -> list[dict[str, Any]]:
        self.asked += questions
        return [self._told(question) for question in questions]

    def _told(self, question: Question) -> dict[str, Any]:
        told: dict[str, Any] = {"act": "policy", "decision": "answer", "slots": {}, "options": []}
        if "要啥" in question.text:
            return {**told, "matter": "gjj.rent", "aspect": "材料"}
        if "谢谢" in question.text:
            return {**told, "act": "greet", "decision": "talk", "matter": "", "aspect": ""}
        return {**told, "matter": "gjj.loan", "aspect": "额度"}


async def hears(labels: Sequence[Label]) -> tuple[str, tuple[Label, ...]]:
    return "an ear", tuple(label.said("", "phone") for label in labels)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "asked.tsv"
    path.write_text(ROWS, encoding="utf-8")
    return path


@pytest.fixture
async def report(file: Path) -> Report:
    wanted = Wanted(file, noise=0.5, spoken=True)
    return await evaluated(wanted, read_labels(file, MATTERS), Bot(), hears)


def test_the_rows(report: Report) -> None:
    rows = {row.name: row for row in report.rows}
    assert rows["键入：答对"].value == pytest.approx(2 / 3)
    assert rows["键入：答对"].n == 3
    assert rows["键入：说错答案"].value == pytest.approx(1 / 3)
    assert (rows["范围以外却答了政策"].value, rows["范围以外却答了政策"].met) == (1.0, False)
    assert (rows["追问答对"].value, rows["追问答对"].n) == (0.0, 1)
    assert (rows["言语行为认对"].value, rows["言语行为认对"].n) == (0.0, 1)
    assert rows["50% 同音字：答对"].n == 3
    assert rows["说出来（espeak-ng，G.711，Vosk）：说错答案"].value == pytest.approx(2 / 3)
    assert not report.met
    assert report.notes == ("语音识别用的模型：an ear",)


async def test_every_way_of_asking_is_one_batch_with_talks_apart(file: Path) -> None:
    bot = Bot()
    wanted = Wanted(file, noise=1.0, spoken=True)
    await evaluated(wanted, read_labels(file, MATTERS), bot, hears)
    assert [question.position for question in bot.asked] == list(range(11))
    talks = {question.conversation for question in bot.asked if question.conversation}
    assert len(talks) == 3
    assert bot.asked[5].text != bot.asked[0].text
    assert bot.asked[8].channel == "phone"


def test_the_document(report: Report) -> None:
    told = json.loads(json.dumps(report.as_json(), ensure_ascii=False))
    assert set(told["rows"][0]) >= {"name", "value", "low", "high", "n", "goal", "met"}
    assert told["by_matter"]["gjj.loan"]["wrong"] == 1
    assert told["by_channel"]["phone"]["n"] == 2
    assert told["baselines"] == []


def test_the_table_for_people(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    command._show(report)
    out = capsys.readouterr().out
    assert "范围以外却答了政策\t100.0%" in out
    assert "≤ 2%\t✘" in out
    assert "gjj.loan\t2\t50.0%" in out


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_the_picture(report: Report, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"confusion.{ending}"
    picture.draw(report.asked, path)
    begins = {"png": b"\x89PNG", "svg": b"<?xml"}[ending]
    assert path.read_bytes().startswith(begins)
    assert path.stat().st_size > 5000


def test_confusion_counts() -> None:
    counts = picture.confusion(["a", "a", "b", "c"], ["a", "b", "missed", "a"], ["a", "b"])
    assert counts.tolist() == [[1, 1, 0, 0], [0, 0, 0, 1]]


@pytest.mark.parametrize("name", ["confusion.gif", "none/confusion.png"])
def test_a_picture_that_cannot_be_drawn(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        picture.check(tmp_path / name)
    assert caught.value.code == "picture_invalid"


def test_sound_goes_through_a_law_and_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "said.wav"
    write_a_law(path, (1000).to_bytes(2, "little") * 800)
    wav = read_wav(path)
    assert (wav.encoding, wav.rate, wav.frames) == ("a-law", 8000, 800 + 2 * 2400)
    (piece,) = wav.pieces(1, seconds=10)
    assert piece[2500] * 32768 == pytest.approx(1000, abs=20)


PAIRS = [
    (f"{opening}{words}", wanted)
    for opening in ("", "请问", "我想问", "你好", "那个", "麻烦问下")
    for words, wanted in (
        ("租房要带什么", "gjj.rent:材料"),
        ("贷款能贷多少", "gjj.loan:额度"),
        ("今天天气如何", NOTHING),
    )
]


def test_the_flat_baseline_learns_and_keeps_silent_below_its_threshold() -> None:
    train, held = apart(PAIRS)
    assert len(train) + len(held) == len(PAIRS)
    classify = characters(train)
    labels = [
        Label("f", 1, "问下租房要带什么", matter="gjj.rent", aspects=("材料",)),
        Label("f", 2, "问下贷款能贷多少", matter="gjj.loan", aspects=("额度",)),
    ]
    away = [Label("f", 3, "今天天气如何啊")]
    told = summary("flat", judged_by(classify, 0.0, labels), judged_by(classify, 0.0, away))
    assert (told["exact"], told["wrong"], told["outside_answered"]) == (1.0, 0.0, 0.0)
    silent = summary("flat", judged_by(classify, 99.0, labels), [])
    assert (silent["exact"], silent["exact_or_offered"]) == (0.0, 1.0)


def test_the_threshold_lets_two_in_a_hundred_be_wrong() -> None:
    guesses = [Guess(("a",), score / 100) for score in range(100)]
    right = ["a" if score not in (90, 80, 70) else "b" for score in range(100)]
    assert threshold(guesses, right) == 0.71
    assert threshold([Guess((NOTHING,), 1.0)], ["a"]) == float("inf")


def test_what_a_guess_leads_to() -> None:
    guess = Guess(("gjj.rent:材料", "gjj.rent:条件", "gjj.loan:条件", "gjj.loan:额度"), 0.5)
    assert outcome(guess, 0.5).decision == "answer"
    assert outcome(guess, 0.6).options == guess.classes[:3]
    assert outcome(Guess((NOTHING,), 0.9), 0.1).decision == "miss"
