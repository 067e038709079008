"""The synthesiser process, `python -m tts.worker`: requests on stdin, sound on stdout.

A child of the phone process: it ends when its stdin closes, so it never outlives its parent.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import BinaryIO

from tts.errors import TtsError
from tts.espeak import SAMPLE_RATE, Voice, espeak
from tts.frames import FrameError, failure, framed, load_request, read_frame, sound
from tts.level import HOUSE_DBFS, levelled


def answer(payload: bytes) -> bytes:
    """The answer to one request's payload."""
    try:
        request = load_request(payload)
        samples = espeak().speak(request.text, Voice(request.voice, request.speed))
        return sound(levelled(samples, SAMPLE_RATE, HOUSE_DBFS).astype("<i2").tobytes())
    except (TtsError, FrameError) as error:
        return failure(error.code)


def run(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer requests until ``source`` ends."""
    while (payload := read_frame(source)) is not None:
        sink.write(framed(answer(payload)))
        sink.flush()


def main() -> None:
    """Entry of the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever the library prints must not stand between the frames
    try:
        run(sys.stdin.buffer, sink)
    except (FrameError, BrokenPipeError):
        sys.exit(1)


if __name__ == "__main__":
    main()
