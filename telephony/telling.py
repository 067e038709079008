"""What the caller hears: the conversation's replies, spoken one after the other."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractContextManager, aclosing
from typing import Protocol

import structlog
from structlog.contextvars import bound_contextvars

from telephony.ears import Ears
from telephony.line import Leg
from telephony.mouth import Mouth, Place
from telephony.parts import CallParts
from telephony.progress import Progress
from telephony.timing import TurnTimes
from turns.replies import Ask, Bye, Connect, Say, Told
from turns.trace import trace_of

_log = structlog.get_logger(__name__)


class Board(Protocol):
    """What connects a caller with people; ``telephony.connecting.Switchboard`` is one."""

    def expect(self, target: str) -> None:
        """The caller is being told of ``target``, whom they will be connected with."""

    async def connect(self, target: str) -> None:
        """Connect them; returns when the dialogue goes on with them."""

    def saying(self, *, must_be_heard: bool) -> AbstractContextManager[None]:
        """We speak while inside."""


class Telling:
    """Our side of a call. ``board`` is given the targets of what is to be connected."""

    def __init__(
        self,
        leg: Leg,
        parts: CallParts,
        conversation: str,
        mouth: Mouth,
        ears: Ears,
        times: TurnTimes,
        board: Board,
    ) -> None:
        self._leg = leg
        self._parts = parts
        self._id = conversation
        self._mouth = mouth
        self._ears = ears
        self._times = times
        self._board = board
        self._progress = Progress()
        self._interrupted = ""

    async def tell(self) -> None:
        """Say what the conversation says, until the call is over."""
        ahead = self._ahead(self._parts.core.replies(self._id))
        async with aclosing(ahead):
            async for told in ahead:
                await self._do(told)

    async def _do(self, told: Told) -> None:
        reply = told.reply
        if self._ears.deaf and not isinstance(reply, Connect):
            return  # a person has the caller: what the dialogue still says comes too late
        if isinstance(reply, Say | Ask):
            await self._tell(told, reply)
        elif isinstance(reply, Connect):
            await self._board.connect(reply.target)
        elif isinstance(reply, Bye):
            await self._leg.hang_up()
        if told.last:
            self._ears.told()

    async def prompt(self, name: str) -> None:
        """Say a prompt of the city's, to its end."""
        text = self._parts.city.prompts.fill(name)
        with self._board.saying(must_be_heard=True):
            await self._mouth.speak(Say(name, text, interruptible=False))

    async def _ahead(self, coming: AsyncIterator[Told]) -> AsyncGenerator[Told, None]:
        """``coming``; whom a sentence that must be heard leads to is called while it is said."""
        async for told in coming:
            answer = [told]
            if isinstance(told.reply, Say) and not told.reply.interruptible:
                while not answer[-1].last:
                    answer.append(await anext(coming))
            connect = next((each.reply for each in answer if isinstance(each.reply, Connect)), None)
            if connect is not None and connect is not told.reply:
                self._board.expect(connect.target)
            for each in answer:
                yield each

    async def _tell(self, told: Told, reply: Say | Ask) -> None:
        """Say ``reply`` and note how much of it was heard; nothing more to one who interrupted."""
        self._progress.begin(told.in_reply_to, reply)
        start = self._progress.start(reply)
        skipped = reply.interruptible and not await self._is_wanted(told)
        timings: dict[str, float] = {}
        if skipped:
            self._progress.note(reply, None)
        elif start is not None:
            timings = await self._say(told, reply, start)
        if told.last or self._interrupted == told.in_reply_to:
            timings |= self._progress.figures
        if timings and told.in_reply_to:
            with bound_contextvars(trace=trace_of(self._id, told.in_reply_to)):
                _log.info("turn_told", timings=timings)
                await self._parts.core.note_timings(self._id, told.in_reply_to, timings)

    async def _is_wanted(self, told: Told) -> bool:
        """Whether the caller neither cut this answer off nor went on with what it answers."""
        if not told.in_reply_to:
            await self._ears.floor("")
            return True
        wanted = await self._ears.floor(told.in_reply_to)
        return wanted and self._interrupted != told.in_reply_to

    async def _say(self, told: Told, reply: Say | Ask, start: Place) -> dict[str, float]:
        """Speak; what that cost, where the turn's first words were said."""
        for step in reply.adjust if isinstance(reply, Say) else ():
            self._mouth.manner = self._mouth.manner.adjusted(step)
        self._ears.expect(reply)
        began = self._leg.clock_ms
        with self._board.saying(must_be_heard=not reply.interruptible):
            played = await self._mouth.speak(reply, start)
        self._progress.note(reply, played, self._mouth.place)
        self._interrupted = "" if played.complete else told.in_reply_to
        return self._times.told(told.in_reply_to, began, self._mouth.first_sound_ms)
