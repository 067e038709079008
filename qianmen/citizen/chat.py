"""A citizen who chats: the web page's WebSocket, sentence after sentence."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, cast

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from qianmen.citizen.errors import CitizenError
from qianmen.citizen.report import ChatReport, SaidTurn, Who

WELCOME_S = 10.0
REPLY_S = 20.0


class ChatLine:
    """One open chat. ``turns`` is all that was said so far, by both sides."""

    def __init__(
        self, socket: ClientConnection, on_turn: Callable[[SaidTurn], None] | None = None
    ) -> None:
        self._socket = socket
        self._on_turn = on_turn or (lambda _turn: None)
        self.conversation = ""
        self.order = ""
        self.handed_over = False
        self.turns: list[SaidTurn] = []
        self.first_words_s = 0.0
        """From the last message's sending to the first words that answer it."""

    async def greet(self) -> None:
        """Say hello and take the greeting, with what the front door says unasked."""
        await self._send({"type": "hello", "session": "", "cursor": 0})
        async with _patience(WELCOME_S, "the chat does not say hello"):
            while not self.conversation:
                frame = await self._receive()
                if frame.get("type") == "welcome":
                    self.conversation = str(frame.get("conversation", ""))
            while not any(turn.who != "citizen" for turn in self.turns):
                self._note(await self._receive())

    async def say(self, text: str) -> SaidTurn | None:
        """Write ``text``, wait for the whole answer; the first thing answered, None if no words."""
        known = secrets.token_hex(12)
        began, self.first_words_s = time.perf_counter(), 0.0
        await self._send({"type": "text", "id": known, "text": text})
        self._take(SaidTurn("citizen", text, datetime.now(UTC).isoformat()))
        answer_from = len(self.turns)
        async with _patience(REPLY_S, "no complete answer came"):
            acknowledged = complete = False
            while not (acknowledged and complete):
                frame = await self._receive()
                if frame.get("type") == "ack" and frame.get("id") == known:
                    acknowledged = True
                    continue
                self._refused(frame, known)
                self._note(frame)
                if not self.first_words_s and len(self.turns) > answer_from:
                    self.first_words_s = time.perf_counter() - began
                complete |= frame.get("in_reply_to") == known and frame.get("last") is True
        return next((t for t in self.turns[answer_from:] if t.who != "citizen"), None)

    async def write(self, text: str) -> None:
        """Write ``text`` and wait for nothing: whoever has the talk may never answer."""
        await self._send({"type": "text", "id": secrets.token_hex(12), "text": text})
        self._take(SaidTurn("citizen", text, datetime.now(UTC).isoformat()))

    async def leave(self) -> None:
        """End the conversation for good."""
        await self._send({"type": "leave"})

    def _refused(self, frame: dict[str, Any], known: str) -> None:
        if frame.get("type") == "error" and frame.get("id") in {"", known}:
            code, text = frame.get("code", ""), frame.get("text", "")
            raise CitizenError("rejected", f"the front door refused the message ({code}: {text})")

    def _note(self, frame: dict[str, Any]) -> None:
        if frame.get("type") == "history":
            for turn in frame.get("turns", ()):
                self._noted(turn, str(turn.get("text", "")))
        elif frame.get("type") == "told":
            self._noted(frame, str(frame.get("reply", {}).get("text", "")))

    def _noted(self, frame: dict[str, Any], text: str) -> None:
        reply = frame.get("reply", {})
        if reply.get("type") == "handoff":
            self.handed_over = True
            self.order = str(reply.get("number", "")) or self.order
        if text:
            who = cast(Who, frame.get("speaker", "bot"))
            self._take(SaidTurn(who, text, str(frame.get("at", ""))))

    def _take(self, turn: SaidTurn) -> None:
        self.turns.append(turn)
        self._on_turn(turn)

    async def _send(self, frame: dict[str, Any]) -> None:
        try:
            await self._socket.send(json.dumps(frame, ensure_ascii=False))
        except ConnectionClosed:
            raise CitizenError("lost", "the chat was closed") from None

    async def _receive(self) -> dict[str, Any]:
        try:
            frame = json.loads(await self._socket.recv())
        except ConnectionClosed:
            raise CitizenError("lost", "the chat was closed") from None
        except ValueError:
            frame = None
        if not isinstance(frame, dict):
            raise CitizenError("rejected", "what answers there is not the front door's chat")
        return frame


@asynccontextmanager
async def open_chat(
    base_url: str, on_turn: Callable[[SaidTurn], None] | None = None
) -> AsyncIterator[ChatLine]:
    """A chat with the web process at ``base_url`` (``http://HOST:PORT``), greeted.

    ``on_turn`` is told every turn of either side as it is said.

    Raises ``CitizenError``: ``bad_input``, ``unreachable``, ``rejected``, ``lost``, ``silent``.
    """
    scheme, separator, rest = base_url.rstrip("/").partition("://")
    if not separator or scheme not in {"http", "https"}:
        raise CitizenError("bad_input", "the address looks like http://HOST:PORT")
    url = f"{'wss' if scheme == 'https' else 'ws'}://{rest}/chat/ws"
    try:
        socket = await connect(url, open_timeout=WELCOME_S, proxy=None)
    except InvalidURI:
        raise CitizenError("bad_input", "the address looks like http://HOST:PORT") from None
    except InvalidHandshake:
        raise CitizenError("rejected", f"{base_url} has no chat") from None
    except (OSError, TimeoutError):
        raise CitizenError("unreachable", f"nothing answers at {base_url}") from None
    try:
        line = ChatLine(socket, on_turn)
        await line.greet()
        yield line
    finally:
        await socket.close()


async def hold_chat(
    base_url: str,
    says: Sequence[str],
    *,
    on_progress: Callable[[SaidTurn], None] | None = None,
) -> ChatReport:
    """Say each sentence when the one before is answered.

    ``on_progress`` is told every turn of either side as it is said.

    Raises :class:`CitizenError`; its ``report`` holds what was said until then.
    """
    line: ChatLine | None = None
    try:
        async with open_chat(base_url, on_progress) as line:
            for text in says:
                await line.say(text)
            return _report(line)
    except CitizenError as error:
        error.report = _report(line) if line is not None else None
        raise


def _report(line: ChatLine) -> ChatReport:
    return ChatReport(tuple(line.turns), line.conversation, line.handed_over, line.order)


@asynccontextmanager
async def _patience(seconds: float, text: str) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise CitizenError("silent", f"{text} within {seconds:.0f} s") from None
