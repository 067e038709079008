"""Import and export: a file, the report of what it would change, and then drafts of it."""

from __future__ import annotations

import hashlib
import io
import tempfile
import zipfile
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import Response

from knowledge import plan as importing
from knowledge.editing import EditError
from knowledge.exporting import published_contents, write_folder
from knowledge.importing import Imported, read_import
from knowledge.planned import changes
from store.engine import reading, writing
from web.deps import EditsKnowledge, OwnForm, SeesKnowledge, SiteDep, renewed
from web.desk.answering import desk_act, desk_page, wants_part
from web.errors import ProblemError
from web.site import Site

router = APIRouter(prefix="/knowledge/import", include_in_schema=False)
MAX_BYTES = 10 * 1024 * 1024
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_ZIP, _DEFLATED = "application/zip", zipfile.ZIP_DEFLATED
_SUFFIXES = (".xlsx", ".yaml", ".yml")
Upload = Annotated[UploadFile | None, File()]


@router.get("")
def import_page(request: Request, member: SeesKnowledge) -> Response:  # noqa: ARG001  # asking for it is the check
    """The form, and the way to what is published."""
    return desk_page(request, "knowledge_import.html", _NOTHING)


@router.post("", dependencies=[OwnForm])
def report(
    request: Request,
    site: SiteDep,
    member: EditsKnowledge,
    file: Upload = None,
) -> Response:
    """What the file would change; nothing is changed."""
    imported, seen = _read(site, file)
    return _report(request, site, imported, seen, member.login)


@router.post("/apply", dependencies=[OwnForm])
def apply(
    request: Request, site: SiteDep, member: EditsKnowledge, file: Upload = None,
    seen: Annotated[str, Form()] = "",
) -> Response:  # fmt: skip
    """Make drafts of it: of the very file whose report was looked at (``seen``), no other."""
    imported, digest = _read(site, file)
    if digest != seen or imported.faults:
        changed = bool(seen) and digest != seen
        return _report(request, site, imported, digest, member.login, changed=changed)
    with writing(site.engine) as session:
        made = importing.apply(session, desk_act(site, member), site.desk.place, imported)
    values = {**_NOTHING, "made": made}
    name = "knowledge_report.html" if wants_part(request) else "knowledge_import.html"
    return desk_page(request, name, values)


@router.get("/export.xlsx")
def export(request: Request, site: SiteDep, member: SeesKnowledge) -> Response:  # noqa: ARG001  # as above
    """What is published, and every matter's words, as XLSX."""
    day = site.desk.place.day(site.now())
    with reading(site.engine) as session:
        data = importing.export_workbook(session, site.desk.place, day)
    headers = {"Content-Disposition": f'attachment; filename="knowledge-{day.isoformat()}.xlsx"'}
    return renewed(request, Response(data, media_type=_XLSX, headers=headers))


@router.get("/export.zip")
def export_files(request: Request, site: SiteDep, member: SeesKnowledge) -> Response:  # noqa: ARG001  # as above
    """The same as YAML files, one a matter, in a ZIP file."""
    day = site.desk.place.day(site.now())
    with reading(site.engine) as session:
        contents = published_contents(session, day)
    file = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(file, "w", _DEFLATED) as packed:
        for path in write_folder(Path(folder), contents):
            packed.write(path, f"knowledge/{path.name}")
    headers = {"Content-Disposition": f'attachment; filename="knowledge-{day.isoformat()}.zip"'}
    return renewed(request, Response(file.getvalue(), media_type=_ZIP, headers=headers))


_NOTHING: dict[str, Any] = {
    "plan": None, "seen": "", "changed": False, "made": None, "differences": changes,
}  # fmt: skip


def _read(site: Site, file: UploadFile | None) -> tuple[Imported, str]:
    """The file as it is read, and its digest. Raises ``file_missing``, ``import_refused``."""
    if file is None or not file.filename:
        raise ProblemError(422, "file_missing")
    name = Path(file.filename.replace("\\", "/")).name[:120]
    suffix = Path(name).suffix.lower()
    if suffix not in _SUFFIXES:
        raise EditError("import_refused", "只能导入 XLSX 或 YAML 文件")
    data = file.file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise EditError("import_refused", "文件太大了，最大 10 MB")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"upload{suffix}"
        path.write_bytes(data)
        imported = read_import(path, site.desk.place, name)
    return imported, hashlib.sha256(data).hexdigest()


def _report(
    request: Request, site: Site, imported: Imported, seen: str, login: str, *,
    changed: bool = False,
) -> Response:  # fmt: skip
    today = site.desk.place.day(site.now())
    with reading(site.engine) as session:
        plan = importing.plan(session, imported, site.desk.place, today, login)
    values = {**_NOTHING, "plan": plan, "seen": seen, "changed": changed}
    name = "knowledge_report.html" if wants_part(request) else "knowledge_import.html"
    return desk_page(request, name, values, 200 if plan.ok else 422)
