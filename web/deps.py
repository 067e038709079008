"""What routes ask for: the site, who is signed in, and a form that comes from our own page."""

from __future__ import annotations

import hmac
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Form, Request, Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import HTTPConnection

from handoff.staff import Act
from web import sessions
from web.accounts import Member, signed_in
from web.apikeys import client_of
from web.errors import ProblemError
from web.rights import Right
from web.sessions import StaffSession
from web.site import Site

KEY_HEADER = "X-Qianmen-Key"
TOKEN_HEADER = "X-Qianmen-Token"  # noqa: S105  # a header's name


def _site(request: Request) -> Site:
    site: Site = request.app.state.site
    return site


SiteDep = Annotated[Site, Depends(_site)]


def is_secure(connection: HTTPConnection) -> bool:
    """Whether the visitor's side is https: the city says so, or a proxy that it trusts."""
    site: Site = connection.app.state.site
    return site.https or connection.url.scheme in ("https", "wss")


def cookie_of(connection: HTTPConnection, name: str) -> str:
    """The value of a cookie of ours; ''."""
    full = sessions.cookie_name(name, secure=is_secure(connection))
    return connection.cookies.get(full, "")


def session_of(connection: HTTPConnection) -> StaffSession | None:
    """The session of the request's cookie, if it still stands."""
    site: Site = connection.app.state.site
    return sessions.load(cookie_of(connection, sessions.COOKIE), site.key, site.now(), site.idle)


def _member(request: Request, site: SiteDep) -> Member:
    """Who is signed in; raises :class:`ProblemError` ``not_signed_in``."""
    session = session_of(request)
    member = signed_in(site.engine, session) if session else None
    if session is None or member is None:
        raise ProblemError(401, "not_signed_in")
    request.state.member = member
    request.state.session = session
    request.state.form_token = sessions.form_token(session.nonce, site.key)
    return member


def recall(request: Request) -> None:
    """Note who is signed in, for the menu of a page that nobody need be signed in for."""
    with suppress(ProblemError, SQLAlchemyError):
        _member(request, _site(request))


MemberDep = Annotated[Member, Depends(_member)]
"""Anybody signed in, also who must change the password first: for their own account only."""


@dataclass(frozen=True, slots=True)
class Needs:
    """A route's declaration of the right it needs; ``by_key``: the command line may have it too.

    Raises :class:`ProblemError` ``not_signed_in``, ``password_must_change``, ``right_missing``.
    """

    right: Right
    by_key: bool = False

    def __call__(self, request: Request, site: SiteDep) -> Member:
        """The member, who may."""
        member = self._by_key(request, site) or _member(request, site)
        if self.by_key and not site.api_limit.allow(member.login, time.monotonic()):
            raise ProblemError(429, "too_many_requests")
        if member.must_change:
            raise ProblemError(403, "password_must_change")
        if self.right not in member.rights:
            raise ProblemError(403, "right_missing")
        return member

    def _by_key(self, request: Request, site: Site) -> Member | None:
        """Whose key came with the request: the command line's, or another system's."""
        given = request.headers.get(KEY_HEADER, "") if self.by_key else ""
        if not given:
            return None
        if hmac.compare_digest(given.encode(), site.key.encode()):
            return COMMAND_LINE
        client = client_of(site.engine, given, site.now())
        if client is None:
            raise ProblemError(401, "not_signed_in")
        return client


COMMAND_LINE = Member(0, "command-line", "命令行", ("supervisor",))
SeesOrders = Annotated[Member, Depends(Needs(Right.SEE_ORDERS))]
ReadsOrders = Annotated[Member, Depends(Needs(Right.SEE_ORDERS, by_key=True))]
WritesOrders = Annotated[Member, Depends(Needs(Right.CHANGE_ORDERS, by_key=True))]
WritesByApi = Annotated[Member, Depends(Needs(Right.CREATE_ORDERS, by_key=True))]
ChangesOrders = Annotated[Member, Depends(Needs(Right.CHANGE_ORDERS))]
HearsRecordings = Annotated[Member, Depends(Needs(Right.HEAR_RECORDINGS))]
ExportsOrders = Annotated[Member, Depends(Needs(Right.EXPORT_ORDERS))]
SeesWall = Annotated[Member, Depends(Needs(Right.SEE_WALL))]
Supervises = Annotated[Member, Depends(Needs(Right.SUPERVISE))]
TakesHandoffs = Annotated[Member, Depends(Needs(Right.TAKE_HANDOFFS))]
Replies = Annotated[Member, Depends(Needs(Right.REPLY))]
ManagesStaff = Annotated[Member, Depends(Needs(Right.MANAGE_STAFF))]
SeesAudit = Annotated[Member, Depends(Needs(Right.SEE_AUDIT))]
SeesKnowledge = Annotated[Member, Depends(Needs(Right.SEE_KNOWLEDGE))]
EditsKnowledge = Annotated[Member, Depends(Needs(Right.EDIT_KNOWLEDGE))]
ApprovesKnowledge = Annotated[Member, Depends(Needs(Right.APPROVE_KNOWLEDGE))]


def _everybody() -> None:
    """The declaration of a route that needs no sign-in."""


Open = Depends(_everybody)


def renewed(request: Request, response: Response) -> Response:
    """``response`` with the session's cookie dated now: the idle time-out starts anew.

    Pages that only refresh themselves do not call it: they must not keep a session alive.
    """
    give_cookie(request, response, request.state.session)
    return response


def _own_form(request: Request, site: SiteDep, token: Annotated[str, Form()] = "") -> None:
    """The form was on our own page; raises :class:`ProblemError` ``form_expired``."""
    session = session_of(request)
    nonce = session.nonce if session else cookie_of(request, sessions.FORM_COOKIE)
    foreign = request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
    if foreign or not nonce or not sessions.form_token_fits(token, nonce, site.key):
        raise ProblemError(403, "form_expired")


OwnForm = Depends(_own_form)


def _own_request(request: Request, site: SiteDep) -> None:
    """A program's key, which no other site knows, or a session's own token in a header.

    Raises :class:`ProblemError` ``form_expired``.
    """
    if request.headers.get(KEY_HEADER):
        return
    session = session_of(request)
    token = request.headers.get(TOKEN_HEADER, "")
    if session is not None and not sessions.form_token_fits(token, session.nonce, site.key):
        raise ProblemError(403, "form_expired")


OwnRequest = Depends(_own_request)


def give_cookie(request: Request, response: Response, session: StaffSession) -> None:
    """Hand out the session's cookie, dated now."""
    site: Site = request.app.state.site
    set_cookie(request, response, sessions.COOKIE, sessions.dump(session, site.key, site.now()))


def set_cookie(
    request: Request, response: Response, name: str, value: str, max_age_s: int | None = None
) -> None:
    """Set a cookie of ours: out of reach of scripts, of other sites, and of plain http."""
    secure = is_secure(request)
    response.set_cookie(
        sessions.cookie_name(name, secure=secure), value, max_age=max_age_s,
        httponly=True, samesite="lax", secure=secure,
    )  # fmt: skip


def drop_cookie(request: Request, response: Response, name: str) -> None:
    """Take a cookie of ours away."""
    secure = is_secure(request)
    response.delete_cookie(
        sessions.cookie_name(name, secure=secure), httponly=True, samesite="lax", secure=secure
    )


def act_of(site: Site, member: Member) -> Act:
    """What ``member`` does now."""
    return Act(member.login, site.now(), site.key)
