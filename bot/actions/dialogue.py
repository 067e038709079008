"""The actions behind Rasa's webhook: each call of an action becomes events and one outcome."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.actions.answers import Knowledge, Unavailable, choice
from bot.actions.arbitration import seconded
from bot.actions.calls import FORM, REQUESTED, Call, Turn, WebhookError, set_fields, set_slot
from bot.actions.filling import Filled, begin, fill, left_by
from bot.actions.form import FormState, confirmed, form_of
from bot.actions.looking import look_around
from bot.actions.outcome import Decided, Memory, Result, Story, goodbye, say
from bot.actions.talking import SURE, talk
from config.city import City
from knowledge.published import KnowledgeError
from knowledge.search import Found
from turns.context import Context
from turns.orders import OrderDraft, OrderField, WrittenOrder
from turns.understood import Outcome

WriteOrder = Callable[[OrderDraft], Awaitable[WrittenOrder]]
ACTIONS = ("action_turn", "validate_complaint_form", "action_close_form")
_TITLE = 40  # characters
_PRAISE = 8  # characters from which a praise tells of something


@dataclass(frozen=True, slots=True)
class Dialogue:
    """What the actions need: the city, what is published now, and where orders are written.

    ``knowledge`` is called once a turn and may raise :class:`knowledge.published.KnowledgeError`;
    ``write_order`` writes exactly once for each draft's key.
    """

    city: City
    knowledge: Callable[[], Awaitable[Knowledge]]
    write_order: WriteOrder

    async def run(self, call: Call) -> Result:
        """Run one action; raises :class:`WebhookError` ``action_unknown``."""
        call = replace(call, turn=seconded(call.turn))
        match call.action:
            case "action_turn":
                return await self._turn(call)
            case "validate_complaint_form":
                return await self._form(call)
            case "action_close_form":
                return await self._close(call)
        raise WebhookError("action_unknown", "no such action")

    def look(self, knowledge: Knowledge, text: str, context: Context, at: datetime) -> Found:
        """What a turn would find, without side effects."""
        return look_around(knowledge, text, context, at, self.city).found

    async def _turn(self, call: Call) -> Result:
        """A turn outside the form."""
        knowledge = await self._known()
        talked = talk(call.turn, Memory.load(call.talk), knowledge, self.city)
        memory = set_slot("talk", talked.memory.dump())
        if talked.decided is None:
            return Result((memory, *_emptied()), next_action=FORM)
        decided = talked.decided
        if decided.decision == "talk" and _tells_praise(call.turn):
            decided = await self._praised(decided, call.turn)
        return Result((memory,), decided.outcome(call.turn, {}))

    async def _known(self) -> Knowledge:
        """What is published; small talk and complaints go on while it cannot be looked up."""
        try:
            return await self.knowledge()
        except KnowledgeError as error:
            return Unavailable(error)

    async def _praised(self, decided: Decided, turn: Turn) -> Decided:
        source = turn.source(turn.text, "act:praise")
        fields = {
            "what": OrderField("what", turn.text, source),
            "kind": OrderField("kind", "表扬", source),
        }
        draft = _draft(f"praise:{turn.conversation}:{turn.heard}", turn, fields, matter="")
        return replace(decided, order=(await self.write_order(draft)).number)

    async def _form(self, call: Call) -> Result:
        """A turn inside the form, or the one that opens it."""
        memory = Memory.load(call.talk)
        knowledge, heard = await self._known(), call.turn
        if call.form is None:
            story = memory.story or Story.of(heard)
            heard = replace(heard, act=story.act)
            filled = begin(story.told(heard), self.city, knowledge)
        else:
            state, turn = _state(call.form), _choosing(call.turn, memory)
            filled = fill(state, call.fields, turn, self.city, knowledge)
        offered = filled.decided.offered if filled.decided else ()
        events = (
            *set_fields(filled.fields),
            set_slot("form", filled.state.dump()),
            set_slot("closing", filled.closing or None),
            set_slot("talk", Memory(offered=offered).dump()),
            set_slot(REQUESTED, None if filled.closing else filled.state.asking),
        )
        return Result(events, _told(filled, heard))

    async def _close(self, call: Call) -> Result:
        """The form is over: say how, and leave its slots empty."""
        fields = call.fields
        taken_over = left_by(call.closing)  # type: ignore[arg-type]  # None for anything else
        if taken_over is not None:
            decided = taken_over
        elif call.closing in ("write", "bye"):
            decided, fields = await self._written(call)
        else:
            decided = Decided((say(self.city.prompts.cancelled),), "talk", act="cancel")
            fields = {}
        return Result((*_emptied(),), decided.outcome(call.turn, fields))

    async def _written(self, call: Call) -> tuple[Decided, Mapping[str, OrderField]]:
        prompts, state = self.city.prompts, _state(call.form or {})
        agreed = call.closing == "write"
        fields = confirmed(call.fields) if agreed else call.fields
        draft = _draft(
            f"form:{call.turn.conversation}:{state.first}", call.turn, fields,
            matter=form_of(state, self.city).matter,
        )  # fmt: skip
        order = await self.write_order(draft)
        name = "order_done" if order.number else "order_follows"
        done = say(prompts.fill(name, **({"number": order.number} if order.number else {})))
        end = () if agreed else goodbye(prompts.bye).replies
        decided = Decided((done, *end), "form", matter=draft.matter, order=order.number)
        return decided, fields


def _state(slot: Mapping[str, Any]) -> FormState:
    try:
        return FormState.load(slot)
    except ValueError as error:
        raise WebhookError("call_invalid", str(error)) from None


def _choosing(turn: Turn, memory: Memory) -> Turn:
    """The turn, read as the option it chooses where some were offered inside the form."""
    option = choice(turn.text, memory.offered) if memory.offered else None
    return replace(turn, text=option.value, act="policy", confidence=1.0) if option else turn


def _tells_praise(turn: Turn) -> bool:
    return turn.act == "praise" and turn.confidence >= SURE and len(turn.text) >= _PRAISE


def _told(filled: Filled, turn: Turn) -> Outcome | None:
    if filled.closing or filled.decided is None:
        return None
    return filled.decided.outcome(turn, filled.fields)


def _emptied() -> list[dict[str, Any]]:
    return [*set_fields({}), set_slot("form", None), set_slot("closing", None)]


def _draft(key: str, turn: Turn, fields: Mapping[str, OrderField], *, matter: str) -> OrderDraft:
    if turn.context.department and "department" not in fields:  # in whose house they scanned a code
        scanned = OrderField(
            "department", turn.context.department, turn.source("", "scene.department")
        )
        fields = {**fields, "department": scanned}

    def value(name: str) -> str:
        return fields[name].value if name in fields else ""

    return OrderDraft(
        key=key,
        conversation=turn.conversation,
        channel=turn.channel,
        line=turn.line,
        kind=value("kind") or "其他",
        urgency="normal",
        title=(value("what") or value("kind"))[:_TITLE],
        matter=matter,
        department=value("department"),
        fields=tuple(fields.values()),
    )
