"""The media measurement: its arithmetic, and a tiny run against our own line."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from qianmen.bench import load_main
from qianmen.bench import media as bench
from qianmen.bench.load import Load
from qianmen.bench.load_main import media, setups, sounds
from qianmen.bench.media import EngineResults, MediaPlan, summary
from qianmen.bench.memory_main import simulate
from qianmen.bench.pacing import pacing
from qianmen.bench.realtime import take_option
from qianmen.citizen import sip

STEADY = {
    "gap_p50": 20.0, "gap_p99": 21.0, "gap_max": 25.0, "drift_ppm": 3.2, "missing": 0.001,
    "streams": 200,
}  # fmt: skip


def told(cpu: float, gap: float) -> dict[str, Any]:
    return {"calls": 200, "answered": 200, "alive": 200, "load_cpu": 15.0, "cpu": cpu,
            "setup_p50_ms": 2.1, "pacing": {**STEADY, "gap_p99": gap}}  # fmt: skip


def stream(period_ns: int, count: int = 200, first: int = 65_500) -> list[tuple[int, int]]:
    return [(10**18 + n * period_ns, (first + n) & 0xFFFF) for n in range(count)]


def test_even_streams_have_no_drift_and_even_gaps() -> None:
    seen = pacing([stream(20_000_000), stream(20_000_000)], 4.0)
    assert seen is not None
    assert (seen.streams, seen.gap_p50, seen.gap_p99, seen.gap_max) == (2, 20, 20, 20)
    assert abs(seen.drift_ppm) < 0.01
    assert seen.missing == 0


def test_a_slow_clock_drifts_and_a_lost_packet_is_no_gap() -> None:
    slow = stream(20_002_000)
    del slow[100]
    seen = pacing([slow], 4.0)
    assert seen is not None
    assert seen.drift_ppm == pytest.approx(100, abs=0.1)
    assert seen.gap_max == pytest.approx(20.002)
    assert seen.missing == pytest.approx(1 / 200)


def test_nothing_came() -> None:
    assert pacing([], 4.0) is None
    assert pacing([[(1, 1)]], 4.0) is None


def test_figures_have_goals_from_the_peers_of_the_same_run() -> None:
    rates = [{"rate": 400.0, "failed": 0}, {"rate": 600.0, "failed": 2}]
    results = {
        "qianmen": EngineResults(told(38.0, 21.0), rates),
        "recording": EngineResults(told(60.0, 23.0), []),
        "baresip": EngineResults(told(90.0, 22.0), []),
        "pyvoip": EngineResults(told(160.0, 120.0), [{"rate": 50.0, "failed": 0}]),
    }
    memory = {"before_mib": 50.0, "after_mib": 51.0}
    figures = summary(MediaPlan(dialogues=20), results, memory, told(0.0, 24.0)).to_dict()
    ours = {row["name"]: (row["value"], row["goal"]) for row in figures["figures"]}
    peers = {row["name"]: row["value"] for row in figures["peers"]}
    assert ours["media packet gap p99"] == (21.0, "≤ 24.0 and ≤ 30.0")
    assert ours["media CPU"] == (38.0, "≤ 45.0")
    assert ours["call set-ups, no failure"] == (400.0, "≥ 400")
    assert ours["media recorded CPU"] == (60.0, "")
    assert ours["memory after 60 ÷ after 1"] == (1.02, "≤ 1.05")
    assert ours["dialogues packet gap p99"] == (24.0, "≤ 25")
    assert peers["baresip-python packet gap p99"] == 22.0
    assert peers["pyVoIP call set-ups, no failure"] == 50.0
    assert json.loads(json.dumps(figures)) == figures


def test_without_peers_there_are_no_goals_against_them() -> None:
    alone = {"qianmen": EngineResults({**told(38.0, 21.0), "pacing": None}, [])}
    figures = summary(MediaPlan(), alone)
    assert not figures.peers
    names = [figure.name for figure in figures.figures]
    assert "media packet gap p99" not in names
    assert "memory after 60 ÷ after 1" not in names


async def test_a_tiny_run_on_our_own_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_main, "WARM_S", 0.1)
    monkeypatch.setattr(load_main, "GOODBYE_S", 0.5)
    async with bench._answering("qianmen", MediaPlan()) as target:
        plan = {**target, "calls": 2, "seconds": 1.2, "says": []}
        held = await asyncio.to_thread(media, plan)
        tried = await asyncio.to_thread(setups, {**target, "rate": 10, "seconds": 0.5})
    assert (held["answered"], held["alive"]) == (2, 2)
    assert held["pacing"]["streams"] == 2
    assert (tried["started"], tried["ended"], tried["failed"]) == (5, 5, 0)


def test_memory_of_a_short_day(tmp_path: Path) -> None:
    told = asyncio.run(simulate(tmp_path, streams=1, minutes=1))
    assert told["after_mib"] == told["before_mib"] > 0
    (recording,) = tmp_path.iterdir()
    assert recording.stat().st_size > 50_000


def test_nobody_there_is_a_failed_call() -> None:
    load = Load(sip.parse_uri("sip:1@127.0.0.1:9"), "127.0.0.1", [])
    try:
        load.start_call()
        for _ in load.ticks(0.02):
            pass
        assert (load.pending, load.tally.answered) == (1, 0)
    finally:
        load.close()


def test_the_hum_closes_its_circle() -> None:
    (hum,) = sounds(())
    assert {len(payload) for payload in hum} == {160}


def test_priority_only_where_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr("os.sched_setscheduler", lambda *told: asked.append(told[1]))
    assert take_option(["qianmen", "5060"]) == ["qianmen", "5060"]
    assert asked == []
    assert take_option(["--realtime", "qianmen"]) == ["qianmen"]
    assert len(asked) == 1


def test_priority_that_is_not_permitted_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.sched_setscheduler", refused)
    with pytest.raises(SystemExit, match="not permitted"):
        take_option(["--realtime"])
