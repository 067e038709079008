"""What becomes of the calls, listened to once for all desks of a process."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict, defaultdict
from collections.abc import AsyncGenerator, Callable, Iterator

import structlog

from telephony.commands import ControlError
from turns.calls import CallEvent
from web.agents.callview import CallView, known, track
from web.agents.parts import Control

REMEMBERED = 2000
_RETRY_S = 0.5
_NO_CALL = "nobody"
_log = structlog.get_logger(__name__)
OnEvent = Callable[[CallEvent, CallView], None]
OnWords = Callable[[str, str], None]


class CallFeed:
    """Keeps how each call stands; ``on_event`` is told of every event, in order, and
    ``on_changed`` when Redis is lost or back: ``down`` meanwhile.
    """

    def __init__(
        self, control: Control, on_event: OnEvent, on_changed: Callable[[], None] = lambda: None
    ) -> None:
        self._control = control
        self._on_event = on_event
        self._on_changed = on_changed
        self.views: OrderedDict[str, CallView] = OrderedDict()
        self._listeners: dict[str, list[OnWords]] = defaultdict(list)
        self._hearing: dict[str, asyncio.Task[None]] = {}
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self.down = False

    async def run(self) -> None:
        """Listen until cancelled; a Redis that comes back is gone on with where it was left."""
        place = ""
        while True:
            await self._until_back()
            events = self._control.events(place)
            try:
                async for place, event in events:  # noqa: B007  # where to go on after a loss
                    self._said_so(down=False)
                    self._take(event)
            except ControlError:
                self._said_so(down=True)
                await asyncio.sleep(_RETRY_S)
            finally:
                if isinstance(events, AsyncGenerator):
                    await events.aclose()

    async def _until_back(self) -> None:
        """Return when Redis answers; there may be no event for long that would show it."""
        while self.down:
            try:
                await self._control.find(_NO_CALL)
            except ControlError as error:
                if error.code == "redis_lost":
                    await asyncio.sleep(_RETRY_S)
                    continue
            self._said_so(down=False)

    async def learn(self, call: str) -> CallView:
        """How the call stands; asked of the telephones where nothing was heard of it yet."""
        if call not in self.views:
            with contextlib.suppress(ControlError):
                found = known(await self._control.find(call))
                self.views.setdefault(call, found)
        return self.views.get(call, CallView())

    async def until(
        self, call: str, fits: Callable[[CallView], bool], timeout_s: float
    ) -> CallView | None:
        """The call as soon as it stands so; None where it did not within that time."""
        moved = asyncio.Event()
        self._waiting[call].add(moved)
        try:
            async with asyncio.timeout(timeout_s):
                while not fits(view := await self.learn(call)):
                    await moved.wait()
                    moved.clear()
                return view
        except TimeoutError:
            return None
        finally:
            self._waiting[call].discard(moved)
            if not self._waiting[call]:
                del self._waiting[call]

    @contextlib.contextmanager
    def hearing(self, call: str, listener: OnWords) -> Iterator[None]:
        """Give ``listener`` the words being said in the call while inside."""
        listeners = self._listeners[call]
        listeners.append(listener)
        if len(listeners) == 1:
            self._hearing[call] = asyncio.create_task(self._hear(call))
        try:
            yield
        finally:
            listeners.remove(listener)
            if not listeners:
                del self._listeners[call]
                self._hearing.pop(call).cancel()

    async def stop(self) -> None:
        """Nobody listens any more."""
        tasks = list(self._hearing.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _take(self, event: CallEvent) -> None:
        view = track(self.views.get(event.call, CallView()), event)
        self.views[event.call] = view
        self.views.move_to_end(event.call)
        while len(self.views) > REMEMBERED:
            self.views.popitem(last=False)
        for moved in self._waiting.get(event.call, ()):
            moved.set()
        self._on_event(event, view)

    async def _hear(self, call: str) -> None:
        while True:
            words = self._control.partials(call)
            try:
                async for speaker, text in words:
                    for listener in tuple(self._listeners.get(call, ())):
                        listener(speaker, text)
            except ControlError:
                await asyncio.sleep(_RETRY_S)
            finally:
                if isinstance(words, AsyncGenerator):
                    await words.aclose()

    def _said_so(self, *, down: bool) -> None:
        """Log the loss of Redis, and its return, once each."""
        if down != self.down:
            self.down = down
            self._on_changed()
            _log.warning("call_feed_changed", code="redis_lost" if down else "redis_back")
