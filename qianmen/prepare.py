"""Before anything starts: folders, database, knowledge, models. Each step is done once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from sqlalchemy import Engine

from asr.models.shelf import chosen, shelf
from asr.models.tried import Tried
from asr.vosk_local import check_model, model_rate, try_model
from bot.join import read_city
from bot.rasa_process import train_if_needed
from config.city import City
from config.errors import ConfigError
from config.secret import secret_key
from config.settings import Settings
from config.volumefaults import volume_fault
from handoff.staff import Act, create_first_administrator
from knowledge.load import load_folder
from qianmen.console import say
from store.engine import open_store, upgrade
from store.keys import check_keys, claim_key
from store.seal import seal_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Prepared:
    """What starting needs; ``password`` is the first administrator's, only when just made."""

    city: City
    engine: Engine
    password: str | None


def prepare(settings: Settings) -> Prepared:
    """Do all steps, saying each. Raises the steps' own errors, all with a ``code``.

    What a volume refuses is :class:`ConfigError` ``disk_full``, ``volume_readonly``, … too.
    """
    try:
        # Ours alone: the database and the recordings are made readable as the umask has it.
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _prepare(settings)
    except OSError as error:
        place = error.filename or settings.data_dir
        code = volume_fault(error.errno)
        raise ConfigError(code, f"{place}: {error.strerror or error}") from error


def _prepare(settings: Settings) -> Prepared:
    city = _step("城市配置", lambda: read_city(settings.city))
    key = secret_key(settings)
    engine = _step("数据库", lambda: _database(settings))
    try:
        if settings.data_key:
            _step("个人信息密钥", lambda: _keys(engine))
        else:
            check_keys(engine, None)
        _step("政策知识", lambda: load_folder(engine, settings.city / "knowledge", _now()))
        password = create_first_administrator(engine, Act("system", _now(), key))
        _step("语音模型", lambda: _speech_model(settings))
        if not settings.rasa_server:  # else Rasa runs elsewhere, with the model it was built with
            _step("对话模型", lambda: train_if_needed(settings))
    except BaseException:
        engine.dispose()
        raise
    return Prepared(city, engine, password)


def _database(settings: Settings) -> Engine:
    engine = open_store(settings)
    try:
        upgrade(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _keys(engine: Engine) -> None:
    """Whether the city's keys open what is there; the newest is noted as used."""
    seal = seal_of(engine)
    check_keys(engine, seal)
    claim_key(engine, seal, _now())


def _speech_model(settings: Settings) -> None:
    """The model the recogniser will load: there, whole, and no cause of a crash."""
    if settings.asr_url:
        return
    folder = chosen(settings)
    check_model(folder)
    tried = Tried(shelf(settings))
    if not tried.has(folder):
        asyncio.run(try_model(folder, model_rate(folder)))
        tried.put(folder)


def _step(name: str, work: Callable[[], T]) -> T:
    began = time.monotonic()
    result = work()
    say(f"✔ {name}（{time.monotonic() - began:.1f} 秒）")
    return result


def _now() -> datetime:
    return datetime.now(UTC)
