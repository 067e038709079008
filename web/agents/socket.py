"""The desk's WebSocket: who may open it, and frames over it."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

import structlog
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError
from starlette.websockets import WebSocket, WebSocketDisconnect

from store.engine import reading
from store.faults import fault_of
from store.tables import Staff
from web import sessions
from web.accounts import Member, signed_in
from web.agents import alive, frames, protocol
from web.agents.desk import Desk
from web.agents.errors import DeskError
from web.agents.floor import Floor
from web.agents.frames import Me
from web.agents.protocol import Hello
from web.rights import Right
from web.sessions import StaffSession

HELLO_S = 10.0
TRY_AGAIN = 1013
"""WebSocket close code (IANA registry): the page comes back by itself."""
_log = structlog.get_logger(__name__)


async def serve(socket: WebSocket, floor: Floor, session: StaffSession | None) -> None:
    """Serve one page until either side closes it; a foreign page gets 403 instead."""
    if not _origin_allowed(socket, floor.parts.origins):
        _log.warning("desk_origin_refused")
        await socket.close(1008)
        return
    await socket.accept()
    page = SocketPage(socket)
    try:
        await _open(page, floor, session)
    except WebSocketDisconnect:
        return
    except SQLAlchemyError as error:
        _log.error("desk_failed", code="store_down", fault=fault_of(error))
        await page.close(TRY_AGAIN)


async def _open(page: SocketPage, floor: Floor, session: StaffSession | None) -> None:
    try:
        if not floor.running:
            await page.close(TRY_AGAIN)
            return
        member = await asyncio.to_thread(_member, floor.parts.engine, session)
        await _greeted(page, floor, session)
    except DeskError as error:
        await page.send(frames.closing(error.code, error.text))
        await page.close(alive.CLOSED.get(error.code, 1008))
        return
    if session is None:
        return
    me = await asyncio.to_thread(me_of, floor.parts.engine, member)
    await Desk(page, floor, member, me, session).run()


def _member(engine: Engine, session: StaffSession | None) -> Member:
    """Who it is; raises :class:`DeskError` as a page would be refused."""
    member = signed_in(engine, session) if session else None
    if member is None:
        raise DeskError("not_signed_in")
    if member.must_change:
        raise DeskError("password_must_change")
    if Right.TAKE_HANDOFFS not in member.rights:
        raise DeskError("right_missing")
    return member


async def _greeted(page: SocketPage, floor: Floor, session: StaffSession | None) -> None:
    """The first frame is a hello with the token of our own page; raises :class:`DeskError`."""
    try:
        async with asyncio.timeout(HELLO_S):
            frame = protocol.parse(await page.receive())
    except TimeoutError:
        raise DeskError("hello_first") from None
    if not isinstance(frame, Hello):
        raise DeskError("hello_first")
    nonce = session.nonce if session else ""
    if not sessions.form_token_fits(frame.token, nonce, floor.parts.key):
        raise DeskError("form_expired")


def me_of(engine: Engine, member: Member) -> Me:
    """The member with their telephone and skills."""
    with reading(engine) as session:
        row = session.scalars(select(Staff).where(Staff.login == member.login)).one()
        return Me(
            login=row.login, name=row.name, phone=row.phone_uri,
            skills=tuple(str(skill) for skill in row.skills),
            rights=tuple(sorted(member.rights)), supervisor=Right.SUPERVISE in member.rights,
        )  # fmt: skip


def _origin_allowed(socket: WebSocket, origins: frozenset[str]) -> bool:
    """The desk is opened by our own page alone: browsers always say where a page comes from."""
    origin = socket.headers.get("origin", "")
    if origin in origins:
        return True
    return bool(origin) and (
        urlsplit(origin).netloc.lower() == socket.headers.get("host", "").lower()
    )


class SocketPage:
    """A page's socket; one that is gone takes what is sent and does nothing."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._sending = asyncio.Lock()
        self._gone = False

    async def receive(self) -> str | bytes:
        """The next frame; raises ``WebSocketDisconnect``."""
        if self._gone:
            raise WebSocketDisconnect(1000)
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            self._gone = True
            raise WebSocketDisconnect(message.get("code", 1005))
        text = message.get("text")
        return text if text is not None else message.get("bytes") or b""

    async def send(self, frame: dict[str, Any], *, agents: str | None = None) -> None:
        """Send a frame; frames go out in the order they were given.

        ``agents`` is a member of it that is JSON already.
        """
        text = json.dumps(frame, ensure_ascii=False)
        if agents is not None:
            text = f'{text[:-1]}, "agents": {agents}}}'
        async with self._sending:
            if self._gone:
                return
            try:
                await self._socket.send_text(text)
            except (WebSocketDisconnect, RuntimeError):
                self._gone = True

    async def close(self, code: int) -> None:
        """Close it."""
        async with self._sending:
            if self._gone:
                return
            self._gone = True
            try:
                await self._socket.close(code)
            except (WebSocketDisconnect, RuntimeError):
                return
