"""WeChat's server interface (公众号服务端 API): the calls we make, paced, bounded, tried again.

Logs and errors hold neither OpenIDs nor words: a call is known by its path. The access token goes
into the query, as the platform wants it, and so never into a log.
"""

from __future__ import annotations

import asyncio
import json
import random
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import certifi
import httpx
import structlog

from chat.wechat import metrics
from chat.wechat.errcodes import Meaning, meaning
from chat.wechat.errors import UNREACHABLE, UNSURE, WeChatError
from chat.wechat.messages import Message, body
from chat.wechat.pace import Pace, Sleep

CALL_S = 5.0
CONNECT_S = 3.0
TRIES = 3
AGAIN_S = (0.5, 1.5)
"""Waits before the second and the third try, each spread by half of itself."""
LARGEST_MEDIA = 10 * 1024 * 1024
"""Bytes; the platform itself keeps nothing larger (video)."""
_LARGEST_ANSWER = 1024 * 1024
_HOSTS = (".qq.com", ".qpic.cn")
_SPREAD = 0.5
_log = structlog.get_logger(__name__)
TypingCommand = Literal["Typing", "CancelTyping"]


class Tokens(Protocol):
    """Where the access token comes from; ``chat.wechat.token.Tokens`` is one."""

    async def get(self) -> str:
        """A token that is good now. Raises :class:`WeChatError`."""
        ...

    async def renew(self, refused: str) -> str:
        """Another one, after the platform refused ``refused``. Raises :class:`WeChatError`."""
        ...


@dataclass(frozen=True, slots=True)
class Media:
    """A file from the platform: its bytes, and the type that it was sent as ('' none)."""

    content: bytes
    type: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A template message (模板消息) or subscription notice (订阅通知) to one citizen.

    ``fields`` by the template's own names. ``id`` makes a template message sent twice harmless
    (``client_msg_id``, for ten minutes).
    """

    template: str
    fields: Mapping[str, str]
    url: str = ""
    id: str = ""


def http_client() -> httpx.AsyncClient:
    """A client for the platform: trusted authorities, no redirects, no proxies of the environment,
    time limits on everything."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return httpx.AsyncClient(
        verify=context, follow_redirects=False, trust_env=False,
        timeout=httpx.Timeout(CALL_S, connect=CONNECT_S),
        limits=httpx.Limits(max_connections=50, max_keepalive_connections=10),
    )  # fmt: skip


@dataclass(slots=True)
class Api:
    """The platform at ``base`` (https://api.weixin.qq.com, or a simulator).

    Every call raises :class:`WeChatError`. Busy answers are tried again; a token that is refused
    is renewed once. A call without an answer (``wechat_timeout``) is tried again only where doing
    it twice does no harm: never a message.
    """

    base: str
    client: httpx.AsyncClient
    tokens: Tokens
    pace: Pace = field(default_factory=lambda: Pace(20))
    sleep: Sleep = asyncio.sleep
    jitter: Callable[[], float] = random.random

    async def send(self, openid: str, message: Message) -> None:
        """A customer-service message."""
        await self._post("/cgi-bin/message/custom/send", body(openid, message), once=True)

    async def typing(self, openid: str, command: TypingCommand) -> None:
        """Show, or no longer show, that somebody writes; costs none of the messages."""
        told = {"touser": openid, "command": command}
        await self._post("/cgi-bin/message/custom/typing", told, tries=1)

    async def send_template(self, openid: str, notice: Notice) -> None:
        """A template message; needs no open window."""
        told: dict[str, Any] = {"touser": openid, "template_id": notice.template}
        told |= {"data": _data(notice)}
        told |= {"url": notice.url} if notice.url else {}
        told |= {"client_msg_id": notice.id} if notice.id else {}
        await self._post("/cgi-bin/message/template/send", told, once=not notice.id)

    async def send_subscription(self, openid: str, notice: Notice) -> None:
        """A notice that the citizen agreed to (订阅通知)."""
        told: dict[str, Any] = {"touser": openid, "template_id": notice.template}
        told |= {"data": _data(notice)}
        told |= {"page": notice.url} if notice.url else {}
        await self._post("/cgi-bin/message/subscribe/bizsend", told, once=True)

    async def create_menu(self, menu: Mapping[str, Any]) -> None:
        """Put the account's own menu in place (自定义菜单)."""
        await self._post("/cgi-bin/menu/create", dict(menu))

    async def media(self, media_id: str, *, hd: bool = False) -> Media:
        """A file that a citizen sent; ``hd``: a voice in 16 kHz Speex (``media/get/jssdk``).

        Raises :class:`WeChatError`, also ``media_too_large``, ``media_empty``, ``media_invalid``.
        """
        path = "/cgi-bin/media/get/jssdk" if hd else "/cgi-bin/media/get"
        reply = await self._call("GET", path, None, {"media_id": media_id}, limit=LARGEST_MEDIA)
        address = _video(reply)
        if address:
            reply = await self._video(address)
        if not reply.content:
            raise WeChatError("media_empty")
        return Media(reply.content, reply.headers.get("content-type", "").partition(";")[0].strip())

    async def _video(self, address: str) -> httpx.Response:
        """A video stands elsewhere: only where the platform itself keeps such, and without token"""
        if not _is_platforms(address, self.base):
            raise WeChatError("wechat_malformed")
        return await exchange(self.client, "GET", address, None, {}, LARGEST_MEDIA)

    async def _post(
        self, path: str, told: Mapping[str, Any], *, once: bool = False, tries: int = TRIES
    ) -> dict[str, Any]:
        content = json.dumps(told, ensure_ascii=False).encode("utf-8", "replace")
        reply = await self._call("POST", path, content, {}, once=once, tries=tries)
        return object_of(reply.content)

    async def _call(
        self, method: str, path: str, content: bytes | None, query: Mapping[str, str], *,
        once: bool = False, tries: int = TRIES, limit: int = _LARGEST_ANSWER,
    ) -> httpx.Response:  # fmt: skip
        token, renewed, tried = await self.tokens.get(), False, 0
        while True:
            tried += 1
            try:
                return await self._try(method, path, content, {"access_token": token, **query},
                                       limit)  # fmt: skip
            except WeChatError as error:
                metrics.calls.labels(path, error.code).inc()
                told = meaning(error.errcode) if error.errcode else Meaning(error.code)
                if told.harmless:
                    return httpx.Response(200, content=b"{}")
                if told.remedy == "token" and not renewed:
                    token, renewed = await self.tokens.renew(token), True
                    tried -= 1
                    continue
                if tried >= tries or not _again(error, told, once=once):
                    _log.warning("wechat_call_failed", path=path, code=error.code,
                                 errcode=error.errcode, tries=tried)  # fmt: skip
                    raise
            await self.sleep(self._wait_s(tried))

    def _wait_s(self, tried: int) -> float:
        plain = AGAIN_S[min(tried, len(AGAIN_S)) - 1]
        return plain * (1 - _SPREAD + 2 * _SPREAD * self.jitter())

    async def _try(
        self, method: str, path: str, content: bytes | None, query: Mapping[str, str], limit: int
    ) -> httpx.Response:
        """One try; raises :class:`WeChatError` also for an answer that carries an errcode."""
        await self.pace.wait()
        reply = await exchange(self.client, method, self.base + path, content, query, limit)
        errcode = _errcode(reply)
        if errcode:
            raise WeChatError(meaning(errcode).code, errcode)
        metrics.calls.labels(path, "ok").inc()
        return reply


