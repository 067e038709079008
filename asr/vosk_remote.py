"""Any vosk-server, for example the stock `alphacep/kaldi-cn`, as a recogniser.

The stock protocol: a config message, then one answer to each message of sound, and the exact text
``{"eof" : 1}`` (its spaces matter: the stock server compares strings) for the final words, after
which the server closes. So each turn has a connection of its own; opening one costs a round trip
while the caller is still silent.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Sequence
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidURI, WebSocketException

from asr.recogniser import SAMPLE_RATE, RecogniserError, Words, join
from asr.resampling import Resampler
from asr.vosk_local import known, parse_result
from turns.voice import Word

REMOTE_RATE = 16000
"""Hz sent: Vosk brings sound down to its model's rate by itself, but not up."""
TIMEOUT_S = 3.0


class RemoteRecogniser:
    """Streams of the vosk-server at ``url`` (``ws://host:port``)."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def start(self) -> None:
        """See that the server recognises; raises `RecogniserError`."""
        stream = await self.open()
        try:
            await stream.accept(bytes(SAMPLE_RATE))
            await stream.finish()
        finally:
            await stream.close()

    async def open(self) -> RemoteStream:
        """A new stream; it connects with its first sound."""
        return RemoteStream(self._url)


class RemoteStream:
    """One caller's recognition by a vosk-server."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._socket: ClientConnection | None = None
        self._resampler = Resampler(SAMPLE_RATE, REMOTE_RATE)
        self._done: list[Word] = []

    async def accept(self, pcm: bytes) -> str:
        """See `RecogniserStream.accept`."""
        socket = self._socket or await self._connect()
        answer = await self._ask(socket, self._resampler.push(pcm))
        if "partial" in answer:
            partial = known(str(answer["partial"]).split())
            return join([*(word.text for word in self._done), *partial])
        self._done += parse_result(answer)
        return join(word.text for word in self._done)

    async def finish(self) -> Words:
        """See `RecogniserStream.finish`."""
        if self._socket is None:
            return Words()
        final = parse_result(await self._ask(self._socket, '{"eof" : 1}'))
        words = Words((*self._done, *final))
        await self.close()
        return words

    async def set_grammar(self, phrases: Sequence[str] | None) -> None:
        """See `RecogniserStream.set_grammar`: ignored.

        A stock server would hear the phrases and nothing else: whatever else is said were lost.
        """

    async def close(self) -> None:
        """See `RecogniserStream.close`."""
        socket, self._socket = self._socket, None
        self._done = []
        if socket is not None:
            with contextlib.suppress(WebSocketException, OSError):
                await socket.close()

    async def _connect(self) -> ClientConnection:
        config = {"sample_rate": REMOTE_RATE, "words": 1}
        try:
            async with asyncio.timeout(TIMEOUT_S):
                socket = await connect(self._url, proxy=None, close_timeout=0.2)
                await socket.send(json.dumps({"config": config}, ensure_ascii=False))
        except (OSError, TimeoutError, InvalidURI, InvalidHandshake, WebSocketException) as error:
            reason = type(error).__name__
            message = f"no vosk-server at ASR_URL {self._url}: {reason}"
            raise RecogniserError("asr_unreachable", message) from None
        self._socket = socket
        self._resampler = Resampler(SAMPLE_RATE, REMOTE_RATE)
        return socket

    async def _ask(self, socket: ClientConnection, message: str | bytes) -> dict[str, Any]:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await socket.send(message)
                answer = json.loads(await socket.recv())
        except (OSError, TimeoutError, WebSocketException, ValueError) as error:
            await self.close()
            message = f"the vosk-server at {self._url} failed: {type(error).__name__}"
            raise RecogniserError("asr_lost", message) from None
        if not isinstance(answer, dict):
            raise RecogniserError("asr_lost", f"{self._url} does not speak vosk-server's protocol")
        return answer
