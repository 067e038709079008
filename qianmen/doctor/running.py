"""The processes, and what the keeper says of its duties."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
from prometheus_client.parser import text_string_to_metric_families

from config.settings import reachable
from qianmen.doctor.check import Patient, check
from qianmen.doctor.finding import Finding, error, ok, warning
from qianmen.processes import Process, processes
from qianmen.readiness import check as ask

_ASK_S = 3.0
_TRIES = 3
_REACHED_BY_NAME = ("asr", "actions", "rasa", "web")
_LATE_S = 2 * 86400 + 3600
"""A duty of every day that is late by a day."""


@dataclass(frozen=True, slots=True)
class ProcessFacts:
    """Each process with what the manager says of it ('' without one), and whether it is ready."""

    up: bool
    rows: tuple[tuple[str, str, str, bool], ...]


def collect_processes(patient: Patient) -> ProcessFacts:
    """Ask them all; name, label, state, ready."""
    if not patient.up:
        return ProcessFacts(False, ())
    managed = patient.managed or {}
    wanted = processes(patient.settings)
    if patient.scattered:
        wanted = tuple(process for process in wanted if process.name in _REACHED_BY_NAME)
    ready = asyncio.run(_ready(wanted))
    rows = []
    for process in wanted:
        one = managed.get(process.name)
        rows.append((process.name, process.label, one.state if one else "", process.name in ready))
    return ProcessFacts(True, tuple(rows))


async def _ready(wanted: tuple[Process, ...]) -> set[str]:
    """The names of those that are ready; on a busy machine an answer may need another try."""
    ready: set[str] = set()
    for _ in range(_TRIES):
        left = tuple(process for process in wanted if process.name not in ready)
        ready |= {item.process.name for item in await ask(left) if item.ready}
    return ready


def judge_processes(facts: ProcessFacts) -> Iterator[Finding]:
    """All of them serve."""
    if not facts.up:
        yield warning("not_running", "前门", "没有在运行", "qianmen up（或 make run）。")
        return
    down = [row for row in facts.rows if not row[3]]
    for name, label, state, _ in down:
        yield error(
            "process_not_ready", f"{label}（{name}）", f"没有就绪{f'，{state}' if state else ''}",
            f"看日志文件夹里的 {name}.log；它会自动重启，一分钟后再查。",
        )  # fmt: skip
    if not down:
        yield ok("processes_ok", "前门", f"{len(facts.rows)} 个进程都就绪")


@dataclass(frozen=True, slots=True)
class KeeperFacts:
    """Of each duty: failures so far, and when it was done last (Unix time); None: no keeper."""

    now: float
    failures: dict[str, float] | None
    done: dict[str, float]


def collect_keeper(patient: Patient) -> KeeperFacts:
    """Read the keeper's metrics."""
    settings = patient.settings
    address = f"http://{reachable(settings.metrics_host)}:{settings.keeper_port}/metrics"
    if not patient.up:
        return KeeperFacts(time.time(), None, {})
    try:
        answer = httpx.get(address, timeout=_ASK_S, trust_env=False)
        answer.raise_for_status()
        return keeper_facts(answer.text, time.time())
    except (httpx.HTTPError, ValueError):
        return KeeperFacts(time.time(), None, {})


def keeper_facts(text: str, now: float) -> KeeperFacts:
    """Out of Prometheus' text format; raises ValueError for anything else."""
    failures: dict[str, float] = {}
    done: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == "qianmen_keeper_duty_failures_total":
                failures[sample.labels["duty"]] = sample.value
            elif sample.name == "qianmen_keeper_duty_last_success_timestamp_seconds":
                done[sample.labels["duty"]] = sample.value
    return KeeperFacts(now, failures, done)


def judge_keeper(facts: KeeperFacts) -> Iterator[Finding]:
    """Its duties are done; that it runs at all is said with the processes."""
    if facts.failures is None:
        return
    never = [duty for duty in facts.failures if duty not in facts.done]
    late = [duty for duty, at in facts.done.items() if facts.now - at > _LATE_S]
    for duty in (*never, *late):
        yield error(
            "duty_not_done", "看护", f"{duty} 一直没有做成",
            "看 keeper.log 里 duty_failed 的代码：多半是数据库、磁盘或密钥，上面有说明。",
        )  # fmt: skip
    if not never and not late:
        yield ok("keeper_ok", "看护", f"{len(facts.done)} 件事按时做了")


CHECKS = (
    check("运行", collect_processes, judge_processes, within_s=20),
    check("运行", collect_keeper, judge_keeper),
)
