"""One order as staff read it: its fields in groups, in Chinese, each with its source. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from handoff.order.edits import FIELDS as WRITABLE
from web import labels, orderwords
from web.due import Due
from web.orderlist import OrderRow
from web.queries import EventRow, FieldRow, OrderDetail
from web.secrecy import CALLER_FIELDS, HIDDEN
from web.transcript import TurnView

EDITABLE = ("title", "kind", "urgency", "code", "summary", *WRITABLE, "department", "departments",
            "secret", "visit", "reference")  # fmt: skip
"""What the form for changing an order has; a matter is written in words."""


@dataclass(frozen=True, slots=True)
class Former:
    """A value that a field had until ``until``, when ``by`` changed it."""

    value: str
    until: str
    by: str


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
    rule: str = ""
    former: tuple[Former, ...] = ()
    stored: bool = False

    @property
    def doubtful(self) -> bool:
        """The recogniser was not sure, and nobody has confirmed it."""
        return self.confidence < labels.LOW_CONFIDENCE and not self.confirmed


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the order's history; ``text`` is what somebody wrote."""

    at: datetime
    actor: str
    event: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class OrderView:
    """The page's content beside the transcript."""

    row: OrderRow
    groups: tuple[tuple[str, tuple[Shown, ...]], ...]
    steps: tuple[Step, ...]
    can_reply: bool
    due: Due | None = None
    hidden: bool = False

    @property
    def shown(self) -> Mapping[str, Shown]:
        """Every field by its name."""
        return {field.name: field for _, fields in self.groups for field in fields}


def order_view(
    detail: OrderDetail, moment: Callable[[datetime], str], now: datetime, code_name: str = ""
) -> OrderView:
    """The order for its page; ``moment`` writes a time in the city's zone."""
    turns = {turn.anchor: turn for turn in detail.turns if turn.anchor}
    shown = _columns(detail, moment, code_name)
    for field in detail.fields:
        # A number that the network told was said in no turn: there is nothing to hear.
        told = field.rule not in labels.CALLER_RULES
        line = _shown(field, turns.get(field.turn) if told else None, detail, moment)
        column = shown.get(field.name)
        # The order's own column is the truth where it has one; the field knows where it is from.
        shown[field.name] = replace(line, value=column.value) if column else line
    if detail.hidden:
        shown = {name: _hide(line) if name in CALLER_FIELDS else _unquoted(line)
                 for name, line in shown.items()}  # fmt: skip
    return OrderView(
        row=detail.row,
        groups=_groups(shown),
        steps=tuple(_step(event, detail.names) for event in detail.events),
        can_reply=can_reply(detail.row) and not detail.hidden,
        due=None if detail.more.merged_into else detail.row.due(now),
        hidden=detail.hidden,
    )


def can_reply(row: OrderRow) -> bool:
    """A person may write into a chat that was handed over; a call is spoken."""
    return row.channel != "phone" and row.conversation_state in ("waiting", "agent")


def column_values(detail: OrderDetail) -> dict[str, str]:
    """The order's own columns as a form holds them."""
    row, more = detail.row, detail.more
    return {
        "title": row.title, "kind": row.kind, "urgency": row.urgency, "code": row.code,
        "department": row.department, "departments": "、".join(row.departments),
        "secret": "是" if row.secret else "否", "visit": "是" if more.visit else "否",
        "summary": more.summary, "reference": more.reference,
    }  # fmt: skip


def form_values(detail: OrderDetail) -> dict[str, str]:
    """Everything that can be changed, as it stands; who reported is left out where it is hidden."""
    fields = {field.name: field.value for field in detail.fields}
    values = {name: fields.get(name, "") for name in EDITABLE} | column_values(detail)
    left_out = CALLER_FIELDS if detail.hidden else frozenset()
    return {name: values[name] for name in EDITABLE if name not in left_out}


