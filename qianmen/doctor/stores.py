"""Redis and the database: reachable, current, whole, and opened with the right key."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import redis
from redis.exceptions import RedisError
from sqlalchemy import Engine, make_url, select, text
from sqlalchemy.orm import Session

from config.settings import Settings
from qianmen.doctor.check import Patient, check
from qianmen.doctor.finding import Finding, error, ok, warning
from sealing.errors import SealError
from store.engine import StoreError, open_store, reading
from store.faults import fault_of
from store.migrate import newest, revision_of, revisions
from store.tables import Conversation, Turn

_ASK_S = 3.0
_LARGE_WAL = 1024**3
_SAMPLE_ROWS = 50
OLDEST_POSTGRESQL = 13
_FULL = 0.9

MENDING = {
    "database_down": "查 DATABASE_URL 的地址、密码，和数据库服务是否在运行；"
    "现在电话会直接转人工，工单等它回来。",
    "database_readonly": "让运行前门的用户能写数据库文件和它的文件夹（chown、只读挂载）。",
    "database_locked": "有别的程序一直占着数据库：关掉打开它的工具，或者等备份做完。",
    "database_corrupt": "马上停下来，把数据库文件原样复制一份，再从最近的备份恢复："
    "qianmen db restore。",
    "disk_full": "腾出空间：旧日志、旧录音移到别处，或者换一块大的盘。",
    "database_old": "重新启动前门会自动升级；或者先备份，再 qianmen db upgrade。",
    "database_newer": "数据库是更新的版本建的：启动那个版本，或者恢复升级以前的备份。",
    "database_url": "按提示改 DATABASE_URL。",
    "data_key_missing": "数据是加密的：把 QIANMEN_DATA_KEY 设回原来的密钥。",
    "data_key_wrong": "密钥不对：把 QIANMEN_DATA_KEY 设回原来的（新旧密钥可以一起写）。",
    "data_key_invalid": "密钥写得不对：QIANMEN_DATA_KEY 要写 qianmen data new-key 打印的那一整行；"
    "数据已经加密的话，只能用原来的密钥。",
    "sealed_broken": "有加密的内容被改过或损坏了：从备份恢复。",
}
_SEEN = {
    "database_down": "连不上",
    "database_readonly": "不能写",
    "database_locked": "一直被占用",
    "database_corrupt": "文件损坏，或者不是数据库",
    "disk_full": "盘满了",
    "database_old": "表结构比程序旧",
    "database_newer": "表结构比程序新",
}


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """``fault`` and ``said`` of what failed first; ``wal`` in bytes; ``version`` of the server."""

    kind: str
    missing: bool = False
    fault: str = ""
    said: str = ""
    revision: str = ""
    wanted: str = ""
    version: int = 0
    wal: int = 0


def collect_database(patient: Patient) -> DatabaseFacts:
    """Open, read the revision, look through it (SQLite), try to write, try the key."""
    settings = patient.settings
    file = sqlite_file(settings)
    facts = DatabaseFacts("sqlite" if file else "postgresql")
    if file and not file.exists():
        return replace(facts, missing=True)
    try:
        engine = open_store(settings)
    except (StoreError, SealError) as failure:
        return replace(facts, fault=failure.code, said=str(failure))
    try:
        return _looked_into(engine, facts, file)
    except SealError as failure:
        return replace(facts, fault=failure.code, said="")
    except Exception as failure:  # noqa: BLE001  # whatever a driver raises has a code there
        return replace(facts, fault=fault_of(failure))
    finally:
        engine.dispose()


def sqlite_file(settings: Settings) -> Path | None:
    """The database's file; None where it is another database, or no URL at all."""
    if not settings.database.startswith("sqlite"):
        return None
    return Path(make_url(settings.database).database or "")


def _looked_into(engine: Engine, facts: DatabaseFacts, file: Path | None) -> DatabaseFacts:
    # Not by ``reading``: what it sets on a PostgreSQL connection outlives it, and would hide that
    # the server allows no writing.
    with engine.execution_options(reading_only=True).connect() as connection:
        revision = revision_of(connection)
        version = connection.dialect.server_version_info or ()
    facts = replace(
        facts,
        revision=revision,
        wanted=newest(),
        version=next((part for part in version if isinstance(part, int)), 0),
    )
    if revision != facts.wanted:
        newer = bool(revision) and revision not in revisions()
        return replace(facts, fault="database_newer" if newer else "database_old")
    if file:
        fault = _sqlite_fault(file)
        if fault:
            return replace(facts, fault=fault)
        wal = file.with_name(file.name + "-wal")
        facts = replace(facts, wal=wal.stat().st_size if wal.exists() else 0)
    _try_writing(engine)
    with reading(engine) as session:
        _open_some(session)
    return facts


