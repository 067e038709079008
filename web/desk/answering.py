"""What the routes of the desk answer with: parts for its scripts, pages or a way on for others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from knowledge.editing import Act
from web.accounts import Member
from web.deps import renewed
from web.rights import Right
from web.site import Site
from web.templating import page, render

PART = "x-qianmen-part"
"""The header by which a script of ours asks for the part of the page that changes."""


def wants_part(request: Request) -> bool:
    """Whether only the part of the page that changes is asked for."""
    return PART in request.headers or "hx-request" in request.headers


def desk_act(site: Site, member: Member) -> Act:
    """What ``member`` does now."""
    return Act(member.login, site.now(), site.key)


def desk_page(
    request: Request, name: str, values: Mapping[str, Any], status: int = 200
) -> Response:
    """A page of the desk, with what the member may do there."""
    may = rights_of_page(request)
    return renewed(request, page(request, name, {**may, **values}, status))


def desk_part(request: Request, name: str, values: Mapping[str, Any]) -> str:
    """A part of a page, as text."""
    return render(request, name, {**rights_of_page(request), **values})


def rights_of_page(request: Request) -> dict[str, bool]:
    """What the member may do there."""
    rights = request.state.member.rights
    return {
        "may_edit": Right.EDIT_KNOWLEDGE in rights,
        "may_approve": Right.APPROVE_KNOWLEDGE in rights,
    }


def onward(request: Request, path: str) -> Response:
    """To another page of ours, also from a script's request."""
    path = quote(path, safe="/?=&%#")
    if PART in request.headers:
        return renewed(request, Response(status_code=204, headers={"X-Qianmen-To": path}))
    return renewed(request, RedirectResponse(path, 303))
