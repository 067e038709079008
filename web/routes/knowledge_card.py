"""One matter's card: its names, how citizens ask, and what of them waits to be published."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy.orm import Session

from knowledge import words
from knowledge.editing import EditError, MatterWords
from knowledge.staging import clashing
from store.engine import reading, writing
from turns.understood import ASPECTS
from web.deps import ApprovesKnowledge, EditsKnowledge, OwnForm, SeesKnowledge, SiteDep, renewed
from web.desk.answering import desk_act, desk_page, desk_part, onward, wants_part
from web.desk.card import card, regions_of
from web.desk.conflicts import conflict_answer
from web.desk.forms import Given, given_words, with_lines
from web.desk.labels import who
from web.desk.paths import matter_path
from web.site import Site

router = APIRouter(prefix="/knowledge", include_in_schema=False)
Edition = Annotated[int, Form(ge=0)]
FormWords = Annotated[Given, Depends(given_words)]
_DONE = {
    "approved": "已经批准，可以发布了。", "rejected": "已经退回。",
    "dropped": "改动已经放弃。",
}  # fmt: skip


@router.get("/{code:matter}")
def card_page(
    request: Request,
    site: SiteDep,
    member: SeesKnowledge,  # noqa: ARG001  # asking for it is the check
    code: str,
    done: str = "",
) -> Response:
    """The matter at a glance."""
    values = {**card_values(site, code), "done": _DONE.get(done, "")}
    return desk_page(request, "knowledge_card.html", values)


@router.post("/{code:matter}/words/save", dependencies=[OwnForm])
def save_words(
    request: Request, site: SiteDep, member: EditsKnowledge, code: str, edition: Edition,
    given: FormWords,
) -> Response:  # fmt: skip
    """Keep what was typed so far of names and ways of saying; JSON for the page's script."""
    act = desk_act(site, member)
    try:
        with writing(site.engine) as session:
            changes = _changes(session, code, given)
            kept = words.stage(session, act, code, changes, edition=edition)
    except EditError as error:
        if error.code != "edit_conflict":
            raise
        return conflict_answer(site.engine, site.city, error, aspect=given.aspect)
    values = card_values(site, code)
    told = {
        "saved": act.at.astimezone(site.city.zone).strftime("%H:%M"), "edition": kept.edition,
        "fresh": {
            "#pending": desk_part(request, "knowledge_pending.html", values),
            "#clashes": desk_part(request, "knowledge_clashes.html", values),
        },
    }  # fmt: skip
    return renewed(request, JSONResponse(told))


@router.post("/{code:matter}/words/approve", dependencies=[OwnForm])
def approve_words(
    request: Request, site: SiteDep, member: ApprovesKnowledge, code: str, edition: Edition
) -> Response:
    """A second person agrees with the changed words."""
    with writing(site.engine) as session:
        words.approve_words(session, desk_act(site, member), code, edition=edition)
    return _pending(request, site, code, "approved")


@router.post("/{code:matter}/words/reject", dependencies=[OwnForm])
def reject_words(
    request: Request, site: SiteDep, member: EditsKnowledge, code: str, edition: Edition,
    why: Annotated[str, Form(max_length=500)] = "",
) -> Response:  # fmt: skip
    """Take an approval back, with a reason."""
    with writing(site.engine) as session:
        words.reject_words(session, desk_act(site, member), code, edition=edition, why=why)
    return _pending(request, site, code, "rejected")


@router.post("/{code:matter}/words/drop", dependencies=[OwnForm])
def drop_words(
    request: Request, site: SiteDep, member: EditsKnowledge, code: str, edition: Edition
) -> Response:
    """Give the changes up; a matter that was never published is gone with them."""
    with writing(site.engine) as session:
        left = words.drop_words(session, desk_act(site, member), code, edition=edition)
    return onward(request, f"{matter_path(code)}?done=dropped" if left else "/knowledge")


def card_values(site: Site, code: str) -> dict[str, Any]:
    """What every page of a matter shows."""
    with reading(site.engine) as session:
        seen = card(session, site.desk.place, code, site.desk.place.day(site.now()))
        clashes = clashing(session, (code,)).get(code, ())
    return {
        "card": seen, "clashes": clashes, "aspects": ASPECTS,
        "regions": regions_of(site.desk.place, seen),
        "who": lambda login: who(login, dict(seen.names)),
    }  # fmt: skip


def _changes(session: Session, code: str, given: Given) -> dict[str, Any]:
    """The fields as they are to be; of questions the page shows one aspect's only."""
    now: MatterWords = words.matter_words(session, code)
    by_aspect = {
        name: with_lines(now.staged[name], given.aspect, lines)
        for name, lines in given.by_aspect.items()
    }
    return {**given.fields, **by_aspect}


def _pending(request: Request, site: Site, code: str, done: str) -> Response:
    if not wants_part(request):
        return onward(request, f"{matter_path(code)}?done={done}")
    values = {**card_values(site, code), "done": _DONE[done]}
    return desk_page(request, "knowledge_pending.html", values)
