"""The conversation core, the same for every channel: a turn is committed, then answered.

``hear`` returns when the citizen's turn stands in the database; ``replies`` tells what is said to
the citizen, whoever says it. Turns of one citizen stand in line (`bot.turn_queue`); how each is
answered is `bot.answering`'s; every failure becomes a sentence and a person.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Literal

import structlog

from bot import history, joined, records
from bot.answering import Answering
from bot.errors import ConversationError
from bot.ledger import Ledger
from bot.parts import Dialogue, DialogueError, Foresight, Parts
from bot.queue import QUEUE_NEWS
from bot.queued import Queued
from bot.surveying import Surveying
from bot.taking_back import Memory
from bot.triage import TEXT_LIMIT
from bot.turn_queue import TurnQueue
from language.normal import clean
from turns.heard import Heard
from turns.orders import OrderBrief
from turns.overheard import Overheard
from turns.replies import Reply, Say, Speaker, Told
from turns.standing import Standing

__all__ = ["Conversations", "Dialogue", "DialogueError", "Foresight", "Parts"]

_log = structlog.get_logger(__name__)
AfterPerson = Literal["queue", "bot", "survey", "goodbye"]
Writer = Literal["citizen", "agent"]
WAITS_LOOK_S = 3.0
IDLE_LOOK_S = 30.0
"""A lost wake-up costs a citizen so much: news normally come at once."""
TYPING_S = 5.0
"""Who has not said so for that long does not write any more."""


def _typing(conversation: str, who: Writer) -> str:
    return f"#typing:{who}:{conversation}"


class Conversations:
    """All conversations that this process serves."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._ledger = Ledger(parts)
        self._memory = Memory()
        self._queued = Queued(parts, self._ledger)
        self._surveying = Surveying(parts, self._ledger)
        answering = Answering(parts, self._ledger, self._memory, self._queued, self._surveying)
        self._queue = TurnQueue(answering.answer, answering.apologise)

    async def open(
        self, conversation: str, *, channel: str, line: str, citizen: str, at: datetime,
        region: str = "",
    ) -> None:  # fmt: skip
        """Begin, with the greeting; or go on, answering what a dead process left unanswered.

        ``region``: the code of the citizen's, where it is known; else the line's own.
        Raises :class:`ConversationError` ``store_down``.
        """
        region = region or self._parts.city.line(line).region
        opening = records.Opening(conversation, channel, line, citizen, at, region)
        if await self._ledger.call(records.open_conversation, opening):
            greeting = "greeting_call" if channel == "phone" else "greeting_chat"
            text = self._parts.city.prompts.fill(greeting, city=self._parts.city.name)
            await self.tell(
                conversation, Say(f"{conversation}.greeting", text, interruptible=False),
                speaker="bot", at=at,
            )  # fmt: skip
            return
        if not self._queue.waits(conversation):
            for heard in await self._ledger.call(history.unanswered, conversation):
                self._queue.put(heard)

    async def hear(self, heard: Heard) -> None:
        """Commit a turn; it is answered behind this call. A repeated id is dropped.

        Raises :class:`ConversationError`: ``store_down``, ``conversation_unknown``.
        """
        await self._commit(heard)

    async def prepare(self, conversation: str, text: str) -> bool:
        """Look ahead at words that may not be all: whether, as they stand, they can be answered.

        No side effects: no turn, no record. False in the middle of a form, and where that cannot
        be told.
        """
        if self._parts.urgent(text) is not None:
            return True
        state: history.State | None = await self._ledger.call(history.read_state, conversation)
        if self._parts.foresight is None or state is None or state.state != "bot" or state.slots:
            return False
        try:
            return await self._parts.foresight.answerable(text, state.context, self._parts.now())
        except DialogueError as error:
            _log.info("foresight_failed", code=error.code, conversation=conversation)
            return False

    async def answer(self, heard: Heard) -> None:
        """As ``hear``, but returns when the turn has been answered."""
        answering = await self._commit(heard)
        if answering is not None:
            await answering

    async def _commit(self, heard: Heard) -> asyncio.Task[None] | None:
        heard = replace(heard, text=clean(heard.text)[:TEXT_LIMIT])
        try:
            fresh = await self._ledger.call(records.commit_heard, heard)
        except KeyError:
            raise ConversationError(
                "conversation_unknown", "the conversation was not opened"
            ) from None
        if not fresh:
            return None
        self._parts.bus.tell(heard.conversation)
        return self._queue.put(heard)

    async def replies(self, conversation: str, cursor: int = 0) -> AsyncIterator[Told]:
        """Everything told after ``cursor``, then what comes, for as long as it is iterated."""
        with self._parts.bus.watch(conversation) as watch:
            while True:
                for told in await self._ledger.call(history.told_after, conversation, cursor):
                    cursor = told.cursor
                    yield told
                await watch.wait()

    async def tell(
        self, conversation: str, *replies: Reply, speaker: Speaker, at: datetime, to: str = ""
    ) -> None:
        """Say something to the citizen: the bot's answer to turn ``to``, or an agent's words.

        An agent's first words take the conversation over from the bot.
        """
        await self._ledger.tell(conversation, *replies, speaker=speaker, at=at, to=to)

    async def close(self, conversation: str, at: datetime) -> None:
        """The citizen is gone: who waited for a person is called back."""
        self._memory.forget(conversation)
        rules = self._parts.city.queue
        if await self._ledger.call(records.end_conversation, conversation, at, rules):
            self.standing_changed(conversation)

    # Who waits for a person

    async def abandon(self, conversation: str, at: datetime) -> None:
        """The citizen went away without a word: they wait no longer, and have no person."""
        rules = self._parts.city.queue
        if await self._ledger.call(records.leave_queue, conversation, at, rules):
            self.standing_changed(conversation)

    async def standings(self, conversation: str) -> AsyncIterator[Standing | None]:
        """Where the citizen stands in the queue, now and whenever that may have changed.

        At least every ``WAITS_LOOK_S`` for who waits; None for who neither waits for a person nor
        has one. Raises :class:`ConversationError` ``store_down``.
        """
        with self._parts.bus.watch(conversation) as watch:
            while True:
                standing = await self._queued.look(conversation)
                yield standing
                waits = standing is not None and standing.waits
                await watch.wait(WAITS_LOOK_S if waits else IDLE_LOOK_S)

    def standing_changed(self, conversation: str) -> None:
        """Their entry in the queue has changed: whoever serves them or the queue looks again."""
        self._parts.bus.tell(conversation)
        self._parts.bus.tell(QUEUE_NEWS)

    async def inform(self, conversation: str, text: str, at: datetime) -> None:
        """Tell the citizen something that nobody asked for: where they stand, for example."""
        say = Say(f"{conversation}.{at.timestamp():.0f}.standing", text)
        await self.tell(conversation, say, speaker="system", at=at)

    def typing(self, conversation: str, who: Writer) -> None:
        """``who`` is writing now; said again every few seconds as long as that is so."""
        self._parts.bus.tell(_typing(conversation, who))

    async def typed(self, conversation: str, who: Writer) -> AsyncIterator[bool]:
        """Whether ``who`` is writing, whenever that changes."""
        with self._parts.bus.watch(_typing(conversation, who)) as watch:
            writes = False
            while True:
                news = await watch.wait(TYPING_S)
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
        await self._ledger.call(joined.parted, conversation)

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

    async def note_timings(self, conversation: str, heard: str, timings: dict[str, float]) -> None:
        """Add to what a turn cost, by part, in ms."""
        await self._ledger.note(conversation, heard, timings)

    async def begin_recording(
        self, recording: str, conversation: str, path: Path, at: datetime
    ) -> None:
        """Note that a recording begins; turns point at it by its id."""
        await self._ledger.call(records.begin_recording, recording, conversation, str(path), at)

    async def end_recording(self, recording: str, duration_ms: int) -> None:
        """Note that a recording is complete."""
        await self._ledger.call(records.end_recording, recording, duration_ms)

    async def settled(self) -> None:
        """Wait until every turn in line has been answered."""
        await self._queue.settled()
