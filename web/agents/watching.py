"""One talk that a desk looks at: its turns as they come, the order beside it, what may be answered.

Woken by the conversation's key and by the board. What the citizen said last is looked up and may
fill the order, but only at the desk of whoever has the citizen.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Coroutine
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.bus import Watch
from bot.errors import ConversationError
from handoff.refill import refill
from store.engine import reading
from store.faults import fault_of
from web import audit
from web.agents import casefile, frames
from web.agents.board import Board, Mark
from web.agents.casefile import Handoff
from web.agents.errors import DeskError
from web.agents.orderframe import order_of
from web.agents.suggesting import Suggesting
from web.agents.talk import News, Transcript
from web.secrecy import knows_conversation
from web.transcript import TurnView

if TYPE_CHECKING:
    from web.agents.desk import Desk

LOOK_S = 30.0
"""The board tells of every change within a second; this is for talks that are not on it."""
_log = structlog.get_logger(__name__)


class Watching:
    """Use :meth:`begin`; ``close`` it when the desk looks elsewhere."""

    def __init__(self, desk: Desk, found: Handoff, cursor: int) -> None:
        self._desk = desk
        self._parts = desk.parts
        self._found = found
        self._transcript = Transcript(found.conversation, cursor)
        self._news = Watch()
        self._mark = Mark()
        self._order: dict[str, Any] | None = None
        self._heard = 0
        self._said: TurnView | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._suggesting = Suggesting(self._parts, found.conversation, self._suggest)

    @property
    def handoff(self) -> str:
        """What is watched."""
        return self._found.id

    @property
    def conversation(self) -> str:
        """Whose talk it is."""
        return self._found.conversation

    @classmethod
    async def begin(cls, desk: Desk, handoff: str, cursor: int) -> Watching:
        """Show what was said so far.

        Raises :class:`DeskError` ``entry_unknown``, ``not_yours``, ``order_secret``.
        """
        found = await asyncio.to_thread(casefile.find, desk.parts.engine, handoff)
        if found is None:
            raise DeskError("entry_unknown")
        if not (found.is_of(desk.login) or desk.me.supervisor):
            raise DeskError("not_yours")
        await asyncio.to_thread(_check_secret, desk, found)
        watching = cls(desk, found, cursor)
        await watching._open()
        return watching

    def look(self, board: Board) -> None:
        """There is a new board."""
        case = board.held.get(self.handoff)
        if case is not None and case.mark != self._mark:
            self._mark = case.mark
            self._news.wake()

    async def close(self) -> None:
        """Nobody looks at it here any more."""
        self._suggesting.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def _is_mine(self) -> bool:
        return self._desk.floor.board.case(self._desk.login, self.handoff) is not None

    async def _open(self) -> None:
        gone = self._found.talk == "ended"
        await self._desk.page.send(frames.citizen(self.handoff, typing=False, connected=not gone))
        await self._step()
        self._spawn(self._follow())
        if self._found.is_call:
            self._spawn(self._listen())
        else:
            self._spawn(self._typing())

    async def _follow(self) -> None:
        with self._parts.bus.watch(self.conversation, self._news):
            while True:
                await self._news.wait(LOOK_S)
                try:
                    await self._step()
                except SQLAlchemyError as error:
                    _log.error("desk_failed", code="store_down", fault=fault_of(error))
                    await asyncio.sleep(1)

    async def _step(self) -> None:
        """Send what is new: first the words, then what follows from them."""
        news = await asyncio.to_thread(self._transcript.read, self._parts.engine)
        shown = news.changed + news.turns
        if shown:
            await self._desk.page.send(frames.turns(self.handoff, news.cursor, shown))
        if self._heard == 0:
            self._heard = await asyncio.to_thread(self._heard_so_far)
        else:
            self._heard += news.heard
        self._desk.seen(self.handoff, self._heard)
        await self._follow_up(news)
        await self.show_order()

    def _heard_so_far(self) -> int:
        return self._transcript.heard_so_far(self._parts.engine)

    async def _follow_up(self, news: News) -> None:
        """The order fills itself, and answers are looked up, for whoever has the citizen."""
        said = self._said = news.said or self._said
        if said is None or not self._is_mine:  # the board may not know yet that they are
            return
        self._said = None
        self._suggesting.look_up(said.text, said.at)
        await asyncio.to_thread(self._refill)

    def _refill(self) -> None:
        rules = self._parts.joints.rules
        if rules is not None and refill(
            self._parts.engine, self._found.order, self._parts.now(), rules
        ):
            _log.info("order_refilled", conversation=self.conversation)

    async def show_order(self) -> None:
        """Send the order, if it is another than the page has."""
        shown = await asyncio.to_thread(self._read_order)
        if shown is not None and shown != self._order:
            self._order = shown
            await self._desk.page.send(frames.order(self.handoff, shown))

    def _read_order(self) -> dict[str, Any] | None:
        return order_of(self._parts, self._desk.member, self._found.order)

    async def _listen(self) -> None:
        """Words that are being said on the telephone."""
        feed = self._desk.floor.feed
        if feed is None:
            return
        await feed.learn(self.conversation)
        self._desk.look()
        with feed.hearing(self.conversation, self._on_words):
            await asyncio.Event().wait()

    def _on_words(self, speaker: str, text: str) -> None:
        self._spawn(self._desk.page.send(frames.partial(self.handoff, speaker, text)))
        if speaker == "citizen" and self._is_mine:
            self._suggesting.overhear(text, self._parts.now())

    async def _typing(self) -> None:
        """Whether the citizen writes."""
        typed = self._parts.conversations.typed(self.conversation, "citizen")
        try:
            async for writes in typed:
                frame = frames.citizen(self.handoff, typing=writes, connected=True)
                await self._desk.page.send(frame)
        except ConversationError as error:
            _log.warning("desk_failed", code=error.code)
        finally:
            if isinstance(typed, AsyncGenerator):
                with contextlib.suppress(RuntimeError):
                    await typed.aclose()

    async def _suggest(self, answers: list[dict[str, Any]]) -> None:
        await self._desk.page.send(frames.suggest(self.handoff, answers))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _check_secret(desk: Desk, found: Handoff) -> None:
    """Write down who looks; raises :class:`DeskError` ``order_secret``."""
    parts = desk.parts
    with reading(parts.engine) as session:
        known = knows_conversation(session, found.conversation, desk.member, parts.city.orders)
    action = "order_viewed" if known else "order_refused"
    audit.note_viewing(parts, desk.login, action, found.number)
    if not known:
        raise DeskError("order_secret")
