"""One order as staff read it: its fields in groups, in Chinese, each with its source. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from web import labels
from web.queries import EventRow, FieldRow, OrderDetail, OrderRow
from web.transcript import TurnView


@dataclass(frozen=True, slots=True)
class Shown:
    """One line of the order. ``seq`` is the turn it comes from (None without one)."""

    name: str
    label: str
    value: str
    quote: str = ""
    seq: int | None = None
    confidence: float = 1.0
    confirmed: str = ""
    start_ms: int | None = None

    @property
    def doubtful(self) -> bool:
        """The recogniser was not sure, and nobody has confirmed it."""
        return self.confidence < labels.LOW_CONFIDENCE and not self.confirmed


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the order's history."""

    at: datetime
    actor: str
    event: str


@dataclass(frozen=True, slots=True)
class OrderView:
    """The page's content beside the transcript."""

    row: OrderRow
    groups: tuple[tuple[str, tuple[Shown, ...]], ...]
    steps: tuple[Step, ...]
    can_reply: bool


def order_view(detail: OrderDetail, moment: Callable[[datetime], str]) -> OrderView:
    """The order for its page; ``moment`` writes a time in the city's zone."""
    turns = {turn.anchor: turn for turn in detail.turns if turn.anchor}
    shown = _columns(detail.row, moment)
    for field in detail.fields:
        # A number that the network told was said in no turn: there is nothing to hear.
        told = field.rule not in labels.CALLER_RULES
        shown[field.name] = _shown(
            field, turns.get(field.turn) if told else None, detail.recordings
        )
    return OrderView(
        row=detail.row,
        groups=_groups(shown),
        steps=tuple(_step(event) for event in detail.events),
        can_reply=can_reply(detail.row),
    )


def can_reply(row: OrderRow) -> bool:
    """A person may write into a chat that was handed over; a call is spoken."""
    return row.channel != "phone" and row.conversation_state in ("waiting", "agent")


def _columns(row: OrderRow, moment: Callable[[datetime], str]) -> dict[str, Shown]:
    """What the order says of itself; a field of the same name with a source takes its place."""
    values = {
        "number": row.number,
        "created_at": moment(row.created_at),
        "channel": labels.channel(row.channel),
        "line": row.line,
        "conversation_state": labels.STATES.get(row.conversation_state, row.conversation_state),
        "kind": row.kind,
        "urgency": labels.urgency(row.urgency),
        "state": row.state,
        "department": row.department or "待定",
    }
    return {name: Shown(name, labels.field(name), value) for name, value in values.items() if value}


def _shown(field: FieldRow, turn: TurnView | None, recordings: Sequence[str]) -> Shown:
    confirmed = {"": "", "citizen": "市民已确认"}.get(
        field.confirmed_by, f"{field.confirmed_by} 已确认"
    )
    return Shown(
        name=field.name,
        label=labels.field(field.name),
        value=field.value,
        quote=field.quote,
        seq=turn.seq if turn else None,
        confidence=field.confidence,
        confirmed=confirmed,
        start_ms=turn.start_ms if turn and turn.recording in recordings else None,
    )


def _groups(shown: dict[str, Shown]) -> tuple[tuple[str, tuple[Shown, ...]], ...]:
    grouped = [
        (title, tuple(shown.pop(name) for name in names if name in shown))
        for title, names in labels.GROUPS
    ]
    grouped.append((labels.OTHERS, tuple(shown.values())))
    return tuple((title, fields) for title, fields in grouped if fields)


def _step(event: EventRow) -> Step:
    told = labels.event(event.event, event.data)
    changed = event.from_state and event.to_state and event.from_state != event.to_state
    suffix = f"：{event.from_state} → {event.to_state}" if changed else ""
    return Step(event.at, labels.actor(event.actor), told + suffix)
