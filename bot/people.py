"""Citizens and people: who waits for a person, who has one, and what becomes of them after.

The part of the conversation core that desks, the telephone and the chat share.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import structlog

from bot import history, joined, records
from bot.bus import ANY, News, NewsKind, Watch
from bot.errors import ConversationError
from bot.ledger import Ledger
from bot.parts import Parts
from bot.queued import Queued
from bot.surveying import Surveying
from turns.orders import OrderBrief
from turns.overheard import Overheard
from turns.replies import Say
from turns.standing import Standing

AfterPerson = Literal["queue", "bot", "survey", "goodbye"]
Writer = Literal["citizen", "agent"]
WAITS_LOOK_S = 3.0
IDLE_LOOK_S = 30.0
"""A lost wake-up costs a citizen so much: news normally come at once."""
ASLEEP_S = 3600.0
"""Thousands wait for what may never come: they need not wake up for that."""
TYPING_S = 5.0
"""Who has not said so for that long does not write any more."""
AGAIN_S = 5.0
"""After which the queue is asked again that did not answer."""
ROLL_CALL_S = 2.0
"""How long another process may take to say that it has the citizen."""

_MOVING: frozenset[NewsKind] = frozenset({""})
"""What may have moved a citizen in the queue: neither that they were heard nor what the bot said;
who moves them tells so.
"""
_log = structlog.get_logger(__name__)


def typing_key(conversation: str, who: Writer) -> str:
    """Under which the bus tells that ``who`` writes."""
    return f"#typing:{who}:{conversation}"


@dataclass(frozen=True, slots=True)
class Writes:
    """Whether the citizen's person is writing."""

    on: bool


class _Ear(Watch):
    """Hears one thing of several; ``bell`` is rung whichever it is."""

    __slots__ = ("_bell",)

    def __init__(self, bell: Watch, kinds: frozenset[NewsKind] | None = None) -> None:
        super().__init__(kinds)
        self._bell = bell

    def wake(self, news: News = ANY) -> None:
        """There is news."""
        super().wake(news)
        if self.woken:
            self._bell.wake()

    def heard(self) -> bool:
        """Whether there was news since the last call."""
        news = self.woken
        self.calm()
        return news


