"""Voice notes of WeChat as sound: AMR and what else ``chat.voice`` reads, and WeChat's own Speex.

Its high-definition voice (``media/get/jssdk``) is no file of any container: the Content-Type says
``audio/x-speex-with-header-byte; rate=16000``, that is wideband Speex frames, each behind one byte
with its length (RFC 5574 describes the frames, Google's speech API the byte). FFmpeg's decoder is
given the header that such a stream lacks.
"""

from __future__ import annotations

import struct

from chat import voice
from chat.voice import LONGEST_S, SAMPLE_RATE, SHORTEST_S, VoiceError, add_sound

SPEEX = "audio/x-speex-with-header-byte"
_RATE = 16000
_SHORTEST_FRAME, _LONGEST_FRAME = 5, 110
"""Bytes of a wideband frame: 5 where nobody speaks, 106 at the highest quality."""
# version, size, rate, mode (wideband), bitstream, channels, bitrate, samples, VBR, frames a packet
_HEADER = b"Speex   " + b"1.2".ljust(20, b"\0") + struct.pack(
    "<13i", 1, 80, _RATE, 1, 4, 1, -1, 320, 0, 1, 0, 0, 0
)  # fmt: skip


def media_type_of(data: bytes) -> str:
    """What a voice note is kept as; '' for what is none."""
    return voice.media_type_of(data) or (SPEEX if frames_of(data) else "")


def decode(data: bytes, limit_s: float = LONGEST_S) -> bytes:
    """The sound: s16le, mono, ``chat.voice.SAMPLE_RATE``. Blocking: call it in a thread.

    Raises :class:`VoiceError`.
    """
    frames = () if voice.media_type_of(data) else frames_of(data)
    if not frames:
        return voice.decode(data, limit_s)
    from av.error import FFmpegError  # as in chat.voice: for who gets a voice note only

    try:
        pcm = _decoded(frames, limit_s)
    except (FFmpegError, ValueError, ArithmeticError) as error:
        raise VoiceError("sound_broken", type(error).__name__) from None
    if len(pcm) < SHORTEST_S * 2 * SAMPLE_RATE:
        raise VoiceError("sound_empty", "too short for a word")
    return pcm


def frames_of(data: bytes) -> tuple[bytes, ...]:
    """The Speex frames of a note; () where it is no chain of such."""
    frames, at = [], 0
    while at < len(data):
        size = data[at]
        frame = data[at + 1 : at + 1 + size]
        if not _SHORTEST_FRAME <= size <= _LONGEST_FRAME or len(frame) < size:
            return ()
        frames.append(frame)
        at += 1 + size
    return tuple(frames)


def _decoded(frames: tuple[bytes, ...], limit_s: float) -> bytes:
    from av.audio.codeccontext import AudioCodecContext
    from av.audio.resampler import AudioResampler
    from av.codec.context import CodecContext
    from av.packet import Packet

    codec = CodecContext.create("speex", "r")
    if not isinstance(codec, AudioCodecContext):  # the name is an audio codec's
        raise VoiceError("sound_broken", "no Speex decoder")
    codec.extradata = _HEADER
    resampler = AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    pcm = bytearray()
    for packet in [*(Packet(frame) for frame in frames), None]:
        for frame in codec.decode(packet):
            add_sound(pcm, resampler, frame)
        if len(pcm) > limit_s * 2 * SAMPLE_RATE:
            raise VoiceError("sound_too_long", f"more than {limit_s:.0f} s")
    add_sound(pcm, resampler, None)
    return bytes(pcm)
