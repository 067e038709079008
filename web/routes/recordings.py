"""Recordings of calls, played from any place (HTTP Range requests)."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response

from sealing.files import SUFFIX, sealed_path
from store.engine import reading
from store.seal import SealError, keys_of
from store.tables import Recording
from web import audit
from web.deps import HearsRecordings, SiteDep
from web.errors import ProblemError
from web.sealed import sealed_response
from web.secrecy import knows_conversation

router = APIRouter(prefix="/recordings", include_in_schema=False)
_TYPES = {".wav": "audio/wav", ".ogg": "audio/ogg", ".opus": "audio/ogg", ".mp3": "audio/mpeg",
          ".flac": "audio/flac"}  # fmt: skip


@router.get("/{recording}")
def play(site: SiteDep, member: HearsRecordings, recording: str, request: Request) -> Response:
    """The sound of one recording; listening is written down."""
    with reading(site.engine) as session:
        row = session.get(Recording, recording)
        path = row.path if row else None
        secret = row is not None and not knows_conversation(
            session, row.conversation_id, member, site.city.orders
        )
    if secret:
        audit.note_viewing(site, member.login, "order_refused", recording)
        raise ProblemError(403, "conversation_secret")
    file = _inside(site.recordings, path) if path else None
    if file is None:
        raise ProblemError(404, "recording_unknown")
    audit.note_viewing(site, member.login, "recording_played", recording)
    kind = _TYPES.get(Path(path or "").suffix.lower(), "application/octet-stream")
    headers = {"Cache-Control": "private, no-store"}
    if file.suffix != SUFFIX:
        return FileResponse(file, media_type=kind, headers=headers)
    keys = keys_of(site.engine)
    if keys is None:
        raise SealError("data_key_missing", "a sealed recording, but QIANMEN_DATA_KEY is not set")
    return sealed_response(file, keys, request.headers, kind, headers)


def _inside(folder: Path, path: str) -> Path | None:
    """The file, sealed or plain, if it lies in ``folder`` after all links are followed."""
    root = folder.resolve()
    for form in (sealed_path(root / path), root / path):
        file = form.resolve()
        if file.is_relative_to(root) and file.is_file():
            return file
    return None
