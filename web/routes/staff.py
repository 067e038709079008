"""Sign in and out."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from web import sessions
from web.accounts import Member, SignInError, sign_in, sign_out, signed_in
from web.deps import (
    MemberDep,
    Open,
    OwnForm,
    SiteDep,
    act_of,
    cookie_of,
    drop_cookie,
    give_cookie,
    session_of,
    set_cookie,
)
from web.menu import ACCOUNT, start_of
from web.site import Site
from web.templating import page

router = APIRouter(prefix="/staff", include_in_schema=False)
START = "/staff"
_REFUSED = "登录名或密码不对。连续输错五次，账号会锁定十五分钟。"
_WAIT = "这里输错的次数太多了，请过十五分钟再试。"


@router.get("")
def start(member: MemberDep) -> Response:
    """The first page that one may open."""
    return RedirectResponse(start_of(member), 303)


@router.get("/sign-in", dependencies=[Open])
def sign_in_page(request: Request, site: SiteDep, next: str = START) -> Response:  # noqa: A002  # the customary name in the URL
    """The form; whoever is signed in already goes on."""
    standing = session_of(request)
    if standing is not None and not request.query_params.get("next"):
        member = signed_in(site.engine, standing)
        if member is not None:
            return RedirectResponse(start_of(member), 303)
    return sign_in_form(request, site, next)


@router.post("/sign-in", dependencies=[Open, OwnForm])
def take_sign_in(
    request: Request,
    site: SiteDep,
    login: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = START,  # noqa: A002  # as above
) -> Response:
    """Begin a session, or show the form again with one and the same sentence."""
    address = request.client.host if request.client else ""
    if site.addresses.must_wait(address, site.now()):
        return sign_in_form(request, site, next, login=login, refused=_WAIT, status=429)
    try:
        member = sign_in(site.engine, login, password, now=site.now(), key=site.key)
    except SignInError:
        site.addresses.failed(address, site.now())
        return sign_in_form(request, site, next, login=login, refused=_REFUSED, status=401)
    return begin_session(request, site, member, next)


@router.post("/sign-out", dependencies=[OwnForm])
def take_sign_out(request: Request, site: SiteDep, member: MemberDep) -> Response:
    """End the session, also for copies of its cookie."""
    sign_out(site.engine, member, request.state.session.nonce, act_of(site, member))
    response = RedirectResponse("/staff/sign-in", 303)
    drop_cookie(request, response, sessions.COOKIE)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def begin_session(request: Request, site: Site, member: Member, wanted: str) -> Response:
    """A session of its own for whoever just proved who they are."""
    path = own_path(wanted)
    if member.must_change:
        path = ACCOUNT
    elif path == START:
        path = start_of(member)
    response = RedirectResponse(path, 303)
    give_cookie(request, response, sessions.begin(member.id, site.now()))
    drop_cookie(request, response, sessions.FORM_COOKIE)
    return response


def own_path(wanted: str) -> str:
    """Where to go after sign-in: a path of this site only, never another one's address."""
    harmless = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return wanted if harmless and wanted.isprintable() and "\\" not in wanted else START


def sign_in_form(
    request: Request,
    site: Site,
    wanted: str,
    *,
    login: str = "",
    refused: str = "",
    status: int = 200,
) -> Response:
    """The sign-in page; ``refused`` is the sentence that says why it is shown again."""
    nonce = cookie_of(request, sessions.FORM_COOKIE) or secrets.token_hex(16)
    standing = session_of(request)
    token = sessions.form_token(standing.nonce if standing else nonce, site.key)
    values = {"next": own_path(wanted), "login": login[:64], "refused": refused, "token": token,
              "sign_on": site.sign_on.label if site.sign_on else ""}  # fmt: skip
    response = page(request, "sign_in.html", values, status)
    set_cookie(request, response, sessions.FORM_COOKIE, nonce)
    return response
