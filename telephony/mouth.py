"""Speak replies on a leg: sentence by sentence, the next one rendered while one plays."""

from __future__ import annotations

import asyncio
from time import perf_counter

import structlog

from telephony.line import Leg, Playback
from tts.errors import TtsError
from tts.sentences import sentences
from tts.speaker import Speaker
from turns.replies import Ask, Say
from turns.voice import Played

_log = structlog.get_logger(__name__)


class Mouth:
    """What the front door says on one call; one thing after the other, stoppable."""

    def __init__(self, leg: Leg, speaker: Speaker) -> None:
        self._leg = leg
        self._speaker = speaker
        self._playing: Playback | None = None
        self._interruptible = True
        self._stopped = False
        self.first_sound_ms = 0.0

    @property
    def speaking(self) -> bool:
        """Whether the caller hears something from us now."""
        return self._playing is not None

    async def speak(self, reply: Say | Ask) -> Played:
        """Say ``reply`` and return when it was heard to the end or interrupted.

        ``first_sound_ms`` then holds what it took from the call of this until the sound started.
        A sentence that cannot be rendered is left out and logged: the rest is still said.
        """
        began = perf_counter()
        self._stopped, self._interruptible = False, reply.interruptible
        self.first_sound_ms = 0.0
        parts = sentences(reply.speech or reply.text)
        heard_ms = 0
        ahead = self._ahead(parts, 0)
        for position in range(len(parts)):
            pcm = await ahead
            ahead = self._ahead(parts, position + 1)
            if self._stopped or not pcm:
                continue
            self._playing = self._leg.play(pcm)
            self.first_sound_ms = self.first_sound_ms or (perf_counter() - began) * 1000
            heard_ms += await self._playing.done
            self._playing = None
        return Played(reply.id, heard_ms, not self._stopped)

    def interrupt(self) -> bool:
        """The caller speaks: fall silent within a frame, unless this must be heard to the end."""
        if self._playing is None or not self._interruptible:
            return False
        self._stopped = True
        self._playing.stop()
        return True

    def _ahead(self, parts: list[str], position: int) -> asyncio.Task[bytes]:
        text = parts[position] if position < len(parts) else ""
        return asyncio.create_task(self._render(text))

    async def _render(self, text: str) -> bytes:
        if not text:
            return b""
        try:
            return await self._speaker.render(text)
        except TtsError as error:
            _log.warning("sentence_not_spoken", code=error.code, characters=len(text))
            return b""
