"""One handoff with its order, as the page beside the talk shows it. Synchronous reading.

Who may see it: the agent who has the citizen, or had them; whoever it is offered to; and
supervisors, of whom it is written down. Where the order is secret (是否保密), who reported is shown
to those alone who deal with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from handoff.links.linkage import Link, links_of
from store.engine import reading
from store.tables import Conversation, HandoffEntry, Turn, WorkOrder, WorkOrderField
from turns.calls import masked
from web import labels
from web.agents.parts import DeskParts

_PERSONAL = ("name", "phone")
_SHOWN = {name: place for place, name in enumerate(n for _, names in labels.GROUPS for n in names)}


@dataclass(frozen=True, slots=True)
class Handoff:
    """An entry of the queue, as far as the desk needs it; ``citizen`` is whom to call back."""

    id: str
    conversation: str
    order: str
    number: str
    channel: str
    line: str
    state: str
    agent: str
    tried: frozenset[str]
    secret: bool
    talk: str

    @property
    def is_call(self) -> bool:
        """A voice, not words on a screen."""
        return self.channel == "phone"

    def is_of(self, login: str) -> bool:
        """Whether they have this citizen, or are offered them, or have had them."""
        return login == self.agent or login in self.tried


def find(engine: Engine, handoff: str) -> Handoff | None:
    """The handoff of that id."""
    with reading(engine) as session:
        row = session.execute(
            select(HandoffEntry, WorkOrder, Conversation)
            .join(WorkOrder, WorkOrder.id == HandoffEntry.order_id)
            .join(Conversation, Conversation.id == HandoffEntry.conversation_id)
            .where(HandoffEntry.id == handoff)
        ).first()
        if row is None:
            return None
        entry, order, talk = row
        return Handoff(
            id=entry.id, conversation=talk.id, order=order.id, number=order.number,
            channel=talk.channel, line=talk.line, state=entry.state, agent=entry.agent,
            tried=_have_had(entry), secret=order.secret, talk=talk.state,
        )  # fmt: skip


def _have_had(entry: HandoffEntry) -> frozenset[str]:
    """Who has had this citizen: whoever gave them on. Being offered them once is no reason."""
    return frozenset(
        str(one.get("agent", ""))
        for one in entry.tried or ()
        if isinstance(one, dict) and one.get("outcome") == "transferred"
    )


def order_of(parts: DeskParts, order: str, *, masks: bool = False) -> dict[str, Any] | None:
    """The order of that id for its frame; ``masks``: who reported is not shown."""
    engine = parts.engine
    with reading(engine) as session:
        row = session.get(WorkOrder, order)
        if row is None:
            return None
        fields = session.scalars(
            select(WorkOrderField).where(WorkOrderField.order_id == order)
        ).all()
        places = _places(session, row.conversation_id, [field.turn for field in fields])
        shown = [_field(field, places, masks=masks) for field in fields]
    shown.sort(key=lambda field: (_SHOWN.get(field["name"], len(_SHOWN)), field["name"]))
    links = [_link(link) for link in links_of(engine, order)]
    return {**_order(row), "fields": shown, "links": links}


def _order(row: WorkOrder) -> dict[str, Any]:
    return {
        "number": row.number,
        "edition": row.edition,
        "state": row.state,
        "urgency": row.urgency,
        "kind": row.kind,
        "code": row.code,
        "code_name": "",
        "title": row.title,
        "summary": row.summary,
        "matter": row.matter,
        "department": row.department,
        "departments": [str(name) for name in row.departments or ()],
        "secret": row.secret,
        "visit": row.visit,
        "sign_by": _moment(row.sign_by),
        "due_at": _moment(row.extended_to or row.due_at),
        "repeat_count": row.repeat_count,
        "merged": row.merged_into is not None,
        "earlier": [],
        "reasons": [],
    }


@dataclass(frozen=True, slots=True)
class _Place:
    seq: int
    recording: str
    start_ms: int | None


def _places(session: Session, conversation: str, heard: Sequence[str]) -> dict[str, _Place]:
    rows = session.execute(
        select(Turn.heard, Turn.seq, Turn.recording, Turn.audio_start_ms).where(
            Turn.conversation_id == conversation, Turn.heard.in_({id_ for id_ in heard if id_})
        )
    )
    return {row.heard: _Place(row.seq, row.recording, row.audio_start_ms) for row in rows}


def _field(row: WorkOrderField, places: Mapping[str, _Place], *, masks: bool) -> dict[str, Any]:
    place = places.get(row.turn) if row.rule not in labels.CALLER_RULES else None
    hidden = masks and row.name in _PERSONAL
    return {
        "name": row.name,
        "label": labels.field(row.name),
        "value": masked(row.value) if hidden else row.value,
        "quote": "" if hidden else row.quote,
        "turn_seq": place.seq if place else None,
        "recording": place.recording if place else "",
        "start_ms": place.start_ms if place else None,
        "confidence": row.confidence,
        "doubtful": row.confidence < labels.LOW_CONFIDENCE and not row.confirmed_by,
        "confirmed_by": row.confirmed_by,
        "rule": row.rule,
        "rule_label": rule_label(row.rule),
        "former": [] if hidden else [_former(one) for one in row.former or ()],
        "hidden": hidden,
    }


def _former(one: object) -> dict[str, Any]:
    """A value that was replaced, whatever shape it was kept in."""
    kept = one if isinstance(one, dict) else {"value": str(one)}
    return {name: kept.get(name, "") for name in ("value", "at", "by", "rule")}


def _link(link: Link) -> dict[str, Any]:
    return {
        "party": link.party,
        "direction": link.direction,
        "state": link.state,
        "reference": link.reference,
        "fault": link.fault,
        "at": link.created_at.isoformat(),
        "acknowledged_at": _moment(link.acknowledged_at),
    }


_RULES = {
    "caller": "来电号码",
    "caller_id": "来电号码",
    "form": "市民逐项回答",
    "act": "按诉求类型判断",
    "knowledge": "按政策事项判断",
    "matter": "按事项对应部门",
    "classify": "按内容分类",
    "learned": "参考以往工单",
    "said": "市民原话",
    "agent": "坐席填写",
}


def rule_label(rule: str) -> str:
    """How a field came to its value, for people; ``rule`` is ``kind.detail`` or ``kind:detail``."""
    return _RULES.get(rule.replace(":", ".").split(".")[0], "从对话中提取") if rule else ""


def _moment(value: datetime | None) -> str | None:
    return value.isoformat() if value else None
