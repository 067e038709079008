"""Recognisers behind one edge: sound in, the words so far, the final words.

A recogniser knows nothing of turns: it is told when one is over. Its own end-of-utterance
splitting, which its model's files fix, is joined away.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from turns.voice import Word

SAMPLE_RATE = 8000
"""Hz of everything fed to a stream: s16le, mono."""
UNKNOWN = "[unk]"
"""What a grammar's recogniser hears outside its phrases."""


class RecogniserError(RuntimeError):
    """A recogniser cannot work.

    ``code``: ``model_missing``, ``model_corrupt`` (at start), ``asr_unreachable`` (a remote one is
    not there) or ``asr_lost`` (it failed in the middle).
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Words:
    """The final words of a turn; times in ms since the turn's first sample was accepted."""

    words: tuple[Word, ...] = ()

    @property
    def text(self) -> str:
        """The words written as Chinese is: no spaces, except between Latin words."""
        return join(word.text for word in self.words)

    @property
    def confidence(self) -> float:
        """The words' mean confidence, 0 to 1; 0 without words."""
        if not self.words:
            return 0.0
        return sum(word.confidence for word in self.words) / len(self.words)


class RecogniserStream(Protocol):
    """One caller's recognition."""

    async def accept(self, pcm: bytes) -> str:
        """Recognise ``pcm`` (s16le, 8 kHz, whole samples); returns the turn's words so far."""
        ...

    async def finish(self) -> Words:
        """The final words of all that was accepted since the last finish; starts anew."""
        ...

    async def set_grammar(self, phrases: Sequence[str] | None) -> None:
        """Recognise only these phrases, or anything with None, from the next `finish` on.

        Where nothing has been accepted since the last finish, at once. A recogniser that cannot
        ignores it.
        """
        ...

    async def close(self) -> None:
        """Give back what the stream holds."""
        ...


class Recogniser(Protocol):
    """A source of streams."""

    async def start(self) -> None:
        """Load and warm up; raises `RecogniserError`."""
        ...

    async def open(self) -> RecogniserStream:
        """A new stream; raises `RecogniserError`."""
        ...


def join(words: Iterable[str]) -> str:
    """Words as one text: spaces stay only between two Latin words."""
    text = ""
    for word in words:
        if text and text[-1].isascii() and word[:1].isascii():
            text += " "
        text += word
    return text
