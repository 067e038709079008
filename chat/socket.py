"""One browser's WebSocket: hello, then what it sends to the core, and what is told back to it.

A message is acknowledged only after the core has it in the database; what is told is read from the
record after the browser's cursor. So a socket may break at any moment: the browser sends again
what was not acknowledged (same id) and names its cursor, and nothing is lost or doubled.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from datetime import datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from structlog.contextvars import bound_contextvars

from bot.errors import ConversationError
from bot.feedback import rate
from bot.joining import make_code
from chat import metrics, protocol
from chat.companions import accompany
from chat.door import Door, origin_allowed
from chat.errors import ChatError
from chat.frames import (
    Choice,
    ClientFrame,
    Hello,
    Leave,
    LinkCode,
    Mend,
    Ping,
    Place,
    Rate,
    Said,
    Text,
    Typing,
)
from chat.history import Missed, missed_after
from chat.saying import CHANNEL, turn_of
from chat.session import ChatSession
from chat.wire import Wire, code_of
from store.faults import fault_of
from turns.heard import Heard
from turns.trace import trace_of

HELLO_TIMEOUT_S = 30.0
"""A browser says hello at once; but it may be on a slow network, or one of thousands that come back
to a process that has just begun.
"""
AWAY_S = 300.0
"""Whose page is closed for so long waits for nobody any more."""
TYPING_EVERY_S = 2.0
TRY_AGAIN = 1013
"""WebSocket close code (IANA registry): the browser comes back by itself."""

_log = structlog.get_logger(__name__)


async def serve(socket: WebSocket, door: Door) -> None:
    """Serve one socket until either side closes it; a foreign page gets 403 instead."""
    if not origin_allowed(socket, door.origins):
        metrics.refused.labels("origin").inc()
        _log.warning("chat_origin_refused")
        await socket.close(1008)
        return
    await socket.accept()
    try:
        with metrics.connections.track_inprogress():
            await _Chat(socket, door).serve()
    except (WebSocketDisconnect, RuntimeError) as error:
        # Starlette raises RuntimeError for a send after either side has closed.
        states = (socket.client_state, socket.application_state)
        if isinstance(error, RuntimeError) and WebSocketState.DISCONNECTED not in states:
            raise


def _as_hello(frame: ClientFrame) -> Hello:
    if isinstance(frame, Hello):
        return frame
    raise ChatError("hello_first", "say hello first", getattr(frame, "id", ""))


def _after_hello(frame: ClientFrame) -> Said | Rate | Typing | Ping | LinkCode | Leave:
    if isinstance(frame, Hello):
        raise ChatError("hello_again", "one hello a socket")
    return frame


class _Chat:
    """One socket after the handshake."""

    __slots__ = ("_address", "_door", "_line", "_socket", "_typed_at", "_wire")

    def __init__(self, socket: WebSocket, door: Door) -> None:
        self._socket = socket
        self._door = door
        self._wire = Wire(socket, door.city.prompts)
        self._address = socket.client.host if socket.client else ""
        self._line = door.city.line(socket.query_params.get("line", "")).number
        self._typed_at = -TYPING_EVERY_S
        socket.scope["headers"] = []  # a browser's are kilobytes; none of them is needed any more

    async def serve(self) -> None:
        """From hello to the end; one address has only so many sockets."""
        with self._door.limits.connected(self._address) as may:
            if not may:
                await self._wire.refuse(ChatError("too_fast", "too many sockets", wait_s=60))
                await self._socket.close(TRY_AGAIN)
                return
            try:
                # Not wait_for: before Python 3.12 it may swallow a cancellation.
                async with asyncio.timeout(HELLO_TIMEOUT_S):
                    hello = await self._hello()
            except TimeoutError:
                await self._socket.close(1008)
                return
            await self._run(hello)

    async def _run(self, hello: Hello) -> None:
        started = await self._start(hello)
        if started is None:
            return
        session, cursor = started
        core, prompts = self._door.conversations, self._door.city.prompts
        beside = (
            self._pump(session.conversation, cursor),
            accompany(core, session.conversation, prompts, self._wire.send),
        )
        tasks = tuple(asyncio.create_task(work) for work in beside)
        del beside, started
        try:
            await self._listen(session)
        finally:
            core.gone(session.conversation, AWAY_S)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _hello(self) -> Hello:
        while True:
            try:
                return _as_hello(protocol.parse(await self._wire.receive()))
            except ChatError as error:
                await self._wire.refuse(error)

    async def _start(self, hello: Hello) -> tuple[ChatSession, int] | None:
        """Welcome the browser and give it what it missed; None where that failed."""
        now = self._door.now()
        session = self._door.sessions.read(hello.session, now)
        cursor = hello.cursor if session else 0
        if session is None:
            if not self._door.limits.may_begin(self._address, self._door.clock()):
                await self._wire.refuse(ChatError("too_fast", "too many new sessions"))
                await self._socket.close(TRY_AGAIN)
                return None
            session = self._door.sessions.begin()
        try:
            missed = await self._open(session, cursor, now)
        except (ConversationError, SQLAlchemyError) as error:
            await self._wire.failed("chat_open_failed", error)
            await self._socket.close(TRY_AGAIN)
            return None
        token = self._door.sessions.token(session, now)
        await self._wire.send(
            protocol.welcome(token, session.conversation, cursor, ended=missed.ended)
        )
        await self._wire.send(protocol.history(missed.turns))
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
                frame = _after_hello(protocol.parse(await self._wire.receive()))
            except ChatError as error:
                await self._wire.refuse(error)
                continue
            match frame:
                case Ping():
                    await self._wire.send(protocol.pong())
                case Text() | Choice() | Place() | Mend():
                    await self._hear(session, frame)
                case LinkCode():
                    await self._give_code(session)
                case Rate():
                    await self._rate(session, frame)
                case Typing():
                    self._type(session, on=frame.on)
                case Leave():
                    await self._door.conversations.close(session.conversation, self._door.now())
                    await self._socket.close(1000)
                    return

    async def _hear(self, session: ChatSession, frame: Said) -> None:
        if await self._too_fast(session, frame.id):
            return
        heard = turn_of(frame, session.conversation, self._line, self._door.now())
        metrics.messages.labels(heard.kind).inc()
        trace = trace_of(session.conversation, heard.id)
        with bound_contextvars(conversation=session.conversation, trace=trace):
            await self._commit(heard)

    async def _too_fast(self, session: ChatSession, known: str) -> bool:
        """Whether it was; then the citizen is told when to try again."""
        door = self._door
        wait_s = door.limits.write(session.citizen, self._address, door.clock())
        if wait_s:
            await self._wire.refuse(ChatError("too_fast", "over the rate limit", known, wait_s))
        return wait_s > 0

    async def _give_code(self, session: ChatSession) -> None:
        """A code by which another chat of the citizen is joined with this one."""
        door, prompts = self._door, self._door.city.prompts
        wait_s = door.limits.code(session.citizen, door.clock())
        if wait_s:
            await self._wire.refuse(ChatError("too_fast", "too many codes", wait_s=wait_s))
            return
        try:
            code, until = await asyncio.to_thread(
                make_code, door.engine, session.conversation, door.now()
            )
        except SQLAlchemyError as error:
            await self._wire.failed("chat_code_failed", error)
            return
        text = prompts.fill("link_code", code=code)
        await self._wire.send(protocol.link_code(code, until, text))

    def _type(self, session: ChatSession, *, on: bool) -> None:
        """Pass on that the citizen writes, as often as that is worth knowing."""
        now_s = self._door.clock()
        if on and now_s - self._typed_at >= TYPING_EVERY_S:
            self._typed_at = now_s
            self._door.conversations.typing(session.conversation, "citizen")

    async def _rate(self, session: ChatSession, frame: Rate) -> None:
        door = self._door
        if await self._too_fast(session, frame.id):
            return
        try:
            known = await asyncio.to_thread(
                rate, door.engine, session.conversation, frame.turn, frame.value, door.now()
            )
        except SQLAlchemyError as error:
            await self._wire.failed("chat_rate_failed", error, frame.id)
            return
        metrics.ratings.labels(frame.value if known else "unknown").inc()
        await self._wire.send(protocol.ack(frame.id))

    async def _commit(self, heard: Heard) -> None:
        try:
            await self._door.conversations.hear(heard)
        except (ConversationError, SQLAlchemyError) as error:
            await self._wire.failed("chat_hear_failed", error, heard.id)
        else:
            await self._wire.send(protocol.ack(heard.id))

    async def _pump(self, conversation: str, cursor: int) -> None:
        """Pass on all that is told; where that breaks, the browser comes back with its cursor."""
        replies = self._door.conversations.replies(conversation, cursor)
        try:
            async for told in replies:
                await self._wire.send(protocol.told(told))
        except (WebSocketDisconnect, RuntimeError):
            return  # the socket is gone; the listening side ends the rest
        except (ConversationError, SQLAlchemyError) as error:
            _log.error("chat_replies_failed", code=code_of(error), fault=fault_of(error))
            with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                await self._socket.close(TRY_AGAIN)
        finally:
            if isinstance(replies, AsyncGenerator):
                await replies.aclose()
