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

import structlog

from bot import history, records
from bot.answering import Answering
from bot.bus import HEARD, News, Reader
from bot.claims import PHONE
from bot.draining import Draining
from bot.errors import ConversationError
from bot.keeping import Keeping
from bot.ledger import Ledger
from bot.parts import Dialogue, DialogueError, Foresight, Parts
from bot.people import People
from bot.taking_back import Memory
from bot.tending import Tending
from bot.triage import TEXT_LIMIT
from bot.turn_queue import TurnQueue
from language.normal import clean
from turns.heard import Heard
from turns.replies import Reply, Say, Speaker, Told

__all__ = ["Conversations", "Dialogue", "DialogueError", "Foresight", "Parts"]

_log = structlog.get_logger(__name__)


class Conversations(People):
    """All conversations that this process serves."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts, Ledger(parts))
        self._memory = Memory()
        self._keeping = Keeping(parts)
        self._tending = Tending(self._ledger, parts.bus, parts.now)
        self._ledger.answerer = self._tending.by
        self._draining = Draining(parts)
        self._ledger.kept = self._draining.kept
        answering = Answering(
            parts, self._ledger, self._memory, self._queued, self._surveying, self._tending
        )
        self._queue = TurnQueue(answering.answer, answering.apologise)

    async def tend(self) -> None:
        """Answer what processes that died left unanswered, until this is cancelled."""
        await self._tending.keep_sweeping(self._queue.put, self._queue.waits)

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
        self._keeping.opened(opening)
        if await self._ledger.call(records.open_conversation, opening, self._greeting(opening)):
            self._parts.bus.tell(conversation, News("told"))
            return
        if not self._queue.waits(conversation):
            left = (
                self._ledger.call(history.unanswered, conversation) if channel == PHONE
                else self._tending.take(conversation)
            )  # fmt: skip
            for heard in await left:
                self._queue.put(heard)

    def _greeting(self, opening: records.Opening) -> Say:
        name = "greeting_call" if opening.channel == "phone" else "greeting_chat"
        text = self._parts.city.prompts.fill(name, city=self._parts.city.name)
        return Say(f"{opening.conversation}.greeting", text, interruptible=False)

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
        self._keeping.heard(heard)
        try:
            with self._queue.coming(heard.conversation) as alone:
                claim = self._tending.claim(heard)
                committed: records.Committed | None = await self._ledger.call(
                    records.commit_heard, heard, claim
                )
                if committed is None:
                    return None
                self._parts.bus.tell(heard.conversation, HEARD)
                return self._queue.put(heard, committed.outset if alone() else None)
        except KeyError:
            raise ConversationError(
                "conversation_unknown", "the conversation was not opened"
            ) from None

    async def replies(self, conversation: str, cursor: int = 0) -> AsyncIterator[Told]:
        """Everything told after ``cursor``, then what comes, for as long as it is iterated."""
        reader = Reader()
        with self._parts.bus.watch(conversation, reader):
            fresh: tuple[Told, ...] | None = None
            while True:
                if fresh is None:
                    fresh = await self._ledger.call(history.told_after, conversation, cursor)
                for told in fresh or ():
                    cursor = told.cursor
                    yield told
                await reader.wait(self._parts.bus.patience_s)
                fresh = reader.take(cursor)

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
        self._keeping.forget(conversation)
        rules = self._parts.city.queue
        if await self._ledger.call(records.end_conversation, conversation, at, rules):
            self.standing_changed(conversation)

    async def keep(self, conversation: str, at: datetime) -> bool:
        """Nothing can be written, and the caller gets a person: keep what they said in the journal.

        Whether it stands there: their order's number will follow.
        """
        kept = await self._keeping.keep(conversation, at)
        if kept:
            self._draining.kept()
        return kept

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

    async def stop(self) -> None:
        """Nothing is heard any more: let the connections to the dialogue go."""
        await self._parts.dialogue.close()
        if self._parts.foresight is not None:
            await self._parts.foresight.close()

    async def settled(self) -> None:
        """Wait until every turn in line has been answered."""
        await self._queue.settled()
