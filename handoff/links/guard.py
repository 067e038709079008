"""Where a link may connect to (OWASP ASVS 1.3.6): resolved once, checked, and that address used.

A name that resolves to our own network would let whoever owns it (or its DNS) reach what only we
can reach. So every address of the name must be public, or the city says ``allow_private`` for it;
link-local addresses (a cloud's metadata), multicast and the like never pass.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[tuple[str, ...]]]
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class GuardError(Exception):
    """No connection may be made, or none can.

    ``code``: ``url_refused`` (no http or https URL), ``name_unknown`` (it does not resolve),
    ``address_private`` (on our own network, and the city did not allow it),
    ``address_forbidden`` (never allowed).
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Place:
    """Where to connect: the checked ``address``, and what the URL calls it."""

    address: str
    host: str
    url: str
    """The URL with the address in the host's place."""


async def resolve(host: str, port: int) -> tuple[str, ...]:
    """The addresses of ``host`` by the system's resolver; () where it has none."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


async def place(url: str, *, allow_private: bool, resolve: Resolve = resolve) -> Place:
    """Resolve ``url``'s host once and check every address; raises :class:`GuardError`."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise GuardError("url_refused") from None
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.password:
        raise GuardError("url_refused")
    found = await resolve(host, port or (443 if parts.scheme == "https" else 80))
    if not found:
        raise GuardError("name_unknown")
    for text in found:
        check(text, allow_private=allow_private)
    address = f"[{found[0]}]" if ":" in found[0] else found[0]
    netloc = f"{address}:{port}" if port is not None else address
    shown = f"[{host}]" if ":" in host else host
    called = f"{shown}:{port}" if port is not None else shown
    return Place(found[0], called, parts._replace(netloc=netloc).geturl())


def check(text: str, *, allow_private: bool) -> None:
    """Raise :class:`GuardError` where nothing may be sent to the address ``text``."""
    try:
        address = _bare(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        raise GuardError("address_forbidden") from None
    if address.is_loopback or (address.is_private and not _never(address)):
        if not allow_private:
            raise GuardError("address_private")
        return
    if _never(address) or not address.is_global:
        raise GuardError("address_forbidden")


def _bare(address: Address) -> Address:
    """The IPv4 address that an IPv6 address leads to, where it is such a one."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo or address


def _never(address: Address) -> bool:
    return (
        address.is_link_local or address.is_multicast or address.is_unspecified
        or address in ipaddress.ip_network("0.0.0.0/8" if address.version == 4 else "::/128")
        or address == ipaddress.ip_address("fd00:ec2::254")  # a cloud's metadata over IPv6
        or address == ipaddress.ip_address("255.255.255.255")
    )  # fmt: skip
