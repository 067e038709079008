"""The stock vosk-server's behaviour, as its asr_server.py has it, over any words.

Text is compared with ``{"eof" : 1}`` as a string; any other text but a config is taken for sound,
which ends the connection. One answer a message; after eof the server closes.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.server import ServerConnection, serve


@dataclass(slots=True)
class StockVoskServer:
    """Tells one word of ``words`` for each half second of sound; a result at each ``split``."""

    words: list[str]
    split: int = 1000
    configs: list[dict[str, Any]] = field(default_factory=list)
    broken: bool = False

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Its URL while it serves."""
        async with serve(self._handle, "127.0.0.1", 0, max_size=None) as server:
            yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"

    async def _handle(self, socket: ServerConnection) -> None:
        rate, heard, told = 8000, 0, 0
        async for message in socket:
            if isinstance(message, str) and "config" in message:
                self.configs.append(config := json.loads(message)["config"])
                rate = config["sample_rate"]
                continue
            if self.broken or (isinstance(message, str) and message != '{"eof" : 1}'):
                return
            if isinstance(message, str):
                await socket.send(self._result(told, heard // rate))
                return
            heard += len(message)
            count = heard // rate
            if count - told >= self.split:
                await socket.send(self._result(told, count))
                told = count
            else:
                await socket.send(json.dumps({"partial": " ".join(self.words[told:count])}))

    def _result(self, start: int, stop: int) -> str:
        words = [
            {"word": word, "start": 0.5 * at, "end": 0.5 * at + 0.5, "conf": 0.8}
            for at, word in enumerate(self.words[start:stop], start)
        ]
        return json.dumps({"result": words, "text": " ".join(self.words[start:stop])})
