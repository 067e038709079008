"""Packets: how evenly they come with many calls, at what cost, beside peers in the same run.

Everything is measured outside the engines: the load is a process of its own that takes arrival
times from the kernel, processor time is the operating system's. The engines run one after the
other, each in a process of its own, all with the same load.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import math
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from config.settings import ROOT, Settings
from qianmen.bench.answerers import HOST, free_port
from qianmen.bench.figures import Figure, Figures
from qianmen.bench.questions import CALLS
from qianmen.bench.voice import write_question
from qianmen.citizen.errors import CitizenError

RATES = (100, 200, 400, 600, 800, 1000)
PEER_RATES = (10, 25, 50, 100, 200)
GOAL_SETUPS = 400
GOAL_DIALOGUES_MS = 25
GOAL_MEMORY = 1.05
_SETUPS_S = 5.0
_READY_S = 40.0
_LONGEST_S = 400.0
_RAMP_PER_S = 50
_RECORDED = ("media recorded CPU", "media recorded packet gap p99")
_PEERS = {"baresip": "baresip-python", "pyvoip": "pyVoIP"}
_MODULES = {"baresip": "baresip", "pyvoip": "pyVoIP"}

Result = dict[str, Any]
Progress = Callable[[Result], None]


@dataclass(frozen=True, slots=True)
class MediaPlan:
    """What to measure: ``calls`` at once for ``seconds``; with ``dialogues`` that many with a
    running front door; ``realtime`` puts engines and load before everything else that runs."""

    calls: int = 200
    seconds: float = 20.0
    dialogues: int = 0
    memory: bool = True
    realtime: bool = False


@dataclass(frozen=True, slots=True)
class EngineResults:
    """Of one engine: what ``load_main`` told of the calls held, and of each rate of set-ups."""

    media: Result
    setups: Sequence[Result]


async def run_media(
    settings: Settings, plan: MediaPlan, on_progress: Progress | None = None
) -> Figures:
    """Measure our engine and every peer that is installed. Raises ``CitizenError``."""
    tell = on_progress or (lambda _: None)
    results: dict[str, EngineResults] = {}
    for name in ("qianmen", "recording", *_MODULES):
        if name not in _MODULES or importlib.util.find_spec(_MODULES[name]) is not None:
            results[name] = await _engine(name, plan, tell)
    memory = await _child("qianmen.bench.memory_main", [], []) if plan.memory else []
    dialogues = await _dialogues(settings, plan) if plan.dialogues else None
    return summary(plan, results, memory[0] if memory else None, dialogues)


async def _engine(name: str, plan: MediaPlan, tell: Progress) -> EngineResults:
    held = {"kind": "media", "calls": plan.calls, "seconds": plan.seconds, "says": []}
    async with _answering(name, plan) as target:
        (media,) = await _load(plan, [{**target, **held}])
    tell({"engine": name, **media})
    setups: list[Result] = []
    for rate in RATES if name == "qianmen" else PEER_RATES if name == "pyvoip" else ():
        tried = {"kind": "setups", "rate": rate, "seconds": _SETUPS_S}
        async with _answering(name, plan) as target:
            setups += await _load(plan, [{**target, **tried}])
        tell({"engine": name, **setups[-1]})
        if setups[-1]["failed"]:
            break
    return EngineResults(media, setups)


@asynccontextmanager
async def _answering(name: str, plan: MediaPlan) -> AsyncIterator[Result]:
    """An engine that answers; gives what of a load's plan says where it is."""
    load_port = free_port()
    process = await asyncio.create_subprocess_exec(
        *_command("qianmen.bench.answerers", plan), name, str(load_port),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, cwd=ROOT,
    )  # fmt: skip
    assert process.stdout is not None  # noqa: S101  # a pipe
    try:
        async with asyncio.timeout(_READY_S):
            port = int(await process.stdout.readline() or b"0")
        if not port:
            raise CitizenError("lost", f"{name} ended before it answered")
        yield {
            "uri": f"sip:12345@{HOST}:{port}", "local_ip": HOST, "sip_port": load_port,
            "ramp_per_s": _RAMP_PER_S, "pid": process.pid,
        }  # fmt: skip
    except TimeoutError as error:
        raise CitizenError("unreachable", f"{name} does not answer") from error
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _load(plan: MediaPlan, plans: Sequence[Result]) -> list[Result]:
    return await _child("qianmen.bench.load_main", plans, ["--realtime"] * plan.realtime)


