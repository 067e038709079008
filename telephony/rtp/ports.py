"""The pool of UDP ports that calls receive their media on: sound even, RTCP odd (RFC 3550 §11)."""

from __future__ import annotations

import contextlib
import socket
from typing import NamedTuple

from telephony.line import LineError

_DSCP_EXPEDITED = 0xB8
SO_TIMESTAMPNS = 35
"""The kernel tells when each datagram came (<asm-generic/socket.h>; in Python from 3.14 on)."""


class MediaSockets(NamedTuple):
    """A leg's two sockets, non-blocking."""

    rtp: socket.socket
    rtcp: socket.socket


class PortPool:
    """Hands out pairs of bound UDP sockets, an even port and the next, of an inclusive range.

    Ports are taken in turn, so that one just freed rests as long as the range allows; those that
    another program holds are skipped. Raises ``LineError("bad_settings")`` on a senseless range.
    """

    def __init__(self, host: str, ports: tuple[int, int]) -> None:
        low, high = ports
        first = low + low % 2
        if not 1024 <= low <= high <= 65535 or first >= high:
            raise LineError("bad_settings", f"RTP ports {low}-{high}: need 1024 to 65535, a pair")
        self._host = host
        self._ports = range(first, high, 2)
        self._turn = 0
        self._held: set[int] = set()

    @property
    def held(self) -> int:
        """How many pairs are out."""
        return len(self._held)

    def open(self) -> MediaSockets:
        """A free pair. Raises ``LineError("no_media_port")``."""
        for _ in self._ports:
            port = self._ports[self._turn]
            self._turn = (self._turn + 1) % len(self._ports)
            if port in self._held:
                continue
            with contextlib.suppress(OSError):
                return self._pair(port)
        raise LineError(
            "no_media_port",
            f"no free RTP port left in {self._ports[0]}-{self._ports[-1]} on {self._host}",
        )

    def _pair(self, port: int) -> MediaSockets:
        rtp = self._bound(port)
        try:
            pair = MediaSockets(rtp, self._bound(port + 1))
        except OSError:
            rtp.close()
            raise
        self._held.add(port)
        return pair

    def _bound(self, port: int) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.bind((self._host, port))
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, _DSCP_EXPEDITED)
            sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        except OSError:
            sock.close()
            raise
        return sock

    def release(self, sockets: MediaSockets) -> None:
        """Close what ``open`` gave; the ports are free again."""
        if sockets.rtp.fileno() != -1:
            self._held.discard(sockets.rtp.getsockname()[1])
        for sock in sockets:
            sock.close()
