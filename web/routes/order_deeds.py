"""What staff do to one order: steps of its life, changes of its fields, confirming one."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from handoff.order import deeds
from handoff.order.model import OrderError
from web import audit
from web.accounts import Member
from web.deps import ChangesOrders, OwnForm, SiteDep, renewed
from web.errors import ORDER_STATUS, ProblemError
from web.ordercase import Refused, case_of, found_order, show_order
from web.orderdeeds import may_do, values_of
from web.orderedit import ClashError, changes_of, edit_page, save
from web.orderview import changes_since
from web.secrecy import CALLER_FIELDS
from web.site import Site

router = APIRouter(prefix="/orders/{number}", include_in_schema=False)


def _given(
    text: Annotated[str, Form()] = "",
    department: Annotated[str, Form()] = "",
    departments: Annotated[list[str], Form()] = [],  # noqa: B006  # FastAPI wants the plain default
    workdays: Annotated[str, Form()] = "",
    reached: Annotated[str, Form()] = "",
    solved: Annotated[str, Form()] = "",
    score: Annotated[str, Form()] = "",
    into: Annotated[str, Form()] = "",
) -> dict[str, Any]:
    return {"text": text, "department": department, "departments": departments,
            "workdays": workdays, "reached": reached, "solved": solved, "score": score,
            "into": into}  # fmt: skip


@router.post("/deeds/{verb}", dependencies=[OwnForm])
def do_deed(
    request: Request,
    site: SiteDep,
    member: ChangesOrders,
    number: str,
    verb: str,
    given: Annotated[dict[str, Any], Depends(_given)],
    edition: Annotated[int, Form()],
) -> Response:
    """Take one step; where it cannot be, the page says why and keeps what was typed."""
    if not may_do(verb, member.rights):
        raise ProblemError(403, "right_missing")
    try:
        state = deeds.do(
            site.engine, number, verb, by=member.login, now=site.now(), rules=site.city.orders,
            edition=edition, **values_of(verb, given),
        )  # fmt: skip
    except OrderError as error:
        return renewed(
            request, _refused(request, site, member, number, verb, given, edition, error)
        )
    audit.note(site, member.login, "order_step", number, step=verb, state=state.state)
    return renewed(request, RedirectResponse(f"/orders/{number}#steps", 303))


def _refused(
    request: Request, site: Site, member: Member, number: str, verb: str, given: dict[str, Any],
    edition: int, error: OrderError,
) -> Response:  # fmt: skip
    detail = found_order(site, member, number)
    meanwhile = tuple(changes_since(detail, edition)) if error.code == "order_changed" else ()
    refused = Refused(str(error), verb, given, meanwhile)
    status = ORDER_STATUS.get(error.code, 409)
    return show_order(request, site, case_of(site, member, detail), refused, status)


@router.get("/edit")
def edit_form(request: Request, site: SiteDep, member: ChangesOrders, number: str) -> Response:
    """Every field that can be changed, with the values it had."""
    detail = found_order(site, member, number)
    audit.note_viewing(site, member.login, "order_viewed", detail.row.number)
    return renewed(request, edit_page(request, site, detail))


@router.post("/edit", dependencies=[OwnForm])
async def take_edit(
    request: Request, site: SiteDep, member: ChangesOrders, number: str
) -> Response:
    """Change what was changed in the form; what somebody else changed meanwhile is asked about."""
    form = await request.form(max_fields=200)
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    return renewed(request, await _edit(request, site, member, number, fields))


async def _edit(
    request: Request, site: Site, member: Member, number: str, fields: dict[str, str]
) -> Response:
    def work() -> Response:
        detail = found_order(site, member, number)
        changes = changes_of(detail, fields)
        try:
            changed = save(site, member, detail, changes, fields.get("edition", ""))
        except ClashError as clash:
            return edit_page(request, site, detail, typed=changes.mine, theirs=clash.theirs,
                             status=409)  # fmt: skip
        except OrderError as error:
            return edit_page(request, site, detail, typed=changes.mine, message=str(error),
                             status=ORDER_STATUS.get(error.code, 409))  # fmt: skip
        if changed:
            audit.note(site, member.login, "order_edited", number, fields=changed)
        return RedirectResponse(f"/orders/{number}", 303)

    return await run_in_threadpool(work)


@router.post("/confirm", dependencies=[OwnForm])
def confirm(
    request: Request,
    site: SiteDep,
    member: ChangesOrders,
    number: str,
    field: Annotated[str, Form()],
) -> Response:
    """Somebody checked a field with the citizen: it is right as it stands."""
    detail = found_order(site, member, number)
    if detail.hidden and field in CALLER_FIELDS:
        raise ProblemError(403, "right_missing")
    deeds.confirm(site.engine, number, field, member.login, site.now())
    audit.note(site, member.login, "order_confirmed", number, fields=[field])
    return renewed(request, RedirectResponse(f"/orders/{number}#field-{field}", 303))