async def _child(module: str, plans: Sequence[Result], options: Sequence[str]) -> list[Result]:
    """Run a measuring process: JSON lines in, JSON lines out."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *options,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    told = "".join(json.dumps(each) + "\n" for each in plans).encode()
    try:
        async with asyncio.timeout(_LONGEST_S):
            out, _ = await process.communicate(told)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    results = [json.loads(line) for line in out.splitlines()]
    if process.returncode or len(results) < len(plans):
        raise CitizenError("lost", f"{module} ended without a result")
    return results


def _command(module: str, plan: MediaPlan) -> list[str]:
    return [sys.executable, "-W", "ignore", "-m", module, *["--realtime"] * plan.realtime]


async def _dialogues(settings: Settings, plan: MediaPlan) -> Result:
    """Callers who ask the front door that runs here, over and over, 6 s between questions."""
    with TemporaryDirectory(prefix="qianmen-bench-") as folder:
        asked = [text for call in CALLS for text in call]
        says = [str(write_question(Path(folder), text, "cmn", 165)) for text in asked]
        measured = {
            "kind": "media", "uri": f"sip:12345@{HOST}:{settings.sip_port}", "local_ip": HOST,
            "sip_port": 0, "ramp_per_s": 4, "pid": 0, "calls": plan.dialogues,
            "seconds": max(plan.seconds, 30.0), "says": says,
        }  # fmt: skip
        (result,) = await _load(plan, [measured])
        return result


def summary(
    plan: MediaPlan,
    results: dict[str, EngineResults],
    memory: Result | None = None,
    dialogues: Result | None = None,
) -> Figures:
    """The figures of what the processes told; goals as far as the peers were measured."""
    ours = results["qianmen"]
    goals = _goals(results)
    figures = [*_media_figures("media", ours.media, goals)]
    figures.append(
        Figure("call set-ups, no failure", _steady(ours.setups), "/s", f"≥ {GOAL_SETUPS}")
    )
    if "recording" in results:
        told = _media_figures("media recorded", results["recording"].media, {})
        figures += [figure for figure in told if figure.name in _RECORDED]
    figures.append(Figure("load CPU", round(ours.media["load_cpu"], 1), "% of a core"))
    if memory is not None:
        ratio = round(memory["after_mib"] / memory["before_mib"], 3)
        figures += [
            Figure("memory after 1 simulated minute", round(memory["before_mib"], 1), "MiB"),
            Figure("memory after 60 ÷ after 1", ratio, "", f"≤ {GOAL_MEMORY}"),
        ]
    if dialogues is not None:
        seen = dialogues["pacing"] or {}
        gap = seen.get("gap_p99", math.nan)
        figures += [
            Figure("dialogues at once", dialogues["alive"], "", f"{plan.dialogues}"),
            Figure("dialogues packet gap p99", round(gap, 1), "ms", f"≤ {GOAL_DIALOGUES_MS}"),
        ]
    figures.append(Figure("real-time priority", int(plan.realtime), ""))
    peers: list[Figure] = []
    for name, label in _PEERS.items():
        if name in results:
            peers += _media_figures(label, results[name].media, {})
            if results[name].setups:
                steady = _steady(results[name].setups)
                peers.append(Figure(f"{label} call set-ups, no failure", steady, "/s"))
    return Figures(tuple(figures), tuple(peers))


def _goals(results: dict[str, EngineResults]) -> dict[str, str]:
    gaps, goals = [], {}
    baresip, pyvoip = results.get("baresip"), results.get("pyvoip")
    if baresip is not None and baresip.media["pacing"]:
        gaps.append(baresip.media["pacing"]["gap_p99"] + 2)
        goals["cpu"] = f"≤ {baresip.media['cpu'] / 2:.1f}"
    if pyvoip is not None and pyvoip.media["pacing"]:
        gaps.append(pyvoip.media["pacing"]["gap_p99"] / 4)
    if gaps:
        goals["gap"] = " and ".join(f"≤ {gap:.1f}" for gap in gaps)
    return goals


def _media_figures(label: str, media: Result, goals: dict[str, str]) -> list[Figure]:
    figures = [
        Figure(f"{label} calls held", media["alive"], f"of {media['calls']}"),
        Figure(f"{label} 200 OK after, p50", round(media["setup_p50_ms"], 1)),
        Figure(f"{label} CPU", round(media["cpu"], 1), "% of a core", goals.get("cpu", "")),
    ]
    seen, gap_goal = media["pacing"], goals.get("gap", "")
    if seen:
        figures += [
            Figure(f"{label} packet gap p99", round(seen["gap_p99"], 1), "ms", gap_goal),
            Figure(f"{label} packet gap longest", round(seen["gap_max"], 1)),
            Figure(f"{label} drift", round(seen["drift_ppm"]), "ppm"),
            Figure(f"{label} packets missing", round(100 * seen["missing"], 2), "%"),
        ]
    return figures


def _steady(setups: Sequence[Result]) -> float:
    """The highest rate at which no call failed, 0 if there is none."""
    return max((each["rate"] for each in setups if not each["failed"]), default=0.0)
