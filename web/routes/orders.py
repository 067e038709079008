"""The list of work orders, one order with its transcript, and a reply into a handed-over chat."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from chat.protocol import MAX_TEXT_CHARS
from store.seal import seal_of
from turns.replies import Say
from web import audit
from web.deps import OwnForm, Replies, SeesOrders, SiteDep, renewed
from web.errors import ProblemError
from web.ordercase import found_order, printed_order, read_order, show_order
from web.orderlist import SEALED_SEARCH_ORDERS, SORTS, VIEWS, Wanted, list_orders
from web.orderview import can_reply
from web.orderwanted import choices, wanted_of
from web.site import Site
from web.templating import page

router = APIRouter(prefix="/orders", include_in_schema=False)
_NARROWING = ("view", "state", "kind", "urgency", "department", "code", "channel", "sort")


def _form(
    search: Annotated[str, Form()] = "",
    urgency: Annotated[str, Form()] = "",
    kind: Annotated[str, Form()] = "",
    page: Annotated[str, Form()] = "1",
    state: Annotated[str, Form()] = "",
    view: Annotated[str, Form()] = "",
    department: Annotated[str, Form()] = "",
    code: Annotated[str, Form()] = "",
    channel: Annotated[str, Form()] = "",
    sort: Annotated[str, Form()] = "",
) -> Wanted:
    return wanted_of({
        "search": search, "urgency": urgency, "kind": kind, "page": page, "state": state,
        "view": view, "department": department, "code": code, "channel": channel, "sort": sort,
    })  # fmt: skip


FormWanted = Annotated[Wanted, Depends(_form)]


@router.get("")
def orders_page(request: Request, site: SiteDep, member: SeesOrders) -> Response:
    """The list, newest first, or narrowed by what a link names: never by words or a number."""
    named = {name: request.query_params.get(name, "") for name in _NARROWING}
    return renewed(request, _list(request, site, member.login, wanted_of(named), "orders.html"))


@router.post("", dependencies=[OwnForm])
def search_page(
    request: Request, site: SiteDep, member: SeesOrders, wanted: FormWanted
) -> Response:
    """The list narrowed down. By POST: a phone number belongs in no address and in no log."""
    part = request.headers.get("hx-request") is not None
    name = "orders_list.html" if part else "orders.html"
    return renewed(request, _list(request, site, member.login, wanted, name))


@router.post("/fresh", dependencies=[OwnForm])
def fresh_list(request: Request, site: SiteDep, member: SeesOrders, wanted: FormWanted) -> Response:
    """The same list as it stands now, asked for by the page itself."""
    return _list(request, site, member.login, wanted, "orders_list.html")


def _list(request: Request, site: Site, login: str, wanted: Wanted, name: str) -> Response:
    wanted = wanted.of(request.state.member, site.city.orders)
    found = list_orders(site.engine, wanted, site.now())
    values = {"found": found, "wanted": wanted, "views": VIEWS, "sorts": SORTS, "login": login,
              "sealed": seal_of(site.engine) and SEALED_SEARCH_ORDERS, "now": site.now(),
              "today": site.now(), **choices(site.city)}  # fmt: skip
    return page(request, name, values)


@router.get("/{number}")
def order_page(request: Request, site: SiteDep, member: SeesOrders, number: str) -> Response:
    """One order; looking at it is written down."""
    case = read_order(site, member, number)
    return renewed(request, show_order(request, site, case))


@router.get("/{number}/print")
def print_page(request: Request, site: SiteDep, member: SeesOrders, number: str) -> Response:
    """The order as a sheet of paper; printing is written down."""
    return renewed(request, printed_order(request, site, member, number))


@router.get("/{number}/transcript")
def transcript(request: Request, site: SiteDep, member: SeesOrders, number: str) -> Response:
    """What was said so far, for the page to refresh itself."""
    detail = found_order(site, member, number)
    audit.note_viewing(site, member.login, "order_viewed", detail.row.number)
    values = {"turns": detail.turns, "channel": detail.row.channel,
              "talk_hidden": detail.talk_hidden}  # fmt: skip
    return page(request, "transcript.html", values)


@router.post("/{number}/reply", dependencies=[OwnForm])
async def reply(
    request: Request,
    site: SiteDep,
    member: Replies,
    number: str,
    text: Annotated[str, Form()] = "",
) -> Response:
    """Say something to a citizen whose chat was handed over: it appears in their window."""
    detail = await run_in_threadpool(found_order, site, member, number)
    words = text.strip()
    if not words or len(words) > MAX_TEXT_CHARS:
        raise ProblemError(422, "request_invalid")
    if detail.hidden or not can_reply(detail.row):
        raise ProblemError(409, "reply_not_possible")
    said = Say(f"agent-{secrets.token_hex(12)}", words)
    await site.conversations.tell(detail.row.conversation, said, speaker="agent", at=site.now())
    await run_in_threadpool(audit.note, site, member.login, "replied", number, reply=said.id)
    return renewed(request, RedirectResponse(f"/orders/{number}#reply", 303))
