"""The JSON API, to read: orders and transcripts, for members, systems and the command line."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Security
from fastapi.security import APIKeyCookie, APIKeyHeader

from config.orders import State
from web import audit
from web.accounts import Member
from web.deps import KEY_HEADER, OwnRequest, ReadsOrders, SiteDep
from web.errors import ProblemError
from web.models import (
    ConversationOut,
    DeedOut,
    DeedsOut,
    EventOut,
    FieldOut,
    LinkOut,
    OrderDetailOut,
    OrderOut,
    OrdersOut,
    ProblemOut,
    SearchIn,
    TurnOut,
)
from web.ordercase import found_order
from web.orderdeeds import deeds_of
from web.orderlist import PAGE_SIZE, OrderRow, Wanted, list_orders, orders_after
from web.orderview import masked_fields
from web.queries import OrderDetail, talk
from web.secrecy import HIDDEN
from web.sessions import COOKIE
from web.site import Site
from web.transcript import TurnView

PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: {"model": ProblemOut, "description": "not_signed_in: no session, no key, or a wrong one"},
    403: {"model": ProblemOut, "description": "right_missing, password_must_change, form_expired "
          "(a session writes with the form's token), conversation_secret"},
    404: {"model": ProblemOut, "description": "order_unknown, conversation_unknown, verb_unknown"},
    422: {"model": ProblemOut, "description": "request_invalid; of a step or a change: "
          "answer_missing, department_missing, department_same, extension_long, field_unknown, "
          "merge_self, merge_unknown, reason_missing, result_missing, value_invalid, "
          "value_unknown"},
    429: {"model": ProblemOut, "description": "too_many_requests: wait a second"},
    503: {"model": ProblemOut, "description": "store_down, data_key_missing"},
}  # fmt: skip
KEYS = [
    Security(APIKeyHeader(name=KEY_HEADER, auto_error=False, scheme_name="key",
                          description="made by `qianmen api-key add`")),
    Security(APIKeyCookie(name=COOKIE, auto_error=False, scheme_name="session",
                          description="a member who is signed in")),
]  # fmt: skip
router = APIRouter(prefix="/api", tags=["work orders"], responses=PROBLEMS, dependencies=KEYS)
Urgency = Literal["", "normal", "urgent", "danger"]
Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[
    str | None, Query(max_length=200, description="`next` of the answer before; '' begins")
]


@router.get("/orders")
def get_orders(
    site: SiteDep,
    reader: ReadsOrders,
    urgency: Urgency = "",
    kind: str = "",
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    state: State | Literal[""] = "",
    department: str = "",
    code: str = "",
    channel: str = "",
    view: Literal["", "mine", "soon", "overdue", "repeats", "secret"] = "",
    cursor: Cursor = None,
    limit: Limit = PAGE_SIZE,
) -> OrdersOut:
    """Work orders, newest first: by page, or by cursor, which new orders do not shift."""
    wanted = Wanted(urgency=urgency, kind=kind, page=page, state=state, department=department,
                    code=code, channel=channel, view=view)  # fmt: skip
    return _listed(site, reader, wanted, cursor, limit)


@router.post("/orders/search", dependencies=[OwnRequest])
def search_orders(site: SiteDep, reader: ReadsOrders, asked: SearchIn) -> OrdersOut:
    """As the list, narrowed to a telephone number or words too: those stand in no address."""
    given = asked.model_dump(exclude={"cursor", "limit"})
    return _listed(site, reader, Wanted(**given), asked.cursor, asked.limit)


def _listed(
    site: Site, reader: Member, wanted: Wanted, cursor: str | None, limit: int
) -> OrdersOut:
    wanted = wanted.of(reader, site.city.orders)
    audit.note_viewing(site, reader.login, "orders_listed", "orders")
    if cursor is None:
        found = list_orders(site.engine, wanted, site.now())
        return OrdersOut(orders=_rows(found.rows), total=found.total, page=found.page,
                         pages=found.pages)  # fmt: skip
    try:
        rows, after = orders_after(site.engine, wanted, site.now(), cursor, limit)
    except ValueError:
        raise ProblemError(422, "request_invalid") from None
    return OrdersOut(orders=_rows(rows), next=after)


def _rows(rows: tuple[OrderRow, ...]) -> list[OrderOut]:
    return [OrderOut.model_validate(row) for row in rows]


@router.get("/orders/{number}")
def get_order(site: SiteDep, reader: ReadsOrders, number: str) -> OrderDetailOut:
    """One work order: every field with where it comes from, its history, who was told of it.

    Who reported a secret order reads 保密 for who need not know (`hidden`).
    """
    detail = found_order(site, reader, number)
    audit.note(site, reader.login, "order_viewed", detail.row.number)
    return _detail(detail)


@router.get("/orders/{number}/history")
def get_history(site: SiteDep, reader: ReadsOrders, number: str) -> list[EventOut]:
    """Every step and change, oldest first, with what was written."""
    detail = found_order(site, reader, number)
    audit.note_viewing(site, reader.login, "order_viewed", detail.row.number)
    return [EventOut.model_validate(event) for event in detail.events]


@router.get("/orders/{number}/deeds")
def get_deeds(site: SiteDep, reader: ReadsOrders, number: str) -> DeedsOut:
    """The steps that the order admits now, and why it does not admit the others."""
    detail = found_order(site, reader, number)
    deeds = deeds_of(detail.life, site.city.orders, reader.rights, site.now())
    return DeedsOut(
        number=number, state=detail.row.state, edition=detail.row.edition,
        deeds=[DeedOut(verb=one.verb, label=one.label, refused=one.refused) for one in deeds],
    )  # fmt: skip


@router.get("/conversations/{conversation}")
def get_conversation(site: SiteDep, reader: ReadsOrders, conversation: str) -> ConversationOut:
    """One conversation with its transcript."""
    try:
        found = talk(site.engine, conversation, reader, site.city.orders)
    except PermissionError:
        audit.note_viewing(site, reader.login, "order_refused", conversation)
        raise ProblemError(403, "conversation_secret") from None
    if found is None:
        raise ProblemError(404, "conversation_unknown")
    audit.note(site, reader.login, "conversation_viewed", conversation)
    return ConversationOut(
        id=found.id,
        channel=found.channel,
        line=found.line,
        state=found.state,
        started_at=found.started_at,
        ended_at=found.ended_at,
        turns=[_turn(view) for view in found.turns],
    )


def _detail(detail: OrderDetail) -> OrderDetailOut:
    row = OrderOut.model_validate(detail.row).model_dump()
    more = detail.more
    return OrderDetailOut(
        **row,
        hidden=detail.hidden,
        summary=more.summary,
        visit=more.visit,
        signed_at=more.signed_at,
        answered_at=more.answered_at,
        closed_at=more.closed_at,
        redone=more.redone,
        reference=more.reference,
        merged_into=more.merged_into,
        merged=list(more.merged),
        repeats=more.repeats,
        fields=[FieldOut.model_validate(field) for field in masked_fields(detail, HIDDEN)],
        events=[EventOut.model_validate(event) for event in detail.events],
        links=[LinkOut.model_validate(link) for link in detail.links],
        recordings=list(detail.recordings),
    )


def _turn(view: TurnView) -> TurnOut:
    return TurnOut(
        seq=view.seq,
        id=view.anchor,
        speaker=view.speaker,
        kind=view.kind,
        text=view.text,
        options=list(view.options),
        at=view.at,
        confidence=view.confidence,
        recording=view.recording,
        start_ms=view.start_ms,
        end_ms=view.end_ms,
    )