def _video(reply: httpx.Response) -> str:
    """Where a video stands; '' for any other file."""
    if reply.content[:1] != b"{" or len(reply.content) > _LARGEST_ANSWER:
        return ""
    try:
        address = object_of(reply.content).get("video_url", "")
    except WeChatError:
        return ""
    return address if isinstance(address, str) else ""


def _is_platforms(address: str, base: str) -> bool:
    try:
        found, own = httpx.URL(address), httpx.URL(base)
    except httpx.InvalidURL:
        return False
    if (found.scheme, found.host, found.port) == (own.scheme, own.host, own.port):
        return True
    return found.scheme in ("http", "https") and found.host.endswith(_HOSTS)


def _data(notice: Notice) -> dict[str, dict[str, str]]:
    return {name: {"value": value} for name, value in notice.fields.items()}


def _again(error: WeChatError, told: Meaning, *, once: bool) -> bool:
    if error.code in (UNSURE, "wechat_malformed") or error.code.startswith("wechat_http_5"):
        return not once
    return told.remedy == "again" or error.code == UNREACHABLE


async def exchange(
    client: httpx.AsyncClient, method: str, url: str, content: bytes | None,
    query: Mapping[str, str], limit: int,
) -> httpx.Response:  # fmt: skip
    """One request within ``CALL_S`` and ``limit`` bytes of answer. Raises :class:`WeChatError`."""
    headers = {"Content-Type": "application/json; charset=utf-8"} if content else {}
    try:
        async with (
            asyncio.timeout(CALL_S),
            client.stream(method, url, params=query, content=content, headers=headers) as reply,
        ):
            body_ = bytearray()
            async for piece in reply.aiter_bytes():
                body_ += piece
                if len(body_) > limit:
                    raise WeChatError("media_too_large")
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.InvalidURL):
        raise WeChatError(UNREACHABLE) from None
    except (TimeoutError, httpx.HTTPError, OSError):
        raise WeChatError(UNSURE) from None
    if reply.status_code != 200:
        raise WeChatError(f"wechat_http_{reply.status_code}")
    return httpx.Response(200, headers=reply.headers.multi_items(), content=bytes(body_))


def _errcode(reply: httpx.Response) -> int:
    """The errcode of an answer; 0 for one without, and for what is a file."""
    if not reply.content[:1].isspace() and reply.content[:1] != b"{":
        return 0
    try:
        errcode = object_of(reply.content).get("errcode", 0)
    except WeChatError:
        return 0
    return errcode if isinstance(errcode, int) else 0


def object_of(content: bytes) -> dict[str, Any]:
    """The platform's answer, a JSON object; raises :class:`WeChatError` ``wechat_malformed``."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        raise WeChatError("wechat_malformed") from None
    if not isinstance(found, dict):
        raise WeChatError("wechat_malformed")
    return found
