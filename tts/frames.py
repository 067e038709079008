"""How the phone and its synthesiser process talk: length-prefixed frames over pipes.

A frame is a 4-byte big-endian length and that many bytes. A request is JSON ``{"text", "voice",
"speed", …}``; an answer's first byte is 0 for sound (s16le, 8 kHz) or 1 for an error's code in
ASCII.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass
from typing import BinaryIO

HEADER = struct.Struct(">I")
MAX_FRAME_BYTES = 64 * 1024 * 1024
_SOUND, _ERROR = b"\0", b"\1"


class FrameError(ValueError):
    """Bytes that are no frame of this protocol; ``code`` is ``frame_invalid``."""

    code = "frame_invalid"


@dataclass(frozen=True, slots=True)
class Request:
    """What to speak; ``speed`` in words a minute, ``rate`` how that is to the configured speed.

    ``readings``: words of the text and their pinyin, where the city says how they are read.
    ``command``: by the city's own synthesiser, whose name in the cache is ``voice``.
    """

    text: str
    voice: str
    speed: int
    rate: float = 1.0
    command: bool = False
    readings: tuple[tuple[str, str], ...] = ()


def framed(payload: bytes) -> bytes:
    """``payload`` as a frame."""
    return HEADER.pack(len(payload)) + payload


def frame_length(header: bytes) -> int:
    """The payload's length in bytes; raises `FrameError`."""
    if len(header) != HEADER.size:
        raise FrameError("a header cut short")
    (length,) = HEADER.unpack(header)
    if length > MAX_FRAME_BYTES:
        raise FrameError("a frame too long")
    return int(length)


def read_frame(source: BinaryIO) -> bytes | None:
    """The next payload, None at the end; raises `FrameError` for one cut short."""
    header = source.read(HEADER.size)
    if not header:
        return None
    payload = source.read(length := frame_length(header))
    if len(payload) != length:
        raise FrameError("a frame cut short")
    return payload


def dump_request(request: Request) -> bytes:
    """A request's payload."""
    return json.dumps(asdict(request), ensure_ascii=False).encode()


def load_request(payload: bytes) -> Request:
    """A payload's request; raises `FrameError`."""
    try:
        data = json.loads(payload)
        return Request(
            str(data["text"]), str(data["voice"]), int(data["speed"]),
            float(data.get("rate", 1.0)), bool(data.get("command")),
            tuple((str(word), str(reading)) for word, reading in data.get("readings", ())),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, RecursionError):
        raise FrameError("not a request") from None


def sound(pcm: bytes) -> bytes:
    """An answer's payload that carries sound."""
    return _SOUND + pcm


def failure(code: str) -> bytes:
    """An answer's payload that carries an error's code."""
    return _ERROR + code.encode("ascii")


def load_answer(payload: bytes) -> tuple[bytes, str]:
    """(sound, error code), one of them empty; raises `FrameError`."""
    kind, rest = payload[:1], payload[1:]
    if kind == _SOUND and rest and len(rest) % 2 == 0:
        return rest, ""
    if kind == _ERROR and rest.isascii():
        return b"", rest.decode("ascii")
    raise FrameError("not an answer")
