"""``LineSettings`` checked before anything is opened."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket

from telephony.line import LineError, LineSettings
from telephony.sip.message import Address
from telephony.sip.session_timer import MIN_SE_S
from telephony.sip.uri import DEFAULT_PORT, is_ipv4

_USER = re.compile(r"[0-9A-Za-z+*#_.\-]{1,64}")
_DOMAIN = re.compile(r"[0-9A-Za-z.\-]{1,253}")
Networks = tuple[ipaddress.IPv4Network, ...]


def checked(settings: LineSettings) -> LineSettings:
    """The same settings. Raises ``LineError("bad_settings")``; RTP ports are ``PortPool``'s."""
    for name, host in (("host", settings.host), ("public_host", settings.public_host)):
        if not is_ipv4(host) and not (name == "public_host" and host == ""):
            raise LineError("bad_settings", f"line {name} {host!r} is no IPv4 address")
    if not 0 <= settings.port <= 65535:
        raise LineError("bad_settings", f"SIP port {settings.port} is not in 0-65535")
    if settings.max_calls < 1:
        raise LineError("bad_settings", f"max_calls {settings.max_calls} allows no call")
    if settings.session_expires_s and settings.session_expires_s < MIN_SE_S:
        raise LineError(
            "bad_settings",
            f"session_expires_s {settings.session_expires_s} is below {MIN_SE_S} (RFC 4028)",
        )
    if settings.dead_after_s < 0 or settings.max_setups_per_s < 0:
        raise LineError("bad_settings", "dead_after_s and max_setups_per_s cannot be negative")
    _check_extension(settings)
    if not settings.user_agent.isascii() or not settings.user_agent.isprintable():
        raise LineError("bad_settings", "user_agent must be printable ASCII")
    networks(settings)
    return settings


def _check_extension(settings: LineSettings) -> None:
    if settings.user and not _USER.fullmatch(settings.user):
        raise LineError("bad_settings", "user: letters, digits and -_.+*# only")
    if settings.registrar and not settings.user:
        raise LineError("bad_settings", "registrar without user: which extension are we?")
    if not 60 <= settings.register_s <= 86400:
        raise LineError("bad_settings", f"register_s {settings.register_s} is not in 60-86400")
    domain = settings.registrar.partition(":")[0]
    if settings.registrar and not _DOMAIN.fullmatch(domain):
        raise LineError("bad_settings", "registrar: a host name or an IPv4 address, with :port")


def networks(settings: LineSettings) -> Networks:
    """``allowed_peers``. Raises ``LineError("bad_settings")``."""
    try:
        return tuple(ipaddress.IPv4Network(peer) for peer in settings.allowed_peers)
    except ValueError as error:
        raise LineError("bad_settings", f"allowed_peers: {error}") from error


async def resolved(place: str, name: str = "proxy") -> Address | None:
    """The address of the proxy, or of what ``name`` says, looked up in a thread.

    Raises ``LineError("bad_settings")``.
    """
    if not place:
        return None
    host, _, port = place.partition(":")
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise LineError("bad_settings", f"{name} {place!r}: the port is not in 1-65535")
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, int(port or DEFAULT_PORT), family=socket.AF_INET, type=socket.SOCK_DGRAM
        )
    except (OSError, UnicodeError) as error:
        raise LineError("bad_settings", f"{name} {place!r} is unknown: {error}") from error
    return str(found[0][4][0]), int(found[0][4][1])
