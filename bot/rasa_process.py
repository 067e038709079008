"""How Rasa is trained and started: in its own environment, from files rendered at start."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from bot.rasa import launch
from bot.rasa.train import MODEL
from bot.rasa.train import is_current as _is_current
from config.errors import ConfigError
from config.settings import ROOT, Settings

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
    try:
        launch.render(
            home, settings.redis, settings.actions_address, sealed=bool(settings.data_key)
        )
    except ValueError as error:
        raise ConfigError("redis_url", str(error)) from None
    model = str(Path("models") / MODEL)
    arguments = launch.arguments(settings.rasa_host, settings.rasa_port, model)
    return (str(settings.rasa_python), *arguments), launch.environment(home), home


def is_current(settings: Settings) -> bool:
    """Whether the model was made of what stands here, and of the city's files, now."""
    return _is_current(folder(settings), settings.city)


def train_if_needed(settings: Settings) -> bool:
    """Train the model unless it was made of what stands here now; whether it had to be trained.

    Raises :class:`ConfigError`: ``rasa_missing`` without Rasa's environment, ``rasa_training``
    when Rasa refuses (its words are in ``train.log`` beside the model).
    """
    home = folder(settings)
    if is_current(settings):
        return False
    _train(settings, home)
    return True


def _train(settings: Settings, home: Path) -> None:
    """Train into ``home``; raises :class:`ConfigError` as :func:`train_if_needed`."""
    if not settings.rasa_python.is_file():
        raise ConfigError("rasa_missing", f"{settings.rasa_python}: not there; run `make setup`")
    home.mkdir(parents=True, exist_ok=True)
    city = str(settings.city.resolve())
    argv = [str(settings.rasa_python), "-m", "bot.rasa.train", str(home), city]
    log = home / "train.log"
    with log.open("wb") as out:
        code = _run(argv, launch.environment(home), out)
    if code or not _is_current(home, settings.city):
        raise ConfigError("rasa_training", f"the dialogue model could not be trained: see {log}")


def _run(argv: list[str], environment: dict[str, str], out: Any) -> int:
    try:
        done = subprocess.run(  # noqa: S603  # our own program, no shell
            argv, env=os.environ | environment, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, timeout=_TRAIN_LIMIT_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return 1
    return done.returncode
