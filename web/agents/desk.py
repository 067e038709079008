"""One agent's open page: what it is shown, and what it asks for.

A desk is nothing that lasts: everything it shows stands in the database, everything it does is
guarded there. So a page may close, sleep or come back at any moment. A citizen is the agent's until
the queue misses the desk's sign of life.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import structlog
from sqlalchemy.exc import SQLAlchemyError

from chat.limits import Limiter, Rate
from store.faults import fault_of
from turns.calls import CallEvent
from web import sessions
from web.accounts import Member
from web.agents import alive, frames, protocol
from web.agents.actions import slow, work_of
from web.agents.callview import CallView
from web.agents.errors import DeskError, text_of
from web.agents.frames import Me
from web.agents.protocol import Action, ClientFrame, Hello, Ping, Typing, Watch
from web.agents.views import DeskView, desk_frame, view_of
from web.agents.watching import Watching
from web.rights import Right
from web.sessions import StaffSession

if TYPE_CHECKING:
    from web.agents.floor import Floor

FRAMES = Rate(burst=60, per_s=10)
"""More than a person can do; a page gone mad is told to slow down."""
_log = structlog.get_logger(__name__)


class Page(Protocol):
    """The socket of a page; ``send`` and ``close`` of one that is gone do nothing."""

    async def receive(self) -> str | bytes:
        """The next frame; raises ``WebSocketDisconnect``."""

    async def send(self, frame: dict[str, Any], *, agents: str | None = None) -> None:
        """Send a frame; ``agents`` is a member of it that is JSON already."""

    async def close(self, code: int) -> None:
        """Close it."""


class Desk:
    """One page after the handshake; ``run`` it, the rest is told by the floor."""

    def __init__(
        self, page: Page, floor: Floor, member: Member, me: Me, session: StaffSession
    ) -> None:
        self.page, self.floor, self.member, self.me = page, floor, member, me
        self.login, self.session = me.login, session
        self.parts = floor.parts
        self.id = secrets.token_hex(8)
        self.claimed = False
        self.heard_at = self.parts.clock()
        self.acted_at = self.parts.now()
        self.read: dict[str, int] = {}
        self.watching: Watching | None = None
        self._shown: DeskView | None = None
        self._edition = 0
        self._look = asyncio.Event()
        self._limiter = Limiter(FRAMES, kept=1)
        self._in_order = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ticket_at: datetime | None = None
        self._closed = asyncio.Event()

    async def run(self) -> None:
        """Show and listen until either side closes."""
        with self.floor.holding(self):
            await self.floor.claim(self)
            await self.floor.report_seen()
            await self.floor.refresh()
            now = self.parts.now()
            await self.page.send(frames.welcome(self.me, self.parts.city, self.floor.board, now))
            self._spawn(self._show())
            try:
                await self._listen()
            finally:
                await self._end()

    # What the floor tells; none of it waits

    def look(self) -> None:
        """There is a new board."""
        self._look.set()
        if self.watching is not None:
            self.watching.look(self.floor.board)

    def beat(self) -> None:
        """Ask the page for a sign of life; one that gives none for long is closed."""
        if self.parts.clock() - self.heard_at > alive.GONE_S:
            self._spawn(self.page.close(1001))
        else:
            self._spawn(self.page.send({"type": "beat"}))

    def take_over(self) -> None:
        """The agent has opened another window."""
        self.leave("taken_over", "您在别的窗口打开了坐席台，这个窗口已经停用。")

    def leave(self, code: str, text: str = "") -> None:
        """Close the page and say why; ``text`` where the code's own words will not do."""
        if not self._closed.is_set():
            self._closed.set()
            self._spawn(self._leave(code, text or text_of(code)))

    def check(self, member: Member | None, now: datetime) -> None:
        """Whether the session still stands: ``member`` is who its cookie belongs to, if anybody.

        Who has a citizen is not signed out for sitting still, nor at the end of a shift.
        """
        if member is None or Right.TAKE_HANDOFFS not in member.rights:
            self.leave("not_signed_in")
        elif not self.floor.board.cases.get(self.login):
            rested = now - self.acted_at >= self.parts.idle
            worn = now - self.session.since >= sessions.LONGEST
            if rested or worn:
                self.leave("idle", "很久没有操作，已经退出坐席台，请重新登录。")

    def on_call(self, event: CallEvent, view: CallView) -> None:
        """Something happened to a call, perhaps one of this desk's."""
        mine = self.floor.board.cases.get(self.login, ())
        case = next((one for one in mine if one.conversation == event.call), None)
        watched = self.watching
        handoff = case.handoff if case else ""
        if watched is not None and watched.conversation == event.call:
            handoff = watched.handoff
        if handoff:
            self._spawn(
                self.page.send(frames.call(handoff, event.state, event.leg, event.cause, view))
            )
            self._look.set()

    # What is shown

    async def _show(self) -> None:
        """Send the desk whenever it stands otherwise than the page knows."""
        while True:
            await self._look.wait()
            self._look.clear()
            view = view_of(
                self.floor.board, self.login, self.read, self._calls(), phones=self.floor.phones
            )
            if view == self._shown:
                continue
            self._edition += 1
            listed = None
            if self._shown is None or self._shown.colleagues != view.colleagues:
                listed = self.floor.board.listed_json
            self._shown = view
            frame = desk_frame(view, self._edition, self.parts.now())
            await self.page.send(frame, agents=listed)

    def _calls(self) -> dict[str, CallView]:
        mine = self.floor.board.cases.get(self.login, ())
        return {
            case.conversation: self.floor.view_of_call(case.conversation)
            for case in mine
            if case.channel == "phone"
        }

    # What is asked for

    async def _listen(self) -> None:
        while True:
            try:
                frame = protocol.parse(await self.page.receive())
            except DeskError as error:
                self.heard_at = self.parts.clock()
                await self.page.send(frames.refused(error))
                continue
            self.heard_at = self.parts.clock()
            if self._closed.is_set():
                return
            await self._take(frame)

    async def _take(self, frame: ClientFrame) -> None:
        if isinstance(frame, Ping):
            await self.page.send(frames.pong())
        elif isinstance(frame, Hello):
            await self.page.send(frames.refused(DeskError("hello_again")))
        elif not self._limiter.allow("", self.parts.clock()):
            error = DeskError("too_fast", getattr(frame, "id", ""))
            await self.page.send({**frames.refused(error), "retry": True})
        elif isinstance(frame, Watch):
            await self._watch(frame)
        elif isinstance(frame, Typing):
            self._typing(frame)
        else:
            self.floor.spawn(self._act(frame))  # it goes on without this page

    async def _watch(self, frame: Watch) -> None:
        """Show another talk; what was shown before is not followed any more."""
        await self._acted()
        if self.watching is not None:
            await self.watching.close()
            self.watching = None
        if not frame.handoff:
            return
        try:
            self.watching = await Watching.begin(self, frame.handoff, frame.cursor)
        except DeskError as error:
            more = {"handoff": frame.handoff}
            await self.page.send(frames.refused(error, more))
        except SQLAlchemyError as error:
            _log.error("desk_failed", code="store_down", fault=fault_of(error))
            await self.page.send(frames.refused(DeskError("store_down")))

    def _typing(self, frame: Typing) -> None:
        case = self.floor.board.case(self.login, frame.handoff)
        if case is not None and case.channel != "phone" and frame.on:
            self.parts.conversations.typing(case.conversation, "agent")

    async def _act(self, frame: Action) -> None:
        await self._acted()

        async def work() -> dict[str, Any]:
            if slow(frame):
                return await work_of(self, frame)
            async with self._in_order, self.floor.line:
                return await work_of(self, frame)

        await self.page.send(await self.floor.outcomes.once(self.login, frame.id, work))

    async def _acted(self) -> None:
        """The agent did something: their session rests no longer."""
        now = self.parts.now()
        self.acted_at = now
        if self._ticket_at is None or now - self._ticket_at >= alive.TICKET_EVERY:
            self._ticket_at = now
            ticket = alive.ticket(self.session, self.parts.key, now)
            await self.page.send(frames.alive(ticket))

    def seen(self, handoff: str, heard: int) -> None:
        """So many of the citizen's turns have been looked at."""
        if self.read.get(handoff, 0) < heard:
            self.read[handoff] = heard
            self._look.set()

    # Its end

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _leave(self, code: str, text: str) -> None:
        await self.page.send(frames.closing(code, text))
        await self.page.close(alive.CLOSED.get(code, 1000))

    async def _end(self) -> None:
        if self.watching is not None:
            await self.watching.close()
        tasks = {task for task in self._tasks if task is not asyncio.current_task()}
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)
