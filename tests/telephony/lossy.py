"""A way between SIPp and a line on which packets are lost, doubled and overtaken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Self

Address = tuple[str, int]
Rule = Callable[[bytes], bool]
LATE_S = 0.4


def none(data: bytes) -> bool:  # a rule
    """No packet."""
    return False


class _Side(asyncio.DatagramProtocol):
    """One socket of the way."""

    def __init__(self, got: Callable[[bytes, Address], None]) -> None:
        self._got = got
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # asyncio's own is no DatagramTransport by type, only by what it does.
        self.transport = transport  # type: ignore[assignment]  # see above

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._got(data, addr)

    def send(self, data: bytes, to: Address) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.sendto(data, to)


class Lossy:
    """Loses the first packet that ``lose`` names, holds up those of ``late`` for ``LATE_S``."""

    def __init__(
        self, target: Address, *, lose: Rule = none, late: Rule = none, twice: bool = False
    ) -> None:
        self.lost = 0
        self._target = target
        self._lose = lose
        self._late = late
        self._twice = twice
        self._guest: Address = ("", 0)
        self._near = _Side(self._from_guest)
        self._far = _Side(lambda data, _: self._carry(data, self._near, self._guest))

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        for side in (self._near, self._far):
            await loop.create_datagram_endpoint(lambda: side, local_addr=("127.0.0.1", 0))  # noqa: B023  # used at once
        return self

    async def __aexit__(self, *_: object) -> None:
        for side in (self._near, self._far):
            if side.transport is not None:
                side.transport.close()

    @property
    def address(self) -> Address:
        """Where SIPp, or the line, sends to instead of the target."""
        assert self._near.transport is not None
        host, port = self._near.transport.get_extra_info("sockname")
        return host, port

    def _from_guest(self, data: bytes, source: Address) -> None:
        self._guest = source
        self._carry(data, self._far, self._target)

    def _carry(self, data: bytes, side: _Side, to: Address) -> None:
        if not self.lost and self._lose(data):
            self.lost += 1
            return
        delay_s = LATE_S if self._late(data) else 0.0
        for _ in range(2 if self._twice else 1):
            asyncio.get_running_loop().call_later(delay_s, side.send, data, to)
