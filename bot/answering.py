"""Answer a turn, whichever way triage sends it; every failure becomes a sentence and a person."""

from __future__ import annotations

from dataclasses import replace

import structlog

from bot import answered, history, metrics
from bot.answered import Notes
from bot.asking import Asking, Known, with_ids
from bot.errors import ConversationError
from bot.handover import apology
from bot.ledger import Ledger
from bot.outset import Outset, read_outset
from bot.parts import DialogueError, Parts
from bot.queued import Queued
from bot.steering import act_of, steered
from bot.surveying import Surveying
from bot.taking_back import Before, Memory, take_back
from bot.telling import Telling
from bot.tending import Tending
from bot.triage import Back, Finish, Prompt, Steer, ToDialogue, ToPerson, Way, triage
from language.steering import Steering
from turns import wire
from turns.heard import Heard
from turns.replies import Ask, Reply, Say
from turns.understood import Understood

PLACE = "place"
"""The kind of an attachment that is a place; its words are the turn's text."""
_log = structlog.get_logger(__name__)


class Answering:
    """Answers turns of a conversation, one at a time."""

    def __init__(
        self, parts: Parts, ledger: Ledger, memory: Memory, queued: Queued, surveying: Surveying,
        tending: Tending,
    ) -> None:  # fmt: skip
        self._parts = parts
        self._ledger = ledger
        self._memory = memory
        self._queued = queued
        self._surveying = surveying
        self._tending = tending
        self._telling = Telling(parts, ledger)
        self._asking = Asking(parts, ledger, memory, self._queued)

    async def answer(self, heard: Heard, outset: Outset | None = None) -> None:
        """Answer ``heard``, unless a person has its citizen, or another process answers it.

        ``outset``: what it begins with, where no other turn stands before it. May raise what its
        parts raise.
        """
        alone = outset is not None
        async with self._tending.answering(heard, self._answer, alone=alone) as ours:
            if ours:
                await self._answer(heard, outset)

    async def _answer(self, heard: Heard, outset: Outset | None = None) -> None:
        outset = outset or await self._ledger.call(read_outset, heard.conversation)
        if outset is None or outset.state.state == "ended":
            await self._tending.release(heard)
        elif outset.state.state == "agent":
            await self._asking.warn(outset.state, heard)
            await self._tending.release(heard)
        else:
            with self._ledger.timed(heard):
                await self._by_bot(heard, outset)

    async def _by_bot(self, heard: Heard, outset: Outset) -> None:
        if self._tending.again(heard):
            await self._asking.forget(heard)
        state = await self._as_before(outset.state, heard)
        self._memory.note(heard, state)
        state = await self._placed(state, heard)
        way = triage(heard, self._parts.urgent, misses=state.misses, silences=state.silences)
        known = await self._go(way, replace(outset, state=state), heard)
        if state.state == "waiting" and state.slots:  # a form goes on: the waiting order, too
            await self._queued.fill(heard)
        await self._done(heard, known)

    async def _placed(self, state: history.State, heard: Heard) -> history.State:
        """``state`` with the place that came with ``heard``, where one did."""
        if not any(item.kind == PLACE for item in heard.attachments):
            return state
        context = replace(state.context, place=heard.text, place_from=heard.id)
        notes = Notes(context=context)
        await self._ledger.call(answered.note, heard.conversation, "", notes)
        return replace(state, context=context)

    async def apologise(self, heard: Heard) -> None:
        """Even the hand-over failed (the database, most likely): say so as far as that works."""
        try:
            await self._ledger.reply(heard, *apology(self._parts.city, heard))
        except ConversationError as error:
            _log.error("apology_failed", code=error.code)

    async def _go(self, way: Way, outset: Outset, heard: Heard) -> Known:
        known = await self._ours(way, outset, heard)
        if known is not None:
            return known
        state = outset.state
        match way:
            case Finish():
                await self._asking.close(heard)
                return "", "ended"
            case ToPerson(reason):
                await self._asking.hand_over(state, heard, reason)
                urgent = {"danger": "danger", "asked": "handoff"}.get(reason, "")
                return urgent, urgent or "handoff"
            case Prompt(("file_kept" | "sticker") as name):
                kept = Say("", self._parts.city.prompts.fill(name))
                await self._asking.ask_again(heard, outset.last, kept)
                return "", name
            case Prompt(name, misses, silences):
                say = Say(f"{heard.id}.say", self._parts.city.prompts.fill(name))
                await self._ledger.reply(heard, say, notes=Notes(counts=(misses, silences)))
                return "", name
            case Steer(wish):
                return await self._steer(outset, heard, wish)
            case Back():
                return await self._back(outset, heard)
            case ToDialogue(text) if state.context.place_from == heard.id and not state.slots:
                kept = Say("", self._parts.city.prompts.fill("place_kept", place=text))
                await self._asking.ask_again(heard, outset.last, kept)
                return "", "place_kept"
            case ToDialogue(text):
                return await self._asking.ask(outset, heard, text)

    async def _ours(self, way: Way, outset: Outset, heard: Heard) -> Known | None:
        """What who waits, or is asked about a person, is told beside the dialogue."""
        if not isinstance(way, ToDialogue | Prompt):
            return None
        state, question = outset.state, outset.question
        if isinstance(way, ToDialogue) and not state.slots:
            told = await self._telling.answer(heard, question, state.citizen)
            if told is not None:
                return told
        if state.state == "waiting":
            return await self._queued.answer(way, state, heard, question)
        return await self._surveying.answer(way, heard, question)

    async def _as_before(self, state: history.State, heard: Heard) -> history.State:
        """``state``, or, where ``heard`` goes on with the latest turn, as it stood before that."""
        before = self._memory.of(heard)
        if before is None or not await self._ledger.call(take_back, heard, before):
            return state
        try:
            if before.asked:
                await self._parts.dialogue.take_back(heard.conversation)
        except DialogueError as error:
            _log.warning("turn_not_taken_back", code=error.code)
        self._memory.undone(heard.conversation, before)
        return before.state

    async def _steer(self, outset: Outset, heard: Heard, wish: Steering) -> Known:
        """Tell the last answer again, or the rest of it where there is one; or wait."""
        if wish.pause:
            await self._ledger.call(answered.note_pause, heard)
            wait = steered((), wish, self._parts.city.prompts)
            await self._ledger.reply(heard, *with_ids(heard, wait))
            return "repeat", "talk"
        if wish.again == "place" and not await self._ledger.call(
            history.cut_off, heard.conversation
        ):
            return await self._asking.ask(outset, heard, heard.text)  # it may be a yes
        last = tuple(map(wire.load_reply, outset.last))
        return await self._tell_again(outset.state, heard, wish, last)

    async def _tell_again(
        self, state: history.State, heard: Heard, wish: Steering, last: tuple[Reply, ...]
    ) -> Known:
        act = act_of(wish)
        known = Understood(act, "talk", matter=state.context.matter, slots=state.slots)
        again = steered(last, wish, self._parts.city.prompts)
        notes = Notes(known, state.context, counts=(0, 0))
        await self._ledger.reply(heard, *with_ids(heard, again), notes=notes)
        return act, "talk"

    async def _back(self, outset: Outset, heard: Heard) -> Known:
        """Ask the form's previous question, its answer forgotten; else tell the last answer."""
        state = outset.state
        stands: Before | None = None
        try:
            for before in self._memory.step_back(state):
                if not await self._ledger.call(take_back, heard, before):
                    break
                await self._parts.dialogue.take_back(heard.conversation)
                stands = before
        except DialogueError as error:
            _log.warning("dialogue_failed", code=error.code, conversation=heard.conversation)
            await self._asking.hand_over(state, heard, "failure")
            return "", "handoff"
        if stands is None:
            return await self._steer(outset, heard, Steering())
        self._memory.undone(heard.conversation, stands)
        self._memory.note(heard, stands.state)
        told = tuple(map(wire.load_reply, stands.told))
        asked = tuple(reply for reply in told if isinstance(reply, Ask))
        return await self._tell_again(stands.state, heard, Steering(), asked or told)

    async def _done(self, heard: Heard, known: Known) -> None:
        cost_s, timings = await self._ledger.done(heard)
        metrics.turn_answered(heard.channel, *known, cost_s)
        _log.info(
            "turn_done", channel=heard.channel, kind=heard.kind, act=known[0], decision=known[1],
            timings=timings,
        )  # fmt: skip
