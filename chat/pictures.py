"""A photo from a stranger, made ours: known by its first bytes, its pixels drawn anew.

What the camera wrote beside the pixels (place, time, owner, a smaller picture) is left out, and so
is whatever somebody hid in the file.
"""

from __future__ import annotations

import io
from typing import Literal

from PIL import Image, ImageOps

MOST_PIXELS = 50_000_000
"""More than any telephone's camera; decoded, that is 150 MB."""
LONGEST_SIDE = 2560
"""Pixels that are kept: a number plate and a door's number are still read."""
_QUALITY = 85
_FORMATS = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG"}

_HEIC = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
)
"""Brands of the iPhone's own format (ISO/IEC 23008-12). Its decoders, libheif and libde265, are not
let near what strangers send: pictures that took over whoever decoded them were known in 2026. An
iPhone converts what it sends to a page, and so does WeChat."""

PictureCode = Literal["kind_unknown", "picture_heic", "picture_broken", "picture_too_large"]


class PictureError(Exception):
    """A photo that cannot be kept; ``code`` is stable."""

    def __init__(self, code: PictureCode, message: str) -> None:
        super().__init__(message)
        self.code: PictureCode = code


def format_of(data: bytes) -> str:
    """JPEG, PNG or WEBP by the first bytes; '' for anything else."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    return next((name for magic, name in _FORMATS.items() if data.startswith(magic)), "")


def redrawn(data: bytes) -> bytes:
    """The photo as a JPEG, upright, at most :data:`LONGEST_SIDE`, and nothing but its pixels.

    Blocking: call it in a thread. Raises :class:`PictureError`.
    """
    name = format_of(data)
    if not name:
        heic = data[4:8] == b"ftyp" and data[8:12] in _HEIC
        raise PictureError("picture_heic" if heic else "kind_unknown", "no photo that we know")
    try:
        with Image.open(io.BytesIO(data), formats=[name]) as picture:
            return _redrawn(picture)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureError("picture_too_large", "far too many pixels") from None
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, ArithmeticError) as error:
        raise PictureError("picture_broken", type(error).__name__) from None


def _redrawn(picture: Image.Image) -> bytes:
    width, height = picture.size
    if width * height > MOST_PIXELS:  # known from the header, before a pixel is decoded
        raise PictureError("picture_too_large", f"{width} x {height} pixels")
    picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # JPEG only: decodes at a lower scale
    upright = ImageOps.exif_transpose(picture)
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    _plain(upright).save(out, "JPEG", quality=_QUALITY, exif=b"")
    return out.getvalue()


def _plain(picture: Image.Image) -> Image.Image:
    """The pixels alone, on white where they were transparent."""
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        white = Image.new("RGB", picture.size, "white")
        white.paste(picture, mask=picture.getchannel("A"))
        return white
    fresh = picture.convert("RGB")
    fresh.info = {}
    return fresh
