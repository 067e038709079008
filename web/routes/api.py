"""The JSON API: work orders and transcripts, for members and for the command line."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from web import audit
from web.deps import ReadsOrders, SiteDep
from web.errors import ProblemError
from web.models import (
    ConversationOut,
    EventOut,
    FieldOut,
    OrderDetailOut,
    OrderOut,
    OrdersOut,
    ProblemOut,
    TurnOut,
)
from web.orderlist import Wanted, list_orders
from web.queries import order_detail, talk
from web.transcript import TurnView

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: {"model": ProblemOut, "description": "not_signed_in"},
    403: {"model": ProblemOut, "description": "right_missing, password_must_change"},
    404: {"model": ProblemOut, "description": "order_unknown, conversation_unknown"},
    422: {"model": ProblemOut, "description": "request_invalid"},
    503: {"model": ProblemOut, "description": "store_down"},
}
router = APIRouter(prefix="/api", tags=["work orders"], responses=_PROBLEMS)


@router.get("/orders")
def get_orders(
    site: SiteDep,
    reader: ReadsOrders,  # noqa: ARG001  # asking for it is the check
    urgency: Literal["", "normal", "urgent", "danger"] = "",
    kind: str = "",
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
) -> OrdersOut:
    """Work orders, newest first, 50 a page."""
    found = list_orders(site.engine, Wanted(urgency=urgency, kind=kind, page=page), site.now())
    return OrdersOut(
        orders=[OrderOut.model_validate(row) for row in found.rows],
        total=found.total,
        page=found.page,
        pages=found.pages,
    )


@router.get("/orders/{number}")
def get_order(site: SiteDep, reader: ReadsOrders, number: str) -> OrderDetailOut:
    """One work order, every field with where it comes from."""
    detail = order_detail(site.engine, number, reader, site.city.orders)
    if detail is None:
        raise ProblemError(404, "order_unknown")
    audit.note(site, reader.login, "order_viewed", number)
    return OrderDetailOut(
        **asdict(detail.row),
        fields=[FieldOut.model_validate(field) for field in detail.fields],
        events=[EventOut.model_validate(event) for event in detail.events],
        recordings=list(detail.recordings),
    )


@router.get("/conversations/{conversation}")
def get_conversation(site: SiteDep, reader: ReadsOrders, conversation: str) -> ConversationOut:
    """One conversation with its transcript."""
    found = talk(site.engine, conversation, reader, site.city.orders)
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
