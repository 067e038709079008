"""Media that citizens sent, as the platform keeps them for three days."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from qianmen.wechatsim.codes import Refusal

KEPT_S = 3 * 86400
_TYPES = {"jpg": "image/jpeg", "png": "image/png", "gif": "image/gif", "amr": "audio/amr",
          "speex": "voice/speex", "mp4": "video/mp4"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Medium:
    """One file; ``suffix`` says its kind."""

    data: bytes
    suffix: str
    until: float

    @property
    def type(self) -> str:
        """Its Content-Type, as the platform gives it."""
        return _TYPES.get(self.suffix, "application/octet-stream")


@dataclass
class Media:
    """All files by media id."""

    files: dict[str, Medium] = field(default_factory=dict)

    def keep(self, data: bytes, suffix: str, now: float) -> str:
        """The media id of a new file; ``suffix``: jpg, png, gif, amr, speex, mp4."""
        known = secrets.token_urlsafe(48)
        self.files[known] = Medium(data, suffix, now + KEPT_S)
        return known

    def fetch(self, known: str, now: float) -> Medium:
        """The file; raises :class:`Refusal` 41006, 40007."""
        if not known:
            raise Refusal(41006)
        medium = self.files.get(known)
        if medium is None or now >= medium.until:
            raise Refusal(40007)
        return medium
