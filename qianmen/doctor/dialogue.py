"""Rasa and the actions: environment, model, and how quickly a sentence is understood."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass

from bot.rasa_client import RasaClient, RasaError
from bot.rasa_process import is_current
from qianmen.doctor.check import Patient, check
from qianmen.doctor.finding import Finding, error, ok, warning

_PATIENCE_S = 5.0
_SLOW_MS = 200
"""Measured on one core of a small machine: about 10; beyond this the pause is heard."""
_TEXT = "租房怎么提取公积金"


@dataclass(frozen=True, slots=True)
class RasaFacts:
    """``parse_ms``: the quicker of two sentences; ``error``: Rasa's code instead, or ''."""

    up: bool
    local: bool
    environment: bool
    current: bool
    parse_ms: float = 0.0
    error: str = ""


def collect_rasa(patient: Patient) -> RasaFacts:
    """Look at the files, and ask it when it should run."""
    settings = patient.settings
    environment = settings.rasa_python.is_file()
    current = is_current(settings)
    took, code = asyncio.run(_ask(settings.rasa_address)) if patient.up else (0.0, "")
    local = not settings.rasa_server
    return RasaFacts(patient.up, local, environment, current, took, code)


async def _ask(address: str) -> tuple[float, str]:
    client = RasaClient(address, _PATIENCE_S)
    best = float("inf")
    try:
        for _ in range(2):
            began = time.monotonic()
            await client.parse(_TEXT)
            best = min(best, 1000 * (time.monotonic() - began))
    except RasaError as failure:
        return 0.0, failure.code
    finally:
        await client.close()
    return best, ""


def judge_rasa(facts: RasaFacts) -> Iterator[Finding]:
    """There, trained on what stands here, answering, quick."""
    subject = "对话（Rasa）"
    if facts.local and not facts.environment:
        yield error("rasa_missing", subject, "Rasa 的 Python 环境没有装", "运行 make setup。")
    elif facts.local and not facts.current:
        yield _untrained(facts.up, subject)
    if facts.error:
        yield error(
            facts.error, subject, "不应答：市民的每句话都会转人工",
            "看 rasa.log；qianmen status 看它是不是在反复重启（内存不够？）。",
        )  # fmt: skip
    elif facts.up and facts.parse_ms > _SLOW_MS:
        yield warning(
            "rasa_slow", subject, f"理解一句话用了 {facts.parse_ms:.0f} 毫秒",
            "机器太忙：减小 QIANMEN_MAX_CALLS，或者加 CPU。",
        )  # fmt: skip
    elif facts.up:
        yield ok("rasa_ok", subject, f"理解一句话 {facts.parse_ms:.0f} 毫秒")


def _untrained(up: bool, subject: str) -> Finding:
    if not up:
        return ok("rasa_model_not_yet", subject, "对话模型在启动时训练（约一分钟）")
    return warning(
        "rasa_model_old", subject, "语料或规则改过了，运行的还是旧的对话模型",
        "重新启动前门，它会自己训练（约一分钟）。",
    )  # fmt: skip


CHECKS = (check("对话", collect_rasa, judge_rasa, within_s=20),)
