"""One browser's WebSocket: hello, then what it sends to the core, and what is told back to it.

A message is acknowledged only after the core has it in the database; what is told is read from the
record after the browser's cursor. So a socket may break at any moment: the browser sends again
what was not acknowledged (same id) and names its cursor, and nothing is lost or doubled.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from structlog.contextvars import bound_contextvars

from bot.errors import ConversationError
from bot.feedback import rate
from chat import metrics, protocol
from chat.companions import beside
from chat.core import Conversations
from chat.errors import ChatError
from chat.history import Missed, missed_after
from chat.limits import Limits
from chat.protocol import Choice, ClientFrame, Hello, Leave, Ping, Rate, Text, Typing
from chat.session import ChatSession, Sessions
from config.city import City
from store.faults import fault_of
from turns.heard import Heard, HeardKind
from turns.trace import trace_of

CHANNEL = "web"
HELLO_TIMEOUT_S = 10.0
AWAY_S = 300.0
"""Whose page is closed for so long waits for nobody any more."""
TYPING_EVERY_S = 2.0
TRY_AGAIN = 1013
"""WebSocket close code (IANA registry): the browser comes back by itself."""

_NOT_DELIVERED = "系统正在恢复，您的话还没有送到，稍后会自动再发一次。"
_NOT_UNDERSTOOD = "这条消息没有发成功，请刷新页面再试。"
_log = structlog.get_logger(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Door:
    """What every socket of a web process shares; ``origins`` beside the page's own may connect."""

    conversations: Conversations
    engine: Engine
    sessions: Sessions
    city: City
    limits: Limits = field(default_factory=Limits)
    origins: frozenset[str] = frozenset()
    now: Callable[[], datetime] = _now
    clock: Callable[[], float] = time.monotonic


async def serve(socket: WebSocket, door: Door) -> None:
    """Serve one socket until either side closes it; a foreign page gets 403 instead."""
    if not _origin_allowed(socket, door.origins):
        metrics.refused.labels("origin").inc()
        _log.warning("chat_origin_refused")
        await socket.close(1008)
        return
    await socket.accept()
    try:
        with metrics.connections.track_inprogress():
            await _Chat(socket, door).run()
    except (WebSocketDisconnect, RuntimeError) as error:
        # Starlette raises RuntimeError for a send after either side has closed.
        states = (socket.client_state, socket.application_state)
        if isinstance(error, RuntimeError) and WebSocketState.DISCONNECTED not in states:
            raise


def _origin_allowed(socket: WebSocket, origins: frozenset[str]) -> bool:
    """Browsers always send Origin; programs that send none carry no citizen's cookies either."""
    origin = socket.headers.get("origin")
    if origin is None or origin in origins:
        return True
    return urlsplit(origin).netloc.lower() == socket.headers.get("host", "").lower()


def _as_hello(frame: ClientFrame) -> Hello:
    if isinstance(frame, Hello):
        return frame
    raise ChatError("hello_first", "say hello first", getattr(frame, "id", ""))


def _after_hello(frame: ClientFrame) -> Text | Choice | Rate | Typing | Ping | Leave:
    if isinstance(frame, Hello):
        raise ChatError("hello_again", "one hello a socket")
    return frame


