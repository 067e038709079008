"""One answer: what is said, the draft of what will be, its steps, its history."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy.orm import Session

from knowledge import history, publish, versions
from knowledge.editing import Act, AnswerKey, EditError, Place, Version, Wording
from knowledge.matters import CITY
from knowledge.wording import check_key
from store.engine import reading, writing
from web.deps import ApprovesKnowledge, EditsKnowledge, OwnForm, SeesKnowledge, SiteDep, renewed
from web.desk.answering import desk_act, desk_page, desk_part, onward, wants_part
from web.desk.card import missing, said_on_phone, warned
from web.desk.conflicts import conflict_answer
from web.desk.forms import FormWording
from web.desk.paths import answer_path
from web.routes.knowledge_card import card_values
from web.site import Site

router = APIRouter(prefix="/knowledge", include_in_schema=False)
Edition = Annotated[int, Form(ge=0)]
Why = Annotated[str, Form(max_length=500)]
_DONE = {
    "submit": "已经提交，等人核对。", "check": "已经核对，等第二个人批准。",
    "approve": "已经批准，可以发布了。", "reject": "已经退回给写的人。",
    "discard": "这份草稿已经放弃，历史里还能看到。", "retire": "已经停用，不再回答。",
}  # fmt: skip


@router.get("/{code:matter}/{aspect}")
def answer_page(
    request: Request,
    site: SiteDep,
    member: SeesKnowledge,  # noqa: ARG001  # asking for it is the check
    code: str,
    aspect: str,
    region: str = CITY,
    done: str = "",
) -> Response:
    """The answer's editor."""
    values = answer_values(site, AnswerKey(code, aspect, region))
    return desk_page(request, "knowledge_answer.html", {**values, "done": _DONE.get(done, "")})


@router.post("/{code:matter}/{aspect}/save", dependencies=[OwnForm])
def save(
    request: Request, site: SiteDep, member: EditsKnowledge, code: str, aspect: str,
    wording: FormWording, edition: Edition, region: Annotated[str, Form()] = CITY,
    version: Annotated[int, Form(ge=0)] = 0,
    why: Annotated[str | None, Form(max_length=500)] = None,
) -> Response:  # fmt: skip
    """Keep what was typed so far; JSON for the script. ``version`` 0: nothing in work yet."""
    act, key, standing = desk_act(site, member), AnswerKey(code, aspect, region), version
    try:
        with writing(site.engine) as session:
            if not standing:
                standing, edition = _begun(session, act, site.desk.place, key)
            kept = versions.save(session, act, standing, wording, edition=edition, why=why)
            _refuse_other(kept, key)
    except EditError as error:
        if error.code != "edit_conflict":
            raise
        return conflict_answer(site.engine, site.city, error, version=standing)
    values = {**answer_values(site, key), "done": ""}
    told = {
        "saved": act.at.astimezone(site.city.zone).strftime("%H:%M"), "version": kept.id,
        "edition": kept.edition, "said": said_on_phone(kept),
        "fresh": {
            "#steps": desk_part(request, "knowledge_steps.html", values),
            "#agreeing": desk_part(request, "knowledge_agreeing.html", values),
        },
    }  # fmt: skip
    return renewed(request, JSONResponse(told))


@router.post("/versions/{version}/submit", dependencies=[OwnForm])
def submit(
    request: Request, site: SiteDep, member: EditsKnowledge, version: int, edition: Edition,
    why: Why = "",
) -> Response:  # fmt: skip
    """Ready to be checked."""
    act, place = desk_act(site, member), site.desk.place
    with writing(site.engine) as session:
        done = versions.submit(session, act, place, version, edition=edition, why=why)
    return _stepped(request, site, done, "submit")


@router.post("/versions/{version}/check", dependencies=[OwnForm])
def check(
    request: Request, site: SiteDep, member: EditsKnowledge, version: int, edition: Edition,
    why: Why = "",
) -> Response:  # fmt: skip
    """Compared with its source."""
    act, place = desk_act(site, member), site.desk.place
    with writing(site.engine) as session:
        done = versions.check(session, act, place, version, edition=edition, why=why)
    return _stepped(request, site, done, "check")


@router.post("/versions/{version}/approve", dependencies=[OwnForm])
def approve(
    request: Request, site: SiteDep, member: ApprovesKnowledge, version: int, edition: Edition,
    why: Why = "",
) -> Response:  # fmt: skip
    """A second person agrees; from a draft it is checked in the same breath."""
    with writing(site.engine) as session:
        done = approve_one(session, desk_act(site, member), site.desk.place, version, edition, why)
    return _stepped(request, site, done, "approve")