def masked_fields(detail: OrderDetail, hidden: str) -> tuple[FieldRow, ...]:
    """The fields as whoever asked may see them: of a secret order neither caller nor quotes."""
    if not detail.hidden:
        return detail.fields
    return tuple(
        replace(field, quote="", value=hidden, turn="", former=())
        if field.name in CALLER_FIELDS else replace(field, quote="", turn="")
        for field in detail.fields
    )  # fmt: skip


def _columns(
    detail: OrderDetail, moment: Callable[[datetime], str], code_name: str
) -> dict[str, Shown]:
    """What the order says of itself; a field of the same name with a source takes its place."""
    row, more = detail.row, detail.more
    values = {
        "number": row.number,
        "created_at": moment(row.created_at),
        "channel": labels.channel(row.channel),
        "line": row.line,
        "conversation_state": labels.STATES.get(row.conversation_state, row.conversation_state),
        "kind": row.kind,
        "urgency": labels.urgency(row.urgency),
        "state": row.state,
        "code": f"{row.code} {code_name}".strip(),
        "department": row.department or "待定",
        "departments": "、".join(row.departments),
        "secret": HIDDEN if row.secret else "",
        "visit": "" if more.visit else "不用回访",
        "summary": more.summary,
        "reference": more.reference,
        "agent": detail.names.get(row.agent, row.agent),
        "due_at": moment(row.due_at) if row.due_at else "",
        "extended_to": moment(row.extended_to) if row.extended_to else "",
    }
    return {name: Shown(name, labels.field(name), value) for name, value in values.items() if value}


def _shown(
    field: FieldRow,
    turn: TurnView | None,
    detail: OrderDetail,
    moment: Callable[[datetime], str],
) -> Shown:
    confirmed = {"": "", "citizen": "市民已确认"}.get(
        field.confirmed_by, f"{detail.names.get(field.confirmed_by, field.confirmed_by)} 已确认"
    )
    return Shown(
        name=field.name,
        label=labels.field(field.name),
        value=field.value,
        quote=field.quote,
        seq=turn.seq if turn else None,
        confidence=field.confidence,
        confirmed=confirmed,
        start_ms=turn.start_ms if turn and turn.recording in detail.recordings else None,
        rule=orderwords.rule(field.rule),
        former=tuple(_former(old, detail.names, moment) for old in reversed(field.former)),
        stored=True,
    )


def _former(
    old: Mapping[str, Any], names: Mapping[str, str], moment: Callable[[datetime], str]
) -> Former:
    try:
        until = moment(datetime.fromisoformat(str(old.get("until", ""))))
    except ValueError:
        until = ""
    by = str(old.get("by", ""))
    return Former(str(old.get("value", "")), until, names.get(by, labels.actor(by)))


def _hide(line: Shown) -> Shown:
    return Shown(line.name, line.label, HIDDEN)


def _unquoted(line: Shown) -> Shown:
    return replace(line, quote="", seq=None, start_ms=None)


def _groups(shown: dict[str, Shown]) -> tuple[tuple[str, tuple[Shown, ...]], ...]:
    grouped = [
        (title, tuple(shown.pop(name) for name in names if name in shown))
        for title, names in labels.GROUPS
    ]
    grouped.append((labels.OTHERS, tuple(shown.values())))
    return tuple((title, fields) for title, fields in grouped if fields)


def _step(event: EventRow, names: Mapping[str, str]) -> Step:
    told = orderwords.event(event.event, event.data)
    changed = event.from_state and event.to_state and event.from_state != event.to_state
    suffix = f"（{event.from_state} → {event.to_state}）" if changed else ""
    return Step(event.at, orderwords.actor(event.actor, names), told + suffix, event.text)


def changes_since(detail: OrderDetail, edition: int) -> Sequence[Step]:
    """What others did since the page with ``edition`` was shown, as the history tells it."""
    newer = detail.row.edition - edition
    counted = [event for event in detail.events if event.event not in ("took_over", "gave_back")]
    return [_step(event, detail.names) for event in counted[-newer:]] if newer > 0 else []
