"""Sign in and out."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from web import sessions
from web.accounts import SignInError, sign_in, sign_out
from web.deps import MemberDep, OwnForm, SiteDep, give_cookie, session_of
from web.templating import page

router = APIRouter(prefix="/staff", include_in_schema=False)
_START = "/orders"
_REFUSED = "登录名或密码不对。连续输错五次，账号会锁定十五分钟。"


@router.get("/sign-in")
def sign_in_page(request: Request, site: SiteDep, next: str = _START) -> Response:  # noqa: A002  # the customary name in the URL
    """The form; whoever is signed in already goes on."""
    if session_of(request) is not None and not request.query_params.get("next"):
        return RedirectResponse(_START, 303)
    return _form(request, site, next)


@router.post("/sign-in", dependencies=[OwnForm])
def take_sign_in(
    request: Request,
    site: SiteDep,
    login: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = _START,  # noqa: A002  # as above
) -> Response:
    """Begin a session, or show the form again with one and the same sentence."""
    try:
        member = sign_in(site.engine, login, password, now=site.now(), key=site.key)
    except SignInError:
        return _form(request, site, next, login=login, refused=_REFUSED, status=401)
    response = RedirectResponse(own_path(next), 303)
    give_cookie(request, response, sessions.begin(member.id, site.now()))
    response.delete_cookie(sessions.FORM_COOKIE)
    return response


@router.post("/sign-out", dependencies=[OwnForm])
def take_sign_out(request: Request, site: SiteDep, member: MemberDep) -> Response:
    """End the session, also for copies of its cookie."""
    sign_out(site.engine, member, request.state.session.nonce, site.now())
    response = RedirectResponse("/staff/sign-in", 303)
    response.delete_cookie(sessions.COOKIE)
    return response


def own_path(wanted: str) -> str:
    """Where to go after sign-in: a path of this site only, never another one's address."""
    harmless = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return wanted if harmless and wanted.isprintable() and "\\" not in wanted else _START


def _form(
    request: Request,
    site: SiteDep,
    wanted: str,
    *,
    login: str = "",
    refused: str = "",
    status: int = 200,
) -> Response:
    nonce = request.cookies.get(sessions.FORM_COOKIE) or secrets.token_hex(16)
    standing = session_of(request)
    token = sessions.form_token(standing.nonce if standing else nonce, site.key)
    values = {"next": own_path(wanted), "login": login[:64], "refused": refused, "token": token}
    response = page(request, "sign_in.html", values, status)
    response.set_cookie(
        sessions.FORM_COOKIE, nonce, httponly=True, samesite="lax",
        secure=request.url.scheme == "https",
    )  # fmt: skip
    return response
