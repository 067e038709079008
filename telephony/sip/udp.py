"""The SIP socket: datagrams in, parsed; nothing that arrives can raise out of here."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import socket
from collections import Counter
from collections.abc import Callable

import structlog

from telephony.line import LineError, LineSettings
from telephony.sip.error import SipError
from telephony.sip.message import (
    Address,
    BadRequestError,
    Response,
    parse_message,
    render,
)
from telephony.sip.replies import reply_address, reply_headers, response_line
from telephony.sip.settings import networks
from telephony.sip.transactions import Transactions

log = structlog.get_logger(__name__)

BUFFER_BYTES = 4 * 1024 * 1024


class SipSocket(asyncio.DatagramProtocol):
    """Built by ``open``; silent until ``receive_with``."""

    def __init__(self, settings: LineSettings, counters: Counter[str]) -> None:
        self._networks = networks(settings)
        self._counters = counters
        self._transport: asyncio.DatagramTransport | None = None
        self._transactions: Transactions | None = None
        self.in_call: Callable[[str], bool] = lambda _: False
        self.address: Address = (settings.host, settings.port)

    @classmethod
    async def open(cls, settings: LineSettings, counters: Counter[str]) -> SipSocket:
        """Bind. Raises ``LineError``: ``port_in_use``, ``bad_settings``."""
        sock = _bound(settings.host, settings.port)
        own = cls(settings, counters)
        own.address = sock.getsockname()
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: own, sock=sock)
        return own

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Of ``asyncio``."""
        # uvloop's transport is no asyncio.DatagramTransport by type, only by what it does.
        self._transport = transport  # type: ignore[assignment]  # see above

    def admit(self, host: str) -> None:
        """Take calls from ``host`` too. Where everybody might call, only those admitted may now."""
        network = ipaddress.IPv4Network(host)
        if network not in self._networks:
            self._networks = (*self._networks, network)

    def is_peer(self, host: str) -> bool:
        """Whether ``host`` is one of those that were named, by the settings or by ``admit``."""
        address = ipaddress.IPv4Address(host)
        return any(address in network for network in self._networks)

    def receive_with(self, transactions: Transactions) -> None:
        """Hand every message to ``transactions`` from now on."""
        self._transactions = transactions

    def send(self, data: bytes, destination: Address) -> None:
        """Send one datagram; one that cannot be sent is counted."""
        if self._transport is None or self._transport.is_closing():
            return
        try:
            self._transport.sendto(data, destination)
        except (OSError, ValueError, OverflowError):
            self._counters["sip_send_failed"] += 1

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Of ``asyncio``."""
        try:
            self._receive(data, addr)
        except Exception:  # whatever arrives, the other calls go on
            self._counters["sip_handler_failed"] += 1
            log.exception("sip_handler_failed")

    def error_received(self, exc: Exception) -> None:  # noqa: ARG002  # asyncio's signature
        """Of ``asyncio``: an ICMP error, which names no call; the timers will notice."""
        self._counters["sip_icmp_error"] += 1

    def _receive(self, data: bytes, source: Address) -> None:
        if not self._allowed(source[0]) and not self.in_call(source[0]):
            self._counters["sip_foreign_peer"] += 1
        elif not data.strip(b"\r\n\0"):
            self._counters["sip_keep_alive"] += 1
        elif self._transactions is not None:
            self._parse(data, source, self._transactions)

    def _parse(self, data: bytes, source: Address, transactions: Transactions) -> None:
        try:
            message = parse_message(data)
        except BadRequestError as error:
            self._counters[f"sip_{error.code}"] += 1
            headers = reply_headers(error.headers, source, "bad")
            reply = render(response_line(error.status), headers)
            self.send(reply, reply_address(error.headers, source))
        except SipError as error:
            self._counters[f"sip_{error.code}"] += 1
        else:
            if self._allowed(source[0]) or isinstance(message, Response) or message.to.tag:
                transactions.receive(message, source)
            else:
                self._counters["sip_foreign_peer"] += 1

    def _allowed(self, host: str) -> bool:
        return not self._networks or self.is_peer(host)

    def close(self) -> None:
        """Close the port."""
        if self._transport is not None:
            self._transport.close()


def _bound(host: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            raise LineError(
                "port_in_use",
                f"UDP port {port} on {host} is taken by another program: "
                "stop that program or set another SIP port",
            ) from error
        raise LineError(
            "bad_settings", f"cannot open UDP port {port} on {host}: {error.strerror}"
        ) from error
    return sock
