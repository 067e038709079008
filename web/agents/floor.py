"""The open desks of one process, and what they share: the board, the heartbeat, the calls."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.bus import Watch
from handoff.queue import service
from store.faults import fault_of
from turns.calls import CallEvent
from web.accounts import signed_in
from web.agents.board import Board, read_board
from web.agents.calls import CallFeed
from web.agents.callview import CallView
from web.agents.dispatcher import QUEUE, Dispatcher, desk_key
from web.agents.outcomes import Outcomes
from web.agents.parts import DeskParts
from web.agents.tally import Tallies, Tally
from web.agents.views import colleagues_json

if TYPE_CHECKING:
    from web.agents.desk import Desk

BEAT_S = 4.0
SILENT_S = 12.0
"""A desk that has sent nothing for so long is not reported as seen: a closed laptop."""
GUARD_S = 20.0
SETTLE_S = 0.02
"""Changes of the queue come in bunches: so long is waited for the rest of one."""
GAP_S = 0.1
"""Time between two looks: however much happens, a desk is shown it no oftener."""
WRITERS = 8
LISTED_S = 2.0
TALLIED_S = 5.0
_AGAIN_S = 1.0
_log = structlog.get_logger(__name__)


class Floor:
    """Everything the desks of a process share; ``start`` and ``stop`` it around their life."""

    def __init__(self, parts: DeskParts) -> None:
        self.parts = parts
        self.board = Board()
        self.desks: dict[str, Desk] = {}
        self.outcomes = Outcomes()
        self.dispatcher = Dispatcher(parts)
        self._news = Watch()
        self.feed = (
            CallFeed(parts.control, self._on_call, self._news.wake) if parts.control else None
        )
        is_sqlite = parts.engine.dialect.name == "sqlite"
        self.line = asyncio.Semaphore(1 if is_sqlite else WRITERS)
        """Who writes stands in line here: SQLite lets one write, and serves whom it likes."""
        self._listed_at = -LISTED_S
        self._tallies = Tallies(parts.city.zone)
        self._tallied_at = -TALLIED_S
        self._tasks: set[asyncio.Task[None]] = set()
        self.running = False

    def start(self) -> None:
        """Begin to dispatch, to listen and to report the desks as seen."""
        self.running = True
        works = [self._watch(), self._beat(), self._guard(), self.dispatcher.run()]
        if self.feed is not None:
            works.append(self.feed.run())
        for work in works:
            self.spawn(work)

    async def stop(self) -> None:
        """End all of it; desks close by themselves when their sockets do."""
        self.running = False
        left = set(self._tasks)
        while left:  # a cancellation may be lost in a client's own time-outs: say it again
            for task in left:
                task.cancel()
            _, left = await asyncio.wait(left, timeout=_AGAIN_S)
        if self.feed is not None:
            await self.feed.stop()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do something that outlives the socket that wanted it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    @contextlib.contextmanager
    def holding(self, desk: Desk) -> Iterator[None]:
        """``desk`` is its agent's while inside; one that was open before is told, and closes."""
        before = self.desks.get(desk.login)
        self.desks[desk.login] = desk
        if before is not None:
            before.take_over()
        try:
            with self.parts.bus.watch(desk_key(desk.login), self._news):
                yield
        finally:
            if self.desks.get(desk.login) is desk:
                del self.desks[desk.login]

    def tell(self, *keys: str) -> None:
        """Something changed in the queue: everybody looks again, and ``keys`` are woken too."""
        for key in (QUEUE, *keys):
            self.parts.bus.tell(key)

    async def refresh(self) -> None:
        """Read the board anew and show it to every desk."""
        parts = self.parts
        board = await asyncio.to_thread(
            read_board, parts.engine, parts.now(), parts.city.queue.vanish_s
        )
        # Everybody's status goes to everybody: not oftener than anybody reads it.
        if parts.clock() - self._listed_at < LISTED_S:
            before = self.board
            board = replace(board, listed=before.listed, listed_json=before.listed_json)
        else:
            self._listed_at = parts.clock()
            told = colleagues_json(board.colleagues)
            board = replace(board, listed=board.colleagues, listed_json=told)
        self.board = replace(board, tallies=await self._tallied())
        for desk in tuple(self.desks.values()):
            desk.look()

    async def _tallied(self) -> Mapping[str, Tally]:
        if self.parts.clock() - self._tallied_at < TALLIED_S:
            return self.board.tallies
        self._tallied_at = self.parts.clock()
        return await asyncio.to_thread(self._tallies.read, self.parts.engine, self.parts.now())

    @property
    def phones(self) -> bool:
        """Whether calls can be commanded: where Redis is away, no agent's telephone rings."""
        return self.feed is None or not self.feed.down

    def view_of_call(self, conversation: str) -> CallView:
        """How a call stands, as far as anything was heard of it."""
        return self.feed.views.get(conversation, CallView()) if self.feed else CallView()

    async def _watch(self) -> None:
        with self.parts.bus.watch(QUEUE, self._news):
            while True:
                if self.desks:
                    await self._tried(self.refresh(), "board_failed")
                    await asyncio.sleep(GAP_S)
                await self._news.wait()
                await asyncio.sleep(SETTLE_S)

    async def _beat(self) -> None:
        """Say whose desks are open, all of them in one statement."""
        while True:
            await asyncio.sleep(BEAT_S)
            for desk in tuple(self.desks.values()):
                desk.beat()
            await self._tried(self.report_seen(), "presence_failed")
            await self._tried(self.check_windows(), "windows_failed")

    async def report_seen(self) -> None:
        """Renew the presence of whoever's page has answered lately."""
        heard_after = self.parts.clock() - SILENT_S
        logins = [one.login for one in self.desks.values() if one.heard_at > heard_after]
        if logins:
            await asyncio.to_thread(service.seen, self.parts.engine, logins, self.parts.now())

    async def claim(self, desk: Desk) -> None:
        """``desk`` is its agent's over all processes; another one's closes within seconds."""
        parts = self.parts
        await asyncio.to_thread(service.open_desk, parts.engine, desk.login, desk.id, parts.now())
        desk.claimed = True

    async def check_windows(self) -> None:
        """Close the desks whose agents have opened another window, at another process."""
        if not self.desks:
            return
        newest = await asyncio.to_thread(service.desks_of, self.parts.engine, list(self.desks))
        for desk in tuple(self.desks.values()):
            if desk.claimed and newest.get(desk.login, desk.id) != desk.id:
                desk.take_over()

    async def _guard(self) -> None:
        """Close the desks of those who were signed out, switched off, or left alone too long."""
        while True:
            await asyncio.sleep(GUARD_S)
            await self._tried(self.check_sessions(), "guard_failed")

    async def check_sessions(self) -> None:
        """One look at every session."""
        for desk in tuple(self.desks.values()):
            member = await asyncio.to_thread(signed_in, self.parts.engine, desk.session)
            desk.check(member, self.parts.now())

    async def _tried(self, work: Coroutine[Any, Any, None], event: str) -> None:
        """Do it; what breaks is logged, and the loop it belongs to goes on."""
        try:
            await work
        except SQLAlchemyError as error:
            _log.error("desk_floor_failed", work=event, code="store_down", fault=fault_of(error))
        except Exception as error:  # noqa: BLE001  # a desk's error is none of the others'
            _log.error("desk_floor_failed", work=event, code="internal", kind=type(error).__name__)

    def _on_call(self, event: CallEvent, view: CallView) -> None:
        for desk in tuple(self.desks.values()):
            desk.on_call(event, view)
