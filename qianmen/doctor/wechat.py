"""The WeChat Official Account: set up whole, with a key that is one, and used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, func, select

from chat.wechat.crypto import aes_key
from chat.wechat.incoming_errors import IncomingError
from qianmen.doctor.check import Patient, check
from qianmen.doctor.finding import Finding, error, ok, warning
from qianmen.doctor.stores import sqlite_file
from store.engine import open_store, reading
from store.tables import WechatCitizen, WechatMedia, WechatReply

_TOKEN = re.compile(r"[A-Za-z0-9]{3,32}")
"""What the platform takes as a token."""
_LATE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class WechatFacts:
    """``bad_keys``: settings whose EncodingAESKey is none; ``lines``: the city's lines' numbers.

    ``citizens``, ``lately``: rows, and messages of the last hours; ``unfetched``: files that wait
    for longer than ten minutes. None where the database cannot be asked.
    """

    appid: str = ""
    secret: bool = False
    tokens: tuple[str, ...] = ()
    keyed: bool = False
    bad_keys: tuple[str, ...] = ()
    line: str = ""
    lines: tuple[str, ...] = ()
    https: bool = False
    citizens: int | None = None
    lately: int = 0
    unfetched: int = 0


def collect_wechat(patient: Patient) -> WechatFacts:
    """Read the settings, and what the database has of the account."""
    settings = patient.settings
    keys = {
        "QIANMEN_WECHAT_AES_KEY": settings.wechat_aes_key,
        "QIANMEN_WECHAT_AES_KEY_BEFORE": settings.wechat_aes_key_before,
    }
    citizens, lately, unfetched = _rows(patient) if settings.wechat_appid else (None, 0, 0)
    return WechatFacts(
        settings.wechat_appid, bool(settings.wechat_secret),
        tuple(filter(None, (settings.wechat_token, settings.wechat_token_before))),
        bool(settings.wechat_aes_key), tuple(name for name, key in keys.items() if _is_bad(key)),
        settings.wechat_line,
        tuple(line.number for line in patient.city.lines) if patient.city else (),
        settings.public_url.startswith("https://"), citizens, lately, unfetched,
    )  # fmt: skip


def _is_bad(key: str) -> bool:
    try:
        return bool(key) and not aes_key(key)
    except IncomingError:
        return True


def _rows(patient: Patient) -> tuple[int | None, int, int]:
    file = sqlite_file(patient.settings)
    if file and not file.exists():
        return None, 0, 0
    try:
        engine = open_store(patient.settings)
    except Exception:  # noqa: BLE001  # the database's own check says what is wrong with it
        return None, 0, 0
    try:
        return _asked(engine, datetime.now(UTC))
    except Exception:  # noqa: BLE001  # as above
        return None, 0, 0
    finally:
        engine.dispose()


def _asked(engine: Engine, now: datetime) -> tuple[int, int, int]:
    late = (WechatMedia.state == "waiting") & (WechatMedia.at < now - _LATE)
    queries = (
        select(func.count()).select_from(WechatCitizen),
        select(func.count()).select_from(WechatReply),
        select(func.count()).select_from(WechatMedia).where(late),
    )
    with reading(engine) as session:
        citizens, lately, unfetched = (session.scalar(query) or 0 for query in queries)
    return citizens, lately, unfetched


def judge_wechat(facts: WechatFacts) -> Iterator[Finding]:
    """It can be reached, believes the platform, and answers it."""
    subject = "微信公众号"
    if not facts.appid:
        yield ok("wechat_none", subject, "没有配置，/wechat 不应答")
        return
    yield from _judge_settings(facts, subject)
    if facts.unfetched:
        yield warning(
            "wechat_files_late", subject, f"{facts.unfetched} 个市民发来的文件十分钟还没有取回",
            "看 web.log 里 wechat_call_failed 的 code；微信只保存三天。",
        )  # fmt: skip
    if facts.citizens is not None:
        seen = f"{facts.citizens} 位用户，近六小时应答 {facts.lately} 条"
        yield ok("wechat_used", subject, seen)


def _judge_settings(facts: WechatFacts, subject: str) -> Iterator[Finding]:
    if not facts.tokens:
        yield error(
            "wechat_token_missing", subject, "没有令牌（Token），收不到消息",
            "把公众平台“服务器配置”里的 Token 写进 QIANMEN_WECHAT_TOKEN（最好用密钥文件）。",
        )  # fmt: skip
    elif not all(map(_TOKEN.fullmatch, facts.tokens)):
        yield error(
            "wechat_token_invalid", subject, "令牌（Token）应是3到32位英文或数字",
            "核对 QIANMEN_WECHAT_TOKEN、QIANMEN_WECHAT_TOKEN_BEFORE。",
        )  # fmt: skip
    if not facts.secret:
        yield error(
            "wechat_secret_missing", subject, "没有 AppSecret，慢的回答、坐席的话都发不出去",
            "把公众平台的 AppSecret 写进 QIANMEN_WECHAT_SECRET（最好用密钥文件）。",
        )  # fmt: skip
    for name in facts.bad_keys:
        yield error(
            "wechat_aes_key_invalid", subject, f"{name} 不是43位的 EncodingAESKey",
            "从公众平台“服务器配置”里复制，一共43位英文和数字。",
        )  # fmt: skip
    if not facts.keyed:
        yield warning(
            "wechat_plain", subject, "消息不加密（明文模式）",
            "在公众平台先选兼容模式，把 EncodingAESKey 写进 QIANMEN_WECHAT_AES_KEY，再换安全模式。",
        )  # fmt: skip
    if facts.line and facts.lines and facts.line not in facts.lines:
        yield error(
            "wechat_line_unknown", subject, f"城市里没有号码 {facts.line}",
            "QIANMEN_WECHAT_LINE 要写 city.yaml 里的一个号码。",
        )  # fmt: skip
    if not facts.https:
        yield warning(
            "wechat_public_url", subject, "没有 https 的对外地址",
            "微信从公网访问 QIANMEN_PUBLIC_URL 加 /wechat；请配好 https 和反向代理。",
        )  # fmt: skip


CHECKS = (check("微信", collect_wechat, judge_wechat),)
