"""``qianmen link``: keys, a matter pushed, a far side simulated."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from config.errors import ConfigError
from config.settings import ROOT, Settings
from handoff.links.keys import read_keys
from qianmen.commands.link import link
from qianmen.linksim import Simulator, send
from tests.ports import free_port
from tests.scenarios.front_door import clean_environment

pytestmark = pytest.mark.usefixtures("logs_as_they_were")
KEY = b"a_key_of_more_than_24_characters"
RUN = CliRunner()


def test_a_new_key_is_one_that_is_taken_and_never_the_same() -> None:
    made = [RUN.invoke(link, ["new-key"]).output.strip() for _ in range(2)]
    assert made[0] != made[1]
    assert read_keys(f"110={made[0]},{made[1]}")["110"] == tuple(key.encode() for key in made)


def test_a_push_needs_the_partys_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QIANMEN_LINK_KEYS", "")
    result = RUN.invoke(link, ["push", "--what", "路灯不亮"])
    assert isinstance(result.exception, ConfigError)
    assert result.exception.code == "link_key_missing"


def test_a_push_that_is_not_taken_is_an_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulator is no front door: it takes what is sent to it, not what is pushed."""
    with Simulator({"110": (KEY,)}).serving() as url:
        monkeypatch.setenv("QIANMEN_LINK_KEYS", f"110={KEY.decode()}")
        monkeypatch.setenv("QIANMEN_WEB_SERVER", url)
        result = RUN.invoke(link, ["push", "--what", "路灯不亮", "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["status"] == 401


def test_an_unknown_mode_is_named() -> None:
    result = RUN.invoke(link, ["simulate", "--mode", "nonsense"])
    assert isinstance(result.exception, ConfigError)
    assert result.exception.code == "mode_unknown"


def test_the_simulator_shows_what_came_and_nothing_personal(tmp_path: Path) -> None:
    port = free_port()
    settings = Settings(data_dir=tmp_path, link_keys=f"110={KEY.decode()}")
    process = subprocess.Popen(
        [sys.executable, "-m", "qianmen.cli", "link", "simulate", "--port", str(port), "--json"],
        env=clean_environment() | settings.environment(), cwd=ROOT, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        assert "模拟的对方" in process.stderr.readline()
        url = f"http://127.0.0.1:{port}/110"
        order = {"number": "2026112000001", "urgency": "danger", "fields": {"phone": "13900139000"}}
        said = {"type": "order.danger", "id": "d1", "to": "110", "danger": "gas", "order": order}
        status, answer = send(url, said, (KEY,))
        assert (status, answer["acknowledged"]) == (200, True)
        assert send(url, said, (b"x" * 32,)) == (401, {"code": "signature_wrong"})
        assert send(url, {**said, "to": "gas"}, (KEY,))[1] == {"code": "message_of_another"}
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0
    shown = [json.loads(line) for line in out.splitlines()]
    assert [one["answered"] for one in shown] == [
        "acknowledged", "signature_wrong", "message_of_another",
    ]  # fmt: skip
    assert (shown[0]["number"], shown[0]["danger"]) == ("2026112000001", "gas")
    assert "13900139000" not in out + err
