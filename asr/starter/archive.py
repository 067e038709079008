"""The starter model on disk: checked against its manifest and unpacked. Standard library only.

The model knows synthetic voices only; `manifest()` says so in `fitness`.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import shutil
import tarfile
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ARCHIVE = HERE / "model.tar.xz"
MANIFEST = HERE / "manifest.json"
_MODEL_FOLDER = "starter-model"


class ModelError(Exception):
    """The starter model cannot be used; `code` is `model_missing` or `model_corrupt`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def manifest(path: Path = MANIFEST) -> dict[str, Any]:
    """What the model was made from and how well it does.

    Raises ModelError (`model_missing`, `model_corrupt`).
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        _files(content)
        return content
    except FileNotFoundError as error:
        raise ModelError("model_missing", f"{path.name} is missing") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError("model_corrupt", f"{path.name} cannot be read") from error


def _files(content: dict[str, Any]) -> dict[str, str]:
    """Path → sha256 of each file of the model."""
    return {str(name): str(entry["sha256"]) for name, entry in content["files"].items()}


def _is_intact(folder: Path, files: dict[str, str]) -> bool:
    return all(
        (folder / name).is_file() and sha256_of(folder / name) == digest
        for name, digest in files.items()
    )


def _unpack(archive: Path, folder: Path, files: dict[str, str]) -> None:
    try:
        with tarfile.open(archive, "r:xz") as tar:
            for name in files:  # only what the manifest names; Debian 12's tarfile has no filters
                _extract(tar, name, folder / name)
    except (tarfile.TarError, lzma.LZMAError, OSError, EOFError, KeyError) as error:
        raise ModelError("model_corrupt", f"{archive.name} cannot be unpacked") from error
    if not _is_intact(folder, files):
        raise ModelError("model_corrupt", f"{archive.name} does not hold what its manifest says")


def _extract(tar: tarfile.TarFile, name: str, path: Path) -> None:
    """Write one regular file; raises KeyError where the archive has none of that name."""
    content = tar.extractfile(name)
    if content is None:
        raise KeyError(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with content, path.open("wb") as file:
        shutil.copyfileobj(content, file)


def ensure_model(
    target_dir: Path, *, archive: Path = ARCHIVE, manifest_path: Path = MANIFEST
) -> Path:
    """The folder of the unpacked model, below `target_dir`, unpacked now if it is not yet there.

    The folder's name carries the archive's digest, so that a new model never meets files of an
    old one. The unpacked files are checked each time; a damaged copy is replaced. Unpacking is
    atomic: several processes may do it at once, and a crash leaves no half model behind. Raises
    ModelError (`model_missing`: no archive or manifest, or `target_dir` cannot be written;
    `model_corrupt`: contents differ from the manifest).
    """
    content = manifest(manifest_path)
    files = _files(content)
    digest = str(content.get("archive", {}).get("sha256", ""))
    final = target_dir / f"{_MODEL_FOLDER}-{digest[:12]}"
    if _is_intact(final, files):
        return final
    if not archive.is_file():
        raise ModelError("model_missing", f"{archive.name} is missing")
    if sha256_of(archive) != digest:
        raise ModelError("model_corrupt", f"{archive.name} does not match its manifest")
    try:
        target_dir.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=target_dir))
    except OSError as error:
        raise ModelError("model_missing", "no place to unpack the model") from error
    try:
        _unpack(archive, work, files)
        _put_in_place(work, final, files)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return final


def _put_in_place(work: Path, final: Path, files: dict[str, str]) -> None:
    """Rename the unpacked folder; another process may have been quicker, or a damaged copy may
    stand in the way."""
    work.chmod(0o755)
    try:
        work.replace(final)
        return
    except OSError:
        if _is_intact(final, files):
            return
    shutil.rmtree(final, ignore_errors=True)
    try:
        work.replace(final)
    except OSError as error:
        if not _is_intact(final, files):
            raise ModelError("model_corrupt", "the unpacked model cannot be replaced") from error


def pack(folder: Path, archive: Path) -> None:
    """Write `folder` as a .tar.xz that depends on nothing but the files' contents."""
    with (
        lzma.open(archive, "wb", preset=9 | lzma.PRESET_EXTREME) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            entry = tarfile.TarInfo(path.relative_to(folder).as_posix())
            entry.size, entry.mode, entry.mtime = path.stat().st_size, 0o644, 0
            with path.open("rb") as file:
                tar.addfile(entry, file)