def _sqlite_fault(file: Path) -> str:
    """``PRAGMA quick_check`` on a connection of its own, ended by the check's time limit."""
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=_ASK_S)
    try:
        (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    finally:
        connection.close()
    return "" if answer == "ok" else "database_corrupt"


def _try_writing(engine: Engine) -> None:
    """Change nothing, in a transaction that may write."""
    with engine.connect() as connection:
        transaction = connection.begin()
        try:
            connection.execute(text("UPDATE staff SET active = active WHERE id = -1"))
        finally:
            transaction.rollback()


def _open_some(session: Session) -> None:
    """Read personal columns: a wrong key raises :class:`SealError`."""
    newest_first = select(Turn.text).order_by(Turn.seq.desc()).limit(_SAMPLE_ROWS)
    session.scalars(newest_first).all()
    session.scalars(select(Conversation.citizen).limit(_SAMPLE_ROWS)).all()


def judge_database(facts: DatabaseFacts) -> Iterator[Finding]:
    """Usable now and after the next start."""
    subject = "数据库"
    if facts.missing:
        yield ok("database_not_yet", subject, "第一次启动时自动建立")
        return
    if facts.fault:
        seen = facts.said or _SEEN.get(facts.fault, "查询失败")
        if facts.fault in ("database_old", "database_newer"):
            seen = f"{seen}（{facts.revision or '空的'}，要 {facts.wanted}）"
        do = MENDING.get(facts.fault, "看 web.log 和数据库自己的日志。")
        yield error(facts.fault, subject, seen, do)
        return
    if facts.kind == "postgresql" and facts.version < OLDEST_POSTGRESQL:
        yield warning(
            "postgresql_old", subject, f"PostgreSQL {facts.version}",
            f"升级到 {OLDEST_POSTGRESQL} 以上。",
        )  # fmt: skip
    elif facts.wal > _LARGE_WAL:
        yield warning(
            "database_wal_large", subject, f"预写日志有 {facts.wal // 1024**2} MiB",
            "有程序长时间开着数据库不放（例如看数据的工具）：关掉它，日志会自己缩小。",
        )  # fmt: skip
    else:
        name = f"PostgreSQL {facts.version}" if facts.kind == "postgresql" else "SQLite"
        yield ok("database_ok", subject, f"{name}，版本 {facts.revision}，能读能写，没有损坏")


@dataclass(frozen=True, slots=True)
class RedisFacts:
    """``info`` and ``config`` as Redis says them; None: not reachable. ``ours``: embedded."""

    up: bool
    ours: bool
    info: dict[str, Any] | None
    config: dict[str, str]


def collect_redis(patient: Patient) -> RedisFacts:
    """Ask it, where it should run."""
    settings = patient.settings
    ours = not settings.redis_url
    if ours and not patient.up:
        return RedisFacts(False, ours, None, {})
    try:
        client = redis.Redis.from_url(
            settings.redis, socket_connect_timeout=_ASK_S, socket_timeout=_ASK_S,
            decode_responses=True,
        )  # fmt: skip
    except ValueError:
        return RedisFacts(patient.up, ours, None, {})
    with client:
        try:
            info = dict(client.info())
            return RedisFacts(patient.up, ours, info, _config(client))
        except (RedisError, OSError):
            return RedisFacts(patient.up, ours, None, {})


def _config(client: Any) -> dict[str, str]:
    """What may be asked: a city's own Redis often forbids CONFIG."""
    try:
        return {
            name: value
            for wanted in ("appendonly", "maxmemory", "maxmemory-policy")
            for name, value in client.config_get(wanted).items()
        }
    except RedisError:
        return {}


def judge_redis(facts: RedisFacts) -> Iterator[Finding]:
    """Reachable, forgetting nothing."""
    subject = "Redis"
    if facts.info is None and not facts.up and facts.ours:
        yield ok("redis_not_yet", subject, "自带的，和前门一起启动")
        return
    if facts.info is None:
        yield error(
            "redis_lost", subject, "连不上：回复会慢一秒，对话忘掉说到哪里；消息和工单不会丢",
            "查 REDIS_URL 和 Redis 服务；自带的会自动重启，看 redis.log。",
        )  # fmt: skip
        return
    found = tuple(_redis_findings(facts.info, facts.config, subject))
    version = facts.info.get("valkey_version") or facts.info.get("redis_version", "?")
    yield from found or (ok("redis_ok", subject, f"版本 {version}"),)


def _redis_findings(
    info: dict[str, Any], config: dict[str, str], subject: str
) -> Iterator[Finding]:
    policy = str(info.get("maxmemory_policy") or config.get("maxmemory-policy", ""))
    limit, used = int(info.get("maxmemory", 0) or 0), int(info.get("used_memory", 0) or 0)
    if limit and policy not in ("", "noeviction"):
        yield warning(
            "redis_evicts", subject, f"内存满了会丢数据（{policy}）",
            "设 maxmemory-policy noeviction。",
        )  # fmt: skip
    if limit and used > _FULL * limit:
        yield warning("redis_full", subject, f"内存用了 {100 * used // limit}%", "加大 maxmemory。")
    if config.get("appendonly") == "no":
        yield warning(
            "redis_not_kept", subject, "没有开 appendonly：Redis 一重启，正在进行的对话要重说",
            "设 appendonly yes。",
        )  # fmt: skip
    if info.get("aof_last_write_status", "ok") != "ok":
        yield error(
            "redis_cannot_write", subject, "写不进盘（AOF）", "多半是盘满了：腾出空间。"
        )  # fmt: skip


CHECKS = (
    check("存储", collect_database, judge_database, within_s=60),
    check("存储", collect_redis, judge_redis),
)
