"""Publishing: what waits, the gate's finding, the releases, one step back."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from knowledge import publish, words
from knowledge.editing import EditError
from knowledge.publish import Selection
from store.engine import reading, writing
from web.deps import ApprovesKnowledge, EditsKnowledge, OwnForm, SeesKnowledge, SiteDep
from web.desk.answering import desk_act, desk_page, onward, wants_part
from web.desk.labels import who
from web.desk.overview import staff_names
from web.desk.publishing import called, matter_names, queue, selection
from web.errors import EDIT_STATUS
from web.routes.knowledge_answer import approve_one
from web.site import Site

router = APIRouter(prefix="/knowledge/publish", include_in_schema=False)
Versions = Annotated[list[int], Form()]
Codes = Annotated[list[str], Form()]
Ticks = Annotated[list[str], Form()]
Why = Annotated[str, Form(max_length=500)]
_NONE: list[Any] = []
_DONE = {
    "published": "已经发布，下一句话起就这样回答。", "undone": "已经退回上一步，恢复原来的答复。",
    "approved": "已经批准。",
}  # fmt: skip
_RELEASES = 20


@router.get("")
def publish_page(
    request: Request, site: SiteDep, member: SeesKnowledge, done: str = ""
) -> Response:
    """Everything in work, and the releases so far."""
    return desk_page(
        request, "knowledge_publish.html",
        {**_values(site, member.login), "done": _DONE.get(done, "")},
    )  # fmt: skip


@router.post("/check", dependencies=[OwnForm])
def check(
    request: Request, site: SiteDep, member: EditsKnowledge, version: Versions = _NONE,
    matter: Codes = _NONE,
) -> Response:  # fmt: skip
    """Run the gate over what is chosen, drafts too; nothing is published."""
    chosen = _chosen(version, matter)
    with site.desk.one_check():
        live = site.desk.published.search()
        found = publish.rehearse(site.engine, site.desk.place, site.now(), chosen, live=live)
    result = found.result.as_json()
    ready = all(one.state == "approved" for one in found.versions) and all(
        one.approved_by for one in found.matters
    )
    values = {
        **_values(site, member.login), "result": result, "chosen": chosen, "ready": ready,
        "done": "",
    }  # fmt: skip
    name = "knowledge_gate.html" if wants_part(request) else "knowledge_publish.html"
    return desk_page(request, name, values)


@router.post("", dependencies=[OwnForm])
def take_publish(
    request: Request, site: SiteDep, member: ApprovesKnowledge, version: Versions = _NONE,
    matter: Codes = _NONE, why: Why = "",
) -> Response:  # fmt: skip
    """Publish what is chosen; the gate runs once more, since others may have published."""
    chosen = _chosen(version, matter)
    if not why.strip():
        raise EditError("reason_missing", "请写明为什么发布，再点“发布”")
    try:
        with site.desk.one_check():
            live = site.desk.published.search()
            act = desk_act(site, member)
            publish.publish(site.engine, act, site.desk.place, chosen, why=why.strip(), live=live)
    except EditError as error:
        if error.code != "gate_refused":
            raise
        values = {**_values(site, member.login), "result": error.data, "chosen": chosen,
                  "ready": True, "done": ""}  # fmt: skip
        name = "knowledge_gate.html" if wants_part(request) else "knowledge_publish.html"
        return desk_page(request, name, values, EDIT_STATUS[error.code])
    return onward(request, "/knowledge/publish?done=published")


@router.post("/approve", dependencies=[OwnForm])
def approve_many(
    request: Request, site: SiteDep, member: ApprovesKnowledge, item: Ticks = _NONE
) -> Response:
    """Approve all that is ticked, or none: ``answer:ID:EDITION``, ``words:CODE:EDITION``."""
    act, place = desk_act(site, member), site.desk.place
    if not item:
        raise EditError("nothing_to_publish", "请先勾选要批准的内容")
    with writing(site.engine) as session:
        for kind, what, edition in map(_ticked, item):
            if kind == "words":
                words.approve_words(session, act, what, edition=edition)
            else:
                approve_one(session, act, place, int(what), edition)
    return onward(request, "/knowledge/publish?done=approved")


@router.post("/undo", dependencies=[OwnForm])
def undo(request: Request, site: SiteDep, member: ApprovesKnowledge, why: Why = "") -> Response:
    """Take the newest release back."""
    if not why.strip():
        raise EditError("reason_missing", "退回上一步要写理由")
    publish.undo_last(site.engine, desk_act(site, member), why=why.strip())
    return onward(request, "/knowledge/publish?done=undone")


def _chosen(version: list[int], matter: list[str]) -> Selection:
    if not version and not matter:
        raise EditError("nothing_to_publish", "请先勾选要发布的内容")
    return selection(version, matter)


def _ticked(item: str) -> tuple[str, str, int]:
    kind, _, rest = item.partition(":")
    what, _, edition = rest.rpartition(":")
    if kind not in ("answer", "words") or not edition.isascii() or not edition.isdecimal():
        raise EditError("answer_unknown", "没有这个答复版本")
    if kind == "answer" and not (what.isascii() and what.isdecimal()):
        raise EditError("answer_unknown", "没有这个答复版本")
    return kind, what, int(edition)


def _values(site: Site, login: str) -> dict[str, Any]:
    with reading(site.engine) as session:
        names = staff_names(session)
        waiting = queue(session, login, site.desk.place.day(site.now()))
        releases = publish.releases(session, _RELEASES)
        matters = matter_names(session)
    last = next((release for release in releases if release.undone_at is None), None)
    return {
        "queue": waiting, "releases": releases, "last": last, "result": None, "chosen": None,
        "ready": False, "who": lambda by: who(by, names),
        "called": lambda code: called(code, matters),
    }  # fmt: skip
