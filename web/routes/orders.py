"""The list of work orders, one order with its transcript, and a reply into a handed-over chat."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from chat.protocol import MAX_TEXT_CHARS
from store.seal import seal_of
from turns.replies import Say
from web import audit, labels
from web.deps import OwnForm, Replies, SeesOrders, SiteDep, renewed
from web.errors import ProblemError
from web.orderview import can_reply, order_view
from web.queries import SEALED_SEARCH_ORDERS, OrderDetail, Wanted, list_orders, order_detail
from web.site import Site
from web.templating import page

router = APIRouter(prefix="/orders", include_in_schema=False)


@router.get("")
def orders_page(request: Request, site: SiteDep, member: SeesOrders) -> Response:  # noqa: ARG001  # asking for it is the check
    """The list, newest first."""
    return renewed(request, _list(request, site, Wanted(), "orders.html"))


@router.post("", dependencies=[OwnForm])
def search_page(
    request: Request,
    site: SiteDep,
    member: SeesOrders,  # noqa: ARG001  # as above
    search: Annotated[str, Form()] = "",
    urgency: Annotated[str, Form()] = "",
    kind: Annotated[str, Form()] = "",
    page: Annotated[int, Form()] = 1,
) -> Response:
    """The list narrowed down. By POST: a phone number belongs in no address and in no log."""
    part = request.headers.get("hx-request") is not None
    wanted = Wanted(search, urgency, kind, page)
    name = "orders_list.html" if part else "orders.html"
    return renewed(request, _list(request, site, wanted, name))


@router.post("/fresh", dependencies=[OwnForm])
def fresh_list(
    request: Request,
    site: SiteDep,
    member: SeesOrders,  # noqa: ARG001  # as above
    search: Annotated[str, Form()] = "",
    urgency: Annotated[str, Form()] = "",
    kind: Annotated[str, Form()] = "",
    page: Annotated[int, Form()] = 1,
) -> Response:
    """The same list as it stands now, asked for by the page itself."""
    return _list(request, site, Wanted(search, urgency, kind, page), "orders_list.html")


def _list(request: Request, site: Site, wanted: Wanted, name: str) -> Response:
    found = list_orders(site.engine, wanted)
    values = {"found": found, "wanted": wanted, "kinds": labels.KINDS,
              "sealed": seal_of(site.engine) and SEALED_SEARCH_ORDERS,
              "urgencies": labels.URGENCIES, "today": site.now()}  # fmt: skip
    return page(request, name, values)


@router.get("/{number}")
def order_page(request: Request, site: SiteDep, member: SeesOrders, number: str) -> Response:
    """One order; looking at it is written down."""
    detail = _found(site, number)
    audit.note(site, member.login, "order_viewed", detail.row.number)
    return renewed(request, _order(request, site, detail, "order.html"))


@router.get("/{number}/transcript")
def transcript(request: Request, site: SiteDep, member: SeesOrders, number: str) -> Response:
    """What was said so far, for the page to refresh itself."""
    detail = _found(site, number)
    audit.note_viewing(site, member.login, "order_viewed", detail.row.number)
    return _order(request, site, detail, "transcript.html")


@router.post("/{number}/reply", dependencies=[OwnForm])
async def reply(
    request: Request,
    site: SiteDep,
    member: Replies,
    number: str,
    text: Annotated[str, Form()] = "",
) -> Response:
    """Say something to a citizen whose chat was handed over: it appears in their window."""
    detail = await run_in_threadpool(_found, site, number)
    words = text.strip()
    if not words or len(words) > MAX_TEXT_CHARS:
        raise ProblemError(422, "request_invalid")
    if not can_reply(detail.row):
        raise ProblemError(409, "reply_not_possible")
    said = Say(f"agent-{secrets.token_hex(12)}", words)
    await site.conversations.tell(detail.row.conversation, said, speaker="agent", at=site.now())
    await run_in_threadpool(audit.note, site, member.login, "replied", number, reply=said.id)
    return renewed(request, RedirectResponse(f"/orders/{number}#reply", 303))


def _order(request: Request, site: Site, detail: OrderDetail, name: str) -> Response:
    moment = site.templates.filters["moment"]
    values = {"order": order_view(detail, moment), "turns": detail.turns,
              "channel": detail.row.channel,
              "recordings": detail.recordings, "max_chars": MAX_TEXT_CHARS}  # fmt: skip
    return page(request, name, values)


def _found(site: Site, number: str) -> OrderDetail:
    detail = order_detail(site.engine, number)
    if detail is None:
        raise ProblemError(404, "order_unknown")
    return detail
