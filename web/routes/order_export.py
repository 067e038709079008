"""Take the filtered list along: CSV or XLSX, masked unless the right is there, and written down."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import Response, StreamingResponse

from web import audit
from web.accounts import Member
from web.deps import ExportsOrders, OwnForm, SiteDep
from web.orderexport import Export, as_csv, as_xlsx
from web.orderlist import Wanted
from web.rights import Right
from web.routes.orders import FormWanted
from web.site import Site
from web.wall.hot import class_names

router = APIRouter(prefix="/orders/export", include_in_schema=False)
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_TOLD = ("urgency", "kind", "state", "view", "department", "code", "channel")


@router.post("/csv", dependencies=[OwnForm])
def export_csv(
    site: SiteDep, member: ExportsOrders, wanted: FormWanted, personal: Annotated[str, Form()] = ""
) -> Response:
    """The list as CSV."""
    export = _export(site, member, wanted, personal)
    return _file(site, StreamingResponse(as_csv(export), media_type="text/csv; charset=utf-8"),
                 "csv")  # fmt: skip


@router.post("/xlsx", dependencies=[OwnForm])
def export_xlsx(
    site: SiteDep, member: ExportsOrders, wanted: FormWanted, personal: Annotated[str, Form()] = ""
) -> Response:
    """The list as a workbook."""
    export = _export(site, member, wanted, personal)
    return _file(site, StreamingResponse(as_xlsx(export), media_type=_XLSX), "xlsx")


def _export(site: Site, member: Member, wanted: Wanted, personal: str) -> Export:
    """Asked for by who may not, names and numbers are masked all the same."""
    whole = personal == "yes" and Right.EXPORT_PERSONAL in member.rights
    told = {name: getattr(wanted, name) for name in _TOLD if getattr(wanted, name)}
    audit.note(site, member.login, "orders_exported", "orders", personal=whole,
               searched=bool(wanted.search), **told)  # fmt: skip
    return Export(
        engine=site.engine, wanted=wanted.of(member, site.city.orders), member=member,
        rules=site.city.orders, now=site.now(), moment=site.templates.filters["moment"],
        personal=whole, names=class_names(site.city),
    )  # fmt: skip


def _file(site: Site, response: Response, ending: str) -> Response:
    name = f"orders-{site.now().astimezone(site.city.zone):%Y%m%d-%H%M}.{ending}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
