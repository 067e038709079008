"""SIP messages as values: what the library's parser gives, checked once and made safe to use.

After ``parse_message`` nothing that stands in a message can raise any more.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from aiosipua import headers as library_headers
from aiosipua import message as library

from telephony.sip.error import SipError
from telephony.sip.uri import NameAddr, Uri, parse_name_addr, parse_uri, split_list

# It warns about every odd body; whoever sends rubbish could fill the log. We count instead.
logging.getLogger("aiosipua").setLevel(logging.ERROR)

Address = tuple[str, int]
Header = tuple[str, str]

MAGIC_COOKIE = "z9hG4bK"
_MANDATORY = ("via", "from", "to", "call-id", "cseq")
_CSEQ = re.compile(r"([0-9]{1,10})\s+([!-~]+)")
_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]{1,40}")
_MAX_CSEQ = 2**31
# Compact forms that the library does not know (RFC 3515, 3892, 4028, 6665, 3841).
_COMPACT = {"r": "refer-to", "b": "referred-by", "x": "session-expires", "o": "event"}

REASONS = MappingProxyType(
    {
        100: "Trying", 180: "Ringing", 200: "OK", 400: "Bad Request", 403: "Forbidden",
        404: "Not Found", 405: "Method Not Allowed", 415: "Unsupported Media Type",
        416: "Unsupported URI Scheme", 420: "Bad Extension", 422: "Session Interval Too Small",
        480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist",
        482: "Loop Detected", 486: "Busy Here", 487: "Request Terminated",
        488: "Not Acceptable Here", 491: "Request Pending", 500: "Server Internal Error",
        501: "Not Implemented", 503: "Service Unavailable", 505: "Version Not Supported",
        513: "Message Too Large", 603: "Decline",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Via:
    """One Via value; ``port`` is the sent-by port or 5060."""

    host: str
    port: int
    params: Mapping[str, str | None]
    text: str

    @property
    def branch(self) -> str:
        """The branch, empty if none."""
        return self.params.get("branch") or ""


@dataclass(frozen=True, slots=True)
class Message:
    """What requests and responses share. ``headers``: lower-case name → values as they came."""

    headers: Mapping[str, tuple[str, ...]]
    body: bytes
    vias: tuple[Via, ...]
    sender: NameAddr
    to: NameAddr
    call_id: str
    cseq: int
    cseq_method: str

    def first(self, name: str) -> str:
        """The first value of header ``name`` (lower case), empty if absent."""
        values = self.headers.get(name)
        return values[0] if values else ""

    def all(self, name: str) -> tuple[str, ...]:
        """All values of a comma-separated header, one a member."""
        return tuple(part for value in self.headers.get(name, ()) for part in split_list(value))


@dataclass(frozen=True, slots=True)
class Request(Message):
    """A request; ``target`` is the Request-URI."""

    method: str
    target: Uri


@dataclass(frozen=True, slots=True)
class Response(Message):
    """A response."""

    status: int
    reason: str


class BadRequestError(SipError):
    """A request that can be answered, but only with a refusal; ``headers`` as in ``Message``."""

    def __init__(self, error: SipError, headers: Mapping[str, tuple[str, ...]]) -> None:
        super().__init__(error.code, str(error), error.status)
        self.headers = headers


def parse_message(data: bytes) -> Request | Response:
    """The message in one datagram.

    Raises ``BadRequestError`` for a request whose Via, From, To, Call-ID and CSeq are there, so
    that an answer can be sent, and ``SipError`` on everything else; never anything else.
    """
    try:
        raw = library.SipMessage.parse(data)
    except ValueError as error:
        raise SipError("malformed") from error
    headers = _header_map(raw)
    is_request = isinstance(raw, library.SipRequest)
    missing = [name for name in _MANDATORY if not headers.get(name)]
    if missing:
        raise SipError("missing_header", f"no {missing[0]}")
    try:
        return _checked(raw, headers, data)
    except SipError as error:
        if is_request and not data.startswith(b"ACK"):
            raise BadRequestError(error, headers) from error
        raise


def _header_map(raw: library.SipMessage) -> dict[str, tuple[str, ...]]:
    headers: dict[str, tuple[str, ...]] = {}
    for name, values in raw.headers.items():
        key = _COMPACT.get(name.lower(), name.lower())
        headers[key] = headers.get(key, ()) + tuple(values)
    return headers


def _checked(
    raw: library.SipRequest | library.SipResponse,
    headers: dict[str, tuple[str, ...]],
    data: bytes,
) -> Request | Response:
    cseq, cseq_method = _parse_cseq(headers["cseq"][0])
    _check_length(headers, raw.body)
    common = (
        MappingProxyType(headers),
        raw.body,
        tuple(_parse_via(text) for text in headers["via"]),
        parse_name_addr(headers["from"][0]),
        parse_name_addr(headers["to"][0]),
        headers["call-id"][0],
        cseq,
        cseq_method,
    )
    if isinstance(raw, library.SipResponse):
        if not 100 <= raw.status_code <= 699:
            raise SipError("malformed", "status out of range")
        return Response(*common, raw.status_code, raw.reason_phrase)
    _check_request_line(raw.method, cseq_method, data)
    return Request(*common, raw.method, parse_uri(raw.uri.strip("<>")))


def _check_request_line(method: str, cseq_method: str, data: bytes) -> None:
    if not _TOKEN.fullmatch(method):
        raise SipError("malformed", "method is no token")
    line = data.lstrip(b"\r\n").partition(b"\n")[0].strip()
    if not line.upper().endswith(b" SIP/2.0"):
        raise SipError("version", status=505)
    if method != cseq_method:
        raise SipError("cseq", "CSeq names another method")


def _parse_cseq(text: str) -> tuple[int, str]:
    match = _CSEQ.fullmatch(text.strip())
    if not match or int(match[1]) >= _MAX_CSEQ:
        raise SipError("cseq")
    return int(match[1]), match[2]


def _check_length(headers: Mapping[str, tuple[str, ...]], body: bytes) -> None:
    text = headers.get("content-length", ("",))[0]
    if not text:
        return
    if not re.fullmatch(r"[0-9]{1,6}", text) or int(text) > len(body):
        raise SipError("content_length")


def _parse_via(text: str) -> Via:
    via = library_headers.parse_via(text)
    port = 5060 if via.port is None else via.port
    if not via.host.strip() or not 0 < port < 65536:
        raise SipError("via")
    return Via(via.host.strip(), port, via.params, text)


def render(start_line: str, headers: Iterable[Header], body: bytes = b"") -> bytes:
    """A message on the wire, with its Content-Length."""
    lines = [start_line, *(f"{name}: {value}" for name, value in headers)]
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join((*lines, "", "")).encode("utf-8") + body


def reply_headers(
    headers: Mapping[str, tuple[str, ...]], source: Address, to_tag: str
) -> list[Header]:
    """Via, From, To, Call-ID and CSeq of a response (RFC 3261 §8.2.6.2), To with our tag."""
    vias = headers["via"]
    to = headers["to"][0]
    if to_tag and ";tag=" not in to.replace(" ", "").lower():
        to = f"{to};tag={to_tag}"
    return [
        ("Via", _stamped(vias[0], source)),
        *(("Via", via) for via in vias[1:]),
        ("From", headers["from"][0]),
        ("To", to),
        ("Call-ID", headers["call-id"][0]),
        ("CSeq", headers["cseq"][0]),
    ]


def _stamped(via: str, source: Address) -> str:
    """``received`` (RFC 3261 §18.2.1) and ``rport`` (RFC 3581 §4) as we saw them."""
    sent_by, *params = via.split(";")
    names = [param.partition("=")[0].strip().lower() for param in params]
    kept = [
        param
        for param, name in zip(params, names, strict=True)
        if name not in ("received", "rport")
    ]
    kept.append(f"received={source[0]}")
    if "rport" in names:
        kept.append(f"rport={source[1]}")
    return ";".join((sent_by, *kept))


def reply_address(headers: Mapping[str, tuple[str, ...]], source: Address) -> Address:
    """Where a response goes (RFC 3261 §18.2.2, RFC 3581 §4): always to the IP it came from.

    ``maddr`` is not followed: it would let a stranger choose whom we send to.
    """
    via = library_headers.parse_via(headers["via"][0])
    if "rport" in via.params:
        return source
    port = via.port if via.port is not None and 0 < via.port < 65536 else 5060
    return source[0], port


def response_line(status: int) -> str:
    """The first line of a response."""
    return f"SIP/2.0 {status} {REASONS.get(status, 'Refused')}"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request of ours, before the transaction layer adds its Via.

    ``headers`` are complete but for Via and Content-Length, in the order in which they are sent.
    ``next_cseq`` gives the CSeq of a repetition with credentials; none: one more than this one's.
    ``answered`` are the realms whose challenges it answers already.
    """

    method: str
    target: str
    headers: Sequence[Header]
    body: bytes = b""
    next_cseq: Callable[[], int] | None = None
    answered: tuple[str, ...] = ()

    def rendered(self, via: str) -> bytes:
        """The request on the wire."""
        return render(
            f"{self.method} {self.target} SIP/2.0", [("Via", via), *self.headers], self.body
        )

    def all(self, name: str) -> list[Header]:
        """The headers called ``name``."""
        return [header for header in self.headers if header[0] == name]

    @property
    def cseq(self) -> int:
        """The number in CSeq."""
        return int(self.all("CSeq")[0][1].partition(" ")[0])
