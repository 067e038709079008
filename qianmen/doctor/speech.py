"""The speech model: there, whole, and fit for callers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from asr.models.catalogue import STARTER
from asr.models.check import check as check_model
from asr.models.errors import ModelError
from asr.models.shelf import chosen, wanted
from asr.recogniser import RecogniserError
from asr.starter.archive import ModelError as StarterError
from asr.vosk_local import model_rate, try_model
from config.errors import ConfigError
from config.settings import Settings
from qianmen.doctor.check import Patient, check
from qianmen.doctor.finding import Finding, error, ok, warning

_FETCH = "重新取一次模型：qianmen models list 看有哪些，qianmen models fetch 名字；或者设 MODEL。"


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """``problems`` are (code, message); ``remote`` is ASR_URL's host and port where it is used."""

    starter: bool = False
    folder: str = ""
    problems: tuple[tuple[str, str], ...] = ()
    remote: str = ""
    reached: bool = True


def collect_model(patient: Patient) -> ModelFacts:
    """Look at the model in use; ``thorough`` reads it all and loads it in another process."""
    settings = patient.settings
    if settings.asr_url:
        return _remote(settings)
    starter = wanted(settings) == STARTER
    try:
        folder = chosen(settings)
        problems = tuple(
            (one.code, one.message) for one in check_model(folder, thorough=patient.thorough)
        )
        if not problems and patient.thorough:
            asyncio.run(try_model(folder, model_rate(folder)))
    except (ModelError, StarterError, RecogniserError, ConfigError) as failure:
        return ModelFacts(starter, problems=((failure.code, str(failure)),))
    return ModelFacts(starter, str(folder), problems)


def _remote(settings: Settings) -> ModelFacts:
    parts = urlsplit(settings.asr_url)
    try:
        place = (parts.hostname or "", parts.port or (443 if parts.scheme == "wss" else 80))
        with socket.create_connection(place, timeout=3):
            return ModelFacts(remote=f"{place[0]}:{place[1]}")
    except (OSError, ValueError):
        return ModelFacts(remote=parts.netloc.rpartition("@")[2], reached=False)


def judge_model(facts: ModelFacts) -> Iterator[Finding]:
    """Whole, and no toy."""
    subject = "语音模型"
    if facts.remote and not facts.reached:
        yield error(
            "asr_url_unreachable", "语音识别服务", f"{facts.remote} 连不上",
            "查 ASR_URL 的地址，和那边的 vosk-server 是否在运行；电话现在会直接转人工。",
        )  # fmt: skip
    elif facts.remote:
        yield ok("asr_url_ok", "语音识别服务", facts.remote)
    elif facts.problems:
        for code, message in facts.problems:
            yield error(code, subject, message, _FETCH)
    elif facts.starter:
        yield warning(
            "model_starter", subject, "用的是随附的入门模型：只认合成语音，听不懂真人",
            "给真实市民用之前：qianmen models fetch vosk-model-cn-0.22，再设 MODEL；"
            "或者设 ASR_URL。",
        )  # fmt: skip
    else:
        yield ok("model_ok", subject, facts.folder)


CHECKS = (check("语音", collect_model, judge_model, within_s=180),)
