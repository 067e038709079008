"""The supervisor's wall, and the small one that every agent may see: live by server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from handoff import alarms
from web import audit
from web.accounts import signed_in
from web.deps import OwnForm, SeesOrders, SeesWall, SiteDep, Supervises, renewed
from web.errors import ProblemError
from web.rights import Right
from web.sessions import LONGEST, StaffSession
from web.site import Site
from web.templating import page
from web.wall import words
from web.wall.feed import PERIODS, feed_of
from web.wall.live import small

router = APIRouter(prefix="/wall", include_in_schema=False)
CHECK_EVERY = timedelta(seconds=60)
"""How often an open wall is asked whether whoever opened it is still of the staff."""

QUIET_S = 15


@router.get("")
def wall_page(request: Request, site: SiteDep, member: SeesWall, big: str = "") -> Response:
    """The wall; ``big``: for a screen that is read from afar."""
    audit.note_viewing(site, member.login, "wall_viewed", "wall")
    return renewed(request, _page(request, big=bool(big), live="/wall/live", whole=True))


@router.get("/small")
def small_page(request: Request, site: SiteDep, member: SeesOrders) -> Response:  # noqa: ARG001  # asking for it is the check
    """How the house does today, without names."""
    return renewed(request, _page(request, big=False, live="/wall/small/live", whole=False))


def _page(request: Request, *, big: bool, live: str, whole: bool) -> Response:
    values = {"big": big, "live": live, "whole": whole, "periods": PERIODS,
              "meanings": words.MEANINGS, "words": words.for_page()}  # fmt: skip
    return page(request, "wall.html", values)


@router.get("/live")
async def live(request: Request, site: SiteDep, member: SeesWall) -> Response:  # noqa: ARG001  # as above
    """The live figures, an event whenever they are counted anew."""
    return _stream(request, site, Right.SEE_WALL)


@router.get("/small/live")
async def small_live(request: Request, site: SiteDep, member: SeesOrders) -> Response:  # noqa: ARG001  # as above
    """As :func:`live`, what everybody may see."""
    return _stream(request, site, Right.SEE_ORDERS)


@router.get("/days")
async def days(request: Request, member: SeesWall, length: int = 7) -> Response:  # noqa: ARG001  # as above
    """What happened by day: the last 7 or 30."""
    if length not in PERIODS:
        raise ProblemError(422, "request_invalid")
    return JSONResponse(await feed_of(request.app).period(length))


@router.post("/alarms/{alarm}/seen", dependencies=[OwnForm])
def alarm_seen(request: Request, site: SiteDep, member: Supervises, alarm: int) -> Response:
    """Somebody looks after it."""
    if alarms.seen(site.engine, alarm, member.login, site.now()):
        audit.note(site, member.login, "alarm_seen", str(alarm))
    if request.headers.get("accept") == "application/json":
        return renewed(request, Response(status_code=204))
    return renewed(request, RedirectResponse("/wall", 303))


def _stream(request: Request, site: Site, right: Right) -> Response:
    session: StaffSession = request.state.session
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(
        _events(request, site, session, right), media_type="text/event-stream", headers=headers
    )


async def _events(
    request: Request, site: Site, session: StaffSession, right: Right
) -> AsyncIterator[str]:
    """Until the browser goes, or whoever looks may look no more.

    A wall is looked at, not worked with: it lives as long as a shift, whatever the idle time.
    """
    feed, seen, checked = feed_of(request.app), 0, site.now()
    async with feed.looking():
        # Whoever has gone ends it: nothing can be sent to them.
        while not getattr(request.app.state, "stopping", False):
            try:
                async with asyncio.timeout(QUIET_S):
                    seen, figures = await feed.next(seen)
            except TimeoutError:
                yield ": nothing can be counted now\n\n"
                continue
            if site.now() - checked >= CHECK_EVERY:
                checked = site.now()
                if not await run_in_threadpool(_may_still, site, session, right, checked):
                    yield "event: over\ndata: {}\n\n"
                    return
            yield _event(figures if right == Right.SEE_WALL else small(figures))


def _may_still(site: Site, session: StaffSession, right: Right, now: datetime) -> bool:
    member = signed_in(site.engine, session)
    young = now - session.since < LONGEST
    return young and member is not None and right in member.rights


def _event(figures: dict[str, Any]) -> str:
    return f"data: {json.dumps(figures, ensure_ascii=False)}\n\n"