class People:
    """What the core does about people; see ``bot.conversation.Conversations``."""

    def __init__(self, parts: Parts, ledger: Ledger) -> None:
        self._parts = parts
        self._ledger = ledger
        self._queued = Queued(parts, ledger)
        self._surveying = Surveying(parts, ledger)
        self._absent: set[asyncio.Task[None]] = set()

    # Who waits for a person

    async def abandon(self, conversation: str, at: datetime) -> bool:
        """The citizen went away without a word: they wait no longer, and have no person.

        Whether they did, or had one.
        """
        rules = self._parts.city.queue
        left: bool = await self._ledger.call(records.leave_queue, conversation, at, rules)
        if left:
            self.standing_changed(conversation)
        return left

    async def standings(self, conversation: str) -> AsyncIterator[Standing | None]:
        """Where the citizen stands in the queue, now and whenever that may have changed.

        At least every ``WAITS_LOOK_S`` for who waits; None for who neither waits for a person nor
        has one. Raises :class:`ConversationError` ``store_down``.
        """
        with self._parts.bus.watch(conversation) as watch:
            while True:
                standing = await self._queued.look(conversation)
                yield standing
                await watch.wait(self._look_s(standing))

    def standing_changed(self, conversation: str) -> None:
        """Their entry in the queue has changed: whoever serves them or the queue looks again."""
        self._queued.moved(conversation)

    async def inform(self, conversation: str, text: str, at: datetime) -> None:
        """Tell the citizen something that nobody asked for: where they stand, for example."""
        say = Say(f"{conversation}.{at.timestamp():.0f}.standing", text)
        await self._ledger.tell(conversation, say, speaker="system", at=at)

    def typing(self, conversation: str, who: Writer) -> None:
        """``who`` is writing now; said again every few seconds as long as that is so."""
        self._parts.bus.tell(typing_key(conversation, who))

    async def typed(self, conversation: str, who: Writer) -> AsyncIterator[bool]:
        """Whether ``who`` is writing, whenever that changes."""
        with self._parts.bus.watch(typing_key(conversation, who)) as watch:
            writes = False
            while True:
                news = await watch.wait(TYPING_S if writes else ASLEEP_S)
                if news != writes:
                    writes = news
                    yield writes

    async def connected(self, conversation: str, at: datetime) -> None:
        """A person has the citizen on the line."""
        await self._ledger.call(records.connect_person, conversation, at)

    async def not_connected(self, conversation: str, at: datetime, cause: str) -> None:
        """Nobody could be reached for the citizen; ``cause`` is a stable code."""
        await self._ledger.call(joined.not_connected, conversation, at, cause)

    async def parted(self, conversation: str) -> None:
        """The person is gone, the citizen is not: the bot answers again."""
        parts = self._parts
        await self._ledger.call(joined.parted, conversation, parts.now(), parts.city.queue)
        self.standing_changed(conversation)

    async def person_left(self, conversation: str, at: datetime) -> AfterPerson:
        """The person on the telephone is gone, the caller is not: what becomes of them.

        The bot has whom the desk gave back, and who is to be asked; who was passed on waits again.
        """
        standing = await self._queued.look(conversation)
        if standing is not None and standing.state in ("waiting", "offered", "accepted"):
            return "queue"
        if await self._ledger.call(joined.given_back, conversation):
            return "bot"
        targets = self._parts.city.targets
        if not targets.survey:
            return targets.after_person
        await self.abandon(conversation, at)
        return "survey"

    async def ask_survey(self, conversation: str, at: datetime) -> bool:
        """Ask the citizen what they thought of the person they had, where the city wants it.

        Whether they were asked: nobody is asked twice about the same talk.
        """
        return await self._surveying.begin(conversation, at)

    async def overhear(self, words: Overheard) -> None:
        """Keep what a person said to the citizen; a repeated id is dropped."""
        try:
            await self._ledger.call(joined.commit_overheard, words)
        except KeyError:
            raise ConversationError(
                "conversation_unknown", "the conversation was not opened"
            ) from None
        self._parts.bus.tell(words.conversation)

    async def order_brief(self, conversation: str) -> OrderBrief | None:
        """The citizen's newest order in few words, or None."""
        brief: OrderBrief | None = await self._ledger.call(joined.order_brief, conversation)
        return brief

    async def person_done(self, conversation: str, at: datetime, *, given_back: bool) -> None:
        """The desk has finished with a citizen who writes, or gave them back: they are told.

        Callers are told on the telephone, once their person has hung up.
        """
        state = await self._ledger.call(history.read_state, conversation)
        if state is None or state.channel == "phone" or state.state == "ended":
            return
        if given_back or not await self.ask_survey(conversation, at):
            await self.inform(conversation, self._parts.city.prompts.back_to_bot_chat, at)

    # Whether the citizen is there at all

    async def unfinished_calls(self) -> tuple[str, ...]:
        """Calls whose callers wait for a person or have one. Raises :class:`ConversationError`."""
        found: tuple[str, ...] = await self._ledger.call(joined.with_people, calls=True)
        return found

    async def call_the_roll(self, patience_s: float) -> None:
        """A process that serves chats begins: whoever does not come back waits no longer."""
        with contextlib.suppress(ConversationError):  # logged where it was raised
            for conversation in await self._ledger.call(joined.with_people, calls=False):
                self.gone(conversation, patience_s)

    async def company(self, conversation: str) -> AsyncIterator[Standing | Writes | None]:
        """While the citizen's page is open here: where they stand in the queue, now and whenever
        that may have changed, whether their person writes; and the roll is answered for them.

        As :meth:`standings` and :meth:`typed`, in one task with one timer: thousands are open.
        While the database does not answer, what was told last stays.
        """
        bus, clock = self._parts.bus, asyncio.get_running_loop().time
        here, bell = f"#here:{conversation}", Watch()
        moved, writes, called = _Ear(bell, _MOVING), _Ear(bell), _Ear(bell)
        with (
            bus.watch(conversation, moved),
            bus.watch(typing_key(conversation, "agent"), writes),
            bus.watch(f"#who:{conversation}", called),
        ):
            bus.tell(here)
            look_at, quiet_at = clock(), math.inf
            while True:
                if called.heard():
                    bus.tell(here)
                if writes.heard():
                    if quiet_at == math.inf:
                        yield Writes(on=True)
                    quiet_at = clock() + TYPING_S
                elif clock() >= quiet_at:
                    quiet_at = math.inf
                    yield Writes(on=False)
                if moved.heard() or clock() >= look_at:
                    try:
                        standing = await self._queued.look(conversation)
                    except ConversationError as error:
                        _log.warning("standing_unknown", code=error.code)
                        look_at = clock() + AGAIN_S
                    else:
                        yield standing
                        look_at = clock() + self._look_s(standing)
                await bell.wait(max(0.0, min(look_at, quiet_at) - clock()))

    def _look_s(self, standing: Standing | None) -> float:
        """How long until one looks without news where the citizen stands."""
        if standing is not None and standing.waits:
            return WAITS_LOOK_S
        return max(IDLE_LOOK_S, 5 * self._parts.bus.patience_s)

    def gone(self, conversation: str, patience_s: float) -> None:
        """Their page was closed: unless it is open again somewhere within ``patience_s``, they wait
        no longer, and have no person.
        """
        task = asyncio.create_task(self._wait_for(conversation, patience_s))
        self._absent.add(task)
        task.add_done_callback(self._absent.discard)

    async def _wait_for(self, conversation: str, patience_s: float) -> None:
        with self._parts.bus.watch(f"#here:{conversation}") as watch:
            if await watch.wait(patience_s):
                return
            self._parts.bus.tell(f"#who:{conversation}")
            if await watch.wait(ROLL_CALL_S):
                return
        at = self._parts.now()
        with contextlib.suppress(ConversationError):  # logged where it was raised
            if await self.abandon(conversation, at):
                await self.inform(conversation, self._parts.city.prompts.waiting_left, at)
