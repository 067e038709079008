"""What routes ask for: the site, who is signed in, and a form that comes from our own page."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import Depends, Form, Request, Response
from starlette.requests import HTTPConnection

from web import sessions
from web.accounts import Member, signed_in
from web.errors import ProblemError
from web.sessions import StaffSession
from web.site import Site

KEY_HEADER = "X-Qianmen-Key"


def _site(request: Request) -> Site:
    site: Site = request.app.state.site
    return site


SiteDep = Annotated[Site, Depends(_site)]


def session_of(connection: HTTPConnection) -> StaffSession | None:
    """The session of the request's cookie, if it still stands."""
    site: Site = connection.app.state.site
    cookie = connection.cookies.get(sessions.COOKIE, "")
    return sessions.load(cookie, site.key, site.now())


def _member(request: Request, site: SiteDep) -> Member:
    """Who is signed in; raises :class:`ProblemError` ``not_signed_in``."""
    session = session_of(request)
    member = (
        signed_in(site.engine, session.staff, session.nonce, session.since) if session else None
    )
    if session is None or member is None:
        raise ProblemError(401, "not_signed_in")
    request.state.member = member
    request.state.session = session
    request.state.form_token = sessions.form_token(session.nonce, site.key)
    return member


MemberDep = Annotated[Member, Depends(_member)]


def renewed(request: Request, response: Response) -> Response:
    """``response`` with the session's cookie dated now: the idle time-out starts anew.

    Pages that only refresh themselves do not call it: they must not keep a session alive.
    """
    give_cookie(request, response, request.state.session)
    return response


def _reader(request: Request, site: SiteDep) -> Member:
    """Who reads the API: a member, or the command line with the installation's key."""
    given = request.headers.get(KEY_HEADER, "")
    if given and hmac.compare_digest(given.encode(), site.key.encode()):
        return Member(0, "command-line", "命令行", ("administrator",))
    return _member(request, site)


ReaderDep = Annotated[Member, Depends(_reader)]


def _own_form(request: Request, site: SiteDep, token: Annotated[str, Form()] = "") -> None:
    """The form was on our own page; raises :class:`ProblemError` ``form_expired``."""
    session = session_of(request)
    nonce = session.nonce if session else request.cookies.get(sessions.FORM_COOKIE, "")
    foreign = request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
    if foreign or not nonce or not sessions.form_token_fits(token, nonce, site.key):
        raise ProblemError(403, "form_expired")


OwnForm = Depends(_own_form)


def give_cookie(request: Request, response: Response, session: StaffSession) -> None:
    """Hand out the session's cookie, dated now."""
    site: Site = request.app.state.site
    response.set_cookie(
        sessions.COOKIE,
        sessions.dump(session, site.key, site.now()),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
