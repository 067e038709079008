"""Files that citizens sent, on disk beside the recordings, sealed where there is a key."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path

from sealing.files import SealedFile, delete_files, sealed_path, write_sealed
from sealing.keys import Keyring

FOLDER = "attachments"
"""Below the recordings' folder: what copies, moves or seals those takes these along."""
SUFFIXES = {
    "image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "audio/webm": ".webm",
    "audio/ogg": ".ogg", "audio/mp4": ".m4a", "audio/amr": ".amr", "audio/wav": ".voice",
    "audio/mpeg": ".mp3", "video/mp4": ".mp4",
}  # fmt: skip
"""Not .wav: the keeper takes that for the recording of a call."""


@dataclass(frozen=True, slots=True)
class Files:
    """The files below ``folder``, the recordings'; ``keys`` None stores them plainly."""

    folder: Path
    keys: Keyring | None = None

    def write(self, name: str, media_type: str, data: bytes) -> str:
        """Keep ``data`` under ``name``, whole or not at all; its path. Raises OSError."""
        path = f"{FOLDER}/{name[:2]}/{name}{SUFFIXES.get(media_type, '.bin')}"
        plain = self.folder / path
        plain.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.keys is not None:
            write_sealed(sealed_path(plain), io.BytesIO(data), self.keys)
            return path
        part = plain.with_name(plain.name + ".part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(plain)
        return path

    def read(self, path: str) -> bytes | None:
        """What lies at ``path``; None where nothing does. Raises OSError, ``SealError``."""
        plain = self._inside(path)
        if plain is None:
            return None
        if sealed_path(plain).is_file() and self.keys is not None:
            with SealedFile(sealed_path(plain), self.keys) as file:
                return b"".join(file.read(0, file.size))
        return plain.read_bytes() if plain.is_file() else None

    def remove(self, path: str) -> None:
        """Nothing lies at ``path`` any more. Raises OSError."""
        delete_files(self.folder, path)

    def _inside(self, path: str) -> Path | None:
        root = self.folder.resolve()
        plain = (root / path).resolve()
        return plain if plain.is_relative_to(root) else None
