"""How Rasa is trained and started: in its own environment, from files rendered at start."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

from bot.rasa.train import MODEL, is_current
from config.errors import ConfigError
from config.settings import ROOT, Settings

_PREFIX = "qianmen"  # Rasa takes letters and digits only
_TRACKER_S = 24 * 3600  # how long Rasa remembers a conversation; the database keeps it for good
_LOCK_TIMEOUT_S = 5
_TRAIN_LIMIT_S = 600

Command = tuple[tuple[str, ...], dict[str, str], Path]


def folder(settings: Settings) -> Path:
    """Where the model and the rendered files of this installation lie."""
    return settings.data_dir.resolve() / "rasa"


def rasa_command(settings: Settings) -> Command:
    """What starts Rasa: arguments, additional environment, folder. Writes its two files first.

    Raises :class:`ConfigError`: ``redis_url`` where Rasa cannot use the URL.
    """
    home = folder(settings)
    home.mkdir(parents=True, exist_ok=True)
    _render(home / "endpoints.yml", _endpoints(settings))
    _render(home / "credentials.yml", {"rest": None})
    argv = (
        str(settings.rasa_python), "-m", "rasa", "run", "--quiet", "--enable-api",
        "--interface", settings.rasa_host, "--port", str(settings.rasa_port),
        "--model", str(Path("models") / MODEL),
        "--endpoints", "endpoints.yml", "--credentials", "credentials.yml",
    )  # fmt: skip
    return argv, _environment(home), home


def train_if_needed(settings: Settings) -> bool:
    """Train the model unless it was made of what stands here now; whether it had to be trained.

    Raises :class:`ConfigError`: ``rasa_missing`` without Rasa's environment, ``rasa_training``
    when Rasa refuses (its words are in ``train.log`` beside the model).
    """
    home = folder(settings)
    if is_current(home):
        return False
    if not settings.rasa_python.is_file():
        raise ConfigError("rasa_missing", f"{settings.rasa_python}: not there; run `make setup`")
    home.mkdir(parents=True, exist_ok=True)
    argv = [str(settings.rasa_python), "-m", "bot.rasa.train", str(home)]
    log = home / "train.log"
    with log.open("wb") as out:
        code = _run(argv, _environment(home), out)
    if code or not is_current(home):
        raise ConfigError("rasa_training", f"the dialogue model could not be trained: see {log}")
    return True


def _run(argv: list[str], environment: dict[str, str], out: Any) -> int:
    try:
        done = subprocess.run(  # noqa: S603  # our own program, no shell
            argv, env=os.environ | environment, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, timeout=_TRAIN_LIMIT_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return 1
    return done.returncode


def _environment(home: Path) -> dict[str, str]:
    return {
        "PYTHONPATH": str(ROOT),  # bot.rasa.components and language; nothing of Rasa's is shadowed
        "OMP_NUM_THREADS": "1",
        "RASA_TELEMETRY_ENABLED": "false",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "",
        "LOG_LEVEL_LIBRARIES": "ERROR",
        "MPLCONFIGDIR": str(home / "matplotlib"),
        "PYTHONWARNINGS": "ignore",  # old packages on a newer Python
        "SANIC_WORKERS": "1",  # with two, turns of one sender get lost (findings)
    }


def _endpoints(settings: Settings) -> dict[str, Any]:
    redis = _redis(settings.redis)
    return {
        "action_endpoint": {"url": f"{settings.actions_address}/webhook"},
        "tracker_store": {
            "type": "redis", **redis, "key_prefix": _PREFIX, "record_exp": _TRACKER_S,
        },
        "lock_store": {
            "type": "redis", **redis, "key_prefix": _PREFIX, "socket_timeout": _LOCK_TIMEOUT_S,
        },
    }  # fmt: skip


def _redis(url: str) -> dict[str, Any]:
    try:
        parts = urlsplit(url)
        port = parts.port or 6379
        number = int(parts.path.strip("/") or 0)
    except ValueError:
        raise ConfigError("redis_url", "REDIS_URL: port or database is not a number") from None
    if parts.scheme not in ("redis", "rediss") or not parts.hostname:
        raise ConfigError("redis_url", "REDIS_URL: expected redis://host:port/number")
    options: dict[str, Any] = {"url": parts.hostname, "port": port, "db": number}
    if parts.username:
        options["username"] = unquote(parts.username)
    if parts.password:
        options["password"] = unquote(parts.password)
    if parts.scheme == "rediss":
        options["use_ssl"] = True
    return options


def _render(path: Path, document: dict[str, Any]) -> None:
    """Written for our own eyes only: the Redis password may stand in it."""
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
