"""A voice note: from the file that a browser or WeChat sent to sound, and from sound to words.

What is decoded comes from strangers: its first bytes choose the one demuxer that may read it, only
codecs of voice notes are opened, and no more sound is made of it than a note may be long.
"""

from __future__ import annotations

import asyncio
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidURI, WebSocketException

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.resampler import AudioResampler

SAMPLE_RATE = 8000
"""Hz; samples are 16-bit little-endian, mono: the rate that calls are recognised at."""
LONGEST_S = 60.0
"""As long as WeChat's own voice notes may be."""
SHORTEST_S = 0.2
RECOGNISE_S = 30.0
_PIECE = SAMPLE_RATE  # half a second of sound a message
_TAIL = bytes(2 * SAMPLE_RATE * 3 // 10)  # so much silence lets a recogniser hear the last word out
_CODECS = frozenset({
    "opus", "libopus", "vorbis", "aac", "mp3", "mp3float", "amrnb", "amr_nb", "libopencore_amrnb",
    "amrwb", "amr_wb", "libopencore_amrwb", "speex", "libspeex", "pcm_s16le", "flac",
})  # fmt: skip

VoiceCode = Literal[
    "kind_unknown",  # no voice note that we know
    "sound_broken",  # it begins like one and cannot be read
    "sound_too_long",
    "sound_empty",  # too short for a word, or none was said
    "asr_unreachable",  # nobody recognises
]


class VoiceError(Exception):
    """A voice note that came to nothing; ``code`` is stable."""

    def __init__(self, code: VoiceCode, message: str) -> None:
        super().__init__(message)
        self.code: VoiceCode = code


@dataclass(frozen=True, slots=True)
class Recognised:
    """What was said in a note; ``confidence`` 0 to 1, the mean over the characters."""

    text: str
    confidence: float


def media_type_of(data: bytes) -> str:
    """The media type of a voice note by its first bytes, '' for what is none."""
    return _kind_of(data)[0]


def _kind_of(data: bytes) -> tuple[str, str]:
    """Media type, and the name of the only demuxer that is let near it."""
    if data.startswith(b"\x1aE\xdf\xa3"):
        return "audio/webm", "matroska"
    if data.startswith(b"OggS"):
        return "audio/ogg", "ogg"
    if data.startswith((b"#!AMR\n", b"#!AMR-WB\n")):
        return "audio/amr", "amr"
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return "audio/wav", "wav"
    if data[4:8] == b"ftyp":
        return "audio/mp4", "mp4"
    if data.startswith(b"ID3") or (len(data) > 1 and data[0] == 0xFF and data[1] & 0xE6 == 0xE2):
        return "audio/mpeg", "mp3"
    return "", ""


def decode(data: bytes, limit_s: float = LONGEST_S) -> bytes:
    """The sound of a note: s16le, mono, :data:`SAMPLE_RATE`. Blocking: call it in a thread.

    Raises :class:`VoiceError` ``kind_unknown``, ``sound_broken``, ``sound_too_long``,
    ``sound_empty``.
    """
    from av.error import FFmpegError  # 30 MB, for who gets a voice note only

    _, demuxer = _kind_of(data)
    if not demuxer:
        raise VoiceError("kind_unknown", "not a voice note")
    try:
        pcm = _decoded(data, demuxer, limit_s)
    except (FFmpegError, ValueError, EOFError, ArithmeticError) as error:
        raise VoiceError("sound_broken", type(error).__name__) from None
    if len(pcm) < SHORTEST_S * 2 * SAMPLE_RATE:
        raise VoiceError("sound_empty", "too short for a word")
    return pcm


def _decoded(data: bytes, demuxer: str, limit_s: float) -> bytes:
    import av
    from av.audio.resampler import AudioResampler

    resampler = AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    pcm, most = bytearray(), int(limit_s * SAMPLE_RATE) * 2
    with av.open(io.BytesIO(data), format=demuxer, mode="r") as container:
        stream = next(iter(container.streams.audio), None)
        if stream is None or stream.codec_context.name not in _CODECS:
            raise VoiceError("kind_unknown", "no sound of a voice note")
        for frame in container.decode(stream):
            add_sound(pcm, resampler, frame)
            if len(pcm) > most:
                raise VoiceError("sound_too_long", f"more than {limit_s:.0f} s")
    add_sound(pcm, resampler, None)
    return bytes(pcm)


def add_sound(pcm: bytearray, resampler: AudioResampler, frame: AudioFrame | None) -> None:
    """Append ``frame`` as the resampler makes it; None: what it still holds."""
    for made in resampler.resample(frame):
        pcm += bytes(made.planes[0])[: made.samples * 2]


def duration_ms(pcm: bytes) -> int:
    """How long decoded sound is."""
    return len(pcm) * 1000 // (2 * SAMPLE_RATE)


async def recognise(url: str, pcm: bytes) -> Recognised:
    """The words of a whole note, by the recogniser at ``url`` (vosk-server's protocol).

    Raises :class:`VoiceError` ``sound_empty`` where no word was said, ``asr_unreachable``.
    """
    try:
        async with (
            asyncio.timeout(RECOGNISE_S),
            connect(url, proxy=None, compression=None, close_timeout=0.2) as socket,
        ):
            words = await _words(socket, pcm + _TAIL)
    except (OSError, TimeoutError, InvalidURI, InvalidHandshake, WebSocketException) as error:
        raise VoiceError("asr_unreachable", type(error).__name__) from None
    except (ValueError, KeyError, TypeError) as error:
        raise VoiceError("asr_unreachable", f"no recogniser: {type(error).__name__}") from None
    if not words:
        raise VoiceError("sound_empty", "no word was heard")
    weight = sum(len(word) for word, _ in words)
    sure = sum(len(word) * confidence for word, confidence in words) / weight
    return Recognised(joined([word for word, _ in words]), min(1.0, max(0.0, sure)))


async def _words(socket: ClientConnection, pcm: bytes) -> list[tuple[str, float]]:
    await socket.send(json.dumps({"config": {"sample_rate": SAMPLE_RATE, "words": 1}}))
    words: list[tuple[str, float]] = []
    for at in range(0, len(pcm), _PIECE):
        await socket.send(pcm[at : at + _PIECE])
        words += _of(await socket.recv())
    await socket.send('{"eof" : 1}')  # a stock server compares this text, spaces and all
    return words + _of(await socket.recv())


def _of(message: str | bytes) -> list[tuple[str, float]]:
    answer: Any = json.loads(message)
    if "error" in answer:
        raise ValueError(str(answer["error"])[:40])
    return [
        (str(item["word"]), float(item.get("conf", 1.0)))
        for item in answer.get("result", ())
        if item["word"] != "[unk]"
    ]


def joined(words: list[str]) -> str:
    """Words as one text: a space only between two that are not Chinese."""
    text = ""
    for word in words:
        both = text[-1:].isascii() and text[-1:].isalnum() and word[:1].isascii()
        text += f" {word}" if both else word
    return text
