"""Recordings through the starter model, a remote one and the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from asr.activity import SileroPool
from asr.assess.clips import Clip
from asr.assess.errors import AssessError
from asr.assess.evaluate import evaluate, summarise
from asr.assess.transcribe import recogniser_for, transcribe, transcribe_turns
from asr.assess.wav import read_wav
from asr.models.errors import ModelError
from asr.recogniser import Recogniser, RecogniserError
from config.settings import Settings
from qianmen.cli import app
from qianmen.commands import asr as asr_commands
from qianmen.commands import models as model_commands
from tests.asr.listening import silence, speech
from tests.asr.model_town import NAME, known, starter, town, zipped
from tests.asr.recordings import write_wav
from tests.fakes.recogniser import FakeRecogniser
from tests.fakes.vosk_server import StockVoskServer

__all__ = ["starter"]
Qianmen = Callable[..., tuple[int, str]]
SENTENCE = "租房提取公积金需要什么材料"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


@pytest.fixture
async def recogniser(tmp_path: Path, starter: Path, executor: ThreadPoolExecutor) -> Recogniser:
    settings = Settings(data_dir=tmp_path, model=starter)
    return (await recogniser_for(settings, "", executor))[1]


def recorded(folder: Path, *texts: str, pause: float = 1.5) -> Path:
    pcm = b"".join(speech(text) + silence(pause) for text in texts)
    return write_wav(folder / "said.wav", silence(0.3) + pcm)


@pytest.mark.parametrize(
    ("kind", "bits", "channels", "channel"),
    [("pcm", 16, 1, 1), ("a-law", 8, 1, 1), ("mu-law", 8, 2, 2), ("float", 32, 2, 1)],
)
async def test_a_recording_is_heard_whatever_its_encoding(
    tmp_path: Path, recogniser: Recogniser, kind: str, bits: int, channels: int, channel: int
) -> None:
    pcm = silence(0.3) + speech(SENTENCE)
    wav = write_wav(
        tmp_path / "a.wav", pcm, kind=kind, bits=bits, channels=channels, channel=channel
    )
    told = await transcribe(recogniser, read_wav(wav), channel)
    assert told.text == SENTENCE
    assert told.seconds == pytest.approx(len(pcm) / 16000)
    assert told.elapsed_s > 0
    assert told.words[-1].end_ms <= 1000 * told.seconds + 300
    assert 0.5 < told.confidence <= 1
    if channels == 2:
        assert (await transcribe(recogniser, read_wav(wav), 3 - channel)).text == ""


async def test_a_recording_is_cut_into_turns_as_a_call(
    tmp_path: Path, recogniser: Recogniser
) -> None:
    wav = read_wav(recorded(tmp_path, "转人工", SENTENCE, pause=1.5))
    told = await transcribe_turns(recogniser, wav, 1, SileroPool())
    assert told.turns is not None
    assert [turn.text for turn in told.turns] == ["转人工", SENTENCE]
    assert told.turns[0].end_ms < told.turns[1].start_ms
    assert told.text == f"转人工{SENTENCE}"
    assert [turn["text"] for turn in told.as_json()["turns"]] == ["转人工", SENTENCE]


async def test_through_a_remote_recogniser(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    async with StockVoskServer(["租房", "提取"]).serving() as url:
        for settings, wanted in (
            (Settings(data_dir=tmp_path, asr_url=url), ""),
            (Settings(data_dir=tmp_path), url),
        ):
            name, recogniser = await recogniser_for(settings, wanted, executor)
            told = await transcribe(recogniser, read_wav(recorded(tmp_path, SENTENCE)), 1)
            assert name == url
            assert told.text == "租房提取"
    with pytest.raises(RecogniserError) as caught:
        await recogniser_for(Settings(data_dir=tmp_path, asr_url="ws://127.0.0.1:1"), "", executor)
    assert caught.value.code == "asr_unreachable"


async def test_a_model_that_is_not_there(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    with pytest.raises(ModelError) as caught:
        await recogniser_for(Settings(data_dir=tmp_path), "vosk-model-cn-0.22", executor)
    assert caught.value.code == "model_missing"
    assert "qianmen models fetch vosk-model-cn-0.22" in str(caught.value)


async def test_clips_that_cannot_be_heard_stop_no_others(tmp_path: Path) -> None:
    good = recorded(tmp_path, SENTENCE)
    (tmp_path / "bad.wav").write_bytes(b"noise")
    names = ["said.wav", "bad.wav", "said.wav", "none.wav"]
    clips = [Clip(tmp_path / name, SENTENCE, "", at) for at, name in enumerate(names)]
    counted: list[int] = []
    fake = FakeRecogniser(SENTENCE)
    outcomes = await evaluate(fake, clips, 1, 2, lambda: counted.append(1))
    assert [outcome.code for outcome in outcomes] == ["", "audio_format", "", "audio_missing"]
    assert [outcome.clip.line for outcome in outcomes] == [0, 1, 2, 3]
    assert len(counted) == 4
    assert summarise(outcomes).errors.rate == 0
    assert all(stream.closed for stream in fake.streams)
    assert good.is_file()
    lost = await evaluate(
        FakeRecogniser(SENTENCE, fail_after_bytes=9), clips[:1], 1, 1, lambda: None
    )
    assert lost[0].code == "asr_lost"


@pytest.fixture
def qianmen(tmp_path: Path, starter: Path, monkeypatch: pytest.MonkeyPatch) -> Qianmen:
    """The command line, in this process, on an installation in ``tmp_path``."""
    (tmp_path / "data").mkdir()
    settings = Settings(data_dir=tmp_path / "data", city=tmp_path, model=starter)
    for module in (asr_commands, model_commands):
        monkeypatch.setattr(module, "installation", lambda: settings)
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str]:
        with capture_logs():  # nobody configured them: they would go to standard output
            done = CliRunner().invoke(app, arguments)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.stdout

    return call


def test_the_command_as_a_process(tmp_path: Path) -> None:
    """One document on standard output, nothing of what was said elsewhere."""
    recorded(tmp_path, SENTENCE)
    inherited = {k: v for k, v in os.environ.items() if not k.upper().startswith("QIANMEN_")}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "qianmen.cli",
            "asr",
            "transcribe",
            "none.wav",
            "said.wav",
            "--json",
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**inherited, "PYTHONPATH": str(ROOT), "QIANMEN_DATA_DIR": str(tmp_path / "data")},
    )
    assert done.returncode == 1
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["model"] == "starter"
    assert SENTENCE not in done.stderr
    assert [each.get("code") for each in told["files"]] == ["audio_missing", None]
    assert told["files"][1]["text"] == SENTENCE


def test_the_command_transcribes(tmp_path: Path, qianmen: Qianmen) -> None:
    recorded(tmp_path, SENTENCE)
    for option in ("--channel=both", "--channel=mix"):
        assert qianmen("asr", "transcribe", "said.wav", option) == (0, f"said.wav\t{SENTENCE}\n")
    code, output = qianmen("asr", "transcribe", "said.wav", "--turns")
    assert code == 0
    assert output.split("\t")[0::2] == ["said.wav", f"{SENTENCE}\n"]
    assert qianmen("asr", "transcribe", "said.wav", "--channel=left")[0] == 2


def test_the_command_evaluates_and_compares(
    tmp_path: Path, starter: Path, qianmen: Qianmen
) -> None:
    recorded(tmp_path, SENTENCE)
    lines = [f"said.wav\t{SENTENCE}？\t甲"] * 3 + ["said.wav\t租房提取公积金\t乙"] * 3
    (tmp_path / "list.tsv").write_text("\n".join(lines), encoding="utf-8")
    arguments = ("asr", "evaluate", "list.tsv", "--compare", str(starter))
    code, output = qianmen(*arguments, "--json")
    report = json.loads(output)
    assert code == 0
    first = report["models"][0]
    assert (first["all"]["insertions"], first["all"]["exact"]) == (18, 3)
    assert first["groups"]["甲"]["cer"] == 0
    assert first["all"]["cer"] == pytest.approx(18 / (3 * 13 + 3 * 7), abs=1e-4)
    assert first["all"]["cer_95"][0] < first["all"]["cer"] < first["all"]["cer_95"][1]
    assert report["comparison"]["better"] is None
    code, output = qianmen(*arguments)
    assert code == 0
    assert "30.0%" in output
    assert "分不出高下" in output


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("asr", "evaluate", "none.tsv"), "evaluation_missing"),
        (("asr", "transcribe", "a.wav", "--model", "nothing"), "model_missing"),
        (("models", "fetch", "nothing"), "model_unknown"),
        (("models", "verify", "vosk-model-cn-0.22"), "model_missing"),
    ],
)
def test_the_commands_refuse_with_a_code(
    qianmen: Qianmen, arguments: tuple[str, ...], code: str
) -> None:
    with pytest.raises((AssessError, ModelError)) as caught:
        qianmen(*arguments, "--json")
    assert isinstance(caught.value, AssessError | ModelError)
    assert caught.value.code == code


def test_the_command_fetches_verifies_and_lists(
    tmp_path: Path, starter: Path, qianmen: Qianmen
) -> None:
    packed = zipped(starter)
    town(tmp_path, known(packed))
    (tmp_path / "mirror.zip").write_bytes(packed)
    code, output = qianmen("models", "fetch", NAME, "--from", "mirror.zip", "--json")
    fetched = json.loads(output)
    assert (code, fetched["verified"], fetched["use"]) == (0, True, f"MODEL={NAME}")
    code, output = qianmen("models", "list", "--json")
    rows = {row["name"]: row for row in json.loads(output)}
    assert (rows[starter.name]["in_use"], rows[NAME]["intact"]) == (True, True)
    assert rows["vosk-model-cn-0.22"]["intact"] is None
    code, output = qianmen("models", "fetch", NAME)
    assert code == 0
    assert f"已经有了：{fetched['folder']}" in output
    (Path(fetched["folder"]) / "graph" / "words.txt").write_bytes(b"<eps> 0\n")
    code, output = qianmen("models", "list")
    assert f"{NAME}\t" in output
    assert "坏了" in output
    code, output = qianmen("models", "verify", "--json")
    told = {each["name"]: each for each in json.loads(output)}
    assert code == 1
    assert told["starter"]["ok"]
    assert told[starter.name]["checksum"] == "none"
    assert [problem["code"] for problem in told[NAME]["problems"]] == ["model_corrupt"]
