"""A work order as the page beside the talk shows it: every field with its source. Synchronous."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.links import Links
from handoff.classify import Rules, classify
from handoff.links.linkage import Link, links_of
from handoff.order.veiled import veils
from handoff.repeats import Earlier, earlier
from handoff.veil import Veil
from store.engine import reading
from store.tables import Turn, WorkOrder, WorkOrderField
from web import labels, orderwords
from web.accounts import Member
from web.agents.parts import DeskParts
from web.secrecy import CALLER_FIELDS, HIDDEN, known_to, knows, open_to

Shown = dict[str, Any]
_ORDER = {name: place for place, name in enumerate(n for _, names in labels.GROUPS for n in names)}


def order_of(parts: DeskParts, member: Member, order: str) -> Shown | None:
    """The order of that id as ``member`` may see it; None where there is none."""
    with reading(parts.engine) as session:
        row = session.get(WorkOrder, order)
        if row is None:
            return None
        fields = session.scalars(
            select(WorkOrderField).where(WorkOrderField.order_id == order)
        ).all()
        open_ = knows(session, order, member, parts.city.orders)
        places = _places(session, row.conversation_id, [field.turn for field in fields])
        before = _earlier(session, parts, member, row, fields, knows_caller=open_)
        columns = _columns(row)
        shown = [_field(field, columns, places, is_open=open_) for field in fields]
        about = _order(row)
        if not open_:
            veil = veils(session, [order])[order]
            shown = [_veiled(field, veil) for field in shown]
            about |= {name: veil.over(about[name]) for name in ("title", "summary")}
    shown.sort(key=lambda field: (_ORDER.get(field["name"], len(_ORDER)), field["name"]))
    leaf = parts.city.classes.leaf(row.code) if row.code else None
    return {
        **about,
        "code_name": leaf.name if leaf else "",
        "hidden": not open_,
        "fields": shown,
        "earlier": [_before(one) for one in before],
        "links": [_link(link, parts.city.links) for link in links_of(parts.engine, order)],
        "reasons": list(_reasons(row, fields, parts.joints.rules)),
    }


def _order(row: WorkOrder) -> Shown:
    return {
        "number": row.number,
        "edition": row.edition,
        "state": row.state,
        "urgency": row.urgency,
        "kind": row.kind,
        "code": row.code,
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
    }


def _columns(row: WorkOrder) -> Mapping[str, str]:
    """Where the order has a column of its own, that is the truth; the field knows its source."""
    return {
        "kind": row.kind, "urgency": labels.urgency(row.urgency), "code": row.code,
        "title": row.title, "summary": row.summary, "department": row.department,
        "departments": "、".join(str(name) for name in row.departments or ()),
        "secret": "是" if row.secret else "否", "visit": "是" if row.visit else "否",
    }  # fmt: skip


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


def _field(
    row: WorkOrderField, columns: Mapping[str, str], places: Mapping[str, _Place], *, is_open: bool
) -> Shown:
    """A field; of a secret order, to whom who reported is not told, no words either."""
    hidden = not is_open and row.name in CALLER_FIELDS
    place = places.get(row.turn) if is_open and row.rule not in labels.CALLER_RULES else None
    return {
        "name": row.name,
        "label": labels.field(row.name),
        "value": HIDDEN if hidden else columns.get(row.name, row.value),
        "quote": row.quote if is_open else "",
        "turn_seq": place.seq if place else None,
        "recording": place.recording if place else "",
        "start_ms": place.start_ms if place else None,
        "confidence": row.confidence,
        "doubtful": row.confidence < labels.LOW_CONFIDENCE and not row.confirmed_by,
        "confirmed_by": row.confirmed_by,
        "rule": row.rule,
        "rule_label": orderwords.rule(row.rule) if row.rule else "",
        "former": [_former(one) for one in row.former or ()] if not hidden else [],
        "hidden": hidden,
    }


def _veiled(field: Shown, veil: Veil) -> Shown:
    """``field`` without what its words tell of who reported."""
    if field["hidden"]:
        return field
    former = [old | {"value": veil.over(str(old["value"]))} for old in field["former"]]
    return field | {"value": veil.over(field["value"]), "former": former}


def _former(one: object) -> Shown:
    """A value that was replaced, whatever shape it was kept in."""
    kept = one if isinstance(one, dict) else {"value": str(one)}
    return {name: kept.get(name, "") for name in ("value", "until", "by", "rule")}


def _earlier(
    session: Session,
    parts: DeskParts,
    member: Member,
    row: WorkOrder,
    fields: Sequence[WorkOrderField],
    *,
    knows_caller: bool,
) -> tuple[Earlier, ...]:
    """Earlier orders of the person or the place; none that would tell who reported a secret one."""
    values = {field.name: field.value for field in fields}
    rules = parts.city.orders
    found = earlier(
        session, phone=values.get("phone", "") if knows_caller else "",
        place=values.get("where", ""), code=row.code, matter=row.matter, now=parts.now(),
        rules=rules.repeats, but=row.id,
    )  # fmt: skip
    if not found:
        return ()
    wanted = [one.order for one in found]
    open_ = set(
        session.scalars(
            select(WorkOrder.id).where(WorkOrder.id.in_(wanted), open_to(member, rules))
        )
    )
    return known_to(session, found, open_)


def _before(one: Earlier) -> Shown:
    return {
        "number": one.number,
        "at": one.at.isoformat(),
        "title": one.title,
        "summary": one.summary,
        "state": one.state,
        "why": one.why,
        "same": one.same,
        "department": one.department,
    }


def _link(link: Link, rules: Links) -> Shown:
    party = rules.party(link.party)
    return {
        "party": link.party,
        "label": party.label if party is not None else link.party,
        "direction": link.direction,
        "state": link.state,
        "state_label": orderwords.LINK_STATES.get(link.state, link.state),
        "reference": link.reference,
        "fault": link.fault,
        "at": link.created_at.isoformat(),
        "acknowledged_at": _moment(link.acknowledged_at),
    }


def _reasons(
    row: WorkOrder, fields: Sequence[WorkOrderField], rules: Rules | None
) -> tuple[str, ...]:
    """Why it is classed as it is: by what was said, or, where somebody chose, by the class."""
    if rules is None or not row.code:
        return ()
    told = next((field.value for field in fields if field.name == "what"), "")
    found = classify(told, {}, rules)
    return (found if found.code == row.code else classify(told, {"code": row.code}, rules)).reasons


def _moment(value: datetime | None) -> str | None:
    return value.isoformat() if value else None
