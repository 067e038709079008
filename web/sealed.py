"""Give out a sealed file, or any part of it, opening only the chunks that are asked for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from starlette.responses import PlainTextResponse, Response, StreamingResponse

from sealing.files import SealedFile
from sealing.keys import Keyring

_RANGE = re.compile(r"\s*bytes\s*=\s*(\d{0,19})\s*-\s*(\d{0,19})\s*")


class RangeError(Exception):
    """A range that the file does not have: 416 (RFC 9110 section 15.5.17)."""


def part_wanted(header: str | None, size: int) -> tuple[int, int] | None:
    """Start and end (not included) in bytes of a Range header; None for the whole.

    What is no single range of bytes is ignored, as RFC 9110 section 14.2 allows. Raises
    :class:`RangeError`.
    """
    match = _RANGE.fullmatch(header or "")
    if match is None or match.group(1, 2) == ("", ""):
        return None
    first, last = match.group(1, 2)
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < start:
            return None
    if start >= size or start == end:
        raise RangeError
    return start, end


def sealed_response(
    path: Path, keys: Keyring, asked: Mapping[str, str], media_type: str, headers: dict[str, str]
) -> Response:
    """The plain contents of the sealed file at ``path``; ``asked`` are the request's headers.

    Raises :class:`sealing.errors.SealError`, OSError.
    """
    with SealedFile(path, keys) as file:
        size = file.size
    tag = _tag(path)
    common = {**headers, "Accept-Ranges": "bytes", "ETag": tag}
    whole = asked.get("if-range", tag) != tag  # it has become another file since
    try:
        part = None if whole else part_wanted(asked.get("range"), size)
    except RangeError:
        refusal = {**headers, "Content-Range": f"bytes */{size}"}
        return PlainTextResponse("Range Not Satisfiable", 416, refusal)
    start, end = part or (0, size)
    common["Content-Length"] = str(end - start)
    if part:
        common["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return StreamingResponse(
        _pieces(path, keys, start, end), 206 if part else 200, common, media_type
    )


def _pieces(path: Path, keys: Keyring, start: int, end: int) -> Iterator[bytes]:
    with SealedFile(path, keys) as file:
        yield from file.read(start, end)


def _tag(path: Path) -> str:
    stat = path.stat()
    mark = hashlib.sha256(f"{stat.st_mtime_ns}-{stat.st_size}".encode()).hexdigest()[:32]
    return f'"{mark}"'
