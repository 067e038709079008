"""Ask the dialogue about a turn, and hand over to a person where that is the answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import structlog

from bot import answered, history, metrics, records
from bot.answered import NOTHING, Notes
from bot.clarity import clarity
from bot.errors import ConversationError
from bot.handover import hand_over, handover_replies
from bot.ledger import Ledger
from bot.outset import Outset
from bot.parts import DialogueError, Parts
from bot.queue import QUEUE_NEWS
from bot.queued import Queued
from bot.taking_back import Memory
from bot.triage import HandoverReason
from turns import wire
from turns.context import Context
from turns.heard import Heard
from turns.replies import Ask, Bye, Handoff, Reply, Say
from turns.trace import trace_of
from turns.understood import Outcome, Understood

_log = structlog.get_logger(__name__)
_WORDS = ("speech", "text")
Known = tuple[str, str]
"""Act ('' where nobody asked for one) and decision of a turn, for what is measured."""


class Asking:
    """What a turn gets that is neither urgent nor a fixed sentence: the dialogue's answer."""

    def __init__(self, parts: Parts, ledger: Ledger, memory: Memory, queued: Queued) -> None:
        self._parts = parts
        self._ledger = ledger
        self._memory = memory
        self._queued = queued

    async def ask(self, outset: Outset, heard: Heard, text: str) -> Known:
        """Answer ``heard`` as the dialogue says; a person where it says nothing."""
        state = outset.state
        metadata = self._metadata(state, heard, outset.last)
        self._memory.asked(heard, outset.last)
        try:
            outcome = await self._parts.dialogue.turn(heard.conversation, text, metadata)
        except DialogueError as error:
            _log.warning("dialogue_failed", code=error.code, conversation=heard.conversation)
            await self.hand_over(state, heard, "failure")
            return "", "handoff"
        known = outcome.understood
        context = _placed(outcome.context, state.context)
        notes = Notes(known, context, counts=(0, 0))  # something was understood
        wish = next((r for r in outcome.replies if isinstance(r, Handoff)), None)
        if wish is not None:
            await self._ledger.call(answered.note, heard.conversation, heard.id, notes)
            state = replace(state, context=context, slots=known.slots or state.slots)
            await self.hand_over(state, heard, wish.reason)  # type: ignore[arg-type]  # same codes
            return known.act, "handoff"
        replies = await self._with_files(heard, self._read_back(heard, outcome))
        await self._ledger.reply(heard, *with_ids(heard, replies), notes=notes)
        if any(isinstance(reply, Bye) for reply in outcome.replies):
            await self.close(heard)
        return known.act, known.decision

    async def forget(self, heard: Heard) -> None:
        """Another process may have asked about ``heard`` before it died: ask as if it had not."""
        try:
            await self._parts.dialogue.forget(heard.conversation, heard.id)
        except DialogueError as error:
            _log.warning("turn_not_taken_back", code=error.code)

    async def hand_over(self, state: history.State, heard: Heard, reason: HandoverReason) -> None:
        """A person takes the conversation: the order is written first, then the citizen told."""
        parts = self._parts
        if reason != "danger" and await self._queued.waits_already(state, heard):
            return
        order = await self._ledger.call(
            hand_over, state, heard, reason,
            matter_facts=parts.matter_facts, extract=parts.extract,
            now=parts.now().astimezone(parts.city.zone), city=parts.city,
            danger=self._topic(heard) if reason == "danger" else "", journal=parts.journal,
        )  # fmt: skip
        if not order.number:
            self._ledger.kept()
        parts.bus.tell(QUEUE_NEWS)
        metrics.handovers.labels(metrics.channel_label(state.channel), reason).inc()
        notes = NOTHING
        if reason in ("danger", "asked"):
            code: Literal["danger", "handoff"] = "danger" if reason == "danger" else "handoff"
            known = Understood(code, code, matter=state.context.matter, slots=state.slots)
            notes = Notes(known, state.context)
        queued = await self._queued.staffed(state.channel)
        replies = handover_replies(parts.city, state, heard, reason, order, queued=queued)
        await self._ledger.reply(heard, *replies, notes=notes, moves=True)

    async def warn(self, state: history.State, heard: Heard) -> None:
        """Danger told to a person: the order is marked, and on its way to 110, at once.

        The person does the talking; nothing is told.
        """
        found = self._parts.urgent(heard.text) if heard.kind in _WORDS else None
        if found is None or found.kind != "danger":
            return
        parts = self._parts
        try:
            await self._ledger.call(
                hand_over, state, heard, "danger",
                matter_facts=parts.matter_facts, extract=parts.extract,
                now=parts.now().astimezone(parts.city.zone), city=parts.city,
                danger=found.topic, queued=False,
            )  # fmt: skip
            known = Understood("danger", "danger", state.context.matter, slots=state.slots)
            notes = Notes(known, state.context)
            await self._ledger.call(answered.note, heard.conversation, heard.id, notes)
        except ConversationError as error:
            _log.error("danger_not_marked", code=error.code)
            return
        self._queued.moved(heard.conversation)

    def _topic(self, heard: Heard) -> str:
        """What kind of danger was told: it decides who beside 110 is told."""
        found = self._parts.urgent(heard.text)
        return found.topic if found is not None and found.kind == "danger" else ""

    async def close(self, heard: Heard) -> None:
        """The conversation ends with ``heard``."""
        self._memory.forget(heard.conversation)
        rules = self._parts.city.queue
        await self._ledger.call(records.end_conversation, heard.conversation, heard.at, rules)

    def _read_back(self, heard: Heard, outcome: Outcome) -> tuple[Reply, ...]:
        """The replies, an answer to doubtful words behind what was heard."""
        if outcome.understood.decision != "answer" or clarity(heard) != "doubtful":
            return outcome.replies
        words = self._parts.city.prompts.fill("heard_as", words=heard.text)
        return Say("", words), *outcome.replies

    async def _with_files(self, heard: Heard, replies: tuple[Reply, ...]) -> tuple[Reply, ...]:
        """The replies, a card telling how many files go along with the order."""
        if not any(isinstance(reply, Ask) and reply.card for reply in replies):
            return replies
        files = await self._ledger.call(history.files_sent, heard.conversation)
        return tuple(
            replace(reply, card=replace(reply.card, files=files))
            if isinstance(reply, Ask) and reply.card else reply
            for reply in replies
        )  # fmt: skip

    async def ask_again(
        self, heard: Heard, last: tuple[dict[str, Any], ...], *before: Reply
    ) -> None:
        """Tell ``before``, then ask once more what was open before ``heard``, if ``last`` asked."""
        told = tuple(map(wire.load_reply, last))
        asked = tuple(reply for reply in told[-1:] if isinstance(reply, Ask))
        replies = await self._with_files(heard, (*before, *asked))
        await self._ledger.reply(heard, *with_ids(heard, replies))

    def _metadata(
        self, state: history.State, heard: Heard, last: tuple[dict[str, Any], ...]
    ) -> dict[str, Any]:
        return {
            "heard": heard.id,
            "trace": trace_of(heard.conversation, heard.id),
            "at": heard.at.astimezone(self._parts.city.zone).isoformat(),
            "confidence": heard.confidence,
            "channel": state.channel,
            "line": state.line,
            "caller": state.citizen if state.channel == "phone" else "",
            "context": wire.dump(state.context),
            "last_replies": list(last),
        }


def _placed(context: Context, before: Context) -> Context:
    """The talk's new context; the place that the citizen sent stays, and where they scanned."""
    return replace(
        context, place=before.place, place_from=before.place_from, department=before.department
    )


def with_ids(heard: Heard, replies: tuple[Reply, ...]) -> tuple[Reply, ...]:
    """Ids of this turn: the same answer said twice is two things that were told."""
    return tuple(replace(reply, id=f"{heard.id}.{n}") for n, reply in enumerate(replies))
