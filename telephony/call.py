"""One call as the caller lives it: greeted, listened to, answered, connected, hung up.

Whatever fails, the caller gets a sentence and a person: the line's hunt group.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from pathlib import Path

import structlog

from bot.errors import ConversationError
from config.targets import HUNT_GROUP
from telephony import metrics
from telephony.commanding import Commands
from telephony.connecting import Switchboard
from telephony.ears import Ears
from telephony.line import Digit, Ended, Leg, LegEvent, LineError, Referred
from telephony.mouth import Mouth
from telephony.parties import CALLER
from telephony.parts import CallParts
from telephony.recording import SUFFIX, Recorder
from telephony.telling import Telling
from telephony.timing import TurnTimes
from turns.calls import CallInfo, CallStage, masked
from turns.ids import conversation_of_call

_log = structlog.get_logger(__name__)
_RETRY_AFTER_S = 5
KEEP_S = 1.0


class Call:
    """One inbound call, from its INVITE to its end."""

    def __init__(self, leg: Leg, parts: CallParts) -> None:
        self._leg = leg
        self._parts = parts
        self._id = conversation_of_call(leg.id)
        self._dialled = parts.city.line(leg.diverted_from or leg.dialled)
        self._clock = asyncio.get_running_loop().time
        mouth, times = Mouth(leg, parts.speaker), TurnTimes()
        self._ears = Ears(leg, parts, self._id, self._dialled.number, mouth, times, self._clock)
        self._mouth = mouth
        self._switchboard = Switchboard(leg, parts, self._id, self._dialled, self._on_stage)
        self._telling = Telling(leg, parts, self._id, mouth, self._ears, times, self._switchboard)
        self._commands = Commands(leg, parts.city, self._dialled, self._switchboard)
        self._stage: CallStage = "bot"
        self._began = self._since = parts.now()
        self._recorder: Recorder | None = None

    async def run(self) -> None:
        """Serve the call until it is over."""
        structlog.contextvars.bind_contextvars(conversation=self._id)
        if not await self._answered():
            return
        metrics.answered.inc()
        began = self._clock()
        self._leg.on_audio(self._ears.on_audio)
        if self._parts.recordings:
            self._recorder = Recorder(
                self._leg, self._recording_path(), self._parts.pool, self._parts.keys
            )
        self._parts.office.opened(self._info(), self._commands.take)
        serving = asyncio.create_task(self._serve())
        try:
            async for event in self._leg.events():
                self._on_event(event, began)
        finally:
            self._parts.office.closed(self._id)
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            await self._commands.close()
            await self._switchboard.close()
            await self._finish()

    async def _answered(self) -> bool:
        """Answer; where no port for sound is left, somebody else may have one (503)."""
        try:
            await self._leg.answer()
        except LineError as error:
            if error.code != "no_media_port":
                raise
            await self._leg.reject(503, _RETRY_AFTER_S)
            return False
        return True

    def _on_event(self, event: LegEvent, began: float) -> None:
        if isinstance(event, Digit):
            self._ears.press(event.key)
        elif isinstance(event, Referred):
            self._commands.progress(event)
        elif isinstance(event, Ended):
            lasted = self._clock() - began
            metrics.call_over(event, lasted)
            _log.info("call_ended", cause=event.cause, seconds=round(lasted, 1))
            self._switchboard.tell("ended", CALLER, cause=event.cause)
        else:
            self._switchboard.company.caller_event(event)

    def _on_stage(self, stage: CallStage) -> None:
        """The caller is the dialogue's, waits for a person or has one; or the people changed."""
        if stage != self._stage:
            self._stage, self._since = stage, self._parts.now()
        talks = stage in ("bot", "waiting")
        self._ears.deaf, self._ears.with_person = not talks, stage == "person"
        self._ears.patient = stage == "waiting"
        if talks:
            self._ears.told()
        else:
            self._mouth.drop()
        self._parts.office.changed(self._info())

    def _info(self) -> CallInfo:
        board = self._switchboard
        people = (party.destination.name for party in board.company.parties.values())
        return CallInfo(
            self._id, self._parts.node, masked(self._leg.caller), self._dialled.number,
            self._leg.dialled, self._stage, self._began, self._since,
            (*people, *board.reaching.called), board.company.held,
        )  # fmt: skip

    async def _serve(self) -> None:
        try:
            await self._talk()
        except* (ConversationError, LineError) as failures:
            codes = [getattr(error, "code", "") for error in failures.exceptions]
            _log.error("call_failed", code=codes[0])
            await self._rescue()
        except* Exception as failures:  # noqa: BLE001  # the last resort: no caller is left in silence
            _log.error("call_broken", kinds=[type(e).__name__ for e in failures.exceptions])
            await self._rescue()

    async def _talk(self) -> None:
        await self._parts.core.open(
            self._id, channel="phone", line=self._dialled.number,
            citizen=self._leg.caller, at=self._parts.now(),
        )  # fmt: skip
        if self._parts.recordings:
            await self._parts.core.begin_recording(
                self._id, self._id, self._recording_path(), self._parts.now()
            )
        async with asyncio.TaskGroup() as group:
            group.create_task(self._ears.listen())
            group.create_task(self._telling.tell())
            group.create_task(self._ears.watch())

    async def _rescue(self) -> None:
        """Nothing behind us works: a sentence that was rendered before, and a person.

        Who has a person already, or has one being called, keeps them.
        """
        self._switchboard.dialogue_lost = True
        if self._leg.ended is None and not self._switchboard.busy:
            self._switchboard.expect(HUNT_GROUP)
            await self._telling.prompt("apology_kept" if await self._kept() else "apology_call")
            await self._switchboard.connect(HUNT_GROUP)
        else:
            await self._switchboard.until_over()

    async def _kept(self) -> bool:
        """Whether what they said waits on disk to become an order; no caller waits for a disk."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(KEEP_S):
                return await self._parts.core.keep(self._id, self._parts.now())
        return False

    def _recording_path(self) -> Path:
        day = self._parts.now().astimezone(self._parts.city.zone)
        name = hashlib.sha256(self._id.encode()).hexdigest()[:32]
        return (self._parts.recordings or Path()) / f"{day:%Y/%m/%d}" / f"{name}{SUFFIX}"

    async def _finish(self) -> None:
        if self._recorder is not None:
            await self._recorder.close()
        with contextlib.suppress(ConversationError):  # logged where it was raised
            if self._recorder is not None:
                await self._parts.core.end_recording(self._id, self._recorder.duration_ms)
            await self._parts.core.close(self._id, self._parts.now())
