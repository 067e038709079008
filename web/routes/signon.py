"""Sign in by the city's single sign-on."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from itsdangerous import BadData

from chat.signing import serializer
from handoff.staff import Act
from web.deps import Open, SiteDep, cookie_of, drop_cookie, set_cookie
from web.errors import ProblemError
from web.oidc import Pending, SignOn, SignOnError
from web.routes.staff import START, begin_session, own_path, sign_in_form
from web.signon import ACTOR, take_identity

router = APIRouter(prefix="/staff/sign-on", include_in_schema=False)
COOKIE = "qianmen_sign_on"
LIFETIME_S = 600
_SALT = "qianmen.staff.sign-on"
_SENTENCES = {
    "sign_on_down": "统一认证暂时连不上，请稍后再试，或者用登录名和密码登录。",
    "sign_on_refused": "统一认证没有通过，请再试一次，或者用登录名和密码登录。",
    "sign_on_expired": "登录等得太久了，请再点一次“统一认证”。",
    "sign_on_unknown": "统一认证通过了，但您还没有本系统的账号，或者账号已停用。请联系系统管理员。",
}
_STATUS = {"sign_on_down": 503, "sign_on_unknown": 403}
_log = structlog.get_logger(__name__)


def _sign_on(site: SiteDep) -> SignOn:
    if site.sign_on is None:
        raise ProblemError(404, "not_found")
    return site.sign_on


SignOnDep = Annotated[SignOn, Depends(_sign_on)]


@router.get("", dependencies=[Open])
def begin(request: Request, site: SiteDep, sign_on: SignOnDep, next: str = START) -> Response:  # noqa: A002  # the customary name in the URL
    """Go to the provider."""
    try:
        url, pending = sign_on.begin(site.now())
    except SignOnError as error:
        return _refused(request, site, error)
    response = RedirectResponse(url, 303)
    kept = _dump(pending, own_path(next), site.key, site.now())
    set_cookie(request, response, COOKIE, kept, max_age_s=LIFETIME_S)
    return response


@router.get("/callback", dependencies=[Open])
def callback(request: Request, site: SiteDep, sign_on: SignOnDep) -> Response:
    """Come back from the provider."""
    now = site.now()
    try:
        pending, wanted = _load(cookie_of(request, COOKIE), site.key, now)
        identity = sign_on.finish(pending, request.query_params, now)
        member = take_identity(site.engine, identity, Act(ACTOR, now, site.key))
    except SignOnError as error:
        response = _refused(request, site, error)
    else:
        response = begin_session(request, site, member, wanted)
    drop_cookie(request, response, COOKIE)  # good for one try
    return response


def _refused(request: Request, site: SiteDep, error: SignOnError) -> Response:
    """The sign-in page with the reason; the local form stays for emergencies."""
    _log.warning("sign_on_failed", code=error.code, reason=str(error))
    status = _STATUS.get(error.code, 401)
    return sign_in_form(request, site, START, refused=_SENTENCES[error.code], status=status)


def _dump(pending: Pending, wanted: str, key: str, now: datetime) -> str:
    payload = [pending.state, pending.nonce, pending.verifier, wanted]
    return str(serializer(key, _SALT, now).dumps(payload))


def _load(cookie: str, key: str, now: datetime) -> tuple[Pending, str]:
    try:
        payload = serializer(key, _SALT, now).loads(cookie, max_age=LIFETIME_S)
    except BadData:
        raise SignOnError("sign_on_expired", "cookie") from None
    match payload:
        case [str(state), str(nonce), str(verifier), str(wanted)]:
            return Pending(state, nonce, verifier), wanted
    raise SignOnError("sign_on_expired", "cookie")
