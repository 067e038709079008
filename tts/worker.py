"""The synthesiser process, `python -m tts.worker`: requests on stdin, sound on stdout.

A child of the phone process: it ends when its stdin closes, so it never outlives its parent.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import BinaryIO, Protocol

from tts.errors import TtsError
from tts.espeak import SAMPLE_RATE, Samples, Voice, espeak
from tts.frames import FrameError, Request, failure, framed, load_request, read_frame, sound
from tts.level import HOUSE_DBFS, levelled
from tts.stretch import stretched


class ByCommand(Protocol):
    """A synthesiser outside."""

    def speak(self, text: str) -> Samples:
        """Samples at 8 kHz; raises `TtsError`."""


def answer(payload: bytes, command: ByCommand | None = None) -> bytes:
    """The answer to one request's payload."""
    try:
        request = load_request(payload)
        if request.command:
            return sound(_commanded(request, command))
        samples = espeak().speak(
            request.text, Voice(request.voice, request.speed), request.readings
        )
        return sound(levelled(samples, SAMPLE_RATE, HOUSE_DBFS).astype("<i2").tobytes())
    except (TtsError, FrameError) as error:
        return failure(error.code)


def _commanded(request: Request, command: ByCommand | None) -> bytes:
    if command is None:
        raise TtsError("tts_command", "no command is set")
    samples = levelled(command.speak(request.text), SAMPLE_RATE, HOUSE_DBFS)
    return stretched(samples.astype("<i2").tobytes(), request.rate)


def run(source: BinaryIO, sink: BinaryIO, command: ByCommand | None = None) -> None:
    """Answer requests until ``source`` ends."""
    while (payload := read_frame(source)) is not None:
        sink.write(framed(answer(payload, command)))
        sink.flush()


def _command() -> ByCommand | None:
    """What ``QIANMEN_SPEECH_COMMAND``, given on by the parent, names."""
    words = sys.argv[1:]
    if not words:
        return None
    from tts.command import CommandVoice  # it costs memory, and few cities have one

    return CommandVoice(words)


def main() -> None:
    """Entry of the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever the library prints must not stand between the frames
    try:
        run(sys.stdin.buffer, sink, _command())
    except (FrameError, BrokenPipeError):
        sys.exit(1)


if __name__ == "__main__":
    main()
