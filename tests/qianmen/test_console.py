"""What goes to which of the two outputs, and what people can read."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from config.city import City
from config.settings import ROOT, Settings
from qianmen import cli
from qianmen.advice import told
from qianmen.demo import never_used, say_call, show_at_first_start, show_order
from store.engine import open_store
from tests.fakes.chat_server import chat_server
from tests.fakes.orders import PHONE, a_day

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
SEEN = "20261120-0001"


pytestmark = pytest.mark.usefixtures("logs_as_they_were")


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_template: Path) -> Settings:
    """An installation with an empty database, found by the environment; nothing runs."""
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "QIANMEN_DATA_DIR": str(tmp_path / "data"),
        "QIANMEN_SECRET_KEY": "a secret that only tests know",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "DATABASE_URL": "",
    }.items():
        monkeypatch.setenv(name, value)
    for port in (
        "WEB",
        "ASR",
        "ACTIONS",
        "RASA",
        "KEEPER",
        "COURIER",
        "PHONE_HEALTH",
        "WEB_METRICS",
    ):
        monkeypatch.setenv(f"QIANMEN_{port}_PORT", "1")
    settings = Settings()
    settings.data_dir.mkdir(mode=0o700)
    shutil.copyfile(sqlite_template, settings.data_dir / "qianmen.sqlite3")
    (settings.log_dir).mkdir(exist_ok=True)
    line = {"timestamp": "2026-11-20T04:00:00Z", "event": "order_written", "trace": SEEN}
    (settings.log_dir / "web.log").write_text(json.dumps(line) + "\n", "utf-8")
    return settings


def typed(*words: str) -> Result:
    return CliRunner().invoke(cli.app, words)


COMMANDS: list[tuple[str, ...]] = [
    ("staff", "add", "zhang", "--name", "张三", "--role", "agent"),
    ("status",),
    ("doctor",),
    ("data", "new-key"),
    ("data", "retain", "--dry-run"),
    ("data", "reseal"),
    ("data", "erase", PHONE, "--by", "王芳", "--dry-run"),
    ("data", "export", PHONE, "--by", "王芳", "--to", "out.zip"),
    ("db", "upgrade"),
    ("db", "backup", "b.tar.gz"),
    ("models", "list"),
    ("trace", SEEN),
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_results_are_on_standard_output(
    house: Settings, city: City, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    engine = open_store(house)
    a_day(engine, house.recordings_dir, NOW.astimezone(city.zone))
    engine.dispose()
    if words[:2] == ("data", "reseal"):
        monkeypatch.setenv(
            "QIANMEN_DATA_KEY", json.loads(typed("data", "new-key", "--json").stdout)["key"]
        )
    for_people = typed(*words)
    assert for_people.exit_code in {0, 1}
    assert for_people.exception is None or isinstance(for_people.exception, SystemExit)
    assert for_people.stdout.strip()
    if words == ("doctor",):
        return  # it is slow, and doctor/test_real.py reads its document
    if words[:2] in {("staff", "add"), ("data", "export"), ("db", "backup")}:
        words = tuple(
            f"2{word}" if word in {"zhang", "out.zip", "b.tar.gz"} else word for word in words
        )
    json.loads(typed(*words, "--json").stdout)


def test_nothing_started_is_one_line(house: Settings) -> None:
    told_people = typed("status")
    assert told_people.exit_code == 1
    assert told_people.stdout == "没有启动：uv run qianmen up（或 make run）\n"
    told_programs = typed("status", "--json")
    assert told_programs.exit_code == 1
    assert len(json.loads(told_programs.stdout)["processes"]) > 4


def test_a_chat_is_shown_on_standard_output(
    house: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from qianmen.citizen.report import ChatReport, SaidTurn

    turns = (SaidTurn("bot", "您好，请讲。", ""), SaidTurn("citizen", "租房", ""))

    async def held(_url: str, _says: Any, on_progress: Callable[[SaidTurn], None] | None) -> Any:
        for turn in turns if on_progress else ():
            assert on_progress is not None
            on_progress(turn)
        return ChatReport(turns, "web-1", handed_over=False, order="")

    monkeypatch.setattr("qianmen.citizen.chat.hold_chat", held)
    assert typed("chat", "--say", "租房").stdout == "前门：您好，请讲。\n市民：租房\n"
    assert len(json.loads(typed("chat", "--say", "租房", "--json").stdout)["turns"]) == 2


async def test_a_citizens_words_are_told_before_their_answer() -> None:
    from qianmen.citizen.chat import hold_chat
    from qianmen.citizen.errors import CitizenError

    heard: list[str] = []
    async with chat_server({"没了": [{"close": True}]}) as url:
        with pytest.raises(CitizenError):
            await hold_chat(url, ["没了"], on_progress=lambda turn: heard.append(turn.text))
    assert heard == ["您好，请讲。", "没了"]


def test_a_reader_that_leaves_ends_nothing() -> None:
    script = "from qianmen.console import show\nfor n in range(20000): show(f'line {n}')\n"
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=writer, stderr=subprocess.PIPE
    )
    os.close(writer)
    assert os.read(reader, 6) == b"line 0"
    os.close(reader)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, b"")


def _pages(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield words
    for name, one in getattr(command, "commands", {}).items():
        yield from _pages(one, (*words, name))


@pytest.mark.parametrize("words", list(_pages(get_command(cli.app))), ids=" ".join)
def test_no_help_is_cut_off(words: tuple[str, ...]) -> None:
    page = CliRunner().invoke(cli.app, [*words, "--help"], env={"COLUMNS": "80"})
    assert page.exit_code == 0
    cut = page.stdout.replace("……", "").replace("WAV…", "").replace("[, conversation, turn …]", "")
    assert "…" not in cut
    assert "选项" in page.stdout


@pytest.mark.parametrize(
    ("code", "sentence", "wanted"),
    [
        (
            "unreachable",
            "nothing answers at x",
            "没有应答，前门大概没有启动：先运行 uv run qianmen up",
        ),
        ("database_url", "DATABASE_URL 写得不对", "DATABASE_URL 写得不对"),
        ("never_heard_of", "some text", "some text"),
    ],
)
def test_errors_say_what_to_do(code: str, sentence: str, wanted: str) -> None:
    assert told(code, sentence).startswith(wanted)
    assert sentence in told(code, sentence)


def test_a_failing_command_says_it_in_chinese(
    house: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("qianmen.commands.shared.configure", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["qianmen", "chat", "--say", "喂"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (1, "")
    assert err.startswith("✘ unreachable：没有应答")


async def test_the_demonstration_is_for_the_first_start(
    house: Settings, city: City, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = open_store(house)
    assert never_used(engine)
    a_day(engine, house.recordings_dir, NOW.astimezone(city.zone))
    assert not never_used(engine)
    await show_at_first_start(house, engine)
    assert capsys.readouterr() == ("", "演示：uv run qianmen demo\n")
    engine.dispose()


def test_calls_and_orders_are_in_chinese(capsys: pytest.CaptureFixture[str]) -> None:
    for event, text in (("said", "你好"), ("heard", "1.2 s"), ("unknown", "")):
        say_call(event, text)
    field = {"value": "烧烤摊油烟", "provenance": {"quote": "油烟特别呛人"}}
    show_order({"number": SEEN, "kind": "投诉", "title": "油烟", "fields": {"what": field}})
    out, err = capsys.readouterr()
    assert err == "市民：你好\n前门：（说了 1.2 秒）\n"
    assert out.splitlines()[1] == "  诉求内容：烧烤摊油烟  ←「油烟特别呛人」"
