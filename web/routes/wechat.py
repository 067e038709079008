"""What WeChat calls: the check of our address, and every message and event of the account.

Nobody signs in: a request is believed because the account's token signed it.
"""

from __future__ import annotations

import asyncio

import structlog
from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from chat.wechat import metrics
from chat.wechat.door import Answer
from chat.wechat.envelope import LARGEST
from chat.wechat.incoming_errors import IncomingError
from web.deps import Open, SiteDep
from web.routes.linkage import Signed
from web.site import Site
from web.wechat import Wechat

_BODY_S = 3.0
"""How long the platform may take to send a body; its messages are small."""
_FORGED = frozenset(("signature_wrong", "stamp_stale", "encrypt_missing"))
_log = structlog.get_logger(__name__)
router = APIRouter(include_in_schema=False)


@router.get("/wechat", dependencies=[Open])
@router.get("/wechat/{account}", dependencies=[Open])
async def check_address(site: SiteDep, request: Request, account: str = "") -> Response:
    """The platform asks whether this address is ours (接入验证)."""
    found = _of(site, account)
    if found is None:
        return _refused("account_unknown", 404)
    try:
        return _answered(found.door.check(request.query_params))
    except IncomingError as error:
        return _refused(error.code, _status(error.code))


@router.post("/wechat", dependencies=[Open, Signed])
@router.post("/wechat/{account}", dependencies=[Open, Signed])
async def take_message(site: SiteDep, request: Request, account: str = "") -> Response:
    """One message or event; answered within five seconds, or it comes again.

    403 what is not signed, 400 what is no message, 413 what is too large.
    """
    found = _of(site, account)
    if found is None:
        return _refused("account_unknown", 404)
    try:
        body = await _body(request)
        return _answered(await found.door.receive(request.query_params, body))
    except IncomingError as error:
        return _refused(error.code, _status(error.code))


def _of(site: Site, account: str) -> Wechat | None:
    """The account at an address: the one we have, named by its AppID or not at all."""
    if site.wechat is None or account not in ("", site.wechat.door.account.appid):
        return None
    return site.wechat


async def _body(request: Request) -> bytes:
    """The body as far as it may go; raises :class:`IncomingError` ``body_too_large``, ``_broken``.

    What is too large is read no further.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(_BODY_S):
            async for piece in request.stream():
                body += piece
                if len(body) > LARGEST:
                    raise IncomingError("body_too_large")
    except (TimeoutError, ClientDisconnect):
        raise IncomingError("body_broken") from None
    return bytes(body)


def _answered(answer: Answer) -> Response:
    return Response(answer.body, media_type=answer.media_type)


def _refused(code: str, status: int) -> Response:
    """Counted, and said in one word: whoever forges learns nothing."""
    if code != "account_unknown":
        metrics.refused.labels(code).inc()
        _log.warning("wechat_refused", code=code)
    return Response(code, status, media_type="text/plain")


def _status(code: str) -> int:
    if code == "body_too_large":
        return 413
    return 403 if code in _FORGED else 400
