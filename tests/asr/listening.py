"""What the tests of the recogniser share: speech, silence, and a server in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

from asr.recogniser import Recogniser
from asr.server import serving
from tts.say import synthesise

FRAME_BYTES = 320
"""20 ms."""


@cache
def speech(text: str = "我想问一下租房怎么提取公积金") -> bytes:
    """A sentence, 8 kHz s16le."""
    return synthesise(text)


def silence(seconds: float) -> bytes:
    """Digital silence."""
    return bytes(2 * round(8000 * seconds))


def frames(pcm: bytes, size: int = FRAME_BYTES) -> list[bytes]:
    """``pcm`` as the telephone brings it."""
    return [pcm[start : start + size] for start in range(0, len(pcm), size)]


@asynccontextmanager
async def listening(recogniser: Recogniser, *, ready: bool = True) -> AsyncIterator[str]:
    """A server on a free port; gives its ``host:port``."""
    async with serving(recogniser, "127.0.0.1", 0) as (server, health):
        health.ready = ready
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"127.0.0.1:{port}"
