"""Memory of models that loaded well, so that a large one is not loaded twice at every start.

A model is known by its files' names, sizes and times. The memory is a convenience: where it cannot
be written, a model is tried again.
"""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path


class Tried:
    """Notes below ``shelf``, one file a model."""

    def __init__(self, shelf: Path) -> None:
        self._folder = shelf / ".tried"

    def has(self, model: Path) -> bool:
        """Whether exactly these files loaded the last time."""
        try:
            return self._note(model).read_text(encoding="utf-8") == _fingerprint(model)
        except (OSError, UnicodeDecodeError):
            return False

    def take(self, model: Path) -> bool:
        """As `has`, and forget it: `put` it back when it has loaded well again."""
        known = self.has(model)
        with contextlib.suppress(OSError):
            self._note(model).unlink()
        return known

    def put(self, model: Path) -> None:
        """Remember that the model loaded."""
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._note(model).write_text(_fingerprint(model), encoding="utf-8")

    def _note(self, model: Path) -> Path:
        name = hashlib.sha256(str(model.resolve()).encode()).hexdigest()
        return self._folder / name[:32]


def _fingerprint(model: Path) -> str:
    """Changes when a file is added, removed, resized or written; raises OSError."""
    digest = hashlib.sha256()
    for path in sorted(model.rglob("*")):
        about = path.stat()
        digest.update(f"{path.relative_to(model)}\0{about.st_size}\0{about.st_mtime_ns}\n".encode())
    return digest.hexdigest()
