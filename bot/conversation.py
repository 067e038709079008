"""The conversation core, the same for every channel: a turn is committed, then answered.

``hear`` returns when the citizen's turn stands in the database; ``replies`` tells what is said to
the citizen, whoever says it. Turns of one citizen stand in line; every failure becomes a sentence
and a person.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from structlog.contextvars import bind_contextvars

from bot import history, joined, metrics, records
from bot.bus import Bus
from bot.clarity import clarity
from bot.errors import ConversationError
from bot.handover import Extract, MatterFacts, apology, hand_over, handover_replies
from bot.steering import act_of, steered
from bot.taking_back import Memory, take_back
from bot.triage import (
    TEXT_LIMIT,
    Finish,
    HandoverReason,
    Prompt,
    Steer,
    ToDialogue,
    ToPerson,
    UrgentRule,
    triage,
)
from config.city import City
from language.normal import clean
from language.steering import Steering
from store.faults import fault_of
from turns import wire
from turns.context import Context
from turns.heard import Heard
from turns.orders import OrderBrief
from turns.overheard import Overheard
from turns.replies import Bye, Handoff, Reply, Say, Speaker, Told
from turns.trace import trace_of
from turns.understood import Outcome, Understood

_log = structlog.get_logger(__name__)
Known = tuple[str, str]
"""Act ('' where nobody asked for one) and decision of a turn, for what is measured."""


class DialogueError(Exception):
    """The dialogue gave no answer; ``code`` says how: rasa_down, rasa_slow, rasa_empty …"""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Dialogue(Protocol):
    """What decides on a turn: Rasa, behind its client."""

    async def turn(self, sender: str, text: str, metadata: dict[str, Any]) -> Outcome:
        """Decide; raises :class:`DialogueError`."""

    async def take_back(self, sender: str) -> None:
        """Forget the latest turn; raises :class:`DialogueError`."""


class Foresight(Protocol):
    """What tells, without side effects, whether words as they stand can be answered."""

    async def answerable(self, text: str, context: Context, at: datetime) -> bool:
        """Whether; raises :class:`DialogueError`."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the core is joined from; the joints are functions so that each can be a fake."""

    engine: Engine
    city: City
    dialogue: Dialogue
    bus: Bus
    urgent: UrgentRule
    matter_facts: MatterFacts
    extract: Extract
    now: Callable[[], datetime]
    foresight: Foresight | None = None


