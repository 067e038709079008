"""What a response mirrors of its request, and where it goes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from telephony.sip.message import Address, Header, parse_via

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
    via = parse_via(headers["via"][0])
    if "rport" in via.params:
        return source
    port = via.port if via.port is not None and 0 < via.port < 65536 else 5060
    return source[0], port


def response_line(status: int) -> str:
    """The first line of a response."""
    return f"SIP/2.0 {status} {REASONS.get(status, 'Refused')}"
