"""The keeper's commands: starting, stopping, and what is said when it cannot start."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import httpx
import pytest

from tests.scenarios.front_door import (
    FrontDoor,
    clean_environment,
    front_door_on,
    private_settings,
    qianmen,
    stopped,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(500)]


def test_status_says_that_everything_is_ready(front_door: FrontDoor) -> None:
    command = qianmen("status", "--json", environment=front_door.environment)
    out, _ = command.communicate(timeout=180)
    report = json.loads(out)
    assert report["up"]
    assert [p["name"] for p in report["processes"]] == [
        "redis", "asr", "actions", "rasa", "web", "phone", "courier", "keeper",
    ]  # fmt: skip
    assert command.returncode == 0


def test_the_doctor_finds_nothing_wrong(front_door: FrontDoor) -> None:
    command = qianmen("doctor", "--json", environment=front_door.environment)
    out, _ = command.communicate(timeout=180)
    report = json.loads(out)
    levels = {one["code"]: one["level"] for one in report["findings"]}
    well = {"processes_ok", "keeper_ok", "ports_ok", "line_ok", "database_ok", "redis_ok"}
    assert well <= set(levels), report
    assert "error" not in levels.values(), report
    assert {code for code, level in levels.items() if level == "warning"} >= {
        "city_sample", "model_starter", "hunt_group_sample", "knowledge_sample",
    }  # fmt: skip
    assert report["healthy"]
    assert command.returncode == 0


def test_starting_it_twice_names_the_taken_port(front_door: FrontDoor) -> None:
    command = qianmen("up", environment=front_door.environment)
    _, err = command.communicate(timeout=180)
    assert command.returncode == 1
    assert "port_in_use" in err
    assert f"{front_door.settings.sip_port} (QIANMEN_SIP_PORT)" in err
    assert "Traceback" not in err


def test_status_of_nothing_is_an_exit_code(tmp_path: Path) -> None:
    settings = private_settings(tmp_path)
    environment = clean_environment() | settings.environment()
    command = qianmen("status", "--json", environment=environment)
    out, _ = command.communicate(timeout=180)
    assert command.returncode == 1
    assert not json.loads(out)["up"]


def test_a_broken_city_is_one_line(tmp_path: Path) -> None:
    settings = private_settings(tmp_path)
    path = settings.city / "regions.yaml"
    path.write_text(path.read_text("utf-8") + "\nmore: 1\n", "utf-8")
    command = qianmen("up", environment=clean_environment() | settings.environment())
    _, err = command.communicate(timeout=180)
    assert command.returncode == 1
    assert "regions.yaml" in err
    assert "more" in err
    assert "Traceback" not in err


def test_a_missing_model_is_one_line(tmp_path: Path) -> None:
    settings = private_settings(tmp_path)
    environment = clean_environment() | settings.environment() | {"MODEL": str(tmp_path / "none")}
    command = qianmen("up", environment=environment)
    _, err = command.communicate(timeout=180)
    assert command.returncode == 1
    assert "model_missing" in err
    assert "Traceback" not in err


def test_killed_outright_it_leaves_nothing_behind(tmp_path: Path) -> None:
    """Ctrl-C is every front door's end in these tests (``front_door_on``)."""
    with front_door_on(tmp_path) as door:
        stopped(door, signal.SIGKILL)


def test_no_personal_data_in_any_log(front_door: FrontDoor) -> None:
    logs = list(front_door.settings.log_dir.glob("*.log*"))
    assert len(logs) >= 8
    for path in logs:
        text = path.read_text("utf-8", "replace")
        for word in ("建业小区", "阳光花园", "烧烤摊", "公积金取", "13900139000", "13800138000"):
            assert word not in text, (path.name, word)


def test_no_personal_data_in_any_measurement(front_door: FrontDoor) -> None:
    settings = front_door.settings
    ports = (
        settings.phone_health_port, settings.asr_port, settings.actions_port,
        settings.web_metrics_port, settings.keeper_port, settings.courier_port,
    )  # fmt: skip
    for port in ports:
        page = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False)
        assert "qianmen_" in page.text, port
        for word in ("建业小区", "阳光花园", "烧烤摊", "公积金", "13900139000", "13800138000"):
            assert word not in page.text, (port, word)
