"""Thousands of browsers that are connected and say nothing, in one cheap process of their own.

``python -m qianmen.bench.idle_main PORT COUNT`` opens COUNT sockets from addresses of the loopback
network, says hello on each, prints ``open N``, waits for a line on standard input, then asks on all
whether anybody is there, and prints ``answered N``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import struct
import sys
from collections import Counter
from typing import Any

HOST = "127.0.0.1"
PER_ADDRESS = 2000
AT_ONCE = 50
OPEN_S = 60.0
TRIES = 3
"""As often a browser is opened: it comes back by itself where the server says "try again"."""
ANSWER_S = 120.0
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10


class IdleBrowser(asyncio.Protocol):
    """One socket: the handshake, frames from the server, pings answered (RFC 6455)."""

    __slots__ = ("_buffer", "_transport", "_upgraded", "answered", "welcome")

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._upgraded = False
        loop = asyncio.get_running_loop()
        self.welcome: asyncio.Future[None] = loop.create_future()
        self.answered: asyncio.Future[None] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the WebSocket; no extension, so nothing is compressed."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # a TCP connection has one
        self._transport = transport
        transport.write(
            f"GET /chat/ws HTTP/1.1\r\nHost: {HOST}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: cWlhbm1lbi1iZW5jaC1pZA==\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        """Take the frames that are whole."""
        self._buffer += data
        if not self._upgraded:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head.split(b"\r\n", 1)[0]:
                self._fail("refused")
                return
            self._upgraded, self._buffer = True, rest
            self.send({"type": "hello", "session": "", "cursor": 0})
        while (frame := _frame(self._buffer)) is not None:
            kind, payload, self._buffer = frame
            self._take(kind, payload)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's name
        """Whoever waits need wait no longer."""
        self._fail("lost")

    def send(self, fields: dict[str, Any]) -> None:
        """One text frame."""
        self._write(_TEXT, json.dumps(fields).encode())

    def _write(self, kind: int, payload: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(_masked(kind, payload))

    def _take(self, kind: int, payload: bytes) -> None:
        if kind == _PING:
            self._write(_PONG, payload)
        elif kind == _CLOSE:
            self._fail(f"closed {int.from_bytes(payload[:2])}")
        elif kind == _TEXT:
            said = json.loads(payload)["type"]
            waits = {"history": self.welcome, "pong": self.answered}.get(said)
            if waits is not None and not waits.done():
                waits.set_result(None)

    def _fail(self, why: str) -> None:
        for waits in (self.welcome, self.answered):
            if not waits.done():
                waits.set_exception(ConnectionError(why))
                waits.exception()  # seen: nobody may be waiting for it


def _masked(kind: int, payload: bytes) -> bytes:
    """A client's frame; the mask is zero, which the server cannot tell from another."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else struct.pack("!BH", 0x80 | 126, size)
    return bytes([0x80 | kind]) + length + bytes(4) + payload


def _frame(data: bytes) -> tuple[int, bytes, bytes] | None:
    """Opcode, payload and the rest, once a server's frame is whole."""
    if len(data) < 2:
        return None
    size, at = data[1] & 0x7F, 2
    if size >= 126:
        form = "!H" if size == 126 else "!Q"
        at += struct.calcsize(form)
        if len(data) < at:
            return None
        (size,) = struct.unpack_from(form, data, 2)
    if len(data) < at + size:
        return None
    return data[0] & 0x0F, data[at : at + size], data[at + size :]


async def hold(port: int, count: int) -> None:
    """Open, tell, wait, ask, tell; what went wrong goes to standard error."""
    gate = asyncio.Semaphore(AT_ONCE)
    browsers: list[IdleBrowser] = []

    faults: Counter[str] = Counter()

    async def begin(number: int) -> None:
        local = f"127.0.{1 + number // PER_ADDRESS}.{1 + number % 200}"
        for _ in range(TRIES):
            async with gate:
                try:
                    browsers.append(await _opened(port, local))
                except (OSError, TimeoutError) as error:
                    faults[f"not opened: {type(error).__name__} {error}"] += 1
                else:
                    return

    await asyncio.gather(*map(begin, range(count)))
    _tell(f"open {len(browsers)}")
    await asyncio.to_thread(sys.stdin.readline)
    for browser in browsers:
        browser.send({"type": "ping"})
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(ANSWER_S):
            await asyncio.gather(*(b.answered for b in browsers), return_exceptions=True)
    faults.update(f"not answered: {why}" for b in browsers if (why := _why_not(b.answered)))
    for fault, times in faults.most_common():
        sys.stderr.write(f"{times} idle sockets {fault}\n")
    _tell(f"answered {sum(not _why_not(b.answered) for b in browsers)}")


async def _opened(port: int, local: str) -> IdleBrowser:
    """A browser that was welcomed; raises OSError, TimeoutError."""
    loop = asyncio.get_running_loop()
    transport, browser = await loop.create_connection(
        IdleBrowser, HOST, port, local_addr=(local, 0)
    )
    try:
        async with asyncio.timeout(OPEN_S):
            await browser.welcome
    except (OSError, TimeoutError):
        transport.close()
        raise
    return browser


def _why_not(answered: asyncio.Future[None]) -> str:
    """'' where the answer came."""
    if not answered.done():
        return "silence"
    error = answered.exception()
    return str(error) if error is not None else ""


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Hold the sockets."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(hold(int(sys.argv[1]), int(sys.argv[2])))
    sys.stdout.flush()
    os._exit(0)  # thousands of sockets need not be closed one by one


if __name__ == "__main__":
    main()