class Conversations:
    """All conversations that this process serves."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._lines: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._waiting: dict[str, int] = defaultdict(int)
        self._tasks: set[asyncio.Task[None]] = set()
        self._memory = Memory()

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
        if await self._store(records.open_conversation, opening):
            greeting = "greeting_call" if channel == "phone" else "greeting_chat"
            text = self._parts.city.prompts.fill(greeting, city=self._parts.city.name)
            await self.tell(
                conversation, Say(f"{conversation}.greeting", text, interruptible=False),
                speaker="bot", at=at,
            )  # fmt: skip
            return
        if self._waiting[conversation] == 0:
            for heard in await self._store(history.unanswered, conversation):
                self._line_up(heard)

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
        state: history.State | None = await self._store(history.read_state, conversation)
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
            fresh = await self._store(records.commit_heard, heard)
        except KeyError:
            raise ConversationError(
                "conversation_unknown", "the conversation was not opened"
            ) from None
        if not fresh:
            return None
        self._parts.bus.tell(heard.conversation)
        return self._line_up(heard)

    async def replies(self, conversation: str, cursor: int = 0) -> AsyncIterator[Told]:
        """Everything told after ``cursor``, then what comes, for as long as it is iterated."""
        with self._parts.bus.watch(conversation) as watch:
            while True:
                for told in await self._store(history.told_after, conversation, cursor):
                    cursor = told.cursor
                    yield told
                await watch.wait()

    async def tell(
        self, conversation: str, *replies: Reply, speaker: Speaker, at: datetime, to: str = ""
    ) -> None:
        """Say something to the citizen: the bot's answer to turn ``to``, or an agent's words.

        An agent's first words take the conversation over from the bot.
        """
        await self._store(
            records.commit_told, conversation, replies, speaker=speaker, at=at, in_reply_to=to
        )
        if speaker == "agent":
            await self._store(records.set_state, conversation, "agent")
        self._parts.bus.tell(conversation)

    async def close(self, conversation: str, at: datetime) -> None:
        """The citizen is gone."""
        self._memory.forget(conversation)
        await self._store(records.end_conversation, conversation, at)

    async def connected(self, conversation: str, at: datetime) -> None:
        """A person has the citizen on the line."""
        await self._store(records.connect_person, conversation, at)

    async def not_connected(self, conversation: str, at: datetime, cause: str) -> None:
        """Nobody could be reached for the citizen; ``cause`` is a stable code."""
        await self._store(joined.not_connected, conversation, at, cause)

    async def parted(self, conversation: str) -> None:
        """The person is gone, the citizen is not: the bot answers again."""
        await self._store(joined.parted, conversation)

    async def overhear(self, words: Overheard) -> None:
        """Keep what a person said to the citizen; a repeated id is dropped."""
        try:
            await self._store(joined.commit_overheard, words)
        except KeyError:
            raise ConversationError(
                "conversation_unknown", "the conversation was not opened"
            ) from None
        self._parts.bus.tell(words.conversation)

    async def order_brief(self, conversation: str) -> OrderBrief | None:
        """The citizen's newest order in few words, or None."""
        brief: OrderBrief | None = await self._store(joined.order_brief, conversation)
        return brief

    async def note_timings(self, conversation: str, heard: str, timings: dict[str, float]) -> None:
        """Add to what a turn cost, by part, in ms."""
        await self._note(conversation, heard, timings)

    async def _note(
        self, conversation: str, heard: str, timings: dict[str, float]
    ) -> dict[str, Any]:
        before, after = await self._store(records.note_timings, conversation, heard, timings)
        metrics.gap_known(before, after)
        return dict(after)

    async def begin_recording(
        self, recording: str, conversation: str, path: Path, at: datetime
    ) -> None:
        """Note that a recording begins; turns point at it by its id."""
        await self._store(records.begin_recording, recording, conversation, str(path), at)

    async def end_recording(self, recording: str, duration_ms: int) -> None:
        """Note that a recording is complete."""
        await self._store(records.end_recording, recording, duration_ms)

    async def settled(self) -> None:
        """Wait until every turn in line has been answered."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _line_up(self, heard: Heard) -> asyncio.Task[None]:
        self._waiting[heard.conversation] += 1
        task = asyncio.create_task(self._in_line(heard))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _in_line(self, heard: Heard) -> None:
        # This task is the turn's own: what is logged in it, here and below, carries its trace.
        bind_contextvars(
            conversation=heard.conversation, trace=trace_of(heard.conversation, heard.id)
        )
        lock = self._lines[heard.conversation]
        try:
            async with lock:
                await self._answer(heard)
        except Exception as error:  # noqa: BLE001  # the last resort: no turn ends in silence
            _log.error("turn_failed", code=getattr(error, "code", type(error).__name__))
            await self._apologise(heard)
        finally:
            self._waiting[heard.conversation] -= 1
            if self._waiting[heard.conversation] == 0:
                del self._waiting[heard.conversation]
                del self._lines[heard.conversation]

    async def _answer(self, heard: Heard) -> None:
        state = await self._store(history.read_state, heard.conversation)
        if state is None or state.state in ("agent", "ended"):
            return
        began = perf_counter()
        state = await self._as_before(state, heard)
        self._memory.note(heard, state)
        way = triage(heard, self._parts.urgent, misses=state.misses, silences=state.silences)
        match way:
            case Finish():
                await self.close(heard.conversation, heard.at)
                known: Known = "", "ended"
            case ToPerson(reason):
                await self._hand_over(state, heard, reason)
                urgent = {"danger": "danger", "asked": "handoff"}.get(reason, "")
                known = urgent, urgent or "handoff"
            case Prompt(name, misses, silences):
                await self._store(
                    records.count, heard.conversation, misses=misses, silences=silences
                )
                text = self._parts.city.prompts.fill(name)
                await self._reply(heard, Say(f"{heard.id}.say", text))
                known = "", name
            case Steer(wish):
                known = await self._steer(state, heard, wish)
            case ToDialogue(text):
                known = await self._ask_dialogue(state, heard, text)
        await self._done(heard, known, perf_counter() - began)

    async def _as_before(self, state: history.State, heard: Heard) -> history.State:
        """``state``, or, where ``heard`` goes on with the latest turn, as it stood before that."""
        before = self._memory.of(heard)
        if before is None or not await self._store(take_back, heard, before):
            return state
        try:
            if before.asked:
                await self._parts.dialogue.take_back(heard.conversation)
        except DialogueError as error:
            _log.warning("turn_not_taken_back", code=error.code)
        return before.state

    async def _done(self, heard: Heard, known: Known, cost_s: float) -> None:
        metrics.turn_answered(heard.channel, *known, cost_s)
        timings = await self._note(
            heard.conversation, heard.id, {"dialogue_ms": round(cost_s * 1000, 1)}
        )
        _log.info(
            "turn_done", channel=heard.channel, kind=heard.kind, act=known[0], decision=known[1],
            timings=timings,
        )  # fmt: skip

    async def _steer(self, state: history.State, heard: Heard, wish: Steering) -> Known:
        """Tell the last answer again, or the rest of it where there is one."""
        if wish.again == "place" and not await self._store(history.cut_off, heard.conversation):
            return await self._ask_dialogue(state, heard, heard.text)  # it may be a yes
        dumped = await self._store(history.last_replies, heard.conversation)
        last = tuple(map(wire.load_reply, dumped))
        act = act_of(wish)
        await self._calm(state, heard)
        known = Understood(act, "talk", matter=state.context.matter, slots=state.slots)
        await self._store(records.commit_understood, heard, known, state.context)
        await self._reply(heard, *_with_ids(heard, steered(last, wish, self._parts.city.prompts)))
        return act, "talk"

    async def _calm(self, state: history.State, heard: Heard) -> None:
        """Something was understood: misses and silences begin anew."""
        if state.misses or state.silences:
            await self._store(records.count, heard.conversation, misses=0, silences=0)

    async def _ask_dialogue(self, state: history.State, heard: Heard, text: str) -> Known:
        metadata = await self._metadata(state, heard)
        self._memory.asked(heard)
        try:
            outcome = await self._parts.dialogue.turn(heard.conversation, text, metadata)
        except DialogueError as error:
            _log.warning("dialogue_failed", code=error.code, conversation=heard.conversation)
            await self._hand_over(state, heard, "failure")
            return "", "handoff"
        known = outcome.understood
        await self._calm(state, heard)
        await self._store(records.commit_understood, heard, known, outcome.context)
        wish = next((r for r in outcome.replies if isinstance(r, Handoff)), None)
        if wish is not None:
            state = replace(state, context=outcome.context, slots=known.slots or state.slots)
            await self._hand_over(state, heard, wish.reason)  # type: ignore[arg-type]  # same codes
            return known.act, "handoff"
        await self._reply(heard, *_with_ids(heard, self._read_back(heard, outcome)))
        if any(isinstance(reply, Bye) for reply in outcome.replies):
            await self.close(heard.conversation, heard.at)
        return known.act, known.decision

    def _read_back(self, heard: Heard, outcome: Outcome) -> tuple[Reply, ...]:
        """The replies, an answer to doubtful words behind what was heard."""
        if outcome.understood.decision != "answer" or clarity(heard) != "doubtful":
            return outcome.replies
        words = self._parts.city.prompts.fill("heard_as", words=heard.text)
        return Say("", words), *outcome.replies

    async def _metadata(self, state: history.State, heard: Heard) -> dict[str, Any]:
        return {
            "heard": heard.id,
            "trace": trace_of(heard.conversation, heard.id),
            "at": heard.at.astimezone(self._parts.city.zone).isoformat(),
            "confidence": heard.confidence,
            "channel": state.channel,
            "line": state.line,
            "caller": state.citizen if state.channel == "phone" else "",
            "context": wire.dump(state.context),
            "last_replies": list(await self._store(history.last_replies, heard.conversation)),
        }

    async def _hand_over(self, state: history.State, heard: Heard, reason: HandoverReason) -> None:
        parts = self._parts
        order = await self._store(
            hand_over, state, heard, reason,
            matter_facts=parts.matter_facts, extract=parts.extract,
            now=parts.now().astimezone(parts.city.zone),
        )  # fmt: skip
        metrics.handovers.labels(metrics.channel_label(state.channel), reason).inc()
        if reason in ("danger", "asked"):
            decision: Any = "danger" if reason == "danger" else "handoff"
            act: Any = "danger" if reason == "danger" else "handoff"
            known = Understood(act, decision, matter=state.context.matter, slots=state.slots)
            await self._store(records.commit_understood, heard, known, state.context)
        await self._reply(heard, *handover_replies(parts.city, state, heard, reason, order))

    async def _reply(self, heard: Heard, *replies: Reply) -> None:
        await self.tell(
            heard.conversation, *replies, speaker="bot", at=self._parts.now(), to=heard.id
        )

    async def _apologise(self, heard: Heard) -> None:
        """Even the hand-over failed (the database, most likely): say so as far as that works."""
        try:
            await self._reply(heard, *apology(self._parts.city, heard))
        except ConversationError as error:
            _log.error("apology_failed", code=error.code)

    async def _store(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        try:
            return await asyncio.to_thread(function, self._parts.engine, *args, **kwargs)
        except SQLAlchemyError as error:
            _log.error("store_failed", code="store_down", fault=fault_of(error))
            raise ConversationError("store_down", "the database does not answer") from None


def _with_ids(heard: Heard, replies: tuple[Reply, ...]) -> tuple[Reply, ...]:
    """Ids of this turn: the same answer said twice is two things that were told."""
    return tuple(replace(reply, id=f"{heard.id}.{n}") for n, reply in enumerate(replies))
