"""The seal of an installed model: which files it has, so that damage can be seen and named.

Written into the model's folder when it is placed. A quick look compares sizes, a thorough one
digests.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

SEAL = "qianmen-model.json"


@dataclass(frozen=True, slots=True)
class SealedFile:
    """Size in bytes and SHA-256 of one file."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Seal:
    """What was installed; ``verified``: the archive matched a checksum that was known before."""

    name: str
    archive_bytes: int
    archive_sha256: str
    verified: bool
    files: dict[str, SealedFile]


def digest_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file; raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_seal(folder: Path, seal: Seal) -> None:
    """Seal ``folder``; raises OSError."""
    with (folder / SEAL).open("w", encoding="utf-8") as file:
        json.dump(asdict(seal), file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())


def read_seal(folder: Path) -> Seal | None:
    """The folder's seal; None where there is none that can be read."""
    try:
        return _seal(json.loads((folder / SEAL).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _seal(data: Any) -> Seal:
    files = {
        str(name): SealedFile(int(entry["bytes"]), str(entry["sha256"]))
        for name, entry in data["files"].items()
    }
    return Seal(
        str(data["name"]),
        int(data["archive_bytes"]),
        str(data["archive_sha256"]),
        data["verified"] is True,
        files,
    )


def broken_files(folder: Path, seal: Seal, *, thorough: bool = False) -> list[str]:
    """The files, by their path in the folder, that are not as they were sealed."""
    return [
        name for name, entry in seal.files.items() if not _is_whole(folder / name, entry, thorough)
    ]


def _is_whole(path: Path, entry: SealedFile, thorough: bool) -> bool:
    try:
        if path.stat().st_size != entry.bytes:
            return False
        return not thorough or digest_of(path) == entry.sha256
    except OSError:
        return False