@router.post("/versions/{version}/reject", dependencies=[OwnForm])
def reject(
    request: Request, site: SiteDep, member: EditsKnowledge, version: int, edition: Edition,
    why: Why = "",
) -> Response:  # fmt: skip
    """Back to the writer, with a reason."""
    act = desk_act(site, member)
    with writing(site.engine) as session:
        done = versions.reject(session, act, version, edition=edition, why=why)
    return _stepped(request, site, done, "reject")


@router.post("/versions/{version}/discard", dependencies=[OwnForm])
def discard(
    request: Request, site: SiteDep, member: EditsKnowledge, version: int, edition: Edition,
    why: Why = "",
) -> Response:  # fmt: skip
    """Give a draft up."""
    act = desk_act(site, member)
    with writing(site.engine) as session:
        done = versions.discard(session, act, version, edition=edition, why=why)
    return onward(request, answer_path(done.key, "discard"))


@router.post("/versions/{version}/retire", dependencies=[OwnForm])
def retire(
    request: Request, site: SiteDep, member: ApprovesKnowledge, version: int, edition: Edition,
    why: Why = "",
) -> Response:  # fmt: skip
    """Stop saying a published answer."""
    act, place = desk_act(site, member), site.desk.place
    with reading(site.engine) as session:
        key = versions.get(session, version).key
    publish.retire(site.engine, act, place, version, edition=edition, why=why)
    return onward(request, answer_path(key, "retire"))


@router.get("/{code:matter}/{aspect}/history")
def history_page(
    request: Request,
    site: SiteDep,
    member: SeesKnowledge,  # noqa: ARG001  # asking for it is the check
    code: str,
    aspect: str,
    region: str = CITY,
) -> Response:
    """All versions, each with what differs from the one before."""
    key = AnswerKey(code, aspect, region)
    values = answer_values(site, key)
    with reading(site.engine) as session:
        past = history.history(session, key)
    nothing = None
    pairs = [
        (one, differences(older.version.wording if older else nothing, one.version.wording))
        for one, older in zip(past, [*past[1:], None], strict=True)
    ]
    return desk_page(request, "knowledge_history.html", {**values, "past": pairs})


def answer_values(site: Site, key: AnswerKey) -> dict[str, Any]:
    """What the pages of one answer show. Raises ``aspect_unknown``, ``region_unknown``."""
    place = site.desk.place
    check_key(key, place)
    values = card_values(site, key.matter)
    tab = values["card"].tab(key.aspect, key.region)
    shown = tab.work or tab.later or tab.said
    blank = Wording("", "", "", "", values["card"].today)
    return {
        **values, "key": key, "tab": tab, "version": tab.work, "shown": shown,
        "wording": shown.wording if shown else blank,
        "said": said_on_phone(shown), "faults": missing(tab.work, values["card"].today),
        "warnings": warned(tab),
        "city_text": None if key.region == CITY else values["card"].tab(key.aspect).said,
    }  # fmt: skip


def approve_one(
    session: Session, act: Act, place: Place, version: int, edition: int, why: str = ""
) -> Version:
    """Approve, after checking it where nobody has."""
    standing = versions.get(session, version)
    if standing.state == "draft":
        seen = versions.check(session, act, place, version, edition=edition)
        edition = seen.edition
    return versions.approve(session, act, place, version, edition=edition, why=why)


def differences(old: Wording | None, new: Wording) -> list[tuple[str, tuple[history.Piece, ...]]]:
    """Field by field what differs; the first version's own text as inserted."""
    before = old or replace(new, text="", speech="", document="", article="")
    fields = ("text", "speech", "document", "article")
    return [
        (name, history.difference(getattr(before, name), getattr(new, name)))
        for name in fields
        if getattr(before, name) != getattr(new, name)
    ]


def _begun(session: Session, act: Act, place: Place, key: AnswerKey) -> tuple[int, int]:
    """A fresh draft and its edition; 0, which never fits, where somebody has written in one."""
    draft = versions.begin(session, act, place, key)
    return draft.id, draft.edition if draft.edition == 1 else 0


def _refuse_other(kept: Version, key: AnswerKey) -> None:
    """The form's version must be of the form's answer."""
    if kept.key != key:
        raise EditError("answer_unknown", "没有这个答复版本")


def _stepped(request: Request, site: Site, version: Version, step: str) -> Response:
    if not wants_part(request):
        return onward(request, answer_path(version.key, step))
    values = {**answer_values(site, version.key), "done": _DONE[step]}
    return desk_page(request, "knowledge_steps.html", values)
