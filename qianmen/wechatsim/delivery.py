"""Citizens' messages on their way to the account's server: five seconds, three tries."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from qianmen.wechatsim.envelope import checking, enclosed
from qianmen.wechatsim.messages import Fields
from qianmen.wechatsim.passive import Passive, Violation, judged
from qianmen.wechatsim.platform import Platform

PATIENCE_S = 5.0
TRIES = 3


class Unanswered(Exception):  # noqa: N818  # what happened, not a failure of ours
    """No answer in time; ``code``: timeout, connection."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Wire(Protocol):
    """The way to the account's server."""

    def __call__(
        self, method: str, query: Mapping[str, str], body: bytes, content_type: str
    ) -> tuple[int, bytes]:
        """Status and body of the answer; raises :class:`Unanswered`."""


class HttpWire:
    """The server at ``url``, given ``patience_s`` for each answer."""

    def __init__(self, url: str, patience_s: float = PATIENCE_S) -> None:
        self._url, self._patience_s = url, patience_s
        self._client = httpx.Client(timeout=patience_s, trust_env=False)

    def __call__(
        self, method: str, query: Mapping[str, str], body: bytes, content_type: str
    ) -> tuple[int, bytes]:
        """As :class:`Wire` says."""
        headers = {"Content-Type": content_type, "User-Agent": "Mozilla/4.0", "Accept": "*/*"}
        began = time.monotonic()
        try:
            reply = self._client.request(
                method, self._url, params=dict(query), content=body, headers=headers
            )
        except httpx.TimeoutException:
            raise Unanswered("timeout") from None
        except httpx.TransportError:
            raise Unanswered("connection") from None
        if time.monotonic() - began > self._patience_s:
            raise Unanswered("timeout")
        return reply.status_code, reply.content

    def close(self) -> None:
        """Hang up."""
        self._client.close()


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try: how long it took (s), and the answer or the code of what was wrong with it."""

    seconds: float
    answer: Passive | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message with all its tries. ``shown``: what the citizen saw at once."""

    message: Mapping[str, Any]
    attempts: tuple[Attempt, ...]
    shown: Passive | None

    @property
    def slowest_s(self) -> float:
        """The longest that a try took, in seconds."""
        return max(attempt.seconds for attempt in self.attempts)


@dataclass
class Delivery:
    """The platform's pushes over one wire."""

    platform: Platform
    wire: Wire
    tries: int = TRIES

    def check_server(self) -> None:
        """The check that a new server must pass; a failure is counted as a breach."""
        query, echo = checking(self.platform.account, int(self.platform.clock()))
        try:
            status, body = self.wire("GET", query, b"", "")
        except Unanswered as error:
            self.platform.breach(f"echo_{error.code}")
            return
        if status != 200 or body != echo.encode():
            self.platform.breach("echo")

    def send(
        self, openid: str, fields: Fields, *, lose: int = 0, together: bool = False
    ) -> Delivered:
        """Push one message until it is answered.

        ``lose``: so many answers are lost on their way back, and the push is tried again.
        ``together``: all tries at the same moment, as when the server answers each too late.
        """
        message = self.platform.hears(openid, fields)
        attempts = self._at_once(message) if together else self._in_turn(message, lose)
        return self._settled(openid, message, attempts)

    def again(self, message: Mapping[str, Any]) -> Delivered:
        """Push a message that was pushed before: the retry of one whose answer was lost."""
        attempts = self._in_turn(message, 0)
        return self._settled(str(message["FromUserName"]), message, attempts)

    def _settled(
        self, openid: str, message: Mapping[str, Any], attempts: tuple[Attempt, ...]
    ) -> Delivered:
        answers = [attempt.answer for attempt in attempts if attempt.answer is not None]
        if any(answer != answers[0] for answer in answers[1:]):
            self.platform.breach("answers_differ", openid)
        shown = attempts[-1].answer
        if shown is None:
            self.platform.fails(openid, *(attempt.problem for attempt in attempts))
        else:
            for attempt in attempts:
                if attempt.problem:
                    self.platform.breach(attempt.problem, openid)
            self.platform.shows(openid, shown)
        return Delivered(message, attempts, shown)

    def _in_turn(self, message: Mapping[str, Any], lose: int) -> tuple[Attempt, ...]:
        attempts: list[Attempt] = []
        while len(attempts) < self.tries:
            attempts.append(self._try(message))
            if attempts[-1].answer is not None and len(attempts) > lose:
                break
        return tuple(attempts)

    def _at_once(self, message: Mapping[str, Any]) -> tuple[Attempt, ...]:
        with ThreadPoolExecutor(self.tries) as pool:
            return tuple(pool.map(self._try, [message] * self.tries))

    def _try(self, message: Mapping[str, Any]) -> Attempt:
        platform = self.platform
        push = enclosed(platform.account, message, int(platform.clock()))
        began = time.monotonic()
        try:
            status, body = self.wire("POST", push.query, push.body, push.content_type)
            answer = judged(platform.account, message, status, body, int(platform.clock()))
        except (Unanswered, Violation) as error:
            return Attempt(time.monotonic() - began, None, error.code)
        return Attempt(time.monotonic() - began, answer)
