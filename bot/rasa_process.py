"""How Rasa is trained, started and given a new model, in its own environment.

The files that it starts from are rendered at each start. A new model is trained beside the one in
use and taken by the running Rasa between two turns: nobody waits, no conversation is lost (its
memory is in Redis).
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bot.rasa import launch
from bot.rasa.train import MODEL
from bot.rasa.train import is_current as _is_current
from config.errors import ConfigError
from config.settings import ROOT, Settings
from turns.understood import ACTS

PREVIOUS = f"previous.{MODEL}"
"""The model before this one, beside it."""
_TRAIN_LIMIT_S = 600
_TAKE_LIMIT_S = 60
_GENTLY = ("nice", "-n", "10")  # calls go on while it trains

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


@dataclass(frozen=True, slots=True)
class Retrained:
    """``training_s``: how long it trained; ``taken``: whether a running Rasa has the model now
    (else it does when it starts).
    """

    training_s: float
    taken: bool


def retrain(settings: Settings) -> Retrained:
    """Train a new model beside the one in use, let the running Rasa take it, keep the old one.

    Whatever fails, what was in use goes on. Raises :class:`ConfigError`: as
    :func:`train_if_needed`; ``rasa_elsewhere`` where Rasa runs on another machine with the model it
    was built with; ``rasa_training_busy`` while another training runs; as :func:`exchange`.
    """
    if settings.rasa_server:
        raise ConfigError("rasa_elsewhere", "QIANMEN_RASA_SERVER: that Rasa brings its own model")
    home = folder(settings)
    home.mkdir(parents=True, exist_ok=True)
    with _alone(home / "training.lock"):
        fresh = home / "next"
        shutil.rmtree(fresh, ignore_errors=True)
        began = time.monotonic()
        _train(settings, fresh, _GENTLY)
        took = time.monotonic() - began
        taken = exchange(settings, fresh / "models" / MODEL)
        _install(home, fresh)
    return Retrained(took, taken)


def exchange(settings: Settings, model: Path) -> bool:
    """Let the running Rasa take ``model``, a file; False when none runs.

    Raises :class:`ConfigError` ``rasa_model_refused``: Rasa could not load it, or it understood
    nothing with it; the model before is in use.
    """
    before = folder(settings) / "models" / MODEL
    with httpx.Client(
        base_url=settings.rasa_address, timeout=_TAKE_LIMIT_S, trust_env=False
    ) as rasa:
        try:
            if not _put(rasa, model):
                raise ConfigError("rasa_model_refused", f"Rasa could not load {model}")
            if not _understands(rasa):
                _put(rasa, before)
                raise ConfigError("rasa_model_refused", f"{model}: it tells no acts apart")
        except httpx.ConnectError:
            return False
        except httpx.HTTPError:
            raise ConfigError("rasa_model_refused", "Rasa broke off while it loaded") from None
    return True


def _put(rasa: httpx.Client, model: Path) -> bool:
    answer = rasa.put("/model", json={"model_file": str(model.resolve())})
    return answer.status_code == httpx.codes.NO_CONTENT


def _understands(rasa: httpx.Client) -> bool:
    answer = rasa.post("/model/parse", json={"text": "你好"})
    try:
        return bool(answer.json()["intent"]["name"] in ACTS)
    except (ValueError, KeyError, TypeError):
        return False


def _install(home: Path, fresh: Path) -> None:
    """What was trained becomes what is started from; the stamp last, as in training."""
    models, stamp = home / "models", home / "fingerprint"
    models.mkdir(exist_ok=True)
    if (models / MODEL).is_file():
        copied = models / f"{PREVIOUS}.part"
        shutil.copy2(models / MODEL, copied)
        copied.replace(models / PREVIOUS)
    stamp.unlink(missing_ok=True)
    (fresh / "models" / MODEL).replace(models / MODEL)
    (fresh / "fingerprint").replace(stamp)
    shutil.rmtree(fresh, ignore_errors=True)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """One training at a time, also from two commands."""
    with lock.open("wb") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError("rasa_training_busy", "another training is running") from None
        yield


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


def _train(settings: Settings, home: Path, before: tuple[str, ...] = ()) -> None:
    """Train into ``home``; raises :class:`ConfigError` as :func:`train_if_needed`.

    ``before`` stands before the command.
    """
    if not settings.rasa_python.is_file():
        raise ConfigError("rasa_missing", f"{settings.rasa_python}: not there; run `make setup`")
    home.mkdir(parents=True, exist_ok=True)
    city = str(settings.city.resolve())
    argv = [*before, str(settings.rasa_python), "-m", "bot.rasa.train", str(home), city]
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
