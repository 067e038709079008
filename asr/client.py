"""The phone's ear: audio out, voice events back, over one WebSocket a call.

Runs inside the phone process, so it never blocks, recognises nothing and imports only
`websockets` and `turns`. `feed` and `expect` queue and return at once; one task sends, one
receives, one watches that the recogniser keeps up.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidURI, WebSocketException

from asr.stall import WATCH_S, Stall
from turns.replies import Expects
from turns.voice import VoiceEvent
from turns.wire import WireError, load_voice

SAMPLE_RATE = 8000
"""Hz; samples are 16-bit little-endian, mono."""
BATCH_BYTES = 640
"""40 ms: two telephone frames; longer batches would show in the caller's wait."""
CONNECT_TIMEOUT_S = 1.0
BACKLOG_BYTES = 10 * 2 * SAMPLE_RATE
"""Ten seconds unheard: what comes back would answer a question long gone."""


class AsrError(RuntimeError):
    """The recogniser cannot be used; ``code`` is ``asr_unreachable`` or ``asr_lost``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Slow:
    """The recogniser lies behind: whoever speaks now is not heard yet."""


class Listener:
    """One call's stream to the recogniser process.

    `async with Listener.connect(url) as listener`, then `feed` the caller's audio and read
    `events`. Entering raises `AsrError` ``asr_unreachable`` within `CONNECT_TIMEOUT_S`.
    """

    def __init__(self, url: str, conversation: str = "") -> None:
        self._url = url
        self._conversation = conversation
        self._socket: ClientConnection | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._outgoing: deque[str | bytes] = deque()
        self._wake = asyncio.Event()
        self._pending = bytearray()
        self._fed_bytes = 0
        self._heard_bytes = 0
        self._incoming: asyncio.Queue[VoiceEvent | Slow | AsrError | None] = asyncio.Queue()
        self._over: AsrError | None = None
        self._closed = False

    @classmethod
    def connect(cls, url: str, conversation: str = "") -> Listener:
        """A listener for the recogniser at ``url`` (``ws://host:port``), opened by `async with`.

        ``conversation`` goes into the recogniser's log, so that it can be found by that id there.
        """
        return cls(url, conversation)

    async def __aenter__(self) -> Listener:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                self._socket = await connect(
                    self._url,
                    proxy=None,
                    compression=None,
                    open_timeout=None,
                    ping_interval=None,  # `_watch` sees more than a ping: that audio is heard
                    close_timeout=0.2,
                )
                config: dict[str, Any] = {"sample_rate": SAMPLE_RATE, "events": 1}
                if self._conversation:
                    config["conversation"] = self._conversation
                await self._socket.send(json.dumps({"config": config}))
        except (OSError, TimeoutError, InvalidURI, InvalidHandshake, WebSocketException) as error:
            await self._close_socket()
            reason = type(error).__name__
            raise AsrError("asr_unreachable", f"no recogniser at {self._url}: {reason}") from None
        jobs = (self._send(self._socket), self._receive(self._socket), self._watch())
        self._tasks = [asyncio.create_task(job) for job in jobs]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._close_socket()
        self._incoming.put_nowait(None)

    def feed(self, pcm: bytes) -> None:
        """Queue the caller's audio (s16le, 8 kHz, any even length). Never blocks.

        After the recogniser is lost the audio is dropped: `events` has told it.
        """
        if self._over or self._closed:
            return
        self._pending += pcm
        self._fed_bytes += len(pcm)
        while len(self._pending) >= BATCH_BYTES:
            self._queue(bytes(self._pending[:BATCH_BYTES]))
            del self._pending[:BATCH_BYTES]
        if self._fed_bytes - self._heard_bytes > BACKLOG_BYTES:
            self._lose("it falls behind")

    def expect(self, expects: Expects, grammar: Sequence[str] | None = None) -> None:
        """Say what the dialogue expects next, and the only phrases to recognise, if so few."""
        phrases = None if grammar is None else list(grammar)
        message = {"expect": expects, "grammar": phrases}
        self._queue(json.dumps(message, ensure_ascii=False))

    def complete(self, text: str) -> None:
        """Say that the dialogue knows its answer to the turn's words, if they stay ``text``."""
        self._queue(json.dumps({"complete": text}, ensure_ascii=False))

    def reset(self) -> None:
        """Forget the turn in progress: it was not the caller."""
        self._queue('{"reset" : 1}')

    async def events(self) -> AsyncIterator[VoiceEvent | Slow]:
        """What the recogniser tells, until the listener closes.

        Raises `AsrError` ``asr_lost``: at once where the recogniser dies, after `stall.LOST_S`
        where it stands still; before that it is told to be `Slow`.
        """
        while True:
            item = await self._incoming.get()
            if item is None:
                return
            if isinstance(item, AsrError):
                raise item
            yield item

    def _queue(self, message: str | bytes) -> None:
        if self._over or self._closed:
            return
        self._outgoing.append(message)
        self._wake.set()

    def _lose(self, why: str) -> None:
        if self._over or self._closed:
            return
        self._over = AsrError("asr_lost", f"the recogniser at {self._url} was lost: {why}")
        self._outgoing.clear()
        self._incoming.put_nowait(self._over)

    async def _send(self, socket: ClientConnection) -> None:
        with contextlib.suppress(WebSocketException):  # `_receive` sees the same end and tells it
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._outgoing:
                    await socket.send(self._outgoing.popleft())

    async def _receive(self, socket: ClientConnection) -> None:
        try:
            async for message in socket:
                self._take(json.loads(message))
            self._lose("connection closed")
        except (WebSocketException, OSError) as error:
            self._lose(type(error).__name__)
        except (ValueError, WireError) as error:
            self._lose(f"it speaks another language ({type(error).__name__})")

    def _take(self, message: Any) -> None:
        if not isinstance(message, dict):
            raise WireError("not an object")
        if "event" in message:
            self._incoming.put_nowait(load_voice(message["event"]))
        elif "heard" in message:
            self._heard_bytes = int(message["heard"])
        elif "error" in message:
            self._lose(str(message["error"])[:60])

    async def _watch(self) -> None:
        """Lose the recogniser when audio waits and nothing of it is heard."""
        stall, clock = Stall(), asyncio.get_running_loop().time
        while not self._over:
            waiting = self._fed_bytes - len(self._pending) > self._heard_bytes
            found = stall.looked(clock(), self._heard_bytes, waiting=waiting)
            if found == "lost":
                self._lose("it does not answer")
            elif found == "slow":
                self._incoming.put_nowait(Slow())
            await asyncio.sleep(WATCH_S)

    async def _close_socket(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(WebSocketException, OSError):
                await self._socket.close()
