"""Traces of a conversation outside the tables: Rasa's memory, rendered sentences, freed pages."""

from __future__ import annotations

import time

import redis
import structlog
from redis.exceptions import RedisError, ResponseError
from sqlalchemy import Engine

from config.city import City
from config.settings import Settings
from qianmen.keeper.duty import Keeping
from qianmen.recorded import city_recordings
from sealing.keys import keyring
from tts.cache import SoundCache
from tts.sentences import sentences
from tts.speaker import names_of, parts_of

_TRACKERS = "qianmen:tracker:"
_TIMEOUT_S = 2.0
_REWRITE_S = 30.0
_log = structlog.get_logger(__name__)


def forget_trackers(settings: Settings, conversation: str) -> bool:
    """Delete Rasa's memory of the conversation; False where Redis cannot be reached."""
    try:
        with _client(settings) as client:
            client.delete(_TRACKERS + conversation)
    except (RedisError, OSError):
        return False
    return True


def forget_speech(settings: Settings, spoken: tuple[str, ...], city: City) -> int:
    """Delete the renderings of these texts; how many. Standing prompts are rendered again.

    ``city``: how its names are read is part of a rendering's name, and its recordings decide on
    the parts in which a text is said.
    """
    caches = [SoundCache(settings.speech_dir)]
    if settings.data_key:
        caches.append(SoundCache(settings.speech_dir, keys=keyring(settings.data_key)))
    recordings = city_recordings(city)
    names = {
        name
        for words in spoken
        for sentence in {*sentences(words), *parts_of(words, recordings)}
        for name in names_of(
            sentence,
            settings.speech_voice,
            settings.speech_speed,
            settings.speech_command,
            city.readings,
        )
    }
    files = {cache.path(name) for cache in caches for name in names}
    there = [file for file in files if file.is_file()]
    for file in there:
        file.unlink(missing_ok=True)
    return len(there)


def sweep(keeping: Keeping) -> list[str]:
    """Overwrite what deleting left in files of ours; codes of what could not be done.

    ``wal_busy``: somebody reads, the write-ahead log shrinks later. ``redis_unreachable``,
    ``redis_log``: Redis's append-only file keeps old texts until it is rewritten.
    ``postgresql_pages``: freed, but overwritten only when they are used again.
    """
    left = sweep_database(keeping.engine)
    try:
        with _client(keeping.settings) as client:
            if not _rewritten(client):
                left.append("redis_log")
    except (RedisError, OSError):
        left.append("redis_unreachable")
    return left


def sweep_database(engine: Engine) -> list[str]:
    """The part of ``sweep`` that is about the database's files."""
    if engine.dialect.name != "sqlite":
        return ["postgresql_pages"]
    with engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        assert raw is not None  # noqa: S101  # a connection that was just opened
        busy = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    return ["wal_busy"] if busy else []


def _client(settings: Settings) -> redis.Redis:
    client: redis.Redis = redis.from_url(
        settings.redis, socket_connect_timeout=_TIMEOUT_S, socket_timeout=_TIMEOUT_S
    )
    return client


def _rewritten(client: redis.Redis) -> bool:
    """Let Redis write its append-only file anew; whether it is done."""
    if not client.info("persistence").get("aof_enabled"):
        return True
    try:
        client.bgrewriteaof()
    except ResponseError:
        return False  # a managed Redis may refuse
    until = time.monotonic() + _REWRITE_S
    while time.monotonic() < until:
        state = client.info("persistence")
        if not (state["aof_rewrite_in_progress"] or state["aof_rewrite_scheduled"]):
            return bool(state["aof_last_bgrewrite_status"] == "ok")
        time.sleep(0.05)
    return False
