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
from telephony.sip.wire import TooLargeError, as_came, check_size, headers_in_utf8

# It warns about every odd body; whoever sends rubbish could fill the log. We count instead.
logging.getLogger("aiosipua").setLevel(logging.ERROR)

Address = tuple[str, int]
Header = tuple[str, str]

MAGIC_COOKIE = "z9hG4bK"
_MANDATORY = ("via", "from", "to", "call-id", "cseq")
_CSEQ = re.compile(r"([0-9]{1,10})\s+([!-~]+)")
_PROTOCOL = re.compile(r"\s*SIP\s*/\s*2\.0\s*/\s*[A-Za-z0-9\-]+\s+", re.IGNORECASE)
_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]{1,64}")
_CALL_ID = re.compile(r"[!-~]{1,255}")
_MAX_CSEQ = 2**31
_SINGLE = ("from", "to", "call-id", "cseq", "content-length", "max-forwards", "content-type")
# Compact forms that the library does not know (RFC 3515, 3892, 4028, 6665, 3841).
_COMPACT = {"r": "refer-to", "b": "referred-by", "x": "session-expires", "o": "event"}


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
        check_size(data)
    except TooLargeError as error:
        headers = _answerable(_parsed(error.remains))
        raise (BadRequestError(error, headers) if headers else error) from error
    raw = _parsed(data)
    headers = _header_map(raw)
    missing = [name for name in _MANDATORY if not headers.get(name)]
    if missing:
        raise SipError("missing_header", f"no {missing[0]}")
    try:
        return _checked(raw, headers, data)
    except SipError as error:
        if _answerable(raw):
            raise BadRequestError(error, headers) from error
        raise


def _parsed(data: bytes) -> library.SipRequest | library.SipResponse:
    try:
        return library.SipMessage.parse(headers_in_utf8(data))
    except ValueError as error:
        raise SipError("malformed") from error


def _answerable(
    raw: library.SipRequest | library.SipResponse,
) -> dict[str, tuple[str, ...]]:
    """The headers of a request that can be refused; none if it is no such thing."""
    headers = _header_map(raw)
    complete = all(headers.get(name) for name in _MANDATORY)
    if not isinstance(raw, library.SipRequest) or raw.method == "ACK" or not complete:
        return {}
    return headers


def _header_map(raw: library.SipMessage) -> dict[str, tuple[str, ...]]:
    headers: dict[str, tuple[str, ...]] = {}
    for name, values in raw.headers.items():
        key = _COMPACT.get(name.lower(), name.lower())
        headers[key] = headers.get(key, ()) + tuple(map(as_came, values))
    return headers


def _checked(
    raw: library.SipRequest | library.SipResponse,
    headers: dict[str, tuple[str, ...]],
    data: bytes,
) -> Request | Response:
    if isinstance(raw, library.SipRequest):
        _check_request_line(data)
    _check_single(headers)
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
    if raw.method != cseq_method:
        raise SipError("cseq", "CSeq names another method")
    target = parse_uri(as_came(raw.uri))
    if "?" in target.text.rpartition("@")[2]:
        raise SipError("uri", "headers in the Request-URI")
    return Request(*common, raw.method, target)


def _check_single(headers: Mapping[str, tuple[str, ...]]) -> None:
    """What a message has once (RFC 3261 §7.3.1); a Content-Length may be repeated as it is."""
    for name in _SINGLE:
        values = headers.get(name, ())
        if len(values) > 1 and len(set(values)) > 1:
            raise SipError("repeated_header", f"more than one {name}")
    if not _CALL_ID.fullmatch(headers["call-id"][0]):
        raise SipError("call_id")


def _check_request_line(data: bytes) -> None:
    """Method, URI, version (RFC 3261 §7.1); more blanks between them than one do no harm."""
    parts = data.lstrip(b"\r\n").partition(b"\n")[0].split()
    if len(parts) != 3 or not _TOKEN.fullmatch(parts[0].decode("latin-1")):
        raise SipError("malformed", "no request line")
    if parts[2].upper() != b"SIP/2.0":
        raise SipError("version", status=505)


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


def parse_via(text: str) -> library_headers.Via:
    """One Via value by the library, which wants no spaces within the protocol's name."""
    protocol = _PROTOCOL.match(text)
    return library_headers.parse_via(f"SIP/2.0/UDP {text[protocol.end() :]}" if protocol else text)


def _parse_via(text: str) -> Via:
    via = parse_via(text)
    port = 5060 if via.port is None else via.port
    host = via.host.strip()
    if not host or " " in host or not 0 < port < 65536 or not _PROTOCOL.match(text):
        raise SipError("via")
    return Via(host, port, via.params, text)


def render(start_line: str, headers: Iterable[Header], body: bytes = b"") -> bytes:
    """A message on the wire, with its Content-Length."""
    lines = [start_line, *(f"{name}: {value}" for name, value in headers)]
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join((*lines, "", "")).encode("utf-8", "surrogateescape") + body


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
