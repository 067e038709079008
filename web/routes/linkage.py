"""The signed API of 110 and the other parties: matters of theirs, acknowledgements of ours.

Nobody signs in: a message is believed because its party's key signed it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Path, Request, Response
from prometheus_client import Counter
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from bot.queue import QUEUE_NEWS
from config.links import Party
from handoff.links import inbound, signing
from handoff.links.inbound import InboundError, Taken
from handoff.links.signing import SignatureError
from web import audit
from web.deps import Open, SiteDep
from web.errors import ProblemError
from web.models import ProblemOut
from web.site import Site

LARGEST = 64 * 1024
"""Bytes of a message."""
_STATUS = {
    "link_unknown": 404, "message_too_large": 413, "message_malformed": 422,
    "message_replayed": 409, "push_not_allowed": 403, "delivery_unknown": 404,
}  # fmt: skip
"""Of a refusal; 401 for all that is wrong with a signature."""
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: {"model": ProblemOut, "description": "signature_missing, signature_malformed, "
          "signature_stale, signature_wrong"},
    403: {"model": ProblemOut, "description": "push_not_allowed"},
    404: {"model": ProblemOut, "description": "link_unknown, delivery_unknown"},
    409: {"model": ProblemOut, "description": "message_replayed"},
    413: {"model": ProblemOut, "description": "message_too_large"},
    422: {"model": ProblemOut, "description": "message_malformed"},
    503: {"model": ProblemOut, "description": "store_down"},
}  # fmt: skip
_MESSAGES = Counter(
    "qianmen_link_messages", "Messages of 110 and others, by what became of them.", ["outcome"]
)
_log = structlog.get_logger(__name__)
router = APIRouter(prefix="/api/linkage", tags=["linkage"], responses=_PROBLEMS)
PartyName = Annotated[str, Path(pattern=r"^[a-z0-9_-]{1,40}$")]


def signed_message() -> None:
    """The declaration of a route whose every message is signed: it needs no form's token."""


Signed = Depends(signed_message)


@router.post("/{party}/orders", dependencies=[Open, Signed], status_code=200)
async def push_order(site: SiteDep, party: PartyName, request: Request) -> Response:
    """A matter that is not for the police becomes an order, once by the party's reference.

    Body (JSON): ``type`` order.push, ``id``, ``reference``, ``what``; ``kind``, ``urgency``,
    ``where``, ``when``, ``name``, ``phone``, ``secret``, ``call`` {``id``, ``number``}. Signed by
    the headers Qianmen-Timestamp and Qianmen-Signature. The answer, signed too, acknowledges it
    with our number.
    """

    def take(found: Party, body: bytes, signed_at: int) -> Taken:
        return inbound.pushed(site.engine, site.rules(), found, body, signed_at, site.now())

    return await _taken(site, party, request, take)


@router.post("/{party}/acknowledgements", dependencies=[Open, Signed], status_code=200)
async def acknowledge_order(site: SiteDep, party: PartyName, request: Request) -> Response:
    """The party has, or refuses, what we sent it under ``delivery``.

    Body (JSON): ``type`` order.acknowledged or order.refused, ``id``, ``delivery``; ``reference``,
    ``reason``.
    """

    def take(found: Party, body: bytes, signed_at: int) -> Taken:
        return inbound.receipt(site.engine, found, body, signed_at, site.now())

    return await _taken(site, party, request, take)


async def _taken(
    site: Site, name: str, request: Request, take: Callable[[Party, bytes, int], Taken]
) -> Response:
    try:
        party, body, signed_at = await _verified(site, name, request)
        taken = await run_in_threadpool(take, party, body, signed_at)
    except (InboundError, SignatureError) as error:
        await run_in_threadpool(_refused, site, name, error.code)
        raise ProblemError(_STATUS.get(error.code, 401), error.code) from None
    _MESSAGES.labels("repeated" if taken.repeated else "taken").inc()
    if not taken.repeated:
        action = f"link_{request.url.path.rpartition('/')[2]}"
        await run_in_threadpool(audit.note, site, f"link:{name}", action, taken.number)
        site.floor.parts.bus.tell(QUEUE_NEWS)
    return _answer(site, name, taken)


async def _verified(site: Site, name: str, request: Request) -> tuple[Party, bytes, int]:
    """The party, its message and when it was signed; raises InboundError, SignatureError."""
    party = site.city.links.party(name)
    if party is None:
        raise InboundError("link_unknown")
    body = await _body(request)
    signed_at = signing.verify(
        site.link_keys.get(name, ()), request.headers, body,
        now=site.now(), window_s=site.city.links.window_s,
    )  # fmt: skip
    return party, body, signed_at


def _refused(site: Site, name: str, code: str) -> None:
    """Counted each time, audited once in a while: whoever forges must not fill the audit."""
    _MESSAGES.labels(code).inc()
    known = name if site.city.links.party(name) is not None else "unknown"
    _log.warning("link_message_refused", code=code, link=known)
    audit.note_viewing(site, f"link:{known}", "link_refused", code)


async def _body(request: Request) -> bytes:
    """The body, raises :class:`InboundError` ``message_too_large`` as soon as it is."""
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > LARGEST:
                raise InboundError("message_too_large")
    except ClientDisconnect:
        raise InboundError("message_malformed") from None
    return bytes(body)


def _answer(site: Site, name: str, taken: Taken) -> Response:
    said = {"id": taken.message, "acknowledged": True, "reference": taken.number}
    body = json.dumps(said, separators=(",", ":")).encode()
    keys = site.link_keys.get(name, ())
    headers = signing.signed(keys, taken.message, site.now(), body)
    return Response(body, media_type="application/json", headers=headers)
