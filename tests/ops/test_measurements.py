"""The dashboard and the alert rules: what they ask for exists, and they fire as they should.

Grafana itself is not at hand: of the dashboard only the shape and its queries are checked.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY, CollectorRegistry
from sqlalchemy import create_engine

import asr.server
import bot.actions.app
import chat.socket
import qianmen.courier.measured
import qianmen.keeper.answers
import telephony.call
import tts.speaker
import web.metrics
import web.routes.linkage
from config.city import City
from config.metrics import exposition
from config.settings import ROOT, Settings
from qianmen.keeper.duty import Keeping
from qianmen.keeper.gauges import register
from qianmen.keeper.lock import FileLock
from qianmen.keeper.loop import Keeper, Terms
from qianmen.keeper.watch import Watch
from telephony.metrics import LineCollector
from telephony.sip.line import SipLine

OPS = ROOT / "ops"
RULES = OPS / "prometheus" / "alerts.yml"
ROOMS = (
    asr.server, bot.actions.app, chat.socket, qianmen.courier.measured, qianmen.keeper.answers,
    telephony.call, tts.speaker, web.metrics, web.routes.linkage,
)  # fmt: skip
_NAME = re.compile(r"\b(?:qianmen|process)_[a-z_]+\b")
_LABELS = re.compile(r"(qianmen_[a-z_]+)\{([^}]*)\}")
PROMTOOL = shutil.which("promtool", path=f"{ROOT / '.tools'}{os.pathsep}{os.environ['PATH']}")
needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="promtool is not there: run scripts/system-packages.sh"
)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, city: City) -> frozenset[str]:
    """The sample names of all processes, as their registries tell them."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"))
    keeper, phone = CollectorRegistry(), CollectorRegistry()
    phone.register(LineCollector(SipLine()))
    engine = create_engine("sqlite://")
    keeping = Keeping(settings, city, engine)
    gauges = register(keeper, keeping)
    Watch(settings, keeper)
    Keeper(keeping, (), Terms(FileLock(settings.data_dir / "lock"), lambda: True), keeper)
    names = {name for each in (REGISTRY, keeper, phone) for name in _sample_names(each)}
    names |= {sample for family in gauges.describe() for sample in _samples(family)}
    gauges.close(wait=True)
    engine.dispose()
    return frozenset(names)


def _sample_names(registry: CollectorRegistry) -> Iterator[str]:
    for family in registry.collect():
        yield from _samples(family)


def _samples(family: Any) -> tuple[str, ...]:
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}
    return tuple(family.name + suffix for suffix in suffixes.get(family.type, ("",)))


def _dashboard() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((OPS / "grafana" / "qianmen.json").read_text("utf-8"))
    return loaded


def _panels() -> list[dict[str, Any]]:
    return [panel for panel in _dashboard()["panels"] if panel["type"] != "row"]


def _queries() -> list[str]:
    return [target["expr"] for panel in _panels() for target in panel["targets"]]


def test_all_rooms_are_measured(exported: frozenset[str]) -> None:
    assert len(ROOMS) == 9
    assert len([name for name in exported if name.startswith("qianmen_")]) > 60


@pytest.mark.parametrize("query", _queries())
def test_what_the_dashboard_asks_for_is_exported(query: str, exported: frozenset[str]) -> None:
    names = set(_NAME.findall(query))
    assert names <= exported, names - exported
    assert names or query.startswith("up")


def test_what_the_alerts_ask_for_is_exported(exported: frozenset[str]) -> None:
    asked = set(_NAME.findall(_without_comments(RULES.read_text("utf-8"))))
    assert len(asked) > 20
    assert asked <= exported, asked - exported


