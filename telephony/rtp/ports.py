"""The pool of even UDP ports that calls receive their media on (RFC 3550 §11)."""

from __future__ import annotations

import contextlib
import socket

from telephony.line import LineError

_DSCP_EXPEDITED = 0xB8


class PortPool:
    """Hands out bound, non-blocking UDP sockets on even ports of an inclusive range.

    Ports are taken in turn, so that one just freed rests as long as the range allows; those that
    another program holds are skipped. Raises ``LineError("bad_settings")`` on a senseless range.
    """

    def __init__(self, host: str, ports: tuple[int, int]) -> None:
        low, high = ports
        first = low + low % 2
        if not 1024 <= low <= high <= 65535 or first > high:
            raise LineError("bad_settings", f"RTP ports {low}-{high}: need 1024 to 65535, one even")
        self._host = host
        self._ports = range(first, high + 1, 2)
        self._turn = 0
        self._held: set[int] = set()

    @property
    def held(self) -> int:
        """How many ports are out."""
        return len(self._held)

    def open(self) -> socket.socket:
        """A socket on a free port. Raises ``LineError("no_media_port")``."""
        for _ in self._ports:
            port = self._ports[self._turn]
            self._turn = (self._turn + 1) % len(self._ports)
            if port in self._held:
                continue
            with contextlib.suppress(OSError):
                return self._bound(port)
        raise LineError(
            "no_media_port",
            f"no free RTP port left in {self._ports[0]}-{self._ports[-1]} on {self._host}",
        )

    def _bound(self, port: int) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.bind((self._host, port))
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, _DSCP_EXPEDITED)
        except OSError:
            sock.close()
            raise
        self._held.add(port)
        return sock

    def release(self, sock: socket.socket) -> None:
        """Close a socket that ``open`` gave; its port is free again."""
        if sock.fileno() != -1:
            self._held.discard(sock.getsockname()[1])
            sock.close()
