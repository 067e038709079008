"""How Rasa is started, and in a container by: ``python -m bot.rasa.launch FOLDER MODEL``.

Runs in Rasa's environment too: no settings module, the standard library and YAML only. The
container's environment gives what the settings give elsewhere: QIANMEN_REDIS_URL (or the secret
``qianmen_redis_url``), QIANMEN_ACTIONS_SERVER, QIANMEN_RASA_HOST, QIANMEN_RASA_PORT.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import unquote, urlsplit

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
SECRETS = Path("/run/secrets")
_PREFIX = "qianmen"  # Rasa takes letters and digits only
_TRACKER_S = 24 * 3600  # how long Rasa remembers a conversation; the database keeps it for good
_LOCK_TIMEOUT_S = 5
_SEALED = "bot.rasa.components.tracker.SealedTrackerStore"


def arguments(host: str, port: int, model: str) -> tuple[str, ...]:
    """What follows the interpreter; ``model`` and the rendered files as seen from the folder."""
    return (
        "-m", "rasa", "run", "--quiet", "--enable-api", "--interface", host, "--port", str(port),
        "--model", model, "--endpoints", "endpoints.yml", "--credentials", "credentials.yml",
    )  # fmt: skip


def environment(home: Path) -> dict[str, str]:
    """What Rasa needs beside what it inherits."""
    return {
        "PYTHONPATH": str(ROOT),  # bot.rasa.*, language, sealing; nothing of Rasa's is shadowed
        "OMP_NUM_THREADS": "1",
        "RASA_TELEMETRY_ENABLED": "false",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "",
        "LOG_LEVEL_LIBRARIES": "ERROR",
        "MPLCONFIGDIR": str(home / "matplotlib"),
        "PYTHONWARNINGS": "ignore",  # old packages on a newer Python
        "SANIC_WORKERS": "1",  # with two, turns of one sender get lost (findings)
    }


def data_key(variables: Mapping[str, str], secrets: Path = SECRETS) -> str:
    """The city's key to personal data, from its variable or its secret's file; '' without one."""
    folder = variables.get("QIANMEN_SECRETS_DIR")
    file = (Path(folder) if folder else secrets) / "qianmen_data_key"
    written = variables.get("QIANMEN_DATA_KEY") or ""
    return written or (file.read_text(encoding="utf-8").strip() if file.is_file() else "")


def render(home: Path, redis_url: str, actions_url: str, *, sealed: bool = False) -> None:
    """Write endpoints.yml and credentials.yml. ``sealed``: Rasa's memory is, with the city's key.

    Raises ValueError: Rasa cannot use the URL.
    """
    redis = _redis(redis_url)
    endpoints = {
        "action_endpoint": {"url": f"{actions_url}/webhook"},
        "tracker_store": {
            "type": _SEALED if sealed else "redis", **redis,
            "key_prefix": _PREFIX, "record_exp": _TRACKER_S,
        },
        "lock_store": {
            "type": "redis", **redis, "key_prefix": _PREFIX, "socket_timeout": _LOCK_TIMEOUT_S,
        },
    }  # fmt: skip
    home.mkdir(parents=True, exist_ok=True)
    _write(home / "endpoints.yml", endpoints)
    _write(home / "credentials.yml", {"rest": None})


def _redis(url: str) -> dict[str, Any]:
    try:
        parts = urlsplit(url)
        port = parts.port or 6379
        number = int(parts.path.strip("/") or 0)
    except ValueError:
        raise ValueError("REDIS_URL: port or database is not a number") from None
    if parts.scheme not in ("redis", "rediss") or not parts.hostname:
        raise ValueError("REDIS_URL: expected redis://host:port/number")
    options: dict[str, Any] = {"url": parts.hostname, "port": port, "db": number}
    if parts.username:
        options["username"] = unquote(parts.username)
    if parts.password:
        options["password"] = unquote(parts.password)
    if parts.scheme == "rediss":
        options["use_ssl"] = True
    return options


def _write(path: Path, document: dict[str, Any]) -> None:
    """Written for our own eyes only: the Redis password may stand in it."""
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def wanted(variables: Mapping[str, str], secrets: Path = SECRETS) -> tuple[str, str, str, int]:
    """Redis URL, actions URL, host and port to listen on. Raises ValueError naming the variable."""
    secret = Path(variables.get("QIANMEN_SECRETS_DIR") or secrets) / "qianmen_redis_url"
    redis = variables.get("QIANMEN_REDIS_URL") or variables.get("REDIS_URL") or ""
    if not redis and secret.is_file():
        redis = secret.read_text(encoding="utf-8").strip()
    actions = variables.get("QIANMEN_ACTIONS_SERVER") or "http://127.0.0.1:5055"
    port = variables.get("QIANMEN_RASA_PORT") or "5005"
    if not redis:
        raise ValueError("QIANMEN_REDIS_URL: not set")
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError("QIANMEN_RASA_PORT: not in 1-65535")
    return redis, actions, variables.get("QIANMEN_RASA_HOST") or "127.0.0.1", int(port)


def prepared(home: Path, model: Path, variables: Mapping[str, str]) -> tuple[str, ...]:
    """What follows the interpreter, its two files written. Raises ValueError."""
    redis, actions, host, port = wanted(variables)
    if not model.is_file():
        raise ValueError(f"{model}: the dialogue model is not there")
    render(home, redis, actions, sealed=bool(data_key(variables)))
    return arguments(host, port, str(model))


def _become(argv: tuple[str, ...], home: Path) -> NoReturn:
    os.chdir(home)
    os.execve(argv[0], argv, os.environ | environment(home))  # noqa: S606  # our own program


def main(words: list[str]) -> int:
    """Become Rasa; 1 with one line where the environment is wrong."""
    if len(words) != 2:  # the folder and the model
        sys.stderr.write("usage: python -m bot.rasa.launch FOLDER MODEL\n")
        return 2
    home = Path(words[0]).resolve()
    try:
        argv = (sys.executable, *prepared(home, Path(words[1]).resolve(), os.environ))
    except ValueError as error:
        sys.stderr.write(f"rasa: settings_invalid: {error}\n")
        return 1
    _become(argv, home)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
