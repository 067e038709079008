"""One order for its page, the printer and the API: read, audited, and with what can be done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from sqlalchemy import select

from chat.protocol import MAX_TEXT_CHARS
from handoff.order.guards import SCORES
from handoff.repeats import Earlier, earlier
from store.engine import reading
from store.tables import WorkOrder
from web import audit, labels, orderwords
from web.accounts import Member
from web.errors import ProblemError
from web.orderdeeds import Deed, deeds_of
from web.orderview import OrderView, Step, order_view
from web.queries import OrderDetail, order_detail, place_of
from web.rights import Right
from web.secrecy import known_to, open_to
from web.site import Site
from web.templating import page
from web.transcript import sent_in


@dataclass(frozen=True, slots=True)
class Refused:
    """A step or a change that came to nothing: said at the page's head, with what was typed.

    ``meanwhile`` is what others did since the page was shown.
    """

    message: str
    verb: str = ""
    typed: Mapping[str, Any] = field(default_factory=dict)
    meanwhile: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """An order as ``member`` may see it, and what they can do with it."""

    detail: OrderDetail
    view: OrderView
    deeds: tuple[Deed, ...]
    earlier: tuple[Earlier, ...]


def found_order(site: Site, member: Member, number: str) -> OrderDetail:
    """The order; raises :class:`ProblemError` ``order_unknown``.

    What is kept from ``member`` because the order is secret is written down as refused.
    """
    detail = order_detail(site.engine, number, member, site.city.orders)
    if detail is None:
        raise ProblemError(404, "order_unknown")
    if detail.hidden:
        audit.note_viewing(site, member.login, "order_refused", detail.row.number)
    return detail


def read_order(site: Site, member: Member, number: str, action: str = "order_viewed") -> Case:
    """The order with everything beside it; looking is written down as ``action``."""
    detail = found_order(site, member, number)
    audit.note(site, member.login, action, detail.row.number)
    return case_of(site, member, detail)


def case_of(site: Site, member: Member, detail: OrderDetail) -> Case:
    """What ``member`` sees and can do."""
    leaf = site.city.classes.leaf(detail.row.code) if detail.row.code else None
    view = order_view(detail, site.templates.filters["moment"], site.now(),
                      leaf.name if leaf else "")  # fmt: skip
    deeds = deeds_of(detail.life, site.city.orders, member.rights, site.now())
    return Case(detail, view, deeds, earlier_of(site, member, detail))


def earlier_of(site: Site, member: Member, detail: OrderDetail) -> tuple[Earlier, ...]:
    """Earlier orders of the person or the place; none that would tell who reported a secret one."""
    values = {field.name: field.value for field in detail.fields}
    row = detail.row
    with reading(site.engine) as session:
        found = earlier(
            session, phone="" if detail.hidden else values.get("phone", ""),
            place=place_of(site.engine, detail.id), code=row.code, matter=row.matter,
            now=site.now(), rules=site.city.orders.repeats, but=detail.id,
        )  # fmt: skip
        open_ = set(
            session.scalars(
                select(WorkOrder.id)
                .where(WorkOrder.id.in_([one.order for one in found]))
                .where(open_to(member, site.city.orders))
            )
        )
        return known_to(session, found, open_)


def show_order(
    request: Request, site: Site, case: Case, refused: Refused | None = None, status: int = 200
) -> Response:
    """The order's page, with what came of the last try."""
    detail = case.detail
    values = {
        "order": case.view, "more": detail.more, "turns": detail.turns, "hidden": detail.hidden,
        "talk_hidden": detail.talk_hidden,
        "channel": detail.row.channel, "recordings": detail.recordings,
        "sent": sent_in(detail.turns),
        "max_chars": MAX_TEXT_CHARS, "deeds": case.deeds, "earlier": case.earlier,
        "links": detail.links, "deliveries": detail.deliveries, "surveys": detail.surveys,
        "thumbs": detail.thumbs, "names": detail.names, "words": orderwords,
        "scores": SCORES, "refused": refused,
        "departments": tuple(one.name for one in site.city.departments),
        "levels": site.city.orders.levels,
        "may_change": Right.CHANGE_ORDERS in request.state.member.rights,
    }  # fmt: skip
    return page(request, "order.html", values, status)


def printed_order(request: Request, site: Site, member: Member, number: str) -> Response:
    """The order as a sheet of paper."""
    case = read_order(site, member, number, "order_printed")
    values = {"order": case.view, "more": case.detail.more, "row": case.detail.row,
              "sent": sent_in(case.detail.turns),
              "links": case.detail.links, "surveys": case.detail.surveys, "words": orderwords,
              "printed_at": site.now(), "printed_by": member.name,
              "urgency": labels.urgency(case.detail.row.urgency)}  # fmt: skip
    return page(request, "order_print.html", values)
