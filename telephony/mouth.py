"""Speak replies on a leg: sentence by sentence, the next one rendered while one plays."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from time import perf_counter

import structlog

from telephony.line import FRAME_BYTES, FRAME_MS, SILENCE, Leg, Playback
from tts.errors import TtsError
from tts.places import quiet_before
from tts.sentences import pause_after
from tts.speaker import Speaker
from turns.manner import PLAIN, Manner
from turns.replies import Ask, Say
from turns.voice import Played

_log = structlog.get_logger(__name__)
_BYTES_PER_MS = FRAME_BYTES // FRAME_MS
HUSHED_MOST_S = 60.0
"""A mouth that nobody lets go on or drop ends what it said: no call hangs on it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a reply: the part (sentence) from 0, and how many bytes of its sound before."""

    part: int = 0
    at: int = 0


class Mouth:
    """What the front door says on one call; one thing after the other.

    While it speaks it can be hushed, and then go on or be dropped; what is not interruptible is
    said to its end. ``manner`` is how this caller wants to be spoken to, from the next reply on.
    """

    def __init__(self, leg: Leg, speaker: Speaker) -> None:
        self._leg = leg
        self._speaker = speaker
        self._playing: Playback | None = None
        self._rendering: asyncio.Task[bytes] | None = None
        self._interruptible = True
        self._active = False
        self._dropped = False
        self._stopped = False
        self._may_sound = asyncio.Event()
        self._may_sound.set()
        self.manner: Manner = PLAIN
        self.first_sound_ms = 0.0
        self.place = Place()

    @property
    def speaking(self) -> bool:
        """Whether the caller hears something from us now."""
        return self._playing is not None

    @property
    def hushed(self) -> bool:
        """Whether something waits to go on, or to be dropped."""
        return self._active and not self._may_sound.is_set()

    async def speak(self, reply: Say | Ask, start: Place | None = None) -> Played:
        """Say ``reply`` (from ``start``, a place in it); return when it was heard, or dropped.

        ``first_sound_ms`` then holds what it took from the call of this until the sound started,
        ``place`` how far it came. A sentence that cannot be rendered is left out and logged: the
        rest is still said.
        """
        began = perf_counter()
        start = start or Place()
        self.first_sound_ms, self.place = 0.0, start
        parts = self._speaker.parts(reply.speech or reply.text)
        self._dropped, self._interruptible, self._active = False, reply.interruptible, True
        self._may_sound.set()
        heard_ms = 0
        self._ahead(parts, start.part)
        try:
            for position in range(start.part, len(parts)):
                pcm = await self._rendered()
                self._ahead(parts, position + 1)
                self.place = Place(position, start.at if position == start.part else 0)
                heard_ms += await self._play(pcm, began)
                if self._dropped or self._leg.ended:
                    return Played(reply.id, heard_ms, False, _share(parts, self.place, pcm))
        finally:
            self._finish()
        self.place = Place(len(parts))
        return Played(reply.id, heard_ms, True)

    def hush(self) -> bool:
        """The caller may be speaking: fall silent within a frame and keep the place.

        False where nothing is said, or what must be heard to its end. `resume` or `drop` follows.
        """
        if not self._active or not self._interruptible:
            return False
        self._may_sound.clear()
        self._stop()
        return True

    def resume(self) -> bool:
        """Nobody spoke: go on, up to half a second before the place. False if not hushed."""
        if not self.hushed:
            return False
        self._may_sound.set()
        return True

    def drop(self) -> bool:
        """The caller speaks: fall silent within a frame and leave the rest of the reply unsaid.

        False where nothing is said, or what must be heard to its end.
        """
        if not self._active or not self._interruptible:
            return False
        self._dropped = True
        if self._rendering is not None:
            self._rendering.cancel()
        self._stop()
        self._may_sound.set()
        return True

    async def _play(self, pcm: bytes, began: float) -> int:
        """Play one part from ``place.at`` on, as often as it is hushed; the ms heard of it."""
        first = at = furthest = min(quiet_before(pcm, self.place.at), len(pcm))
        while at < len(pcm):
            await self._until_it_may_sound()
            if self._dropped:
                break
            self._stopped = False
            self._playing = self._leg.play(pcm[at:])
            self.first_sound_ms = self.first_sound_ms or (perf_counter() - began) * 1000
            heard = await self._playing.done * _BYTES_PER_MS
            self._playing = None
            if self._leg.ended:
                furthest = max(furthest, min(at + heard, len(pcm)))
                break
            reached = min(at + heard, len(pcm)) if self._stopped else len(pcm)
            furthest = max(furthest, reached)
            at = reached if reached == len(pcm) else quiet_before(pcm, reached)
        self.place = Place(self.place.part, furthest)
        return (furthest - first) // _BYTES_PER_MS

    def _stop(self) -> None:
        self._stopped = True
        if self._playing is not None:
            self._playing.stop()

    async def _until_it_may_sound(self) -> None:
        if self._may_sound.is_set():
            return
        try:
            async with asyncio.timeout(HUSHED_MOST_S):
                await self._may_sound.wait()
        except TimeoutError:
            _log.warning("speech_left_hushed")
            self.drop()

    def _finish(self) -> None:
        if self._rendering is not None:
            self._rendering.cancel()
        self._rendering = self._playing = None
        self._active = False
        self._may_sound.set()

    async def _rendered(self) -> bytes:
        """The sound that was asked for ahead; b'' where there is none, or all was dropped."""
        if self._rendering is None:
            return b""
        with contextlib.suppress(asyncio.CancelledError):
            return await asyncio.shield(self._rendering)
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError  # the call itself is over, not only this reply
        return b""

    def _ahead(self, parts: list[str], position: int) -> None:
        """Begin to render what comes next, so that no pause stands before it."""
        self._rendering = None
        if position < len(parts) and not self._dropped:
            last = position + 1 == len(parts)
            self._rendering = asyncio.create_task(self._render(parts[position], last=last))

    async def _render(self, text: str, *, last: bool) -> bytes:
        """The sound of ``text``, with the rest that a speaker takes where more follows."""
        try:
            pcm = await self._speaker.render(text, self.manner)
        except TtsError as error:
            _log.warning("sentence_not_spoken", code=error.code, characters=len(text))
            return b""
        frames = 0 if last else round(pause_after(text) / self.manner.rate * 1000 / FRAME_MS)
        return pcm + SILENCE * frames


def _share(parts: list[str], place: Place, pcm: bytes) -> float:
    """How much of a reply was said when it stopped at ``place`` in ``pcm``: 0 to 1, by words."""
    whole = sum(map(len, parts)) or 1
    before = sum(map(len, parts[: place.part]))
    here = len(parts[place.part]) * place.at / len(pcm) if pcm else 0.0
    return min((before + here) / whole, 1.0)
