"""What Rasa asks of an action, read from its webhook; and the events it gets back.

The wire format is Rasa's (``next_action``, ``tracker`` → ``events``, ``responses``). Reading is
total: anything that is not a call raises :class:`WebhookError`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from config.city import FieldName
from language.normal import clean
from turns import wire
from turns.context import Context
from turns.orders import OrderField, Provenance
from turns.replies import Reply
from turns.trace import is_trace, trace_of
from turns.understood import ACTS, Act, Outcome

FORM = "complaint_form"
FIELDS: tuple[str, ...] = get_args(FieldName)
REQUESTED = "requested_slot"
OPENS_FORM = ("complaint", "report", "suggestion", "help")

Event = dict[str, Any]


class WebhookError(ValueError):
    """Not a call of Rasa's; ``code`` is ``call_invalid`` or ``action_unknown``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Turn:
    """The citizen's turn: what was heard, and what Rasa takes it for.

    ``confidence`` is the act's probability, ``telling`` that of all acts together that open the
    form (``story`` the likeliest of them), ``heard_confidence`` the recogniser's. ``caller`` is
    the calling number ('' where there is none). ``last_replies`` is what was told last. ``trace``
    is the turn's in every process's log.
    """

    conversation: str
    heard: str
    text: str
    at: datetime
    act: Act
    confidence: float
    heard_confidence: float = 1.0
    channel: str = ""
    line: str = ""
    caller: str = ""
    context: Context = field(default_factory=Context)
    last_replies: tuple[Reply, ...] = ()
    trace: str = ""
    telling: float = 0.0
    story: Act = "complaint"

    def source(self, quote: str, rule: str) -> Provenance:
        """The provenance of something taken from this turn."""
        return Provenance(self.heard, quote, self.at, self.heard_confidence, rule)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an action, with the form's slots as they stand."""

    action: str
    turn: Turn
    fields: Mapping[str, OrderField]
    form: Mapping[str, Any] | None
    closing: str
    talk: Mapping[str, Any]


class _In(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=False)


class _Intent(_In):
    name: str | None = None
    confidence: float | None = None


class _Metadata(_In):
    heard: str = Field(min_length=1)
    trace: str = ""
    at: AwareDatetime
    confidence: float = Field(default=1.0, ge=0, le=1)
    channel: str = ""
    line: str = ""
    caller: str = ""
    context: dict[str, Any] = Field(default_factory=dict)
    last_replies: list[Any] = Field(default_factory=list)


class _Message(_In):
    text: str | None = None
    intent: _Intent = Field(default_factory=_Intent)
    intent_ranking: list[_Intent] = Field(default_factory=list)
    metadata: _Metadata


class _Tracker(_In):
    sender_id: str = Field(min_length=1)
    slots: dict[str, Any] = Field(default_factory=dict)
    latest_message: _Message


class _Body(_In):
    next_action: str = Field(min_length=1)
    tracker: _Tracker


def read_call(body: object) -> Call:
    """Rasa's request as a call; raises :class:`WebhookError` ``call_invalid``."""
    try:
        parsed = _Body.model_validate(body)
        slots = parsed.tracker.slots
        return Call(
            action=parsed.next_action,
            turn=_turn(parsed.tracker),
            fields={name: _field(name, slots[name]) for name in FIELDS if slots.get(name)},
            form=_mapping(slots.get("form")),
            closing=str(slots.get("closing") or ""),
            talk=_mapping(slots.get("talk")) or {},
        )
    except ValidationError as error:
        places = sorted({".".join(str(p) for p in item["loc"]) for item in error.errors()})
        raise WebhookError("call_invalid", f"not a call: {', '.join(places[:5])}") from None
    except wire.WireError as error:
        raise WebhookError("call_invalid", str(error)) from None


def _turn(tracker: _Tracker) -> Turn:
    message, told = tracker.latest_message, tracker.latest_message.metadata
    act, confidence, telling, story = _act(message)
    return Turn(
        conversation=tracker.sender_id,
        heard=told.heard,
        text=clean(message.text or ""),
        at=told.at,
        act=act,
        confidence=confidence,
        heard_confidence=told.confidence,
        channel=told.channel,
        line=told.line,
        caller=told.caller,
        context=wire.load(Context, told.context),
        last_replies=tuple(wire.load_reply(reply) for reply in told.last_replies),
        trace=told.trace if is_trace(told.trace) else trace_of(tracker.sender_id, told.heard),
        telling=telling,
        story=story,
    )


def _act(message: _Message) -> tuple[Act, float, float, Act]:
    """The likeliest act, its chance, that of all which open the form, and the likeliest of those.
    These count together first: a story that may be a complaint or a report is surely no small
    talk.
    """
    ranking = [(i.name, i.confidence or 0.0) for i in (message.intent_ranking or [message.intent])]
    known: list[tuple[Act, float]] = [(a, c) for a, c in ranking if a in ACTS]  # type: ignore[misc]  # checked
    telling = [(act, chance) for act, chance in known if act in OPENS_FORM]
    together = min(1.0, sum(chance for _, chance in telling))
    best = max(known, key=lambda pair: pair[1], default=("other", 0.0))
    story = max(telling, key=lambda pair: pair[1], default=("complaint", 0.0))[0]
    if telling and (best[0] in OPENS_FORM or together > best[1]):
        return story, together, together, story
    return *best, together, story


def _field(name: str, slot: object) -> OrderField:
    if not isinstance(slot, dict):
        raise wire.WireError(f"not a field: {name}")
    rest = dict(slot)
    value, former = str(rest.pop("value", "")), rest.pop("former", ())
    if not isinstance(former, list | tuple):
        raise wire.WireError(f"not a field: {name}")
    return OrderField(name, value, wire.load(Provenance, rest), tuple(map(str, former)))


def _mapping(slot: object) -> Mapping[str, Any] | None:
    if slot is None:
        return None
    if not isinstance(slot, dict):
        raise WebhookError("call_invalid", "not a call: a slot of ours is not a mapping")
    return slot


def set_slot(name: str, value: object) -> Event:
    """Rasa's event that sets a slot."""
    return {"event": "slot", "timestamp": None, "name": name, "value": value}


def set_fields(fields: Mapping[str, OrderField]) -> list[Event]:
    """Events that make the slots hold exactly ``fields``."""
    return [set_slot(name, _slot(fields.get(name))) for name in FIELDS]


def _slot(item: OrderField | None) -> dict[str, Any] | None:
    if item is None:
        return None
    former = {"former": list(item.former)} if item.former else {}
    return {"value": item.value, **wire.dump(item.provenance), **former}


def follow_up(action: str) -> Event:
    """Rasa's event that names the action to run next in this turn."""
    return {"event": "followup", "timestamp": None, "name": action}


def response(outcome: Outcome) -> dict[str, Any]:
    """The one message of a turn."""
    return {"custom": wire.dump(outcome)}
