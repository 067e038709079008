"""Trying a question: the page, and the box beside a card."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from knowledge.matters import CITY
from web.deps import OwnForm, SeesKnowledge, SiteDep
from web.desk.answering import desk_page, wants_part
from web.desk.trying import LONGEST, Trial, try_question
from web.site import Site

router = APIRouter(prefix="/knowledge", include_in_schema=False)


@router.get("/try")
def try_page(request: Request, site: SiteDep, member: SeesKnowledge) -> Response:  # noqa: ARG001  # asking for it is the check
    """The page with nothing tried yet."""
    return _page(request, site, None)


@router.post("/try", dependencies=[OwnForm])
def take_question(
    request: Request,
    site: SiteDep,
    member: SeesKnowledge,  # noqa: ARG001  # as above
    text: Annotated[str, Form(max_length=20_000)] = "",
    region: Annotated[str, Form()] = "",
    matter: Annotated[str, Form()] = "",
) -> Response:
    """Ask it. By POST: what somebody tries may be what a citizen wrote."""
    place = site.desk.place
    words = text.strip()[:LONGEST]
    where = region if region in place.regions and region != CITY else ""
    trial = None
    if words:
        live = site.desk.published.search()
        trial = try_question(
            site.engine, place, live, words, site.now(), region=where, matter=matter
        )
    return _page(request, site, trial, text=words, region=where)


def _page(
    request: Request, site: Site, trial: Trial | None, text: str = "", region: str = ""
) -> Response:
    values = {"trial": trial, "text": text, "region": region, "regions": site.desk.place.regions}
    name = "knowledge_tried.html" if wants_part(request) else "knowledge_try.html"
    return desk_page(request, name, values)
