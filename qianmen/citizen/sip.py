"""As much of a SIP message as a simulated telephone needs (RFC 3261 §7).

Kept apart from the product's own engine on purpose: what measures must not share its mistakes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MAX_MESSAGE_BYTES = 65_535
_URI = re.compile(
    r"sip:(?:(?P<user>[^@;>\s]*)@)?(?P<host>[^:;>\s@]+)(?::(?P<port>\d{1,5}))?", re.IGNORECASE
)
_COMPACT = {
    "v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length",
    "c": "content-type", "k": "supported",
}  # fmt: skip


class SipError(ValueError):
    """Not a SIP message or URI; ``code`` is ``sip_invalid``."""

    code = "sip_invalid"


@dataclass(frozen=True, slots=True)
class Uri:
    """A sip: URI: who, and where to send to."""

    user: str
    host: str
    port: int = 5060

    @property
    def address(self) -> tuple[str, int]:
        """Host and UDP port."""
        return self.host, self.port

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user else ""
        return f"sip:{user}{self.host}:{self.port}"


def parse_uri(text: str) -> Uri:
    """The first sip: URI in ``text`` (a bare one, or inside ``<>``); raises :class:`SipError`."""
    match = _URI.search(text)
    if match is None:
        raise SipError("not a sip: URI")
    port = int(match["port"] or 5060)
    if not 0 < port < 65_536:
        raise SipError("a SIP port lies between 1 and 65535")
    return Uri(match["user"] or "", match["host"], port)


@dataclass(frozen=True, slots=True)
class Message:
    """A request (``method`` set) or a response (``status`` set); header names in lower case."""

    method: str = ""
    uri: str = ""
    status: int = 0
    reason: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a header, in order."""
        return tuple(value for key, value in self.headers if key == name)

    def get(self, name: str) -> str:
        """The first value of a header, '' if there is none."""
        return next(iter(self.all(name)), "")

    @property
    def cseq(self) -> tuple[int, str]:
        """Number and method of CSeq; (0, '') where it makes no sense."""
        number, _, method = self.get("cseq").partition(" ")
        return (int(number), method.strip()) if number.isdigit() else (0, "")

    def tag(self, name: str) -> str:
        """The tag of ``from`` or ``to``, '' if none."""
        match = re.search(r";\s*tag=([^;\s]+)", self.get(name).rpartition(">")[2] or self.get(name))
        return match[1] if match else ""


def parse(data: bytes) -> Message:
    """One datagram as a message; raises :class:`SipError`."""
    head, _, body = data.partition(b"\r\n\r\n")
    try:
        lines = head.decode("utf-8").split("\r\n")
    except UnicodeDecodeError:
        raise SipError("not UTF-8") from None
    parts = lines[0].split(" ", 2)
    if len(parts) < 3:
        raise SipError("no SIP start line")
    headers = tuple(_headers(lines[1:]))
    if parts[0] == "SIP/2.0":
        if not parts[1].isdigit():
            raise SipError("no SIP status")
        return Message(status=int(parts[1]), reason=parts[2], headers=headers, body=body)
    if parts[2] != "SIP/2.0":
        raise SipError("not SIP/2.0")
    return Message(method=parts[0], uri=parts[1], headers=headers, body=body)


def _headers(lines: list[str]) -> list[tuple[str, str]]:
    headers: list[tuple[str, str]] = []
    for line in lines:
        if line[:1] in {" ", "\t"} and headers:  # a folded line belongs to the one before it
            name, value = headers[-1]
            headers[-1] = (name, f"{value} {line.strip()}")
            continue
        name, colon, value = line.partition(":")
        if not colon:
            raise SipError("a header line without a colon")
        key = name.strip().lower()
        key = _COMPACT.get(key, key)
        values = value.split(",") if key in {"via", "route", "record-route"} else [value]
        headers.extend((key, item.strip()) for item in values)
    return headers


def render(message: Message) -> bytes:
    """The datagram of ``message``; Content-Length is counted here."""
    if message.status:
        start = f"SIP/2.0 {message.status} {message.reason}"
    else:
        start = f"{message.method} {message.uri} SIP/2.0"
    kept = [(name, value) for name, value in message.headers if name != "content-length"]
    kept.append(("content-length", str(len(message.body))))
    lines = [f"{_NAMES.get(name, name.title())}: {value}" for name, value in kept]
    return "\r\n".join([start, *lines, "", ""]).encode() + message.body


# pyVoIP compares header names letter by letter.
_NAMES = {"call-id": "Call-ID", "cseq": "CSeq", "www-authenticate": "WWW-Authenticate"}


def reply(
    request: Message, status: int, reason: str, tag: str = "", body: bytes = b"", contact: str = ""
) -> Message:
    """A response to ``request`` (RFC 3261 §8.2.6): its Via, From, To, Call-ID and CSeq."""
    to = request.get("to")
    if tag and not request.tag("to"):
        to = f"{to};tag={tag}"
    headers = [("via", via) for via in request.all("via")]
    headers += [("record-route", route) for route in request.all("record-route")]
    headers += [("from", request.get("from")), ("to", to), ("call-id", request.get("call-id"))]
    headers.append(("cseq", request.get("cseq")))
    if contact:
        headers.append(("contact", contact))
    if body:
        headers.append(("content-type", "application/sdp"))
    return Message(status=status, reason=reason, headers=tuple(headers), body=body)