class _Chat:
    """One socket after the handshake."""

    def __init__(self, socket: WebSocket, door: Door) -> None:
        self._socket = socket
        self._door = door
        self._address = socket.client.host if socket.client else ""
        self._line = door.city.line(socket.query_params.get("line", "")).number
        self._typed_at = -TYPING_EVERY_S

    async def run(self) -> None:
        try:
            hello = await asyncio.wait_for(self._hello(), HELLO_TIMEOUT_S)
        except TimeoutError:
            await self._socket.close(1008)
            return
        started = await self._start(hello)
        if started is None:
            return
        session, cursor = started
        core, prompts = self._door.conversations, self._door.city.prompts
        pump = asyncio.create_task(self._pump(session.conversation, cursor))
        try:
            async with beside(core, session.conversation, prompts, self._send):
                await self._listen(session)
        finally:
            core.gone(session.conversation, AWAY_S)
            pump.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await pump

    async def _hello(self) -> Hello:
        while True:
            try:
                return _as_hello(protocol.parse(await self._receive()))
            except ChatError as error:
                await self._refuse(error)

    async def _start(self, hello: Hello) -> tuple[ChatSession, int] | None:
        """Welcome the browser and give it what it missed; None where that failed."""
        now = self._door.now()
        session = self._door.sessions.read(hello.session, now)
        cursor = hello.cursor if session else 0
        if session is None:
            if not self._door.limits.may_begin(self._address, self._door.clock()):
                await self._refuse(ChatError("too_fast", "too many new sessions"))
                await self._socket.close(TRY_AGAIN)
                return None
            session = self._door.sessions.begin()
        try:
            missed = await self._open(session, cursor, now)
        except (ConversationError, SQLAlchemyError) as error:
            _log.error("chat_open_failed", code=_code(error), fault=fault_of(error))
            await self._send(protocol.error("store_down", _NOT_DELIVERED, retry=True))
            await self._socket.close(TRY_AGAIN)
            return None
        token = self._door.sessions.token(session, now)
        await self._send(protocol.welcome(token, session.conversation, cursor, ended=missed.ended))
        await self._send(protocol.history(missed.turns))
        return session, missed.cursor

    async def _open(self, session: ChatSession, cursor: int, now: datetime) -> Missed:
        await self._door.conversations.open(
            session.conversation,
            channel=CHANNEL,
            line=self._line,
            citizen=session.citizen,
            at=now,
        )
        return await asyncio.to_thread(
            missed_after, self._door.engine, session.conversation, cursor
        )

    async def _listen(self, session: ChatSession) -> None:
        while True:
            try:
                frame = _after_hello(protocol.parse(await self._receive()))
            except ChatError as error:
                await self._refuse(error)
                continue
            match frame:
                case Ping():
                    await self._send(protocol.pong())
                case Text():
                    await self._hear(session, frame.id, "text", frame.text)
                case Choice():
                    await self._hear(session, frame.id, "choice", frame.value)
                case Rate():
                    await self._rate(session, frame)
                case Typing():
                    self._type(session, on=frame.on)
                case Leave():
                    await self._door.conversations.close(session.conversation, self._door.now())
                    await self._socket.close(1000)
                    return

    async def _hear(self, session: ChatSession, known: str, kind: HeardKind, text: str) -> None:
        door = self._door
        if not door.limits.may_write(session.citizen, self._address, door.clock()):
            await self._refuse(ChatError("too_fast", "over the rate limit", known))
            return
        heard = Heard(
            id=known,
            conversation=session.conversation,
            channel=CHANNEL,
            line=self._line,
            kind=kind,
            text=text,
            at=door.now(),
        )
        metrics.messages.labels(kind).inc()
        trace = trace_of(session.conversation, known)
        with bound_contextvars(conversation=session.conversation, trace=trace):
            await self._commit(heard)

    def _type(self, session: ChatSession, *, on: bool) -> None:
        """Pass on that the citizen writes, as often as that is worth knowing."""
        now_s = self._door.clock()
        if on and now_s - self._typed_at >= TYPING_EVERY_S:
            self._typed_at = now_s
            self._door.conversations.typing(session.conversation, "citizen")

    async def _rate(self, session: ChatSession, frame: Rate) -> None:
        door = self._door
        if not door.limits.may_write(session.citizen, self._address, door.clock()):
            await self._refuse(ChatError("too_fast", "over the rate limit", frame.id))
            return
        try:
            known = await asyncio.to_thread(
                rate, door.engine, session.conversation, frame.turn, frame.value, door.now()
            )
        except SQLAlchemyError as error:
            _log.error("chat_rate_failed", code="store_down", fault=fault_of(error))
            await self._send(
                protocol.error("store_down", _NOT_DELIVERED, known=frame.id, retry=True)
            )
            return
        metrics.ratings.labels(frame.value if known else "unknown").inc()
        await self._send(protocol.ack(frame.id))

    async def _commit(self, heard: Heard) -> None:
        try:
            await self._door.conversations.hear(heard)
        except (ConversationError, SQLAlchemyError) as error:
            code = _code(error)
            _log.error("chat_hear_failed", code=code, fault=fault_of(error))
            await self._send(protocol.error(code, _NOT_DELIVERED, known=heard.id, retry=True))
        else:
            await self._send(protocol.ack(heard.id))

    async def _pump(self, conversation: str, cursor: int) -> None:
        """Pass on all that is told; where that breaks, the browser comes back with its cursor."""
        replies = self._door.conversations.replies(conversation, cursor)
        try:
            async for told in replies:
                await self._send(protocol.told(told))
        except (WebSocketDisconnect, RuntimeError):
            return  # the socket is gone; the listening side ends the rest
        except (ConversationError, SQLAlchemyError) as error:
            _log.error("chat_replies_failed", code=_code(error), fault=fault_of(error))
            with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                await self._socket.close(TRY_AGAIN)
        finally:
            if isinstance(replies, AsyncGenerator):
                await replies.aclose()

    async def _receive(self) -> str | bytes:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        text = message.get("text")
        return text if text is not None else message.get("bytes") or b""

    async def _send(self, frame: dict[str, Any]) -> None:
        await self._socket.send_text(json.dumps(frame, ensure_ascii=False))

    async def _refuse(self, error: ChatError) -> None:
        """Tell the citizen in a polite sentence what was wrong; the socket stays."""
        metrics.refused.labels(error.code).inc()
        prompts = self._door.city.prompts
        text = {"text_too_long": prompts.too_long, "too_fast": prompts.slow_down}.get(
            error.code, _NOT_UNDERSTOOD
        )
        retry = error.code == "too_fast"
        await self._send(protocol.error(error.code, text, known=error.id, retry=retry))


def _code(error: ConversationError | SQLAlchemyError) -> str:
    return error.code if isinstance(error, ConversationError) else "store_down"
