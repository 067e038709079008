"""The access token (access_token): one for all processes, fetched by one of them at a time.

It stands in Redis, sealed with the account's own secret, under a lock that ends by itself: where
the one who refreshes it dies, the next one does. Each refresh takes a number when it gets the lock,
and what a slow one writes late, under an older number, is not taken.

Without Redis each process fetches for itself. That is safe because ``stable_token`` gives everybody
the same token until it is about to end (``force_refresh`` is the exception, and asked for only
where the platform refuses the token that it gives).
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import redis.asyncio as redis
import structlog
from cryptography.fernet import Fernet, InvalidToken
from redis.exceptions import RedisError

from chat.wechat import metrics
from chat.wechat.api import exchange, object_of
from chat.wechat.errcodes import meaning
from chat.wechat.errors import WeChatError
from chat.wechat.pace import Sleep

AHEAD_S = 300.0
"""So long before its end a token is fetched anew: from then on the platform gives the next one, and
the old one stays good for five minutes."""
LOCK_S = 15.0
"""Longer than a fetch takes; whoever died with the lock held has held it for so long."""
LOOK_S = 0.1
FORCE_EVERY_S = 60.0
"""The platform allows a forced refresh 20 times a day and every 30 s."""
PAUSE_S = 5.0
"""After a refusal nobody asks the platform again for so long: it counts."""
_LOOKS = int(2 * LOCK_S / LOOK_S)
_PATH = "/cgi-bin/stable_token"
_MOST = 16 * 1024
_log = structlog.get_logger(__name__)

# Kept only if its number is not older than that of what stands there.
_KEEP = """
local known = redis.call('HGET', KEYS[1], 'number')
if known and tonumber(known) > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'number', ARGV[1], 'sealed', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""
_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


@dataclass(frozen=True, slots=True)
class Token:
    """A token, and when it ends (s, Unix time)."""

    value: str
    until_s: float

    def __repr__(self) -> str:
        """Nothing that a log could leak."""
        return f"Token(until_s={self.until_s:.0f})"


@dataclass(frozen=True, slots=True)
class Account:
    """The account's AppID and secret, and where the platform is."""

    appid: str
    secret: str
    base: str = "https://api.weixin.qq.com"

    def __repr__(self) -> str:
        """Nothing that a log could leak."""
        return "Account()"


