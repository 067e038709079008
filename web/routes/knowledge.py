"""The desk's first pages: all matters, search as one types, what ends soon, a new matter."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from knowledge import versions, words
from knowledge.editing import EditError
from knowledge.wording import speech_of
from store.engine import reading, writing
from tts.errors import TtsError
from web.deps import EditsKnowledge, OwnForm, SeesKnowledge, SiteDep
from web.desk.answering import desk_act, desk_page, onward, wants_part
from web.desk.overview import FILTERS, found, overview
from web.desk.paths import matter_path
from web.errors import EDIT_STATUS, ProblemError
from web.site import Site

router = APIRouter(prefix="/knowledge", include_in_schema=False)
_LONGEST_SEARCH = 60


@router.get("")
def matters_page(
    request: Request,
    site: SiteDep,
    member: SeesKnowledge,  # noqa: ARG001  # asking for it is the check
    q: str = "",
    state: str = "",
) -> Response:
    """All matters, or those found; only the list where the page itself asks for it."""
    with reading(site.engine) as session:
        seen = overview(session, site.desk.place.day(site.now()))
    state = state if state in FILTERS else ""
    q = q.strip()[:_LONGEST_SEARCH]
    values = {
        "rows": found(seen.rows, q, state), "seen": seen, "q": q, "state": state,
        "filters": FILTERS, "counts": seen.counts(),
    }  # fmt: skip
    name = "knowledge_list.html" if wants_part(request) else "knowledge.html"
    return desk_page(request, name, values)


@router.get("/expiring")
def expiring_page(request: Request, site: SiteDep, member: SeesKnowledge) -> Response:  # noqa: ARG001  # as above
    """Answers that end within 30 days, and those that ended with nothing in their place."""
    with reading(site.engine) as session:
        seen = overview(session, site.desk.place.day(site.now()))
    return desk_page(request, "knowledge_expiring.html", {"seen": seen})


@router.get("/new")
def new_page(request: Request, site: SiteDep, member: EditsKnowledge) -> Response:  # noqa: ARG001  # as above
    """The form for a new matter."""
    return _new_form(request, site)


@router.post("/new", dependencies=[OwnForm])
def take_new(
    request: Request,
    site: SiteDep,
    member: EditsKnowledge,
    code: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    department: Annotated[str, Form()] = "",
) -> Response:
    """Add a matter: a draft that nobody is understood by before it is published."""
    typed = {"code": code.strip().lower(), "name": name.strip(), "department": department.strip()}
    try:
        with writing(site.engine) as session:
            fields = {"name": typed["name"], "department": typed["department"]}
            made = words.add_matter(session, desk_act(site, member), typed["code"], fields)
    except EditError as error:
        return _new_form(request, site, typed, wrong=error)
    return onward(request, matter_path(made.code))


@router.get("/versions/{version}/sound")
async def sound(site: SiteDep, member: SeesKnowledge, version: int) -> Response:
    """A version as it sounds on the telephone: WAV, 8 kHz."""
    if not site.desk.sound.allows(member.login):
        raise ProblemError(429, "listened_too_often")
    speech = await run_in_threadpool(_speech, site, version)
    try:
        data = await site.desk.sound.wav(speech)
    except TtsError:
        raise ProblemError(503, "sound_unavailable") from None
    return Response(data, media_type="audio/wav", headers={"Cache-Control": "private, no-store"})


def _speech(site: Site, version: int) -> str:
    with reading(site.engine) as session:
        return speech_of(versions.get(session, version).wording)


def _new_form(
    request: Request, site: Site, typed: dict[str, str] | None = None,
    wrong: EditError | None = None,
) -> Response:  # fmt: skip
    departments = [one.name for one in site.city.departments]
    blank = {"code": "", "name": "", "department": ""}
    values = {"typed": typed or blank, "wrong": wrong, "departments": departments}
    status = EDIT_STATUS.get(wrong.code, 422) if wrong else 200
    return desk_page(request, "knowledge_new.html", values, status)
