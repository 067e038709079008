"""A half-fetched file on disk: what is there of it, and where that came from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

from asr.models.disk import writing

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Origin:
    """A URL, and the server's mark (ETag or date) of the version of the file it gave."""

    url: str = ""
    mark: str = ""


class Part:
    """The file and its digest so far; an earlier fetch's beginning of it is taken over.

    Everything raises `ModelError` ``model_space`` or ``model_unwritable``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._note = path.with_suffix(".json")
        self._digest = hashlib.sha256()
        with writing(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+b")
            self._file.seek(0)
            while piece := self._file.read(_PIECE):
                self._digest.update(piece)
                self.size += len(piece)
        self.kept = self.size
        """Bytes of it that are from an earlier fetch."""

    def __enter__(self) -> Part:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    @property
    def sha256(self) -> str:
        """Digest of what is there."""
        return self._digest.hexdigest()

    @property
    def origin(self) -> Origin:
        """Where the beginning came from; empty when not known."""
        try:
            noted = json.loads(self._note.read_text(encoding="utf-8"))
            return Origin(str(noted["url"]), str(noted["mark"]))
        except (OSError, ValueError, KeyError, TypeError):
            return Origin()

    def begin(self, origin: Origin = Origin()) -> None:  # frozen
        """Empty it, to be filled from ``origin``."""
        with writing(self.path.parent):
            self._file.truncate(0)
            self._note.write_text(json.dumps(asdict(origin)), encoding="utf-8")
        self._digest, self.size, self.kept = hashlib.sha256(), 0, 0

    def add(self, piece: bytes) -> None:
        """Append ``piece``."""
        with writing(self.path.parent):
            self._file.write(piece)
            self._file.flush()
        self._digest.update(piece)
        self.size += len(piece)
