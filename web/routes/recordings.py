"""Recordings of calls, played from any place (HTTP Range requests)."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response

from store.engine import reading
from store.tables import Recording
from web import audit
from web.deps import MemberDep, SiteDep
from web.errors import ProblemError

router = APIRouter(prefix="/recordings", include_in_schema=False)
_TYPES = {".wav": "audio/wav", ".ogg": "audio/ogg", ".opus": "audio/ogg", ".mp3": "audio/mpeg",
          ".flac": "audio/flac"}  # fmt: skip


@router.get("/{recording}")
def play(site: SiteDep, member: MemberDep, recording: str) -> Response:
    """The sound of one recording; listening is written down."""
    with reading(site.engine) as session:
        row = session.get(Recording, recording)
        path = row.path if row else None
    file = _inside(site.recordings, path) if path else None
    if file is None:
        raise ProblemError(404, "recording_unknown")
    audit.note_viewing(site.engine, member.login, "recording_played", recording, site.now())
    return FileResponse(
        file,
        media_type=_TYPES.get(file.suffix.lower(), "application/octet-stream"),
        headers={"Cache-Control": "private, no-store"},
    )


def _inside(folder: Path, path: str) -> Path | None:
    """The file, if it is one and lies in ``folder`` after all links are followed."""
    root = folder.resolve()
    file = (root / path).resolve()
    return file if file.is_relative_to(root) and file.is_file() else None
