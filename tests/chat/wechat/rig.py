"""The simulated platform behind our client, without sockets and in virtual time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
import redis.asyncio as redis

from chat.wechat.api import Api
from chat.wechat.pace import Pace
from chat.wechat.token import Account, Tokens
from qianmen.wechatsim import account as simulated
from qianmen.wechatsim.platform import Platform
from qianmen.wechatsim.view import Seen

APPID, SECRET = "wx0123456789abcdef", "0123456789abcdef0123456789abcdef"
BASE = "http://platform.test"
NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that goes on only when somebody sleeps by it, or moves it."""

    at: datetime = NOON
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        """The moment."""
        return self.at

    def seconds(self) -> float:
        """The same, in seconds of the epoch."""
        return self.at.timestamp()

    async def sleep(self, seconds: float) -> None:
        """Sleep in virtual time."""
        self.slept.append(seconds)
        self.go(seconds)

    def go(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        self.at += timedelta(seconds=seconds)


@dataclass
class Rig:
    """One platform, and as many of our processes as a test wants. ``lost``: so many of the next
    answers get lost after the platform has acted; ``unreachable``: so many calls never get there.
    """

    clock: Clock = field(default_factory=Clock)
    lost: int = 0
    unreachable: int = 0
    requests: list[httpx.Request] = field(default_factory=list)
    platform: Platform = field(init=False)

    def __post_init__(self) -> None:
        account = simulated.Account(APPID, SECRET, "token")
        self.platform = Platform(account, clock=self.clock.seconds, address=BASE)

    def client(self) -> httpx.AsyncClient:
        """Another process's HTTP client."""
        return httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    def tokens(self, shared: redis.Redis | None = None) -> Tokens:
        """Another process's access token."""
        return Tokens(Account(APPID, SECRET, BASE), self.client(), shared,
                      now=self.clock.seconds, sleep=self.clock.sleep)  # fmt: skip

    def api(self, tokens: Tokens | None = None) -> Api:
        """Another process's client of the API."""
        pace = Pace(50, clock=self.clock.seconds, sleep=self.clock.sleep)
        return Api(BASE, self.client(), tokens or self.tokens(), pace, sleep=self.clock.sleep,
                   jitter=lambda: 0.5)  # fmt: skip

    def shown(self, openid: str) -> list[Seen]:
        """What the citizen has been shown."""
        return [seen for seen in self.platform.citizen(openid).seen if seen.who == "account"]

    def texts(self, openid: str) -> list[str]:
        """The texts of it."""
        return [seen.text for seen in self.shown(openid)]

    def paths(self) -> list[str]:
        """Where the calls went, in order."""
        return [request.url.path for request in self.requests]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.unreachable:
            self.unreachable -= 1
            raise httpx.ConnectError("down")
        if self.platform.faults.breaks():
            return httpx.Response(502)
        if request.url.path.startswith("/video/"):
            medium = self.platform.media.fetch(request.url.path.removeprefix("/video/"),
                                               self.clock.seconds())  # fmt: skip
            return httpx.Response(200, content=medium.data, headers={"Content-Type": medium.type})
        query = dict(request.url.params)
        reply = self.platform.answer(request.method, request.url.path, query, request.content)
        if self.lost:
            self.lost -= 1
            raise httpx.ReadTimeout("lost")
        return httpx.Response(200, content=reply.body, headers={"Content-Type": reply.type})
