"""What citizens send beside words: taken from their page, shown to them and to staff."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import JSONResponse, Response

from bot.progress import AskedWrongError, asked_of, progress_of, told
from chat.attachments import Kept, one_of
from chat.door import origin_allowed
from chat.uploads import MOST_BYTES, UploadError, UploadKind, Uploads, bounded, door_slow
from store.engine import reading
from web import audit
from web.deps import HearsRecordings, Open, SiteDep
from web.errors import ProblemError
from web.sealed import RangeError, part_wanted
from web.secrecy import knows_conversation
from web.site import Site

router = APIRouter(include_in_schema=False)
_PRIVATE = {"Cache-Control": "private, no-store", "Content-Disposition": "inline"}
_MOST_JSON = 2048


def _own_page(request: Request, site: SiteDep) -> None:
    """The citizen's own page asks, no other site's; raises :class:`UploadError`."""
    if not origin_allowed(request, site.door.origins):
        raise UploadError("origin_refused")


OwnPage = Depends(_own_page)


@router.post("/chat/attachment", dependencies=[Open, OwnPage])
async def send(
    request: Request, site: SiteDep, kind: UploadKind, id: str = "",  # noqa: A002  # the page's name
    line: str = "", x_chat_session: str = Header(default="", max_length=1000),
) -> Response:  # fmt: skip
    """A photo or a voice note: the body is the file, the answer 200 its acknowledgement."""
    uploads: Uploads = site.uploads
    _short_enough(request, MOST_BYTES[kind])
    session = uploads.session(x_chat_session)
    number = site.city.line(line).number
    return JSONResponse(
        await uploads.take(session, _address(request), kind, id, number, request.stream())
    )


@router.get("/chat/attachment/{attachment}", dependencies=[Open])
async def own(
    site: SiteDep, attachment: str, x_chat_session: str = Header(default="", max_length=1000)
) -> Response:
    """A file of the citizen's own conversation."""
    session = site.door.sessions.read(x_chat_session, site.now())
    kept = (
        await asyncio.to_thread(one_of, site.engine, attachment, session.conversation)
        if session else None
    )  # fmt: skip
    if kept is None:
        raise ProblemError(404, "not_found")
    return await _file(site, kept)


@router.get("/attachments/{attachment}")
async def shown(
    request: Request, site: SiteDep, member: HearsRecordings, attachment: str
) -> Response:
    """A file that a citizen sent, for staff; looking at it is written down."""
    kept = await asyncio.to_thread(one_of, site.engine, attachment)
    if kept is None:
        raise ProblemError(404, "not_found")
    await asyncio.to_thread(_may_see, site, member, kept)
    return await _file(site, kept, request.headers.get("range"))


def _may_see(site: Site, member: HearsRecordings, kept: Kept) -> None:
    with reading(site.engine) as session:
        knows = knows_conversation(session, kept.conversation, member, site.city.orders)
    if not knows:
        audit.note_viewing(site, member.login, "order_refused", kept.id)
        raise ProblemError(403, "conversation_secret")
    audit.note_viewing(site, member.login, "attachment_seen", kept.id)


@router.post("/chat/progress", dependencies=[Open, OwnPage])
async def progress(request: Request, site: SiteDep) -> Response:
    """How an order stands, for who knows its number and the telephone number it was told with."""
    door = site.door
    _short_enough(request, _MOST_JSON)
    try:
        number, phone = asked_of(await bounded(request.stream(), _MOST_JSON))
    except AskedWrongError:
        raise UploadError("frame_malformed") from None
    wait_s = door.limits.ask(number, _address(request), door.clock())
    if wait_s:
        raise door_slow(door, wait_s)
    found = await asyncio.to_thread(progress_of, site.engine, number, phone)
    return JSONResponse(told(site.city.prompts, found, site.city.zone))


async def _file(site: Site, kept: Kept, range_: str | None = None) -> Response:
    """The file, or the part of it that a player asks for: without that it cannot go back."""
    data = await asyncio.to_thread(site.door.files.read, kept.path)
    if data is None:
        raise ProblemError(404, "not_found")
    headers = {**_PRIVATE, "Accept-Ranges": "bytes"}
    try:
        part = part_wanted(range_, len(data))
    except RangeError:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{len(data)}"})
    if part is None:
        return Response(data, media_type=kept.media_type, headers=headers)
    start, end = part
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(data)}"
    return Response(data[start:end], 206, headers, kept.media_type)


def _short_enough(request: Request, most: int) -> None:
    """What says that it is too long is not read at all."""
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length[:12]) > most:
        raise UploadError("too_big")


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
