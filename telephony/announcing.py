"""What a caller hears from the switchboard, and what is read to those who are to take them."""

from __future__ import annotations

import structlog

from bot.errors import ConversationError
from telephony.briefing import desk_sentence, order_sentence
from telephony.gate import Gate
from telephony.line import SILENCE, Leg, Playback
from telephony.parts import CallParts
from telephony.tones import Loop, ringing
from tts.errors import TtsError
from turns.orders import OrderBrief

_PAUSE = 10 * SILENCE
"""Rendered sentences begin and end with sound: what separates two of them."""
_BREATH = 50 * SILENCE
"""A second between a sentence and the music."""
_log = structlog.get_logger(__name__)


class Announcer:
    """Prompts and tones on the caller's leg, one after what plays there."""

    def __init__(self, leg: Leg, parts: CallParts, conversation: str, gate: Gate) -> None:
        self._gate = gate
        self._leg = leg
        self._parts = parts
        self._id = conversation
        self._ringing: Loop | None = None
        self._announcing: Playback | None = None

    def ring(self) -> None:
        """Ring-back tone until ``silence``."""
        self.silence()
        self._ringing = Loop(self._leg, ringing())

    def hold(self, sound: bytes) -> None:
        """``sound`` (s16le PCM) over and over until ``silence``; nothing where there is none."""
        self.silence()
        if sound:
            self._ringing = Loop(self._leg, sound, _BREATH)

    def silence(self) -> None:
        """No ring-back tone and no music any more."""
        if self._ringing is not None:
            self._ringing.stop()
            self._ringing = None

    async def announce(self, name: str) -> None:
        """Say a prompt of the city's to its end, behind what must be heard first."""
        await self._gate.opened()
        self.silence()
        sound = await self._sound(self._parts.city.prompts.fill(name))
        self._announcing = self._leg.play(sound)
        try:
            await self._announcing.done
        finally:
            self._announcing = None

    def cut(self) -> None:
        """Somebody is wanted meanwhile: what is being announced is true no more."""
        if self._announcing is not None:
            self._announcing.stop()

    async def order(self, *prompts: str) -> bytes:
        """The order in one sentence, then ``prompts``; s16le PCM, b'' if it cannot be spoken."""
        city = self._parts.city
        text = order_sentence(await self._brief(), city.prompts, city.name)
        return await self._sound("".join((text, *map(city.prompts.fill, prompts))))

    async def order_for_desk(self) -> bytes:
        """The order in a few words, for somebody who has it on a screen."""
        return await self._sound(desk_sentence(await self._brief(), self._parts.city.prompts))

    async def hold_sounds(self) -> dict[str, bytes]:
        """What precedes the sound of a call on hold; see ``telephony.talk.Talk``."""
        prompts = self._parts.city.prompts
        return {
            "parked": await self._sound(prompts.on_hold),
            "away": await self._sound(prompts.other_on_hold),
        }

    async def _brief(self) -> OrderBrief | None:
        try:
            return await self._parts.core.order_brief(self._id)
        except ConversationError:  # logged where it was raised
            return None

    async def _sound(self, text: str) -> bytes:
        speaker = self._parts.speaker
        try:
            return _PAUSE.join([await speaker.render(part) for part in speaker.parts(text)])
        except TtsError as error:
            _log.warning("sentence_not_spoken", code=error.code, characters=len(text))
            return b""
