"""A caller who waits in the queue: what they hear, and until when."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator

import structlog

from bot.errors import ConversationError
from bot.waiting import standing_told
from telephony.announcing import Announcer
from telephony.gate import Gate
from telephony.hold_sound import hold_sound
from telephony.parts import CallParts
from telephony.queue_patience import Deed, QueuePatience
from turns.standing import Standing

_log = structlog.get_logger(__name__)
_AGAIN_S = 1.0
"""Pause before we ask again where they stand, after a failure."""
_OPEN = ("waiting", "offered", "accepted")


@contextlib.asynccontextmanager
async def _closing(
    standings: AsyncIterator[Standing | None],
) -> AsyncIterator[AsyncIterator[Standing | None]]:
    try:
        yield standings
    finally:
        if isinstance(standings, AsyncGenerator):
            await standings.aclose()


class Queueing:
    """One caller's wait. ``hunt`` is called when the line's hunt group is to be tried (True: the
    place in the queue is kept), ``left`` when they wait no more and nobody has taken them.
    """

    def __init__(
        self,
        parts: CallParts,
        conversation: str,
        announcer: Announcer,
        gate: Gate,
        hunt: Callable[[bool], None],
        left: Callable[[], None],
    ) -> None:
        self._parts = parts
        self._id = conversation
        self._announcer = announcer
        self._gate = gate
        self._hunt = hunt
        self._left = left
        self._clock = asyncio.get_running_loop().time
        self._patience: QueuePatience | None = None
        self._task: asyncio.Task[None] | None = None
        self._paused = False
        self._saying = 0
        self._music = b""

    @property
    def waits(self) -> bool:
        """Whether the caller is in the queue, also while somebody is being called for them."""
        return self._patience is not None

    async def stands(self) -> bool:
        """Whether they stand in the queue: somebody they had may have passed them on."""
        with contextlib.suppress(ConversationError):  # logged where it was raised
            async with _closing(self._parts.core.standings(self._id)) as standings:
                standing = await anext(standings)
                return standing is not None and standing.state in _OPEN
        return False

    def enter(self) -> None:
        """They wait from now on. No effect if they do."""
        if self._patience is None:
            self._patience = QueuePatience(self._parts.city.queue, self._clock())
            self._paused = False
            self._task = asyncio.create_task(self._run(self._patience))

    def leave(self) -> None:
        """They wait no more."""
        self._patience = None
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
        self._task = None

    def pause(self) -> None:
        """Somebody is being called: they hear that instead."""
        self._paused = True

    def resume(self) -> None:
        """Nobody came: they wait on."""
        self._paused = False
        if self._patience is not None:
            self._patience.resumed(self._clock())
            self._sound()

    @contextlib.contextmanager
    def saying(self) -> Iterator[None]:
        """We speak while inside: no music meanwhile."""
        self._saying += 1
        if self.waits and not self._paused:
            self._announcer.silence()
        try:
            yield
        finally:
            self._saying -= 1
            self._sound()

    def _sound(self) -> None:
        """The music goes on where nothing else is to be heard."""
        if self.waits and not self._paused and not self._saying and self._gate.is_open:
            self._announcer.hold(self._music)

    async def _run(self, patience: QueuePatience) -> None:
        self._music = await asyncio.to_thread(hold_sound, self._parts.city)
        await self._gate.opened()
        self._sound()
        while self._patience is patience:
            try:
                await self._watch(patience)
            except ConversationError as error:
                _log.warning("standing_unknown", code=error.code)
                if not self._paused and patience.unknown(self._clock()) == "hunt":
                    return self._hunt(False)
                await asyncio.sleep(_AGAIN_S)
        return None

    async def _watch(self, patience: QueuePatience) -> None:
        async with _closing(self._parts.core.standings(self._id)) as standings:
            async for standing in standings:
                if self._patience is not patience:
                    return
                if not self._paused:
                    await self._do(patience.step(standing, self._clock()), standing)

    async def _do(self, deed: Deed, standing: Standing | None) -> None:
        prompts = self._parts.city.prompts
        match deed:
            case "tell" if standing is not None:
                await self._tell(standing_told(prompts, standing, voice=True))
            case "offer":
                await self._tell(prompts.waiting_long)
            case "hunt" | "hunt_beside":
                _log.warning("queue_to_hunt_group", code=deed)
                self._hunt(deed == "hunt_beside")
            case "left":
                self._left()

    async def _tell(self, text: str) -> None:
        await self._parts.core.inform(self._id, text, self._parts.now())