class Tokens:
    """The access token as one process has it; see :class:`chat.wechat.api.Tokens`."""

    def __init__(
        self, account: Account, client: httpx.AsyncClient, shared: redis.Redis | None, *,
        now: Callable[[], float] = time.time, sleep: Sleep = asyncio.sleep,
    ) -> None:  # fmt: skip
        """``shared``: its own client, with time limits; None: this process is alone."""
        self._account = account
        self._client = client
        self._redis: Any = shared  # the client's types cannot tell its two colours apart
        self._now = now
        self._sleep = sleep
        key = hashlib.sha256(b"qianmen wechat token:" + account.secret.encode()).digest()
        self._seal = Fernet(base64.urlsafe_b64encode(key))
        name = hashlib.sha256(account.appid.encode()).hexdigest()[:16]
        self._name = f"qianmen:wechat:token:{{{name}}}"  # braces: one slot of a Redis cluster
        self._held: Token | None = None
        self._one = asyncio.Lock()
        self._refused: tuple[float, WeChatError] | None = None
        self._forced_s = -FORCE_EVERY_S

    async def get(self) -> str:
        """A token that is good now; raises :class:`WeChatError`.

        One that is about to end is good while somebody fetches the next.
        """
        held = self._held
        if held is not None and held.until_s - AHEAD_S > self._now():
            return held.value
        async with self._one:
            return (await self._current()).value

    async def renew(self, refused: str) -> str:
        """Another token than ``refused``; raises :class:`WeChatError`."""
        async with self._one:
            if self._held is not None and self._held.value == refused:
                self._held = None
            found = await self._current(refused)
            if found.value == refused:  # the platform refuses the very token that it gives
                found = await self._force()
            return found.value

    async def _current(self, refused: str = "") -> Token:
        """This process's own, else the shared one, else a fetched one."""
        if self._good(self._held, refused, AHEAD_S):
            assert self._held is not None  # noqa: S101  # `_good` says so, which mypy cannot see
            return self._held
        try:
            found = await self._shared(refused)
        except (RedisError, OSError) as error:
            _log.warning("wechat_token_not_shared", code="redis_lost", error=type(error).__name__)
            found = await self._fetch(force=False)
        self._hold(found)
        return found

    async def _shared(self, refused: str) -> Token:
        """From Redis; fetched by whoever gets the lock, while the others wait for it."""
        if self._redis is None:
            return await self._fetch(force=False)
        for _ in range(_LOOKS):
            found = await self._read()
            if found is not None and self._good(found, refused, AHEAD_S):
                return found
            lock = await self._lock()
            if lock:
                return await self._refresh(lock, refused)
            if found is not None and self._good(found, refused, 0):
                return found  # somebody fetches the next one meanwhile
            await self._sleep(LOOK_S)
        return await self._fetch(force=False)

    async def _refresh(self, lock: tuple[str, int], refused: str) -> Token:
        try:
            found = await self._read()  # who had the lock before may have fetched it
            if found is not None and self._good(found, refused, AHEAD_S):
                return found
            fetched = await self._fetch(force=False)
            with contextlib.suppress(RedisError, OSError):  # it is good without being shared
                await self._write(fetched, lock[1])
            return fetched
        finally:
            with contextlib.suppress(RedisError, OSError):  # it ends by itself
                await self._redis.eval(_RELEASE, 1, f"{self._name}:lock", lock[0])

    async def _force(self) -> Token:
        """Let the platform make a new one; not more often than it allows."""
        if not await self._may_force():
            raise WeChatError("token_invalid")
        number = 0
        with contextlib.suppress(RedisError, OSError):
            number = await self._number() if self._redis is not None else 0
        found = await self._fetch(force=True)
        if number:
            with contextlib.suppress(RedisError, OSError):  # it is good without being shared
                await self._write(found, number)
        self._hold(found)
        return found

    async def _may_force(self) -> bool:
        now_s = self._now()
        if now_s - self._forced_s < FORCE_EVERY_S:
            return False
        if self._redis is not None:
            with contextlib.suppress(RedisError, OSError):
                key, ms = f"{self._name}:forced", int(1000 * FORCE_EVERY_S)
                if not await self._redis.set(key, "1", nx=True, px=ms):
                    return False
        self._forced_s = now_s
        return True

    async def _fetch(self, *, force: bool) -> Token:
        """From the platform; what it refused is not asked again at once."""
        now_s = self._now()
        if self._refused is not None and now_s - self._refused[0] < PAUSE_S:
            raise self._refused[1]
        told = {"grant_type": "client_credential", "appid": self._account.appid,
                "secret": self._account.secret, "force_refresh": force}  # fmt: skip
        try:
            reply = await exchange(
                self._client, "POST", self._account.base + _PATH, json.dumps(told).encode(), {},
                _MOST,
            )  # fmt: skip
            token = read_token(reply.content, self._now())
        except WeChatError as error:
            metrics.tokens.labels(error.code).inc()
            _log.error("wechat_token_failed", code=error.code, errcode=error.errcode)
            if error.errcode:
                self._refused = (now_s, error)
            raise
        self._refused = None
        metrics.tokens.labels("ok").inc()
        return token

    async def _lock(self) -> tuple[str, int] | None:
        """Take the lock: what opens it again, and this refresh's number; None: others have it."""
        mine = secrets.token_hex(8)
        taken = await self._redis.set(f"{self._name}:lock", mine, nx=True, px=int(1000 * LOCK_S))
        if not taken:
            return None
        return mine, await self._number()

    async def _number(self) -> int:
        return int(await self._redis.incr(f"{self._name}:number"))

    async def _read(self) -> Token | None:
        sealed = await self._redis.hget(self._name, "sealed")
        if sealed is None:
            return None
        try:
            value, until_s = json.loads(self._seal.decrypt(sealed))
            return Token(str(value), float(until_s))
        except (InvalidToken, ValueError, TypeError):  # of another secret, or broken
            return None

    async def _write(self, token: Token, number: int) -> None:
        sealed = self._seal.encrypt(json.dumps([token.value, token.until_s]).encode())
        ms = max(int(1000 * (token.until_s - self._now())), 1)
        await self._redis.eval(_KEEP, 1, self._name, number, sealed, ms)

    def _good(self, token: Token | None, refused: str, ahead_s: float) -> bool:
        if token is None or token.value == refused:
            return False
        return token.until_s - ahead_s > self._now()

    def _hold(self, token: Token) -> None:
        self._held = token
        metrics.token_until.set(token.until_s)


def read_token(content: bytes, now_s: float) -> Token:
    """The platform's answer; raises :class:`WeChatError` with its errcode, or
    ``wechat_malformed``."""
    told = object_of(content)
    errcode = told.get("errcode", 0)
    if isinstance(errcode, int) and errcode:
        raise WeChatError(meaning(errcode).code, errcode)
    value, seconds = told.get("access_token"), told.get("expires_in")
    usable = isinstance(value, str) and 0 < len(value) <= 2048
    if not usable or not isinstance(seconds, int) or isinstance(seconds, bool) or seconds <= 0:
        raise WeChatError("wechat_malformed")
    return Token(str(value), now_s + min(seconds, 7200))
