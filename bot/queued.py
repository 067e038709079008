"""A turn of somebody who waits for a person: they go on with the bot, or would be called back."""

from __future__ import annotations

import structlog

from bot import answered, history
from bot.answered import Notes
from bot.errors import ConversationError
from bot.ledger import Ledger
from bot.parts import Parts
from bot.queue import QUEUE_NEWS
from bot.triage import Prompt, ToDialogue, Way
from bot.waiting import (
    ASKED_NUMBER,
    ASKED_SURE,
    CALLBACK_KEY,
    agrees,
    ask_number,
    ask_sure,
    callback_told,
    standing_told,
    wants_callback,
)
from language.questions import asks
from language.telephone import phone
from turns.heard import Heard
from turns.orders import OrderField
from turns.replies import Bye, Reply, Say
from turns.standing import Standing
from turns.understood import Understood

_log = structlog.get_logger(__name__)
_WORDS = ("speech", "text")
Known = tuple[str, str]


class Queued:
    """What is told to who stands in the queue, where that differs from anybody else."""

    def __init__(self, parts: Parts, ledger: Ledger) -> None:
        self._parts = parts
        self._ledger = ledger

    def moved(self, conversation: str) -> None:
        """Their entry in the queue has changed: whoever serves them or the queue looks again."""
        for key in (conversation, QUEUE_NEWS):
            self._parts.bus.tell(key)

    async def staffed(self, channel: str) -> bool:
        """Whether somebody may take a citizen; no where that cannot be told."""
        try:
            return bool(await self._ledger.call(self._staffed, channel))
        except ConversationError as error:
            _log.warning("queue_unknown", code=error.code)
            return False

    async def look(self, conversation: str) -> Standing | None:
        """Where the citizen stands; raises :class:`ConversationError`."""
        found: Standing | None = await self._ledger.call(self._standing, conversation)
        return found

    async def standing(self, conversation: str) -> Standing | None:
        """Where the citizen stands; None also where that cannot be told."""
        try:
            return await self.look(conversation)
        except ConversationError as error:
            _log.warning("queue_unknown", code=error.code)
            return None

    async def answer(
        self, way: Way, state: history.State, heard: Heard, question: str
    ) -> Known | None:
        """Answer the turn of somebody who waits; None where it is answered as any other.

        ``question`` is the id of what the bot asked last. Danger and the wish for a person do not
        come here: :meth:`waits_already` is asked about the latter.
        """
        standing = await self.standing(heard.conversation)
        if standing is None or not standing.waits:
            return None
        if question.endswith((ASKED_SURE, ASKED_NUMBER)):
            return await self._answered(state, heard, question)
        key = heard.kind == "keys" and heard.text.rstrip("#") == CALLBACK_KEY and not question
        if key or (isinstance(way, ToDialogue) and wants_callback(way.text)):
            return await self._wanted(state, heard)
        return await self._noted(way, state, heard)

    async def fill(self, heard: Heard) -> tuple[OrderField, ...]:
        """Put what was just told into the order that waits; all its fields, () where no fact came.

        Never fails: the desk fills the order again.
        """
        parts = self._parts
        now = parts.now().astimezone(parts.city.zone)
        try:
            found: tuple[OrderField, ...] = await self._ledger.call(
                parts.note, heard.conversation, now
            )
        except ConversationError as error:
            _log.warning("order_not_filled", code=error.code)
            return ()
        return found

    async def _noted(self, way: Way, state: history.State, heard: Heard) -> Known | None:
        """A place, a time, a number told while they wait: the order has it, and they hear so."""
        told = isinstance(way, ToDialogue | Prompt) and heard.kind in _WORDS and heard.text
        if not told or state.slots or asks(heard.text):
            return None
        fields = await self.fill(heard)
        if not fields:
            return None
        known = Understood("other", "form", matter=state.context.matter, slots=fields)
        await self._ledger.call(answered.note_aside, heard, known)
        say = Say(f"{heard.id}.noted", self._parts.city.prompts.waiting_noted)
        await self._ledger.reply(heard, say, notes=Notes(counts=(0, 0)))
        return "other", "form"

    async def waits_already(self, state: history.State, heard: Heard) -> bool:
        """Whether they have asked for a person before, and wait: where they stand is the answer."""
        if state.state != "waiting":
            return False
        standing = await self.standing(heard.conversation)
        if standing is None or not standing.waits:
            return False
        voice = state.channel == "phone"
        text = standing_told(self._parts.city.prompts, standing, voice=voice)
        say = Say(f"{heard.id}.standing", text)
        await self._ledger.reply(heard, say, notes=Notes(counts=(0, 0)))
        return True

    async def _wanted(self, state: history.State, heard: Heard) -> Known:
        """They want to be called back: on the number that they said with it, or their own."""
        said, own = phone(heard.text), _own(state)
        if said:
            return await self._call_back(state, heard, said)
        prompts = self._parts.city.prompts
        ask = ask_sure(prompts, heard.id, own) if own else ask_number(prompts, heard.id)
        await self._ledger.reply(heard, ask)
        return "", "callback"

    async def _answered(self, state: history.State, heard: Heard, question: str) -> Known | None:
        """What they say to our question for the number; None where it is something else."""
        number, prompts = phone(heard.text), self._parts.city.prompts
        if number:
            return await self._call_back(state, heard, number)
        sure = agrees(heard.text) if question.endswith(ASKED_SURE) else None
        if sure:
            return await self._call_back(state, heard, _own(state))
        if sure is False:
            await self._ledger.reply(heard, ask_number(prompts, heard.id))
            return "", "callback"
        if question.endswith(ASKED_NUMBER) and _digits(heard.text) >= 3:
            await self._ledger.reply(heard, ask_number(prompts, heard.id, again=True))
            return "", "callback"
        return None

    async def _call_back(self, state: history.State, heard: Heard, number: str) -> Known:
        prompts = self._parts.city.prompts
        written = await self._ledger.call(self._ask, heard.conversation, number)
        if not written:  # a person was faster, or it is written already
            text = prompts.callback_no_more
            await self._ledger.reply(heard, Say(f"{heard.id}.callback_no_more", text))
            return "", "callback"
        self._parts.bus.tell(QUEUE_NEWS)
        told: tuple[Reply, ...] = (callback_told(prompts, heard.id, number),)
        if state.channel == "phone":
            told = (*told, Bye(f"{heard.id}.bye"))
        await self._ledger.reply(heard, *told, moves=True)
        return "", "callback"

    # The queue by its engine: the ledger runs these in a thread.

    def _staffed(self, _engine: object, channel: str) -> bool:
        return self._parts.queue.staffed(channel, self._parts.now())

    def _standing(self, _engine: object, conversation: str) -> Standing | None:
        return self._parts.queue.standing(conversation, self._parts.now())

    def _ask(self, _engine: object, conversation: str, number: str) -> bool:
        return self._parts.queue.ask_callback(conversation, number, self._parts.now())


def _own(state: history.State) -> str:
    """The number they call from, where it can be called; '' in a chat."""
    return (phone(state.citizen) or "") if state.channel == "phone" else ""


def _digits(text: str) -> int:
    return sum(sign.isdigit() or sign in "零〇一二三四五六七八九幺" for sign in text)
