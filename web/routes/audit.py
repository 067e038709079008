"""The audit, for those who may: narrowed down, as a table to take along, and whether it holds."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response, StreamingResponse

from store import audit_anchor
from store.audit import verify
from store.audit_anchor import AuditError
from store.engine import reading
from web import audit
from web.auditlog import Wanted, as_csv, known_actions, list_audit, parse_day
from web.deps import OwnForm, SeesAudit, SiteDep, renewed
from web.site import Site
from web.templating import page

router = APIRouter(prefix="/staff/audit", include_in_schema=False)
_HOLDS = "检查完毕：操作记录完整，没有被改动或删除。"
_BROKEN = {
    "line_changed": "序号 {id} 的记录被改动过，或是从别处添进来的。",
    "line_missing": "序号 {id} 之前的记录被删掉了。",
    "line_unreadable": "有的记录已经读不出来。",
    "end_missing": "最近的记录被删掉了。",
    "audit_anchor_unreadable": "存放在数据库之外的对照文件读不出来，无法确认最近的记录没有被删。",
}
_TELL = "请立即报告信息安全负责人，并保留现场。"
_log = structlog.get_logger(__name__)


def _wanted(
    actor: Annotated[str, Form()] = "",
    action: Annotated[str, Form()] = "",
    target: Annotated[str, Form()] = "",
    since: Annotated[str, Form()] = "",
    until: Annotated[str, Form()] = "",
    page: Annotated[str, Form()] = "1",
) -> Wanted:
    number = int(page) if page.isascii() and page.isdecimal() and len(page) < 8 else 1
    return Wanted(actor.strip()[:200], action.strip()[:200], target.strip()[:200],
                  parse_day(since), parse_day(until), number)  # fmt: skip


FormWanted = Annotated[Wanted, Depends(_wanted)]


@router.get("")
def audit_page(request: Request, site: SiteDep, member: SeesAudit) -> Response:
    """The newest lines."""
    audit.note_viewing(site, member.login, "audit_viewed", "audit")
    return renewed(request, _page(request, site, Wanted()))


@router.post("", dependencies=[OwnForm])
def narrowed(request: Request, site: SiteDep, member: SeesAudit, wanted: FormWanted) -> Response:
    """Narrowed down; by POST, as whatever is searched for belongs in no address."""
    audit.note_viewing(site, member.login, "audit_viewed", "audit")
    return renewed(request, _page(request, site, wanted))


@router.post("/export", dependencies=[OwnForm])
def export(site: SiteDep, member: SeesAudit, wanted: FormWanted) -> Response:
    """The same lines, all of them, as CSV."""
    narrowed_to = {name: str(value) for name, value in asdict(wanted).items()
                   if value and name in ("action", "since", "until")}  # fmt: skip
    audit.note(site, member.login, "audit_exported", "audit", **narrowed_to)
    lines = as_csv(site.engine, wanted, site.city.zone, site.templates.filters["moment"])
    name = f"audit-{site.now().astimezone(site.city.zone):%Y%m%d-%H%M}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)


@router.post("/check", dependencies=[OwnForm])
def check(request: Request, site: SiteDep, member: SeesAudit) -> Response:
    """Walk the whole chain and say whether it holds."""
    code, sentence = _verdict(site)
    audit.note(site, member.login, "audit_checked", "audit", result=code or "ok")
    said = {"holds": "" if code else sentence, "broken": sentence if code else ""}
    return renewed(request, _page(request, site, Wanted(), **said))


def _verdict(site: Site) -> tuple[str, str]:
    """The code of what is wrong ('' where all holds) and the sentence."""
    try:
        anchor = audit_anchor.read_anchor(site.anchor)
    except AuditError as error:
        return error.code, _BROKEN[error.code]
    with reading(site.engine) as session:
        broken = verify(session, site.key, anchor)
    if broken is None:
        return "", _HOLDS
    _log.error("audit_broken", code=broken.code, line=broken.id)
    return broken.code, _BROKEN[broken.code].format(id=broken.id) + _TELL


def _page(request: Request, site: Site, wanted: Wanted, **said: Any) -> Response:
    values = {"found": list_audit(site.engine, wanted, site.city.zone), "wanted": wanted,
              "actions": known_actions(site.engine), "holds": "", "broken": "", **said}  # fmt: skip
    return page(request, "audit.html", values)
