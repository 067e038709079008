"""What the caller hears: the conversation's replies, spoken one after the other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog
from structlog.contextvars import bound_contextvars

from telephony.ears import Ears
from telephony.line import Leg
from telephony.mouth import Mouth
from telephony.parts import CallParts
from telephony.timing import TurnTimes
from turns.replies import Ask, Bye, Connect, Say, Told
from turns.trace import trace_of

_log = structlog.get_logger(__name__)


class Telling:
    """Our side of a call. ``connect`` is called with the target of a ``Connect``."""

    def __init__(
        self,
        leg: Leg,
        parts: CallParts,
        conversation: str,
        mouth: Mouth,
        ears: Ears,
        times: TurnTimes,
        connect: Callable[[str], Awaitable[None]],
    ) -> None:
        self._leg = leg
        self._parts = parts
        self._id = conversation
        self._mouth = mouth
        self._ears = ears
        self._times = times
        self._connect = connect

    async def tell(self) -> None:
        """Say what the conversation says, until the call is over."""
        interrupted = ""
        async for told in self._parts.core.replies(self._id):
            reply = told.reply
            if isinstance(reply, Say | Ask):
                if interrupted and interrupted == told.in_reply_to and reply.interruptible:
                    continue
                played = await self._say(told, reply)
                interrupted = "" if played else told.in_reply_to
            elif isinstance(reply, Connect):
                await self._connect(reply.target)
            elif isinstance(reply, Bye):
                await self._leg.hang_up()
            if told.last:
                self._ears.told()

    async def prompt(self, name: str) -> None:
        """Say a prompt of the city's, to its end."""
        text = self._parts.city.prompts.fill(name)
        await self._mouth.speak(Say(name, text, interruptible=False))

    async def _say(self, told: Told, reply: Say | Ask) -> bool:
        """Speak; whether it was heard to the end."""
        self._ears.expect(reply.expects if isinstance(reply, Ask) else "open")
        began = self._leg.clock_ms
        played = await self._mouth.speak(reply)
        timings = self._times.told(told.in_reply_to, began, self._mouth.first_sound_ms)
        if timings:
            with bound_contextvars(trace=trace_of(self._id, told.in_reply_to)):
                _log.info("turn_told", timings=timings)
                await self._parts.core.note_timings(self._id, told.in_reply_to, timings)
        return played.complete
