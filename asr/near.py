"""A recogniser that is given sound only where a voice is near: silence costs it nothing.

While nobody speaks the last moment of sound is kept, and given once a turn has begun: its first
syllables are softer than what tells that it began. During a turn all sound is given, in pieces
large enough to be worth a thread's while.
"""

from __future__ import annotations

from asr.recogniser import SAMPLE_RATE, RecogniserStream, Words
from turns.voice import Word

KEPT_BYTES = 2 * SAMPLE_RATE * 4 // 5
"""0.8 s: what voice activity takes to be sure (up to 0.25 s), and half a second before."""
PIECE_BYTES = 2 * SAMPLE_RATE * 2 // 25
"""80 ms: half the messages' ways to a thread and back; no word comes later than this."""


class NearWords:
    """The words of one stream of sound, turn by turn; ``recogniser`` hears nothing beside them."""

    def __init__(self, recogniser: RecogniserStream) -> None:
        self._recogniser = recogniser
        self._held = bytearray()
        """Sound that the recogniser was not given yet; the end of all sound so far."""
        self._open = False
        """Whether the recogniser was given sound since its last finish."""
        self._bytes = 0
        self._from = 0
        """Byte of the stream where the recogniser's times count from."""
        self._text = ""

    @property
    def heard_bytes(self) -> int:
        """How much of the stream passed."""
        return self._bytes

    @property
    def text(self) -> str:
        """The words of the turn in progress."""
        return self._text

    async def accept(self, pcm: bytes, *, near: bool) -> None:
        """``pcm`` (s16le, 8 kHz, whole samples) passed; ``near``: it is of a turn."""
        self._held += pcm
        self._bytes += len(pcm)
        if near:
            await self.begin()
            if len(self._held) >= PIECE_BYTES:
                await self._give()
        elif not self._open:
            del self._held[:-KEPT_BYTES]

    async def begin(self) -> None:
        """A turn began: the recogniser is given what was kept from before."""
        if not self._open:
            await self._give()

    async def finish(self) -> Words:
        """The final words since the last finish, their times in ms of the whole stream."""
        if self._held:
            await self._give()
        offset = bytes_ms(self._from)
        words = await self._recogniser.finish() if self._open else Words()
        self._open, self._text = False, ""
        return Words(
            tuple(
                Word(word.text, word.start_ms + offset, word.end_ms + offset, word.confidence)
                for word in words.words
            )
        )

    async def forget(self) -> None:
        """Drop all that was heard: it was not the caller."""
        self._held.clear()
        if self._open:
            await self._recogniser.finish()
        self._open, self._text = False, ""

    async def _give(self) -> None:
        if not self._open:
            self._open, self._from = True, self._bytes - len(self._held)
        pcm = bytes(self._held)
        self._held.clear()
        self._text = await self._recogniser.accept(pcm)


def bytes_ms(count: int) -> int:
    """The duration in ms of ``count`` bytes of sound."""
    return count // 2 * 1000 // SAMPLE_RATE
