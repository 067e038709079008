"""URIs and name-addr fields (RFC 3261 §19.1, §20.10; tel: RFC 3966)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from aiosipua import headers as library

from telephony.sip.error import SipError
from telephony.sip.wire import decoded, readable, without_controls

_SEPARATORS = str.maketrans("", "", "-.() ")
_QUOTED = re.compile(r'\s*"((?:[^"\\]|\\.)*)"\s*(.*)', re.DOTALL)
_UNSAFE = re.compile(r"[\x00-\x20<>\"\x7f]")
_TAG = re.compile(r";\s*tag\s*=", re.IGNORECASE)
DEFAULT_PORT = 5060


@dataclass(frozen=True, slots=True)
class Uri:
    """``host`` is empty for tel: and for schemes we do not speak; ``text`` is as it came."""

    scheme: str
    user: str
    host: str
    port: int | None
    params: Mapping[str, str | None]
    text: str

    @property
    def endpoint(self) -> tuple[str, int] | None:
        """IP and port if the host is an IPv4 literal; names are never looked up here."""
        if not is_ipv4(self.host):
            return None
        return self.host, self.port or DEFAULT_PORT


@dataclass(frozen=True, slots=True)
class NameAddr:
    """A From, To, Contact, Route … value; ``text`` is as it came."""

    display_name: str
    uri: Uri
    params: Mapping[str, str | None]
    text: str

    @property
    def tag(self) -> str:
        """The tag, empty if none."""
        return self.params.get("tag") or ""


def is_ipv4(text: str) -> bool:
    """Whether ``text`` is an IPv4 literal."""
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


def parse_uri(text: str) -> Uri:
    """A sip:, sips: or tel: URI; others keep scheme and text. Raises ``SipError("uri")``."""
    text = text.strip()
    scheme, colon, rest = text.partition(":")
    scheme = scheme.lower()
    if not colon or not rest or _UNSAFE.search(text):
        raise SipError("uri", "malformed URI")
    if scheme == "tel":
        number, _, params = rest.partition(";")
        number = readable(number.translate(_SEPARATORS))
        return Uri(scheme, number, "", None, library.parse_params(params), text)
    if scheme not in ("sip", "sips"):
        return Uri(scheme, "", "", None, {}, text)
    return _parse_sip_uri(scheme, rest, text)


def _parse_sip_uri(scheme: str, rest: str, text: str) -> Uri:
    # Split at the "@" first: user parts may hold ";" and "?".
    userinfo, _, where = rest.rpartition("@")
    parsed = library.parse_uri(f"{scheme}:{where}")
    user = readable(_unquoted(userinfo.partition(":")[0])).partition(";")[0]
    if not parsed.host or (":" in parsed.host.strip("[]") and not parsed.host.startswith("[")):
        raise SipError("uri", "malformed host")
    if parsed.port is not None and not 0 < parsed.port < 65536:
        raise SipError("uri", "port out of range")
    return Uri(scheme, user, parsed.host, parsed.port, parsed.params, text)


def _unquoted(user: str) -> str:
    return unquote_to_bytes(user.encode("utf-8", "surrogateescape")).decode(
        "utf-8", "surrogateescape"
    )


def parse_name_addr(text: str) -> NameAddr:
    """A name-addr or addr-spec with its parameters. Raises ``SipError("uri")``."""
    came = text.strip()
    # Decoded first: half a GBK character can look like the backslash that hides a quote.
    rest = decoded(came)
    display = ""
    quoted = _QUOTED.match(rest)
    if quoted:
        display, rest = re.sub(r"\\(.)", r"\1", quoted[1], flags=re.DOTALL), quoted[2]
    if "<" not in rest:
        if quoted:
            raise SipError("uri", "display name without URI")
        spec, _, params = rest.partition(";")
        return NameAddr("", parse_uri(spec), library.parse_params(params), came)
    before, _, after = rest.partition("<")
    spec, closed, params = after.partition(">")
    if not closed or '"' in before:
        raise SipError("uri", "unclosed bracket or quote")
    params = params.strip().removeprefix(";")
    if len(_TAG.findall(f";{params}")) > 1:
        raise SipError("uri", "more than one tag")
    name = without_controls(display or before.strip())
    return NameAddr(name, parse_uri(spec), library.parse_params(params), came)


def split_list(text: str) -> tuple[str, ...]:
    """The members of a comma-separated header value; commas in quotes or brackets stay."""
    parts, depth, quoted, start = [], 0, False, 0
    for at, char in enumerate(text):
        if char == '"' and not depth:
            quoted = not quoted
        elif char in "<>" and not quoted:
            depth = 1 if char == "<" else 0
        elif char == "," and not quoted and not depth:
            parts.append(text[start:at])
            start = at + 1
    parts.append(text[start:])
    return tuple(part.strip() for part in parts if part.strip())