def test_everything_of_ours_is_shown_on_the_dashboard(exported: frozenset[str]) -> None:
    text = " ".join(_queries())
    families = {re.sub(r"_(total|bucket|count|sum)$", "", name) for name in exported}
    hidden = {name for name in families if name.startswith("qianmen_") and name not in text}
    # Resting duties show as a clock in doubt; sizes and times only serve the alerts.
    assert hidden == {
        "qianmen_keeper_duty_resting", "qianmen_disk_size_bytes", "qianmen_outbox_oldest_seconds",
        "qianmen_outbox_last_sent_timestamp_seconds",
    }  # fmt: skip


def _without_comments(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))


def test_the_dashboard_has_the_shape_that_grafana_imports() -> None:
    board = _dashboard()
    assert board["schemaVersion"] >= 36
    assert board["id"] is None
    rows = [panel["title"] for panel in board["panels"] if panel["type"] == "row"]
    assert rows == ["电话", "对话", "识别", "知识", "转人工", "工单", "故障", "主机", "联动",
                    "微信"]  # fmt: skip
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    (variable,) = board["templating"]["list"]
    assert (variable["type"], variable["query"]) == ("datasource", "prometheus")
    for panel in _panels():
        assert panel["datasource"]["uid"] == f"${{{variable['name']}}}"
        assert re.search("[一-鿿]", panel["title"])


def test_no_panel_lies_upon_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in _dashboard()["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


def _promtool(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    assert PROMTOOL is not None
    return subprocess.run([PROMTOOL, *words], cwd=cwd, capture_output=True, text=True, check=False)


@needs_promtool
@pytest.mark.parametrize("name", ["prometheus.yml", "prometheus-compose.yml"])
def test_prometheus_takes_the_configuration_and_the_rules(name: str) -> None:
    checked = _promtool("check", "config", name, cwd=OPS / "prometheus")
    assert checked.returncode == 0, checked.stdout + checked.stderr


@needs_promtool
def test_the_dashboards_queries_are_promql(tmp_path: Path) -> None:
    lines = ["groups:", "  - name: dashboard", "    rules:"]
    for number, query in enumerate(_queries()):
        expr = query.replace("$__rate_interval", "1m").replace("'", "''")
        lines += [f"      - record: panel:{number}", f"        expr: '{expr}'"]
    (tmp_path / "panels.yml").write_text("\n".join(lines), "utf-8")
    checked = _promtool("check", "rules", "panels.yml", cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@needs_promtool
def test_the_alerts_fire_and_stay_silent_as_they_should(tmp_path: Path) -> None:
    shutil.copy(Path(__file__).parent / "alerts_test.yml", tmp_path)
    shutil.copy(RULES, tmp_path)
    checked = _promtool("test", "rules", "alerts_test.yml", cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@needs_promtool
def test_a_rule_that_is_changed_fails_its_test(tmp_path: Path) -> None:
    shutil.copy(Path(__file__).parent / "alerts_test.yml", tmp_path)
    blunt = RULES.read_text("utf-8").replace('urgency="danger"}) > 60', 'urgency="danger"}) > 6000')
    (tmp_path / "alerts.yml").write_text(blunt, "utf-8")
    assert _promtool("test", "rules", "alerts_test.yml", cwd=tmp_path).returncode != 0


@needs_promtool
def test_the_page_and_its_names_are_as_prometheus_wants_them(exported: frozenset[str]) -> None:
    registry = CollectorRegistry()
    registry.register(LineCollector(SipLine()))
    assert PROMTOOL is not None
    for page in (exposition()[0], exposition(registry)[0]):
        checked = subprocess.run([PROMTOOL, "check", "metrics"], input=page, capture_output=True)
        assert (checked.returncode, checked.stderr) == (0, b"")


def test_every_alert_says_what_to_do_and_is_tested() -> None:
    text = RULES.read_text("utf-8")
    names = re.findall(r"- alert: (\S+)", text)
    assert len(names) == text.count("summary: ") == text.count("todo: ") == text.count("severity:")
    tested = (Path(__file__).parent / "alerts_test.yml").read_text("utf-8")
    assert [name for name in names if f'"{name}"' not in tested] == []
