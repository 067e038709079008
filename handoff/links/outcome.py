"""What comes of one try to tell somebody something. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from handoff.links.signing import SignatureError, verify

LONGEST_REFERENCE = 64


@dataclass(frozen=True, slots=True)
class Sent:
    """The far side took it, and has not said that it has it; ``fault`` says why not, or ''."""

    status: int = 200
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The far side says, signed, that it has it; ``reference`` is its own number."""

    reference: str = ""
    status: int = 200


@dataclass(frozen=True, slots=True)
class Refused:
    """The far side says, signed, that it does not take it; ``code`` is its reason."""

    code: str = "refused"
    status: int = 200


@dataclass(frozen=True, slots=True)
class Failed:
    """It did not get through: ``code``, HTTP ``status`` (0 none), seconds they ask us to wait."""

    code: str
    status: int = 0
    retry_after_s: float = 0.0


Outcome = Sent | Acknowledged | Refused | Failed


@dataclass(frozen=True, slots=True)
class HttpReply:
    """An HTTP answer, its body cut off at the limit."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def of_reply(
    reply: HttpReply, keys: Sequence[bytes], delivery: str, *, now: datetime, window_s: int
) -> Outcome:
    """What ``reply`` says of the message ``delivery``.

    Only a reply that is signed, and names the message, acknowledges or refuses it: whatever else
    answers 200 (a proxy, a captive portal, another server) has promised nothing.
    """
    if not 200 <= reply.status < 300:
        return of_status(reply)
    try:
        verify(keys, reply.headers, reply.body, now=now, window_s=window_s)
    except SignatureError as error:
        return Sent(reply.status, f"reply_{error.code}")
    try:
        said = json.loads(reply.body)
    except (ValueError, RecursionError):
        return Sent(reply.status, "reply_malformed")
    if not isinstance(said, dict) or said.get("id") != delivery:
        return Sent(reply.status, "reply_of_another")
    refused = said.get("refused")
    if isinstance(refused, str) and refused:
        return Refused(_code(refused), reply.status)
    if said.get("acknowledged") is True:
        return Acknowledged(reference(said.get("reference")), reply.status)
    return Sent(reply.status)


def of_status(reply: HttpReply) -> Sent | Failed:
    """What the status alone says, for who need not acknowledge."""
    if 200 <= reply.status < 300:
        return Sent(reply.status)
    if 300 <= reply.status < 400:
        return Failed("redirected", reply.status)
    return Failed(f"http_{reply.status}", reply.status, _retry_after(reply.headers))


def reference(value: object) -> str:
    """A far side's number, as far as it is one: printable, cut off at the limit."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return "".join(each for each in text if each.isprintable())[:LONGEST_REFERENCE]


def _code(text: str) -> str:
    plain = "".join(each for each in text if each.isascii() and (each.isalnum() or each in "_-."))
    return plain[:40] or "refused"


def _retry_after(headers: Mapping[str, str]) -> float:
    text = headers.get("Retry-After", "")
    return min(float(text), 3600.0) if text.isascii() and text.isdigit() and len(text) < 6 else 0.0
