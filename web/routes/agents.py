"""The agent's desk: its page, its WebSocket, and what keeps its session alive."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, WebSocket
from fastapi.responses import Response

from chat.protocol import MAX_TEXT_CHARS
from web.agents import alive
from web.agents.socket import me_of, serve
from web.deps import Open, OwnForm, SiteDep, TakesHandoffs, renewed, session_of
from web.errors import ProblemError
from web.site import Site
from web.templating import page

router = APIRouter(prefix="/desk", include_in_schema=False)


@router.get("")
def desk_page(request: Request, site: SiteDep, member: TakesHandoffs) -> Response:
    """The page; everything on it comes over its WebSocket."""
    values = {
        "me": me_of(site.engine, member),
        "live_path": "/desk/live",
        "alive_path": "/desk/alive",
        "max_chars": MAX_TEXT_CHARS,
    }
    return renewed(request, page(request, "agent_desk.html", values))


@router.post("/alive", dependencies=[OwnForm])
def keep_alive(
    request: Request,
    site: SiteDep,
    member: TakesHandoffs,  # noqa: ARG001  # asking for it is the check
    ticket: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Date the cookie anew: the agent did something at the desk, says its ticket."""
    if not alive.fits(ticket, request.state.session, site.key, site.now()):
        raise ProblemError(403, "form_expired")
    return renewed(request, Response(status_code=204))


@router.websocket("/live", dependencies=[Open])
async def desk_socket(socket: WebSocket) -> None:
    """The desk's WebSocket: `web.agents.protocol` says what goes over it.

    It is open as a route; `web.agents.socket` checks origin, session, token and right itself, since
    a page that is refused must be told why.
    """
    site: Site = socket.app.state.site
    await serve(socket, site.floor, session_of(socket))
