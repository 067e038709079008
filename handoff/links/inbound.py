"""What 110 and other parties send us: matters of theirs, and acknowledgements of ours. Synchronous.

A party sends a message again, signed anew, until it has our answer: that gets the same answer, and
one order. The very same signed message a second time is somebody's copy: it is refused.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from config.city import City, Kind
from config.links import Party
from handoff.alarms import raise_alarm
from handoff.classify import Rules
from handoff.links.linkage import OPEN, acknowledge
from handoff.orders import write
from handoff.pushed import filled
from store.engine import reading, writing
from store.locks import FOR_CHANGE
from store.tables import Conversation, Linkage, OrderEvent, WorkOrder
from turns.orders import OrderDraft, OrderField, Provenance

CHANNEL = "110"
RECENT = timedelta(minutes=30)
"""A call that comes with a matter began within this."""
_Id = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,64}$")]
_Phone = Annotated[str, Field(pattern=r"^\+?[0-9][0-9 -]{1,22}$")]
_FIELDS = ("what", "where", "when", "name", "phone")


class InboundError(Exception):
    """A message that is not taken.

    ``code``: ``message_malformed``, ``message_replayed``, ``push_not_allowed``,
    ``delivery_unknown``.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    id: _Id


class Call(_Message):
    """The call that comes with a matter: their ``id`` of it, and the caller's number."""

    number: _Phone


class Pushed(_Message):
    """A matter that is not for the police; ``reference`` is their number, one order each."""

    type: Literal["order.push"]
    reference: _Id
    what: str = Field(min_length=1, max_length=4000)
    kind: Kind = "求助"
    urgency: Literal["normal", "urgent"] = "normal"
    where: str = Field(default="", max_length=300)
    when: str = Field(default="", max_length=100)
    name: str = Field(default="", max_length=50)
    phone: _Phone | None = None
    secret: bool = False
    call: Call | None = None


class Receipt(_Message):
    """An acknowledgement, or a refusal, of what we sent under ``delivery``."""

    type: Literal["order.acknowledged", "order.refused"]
    delivery: _Id
    reference: str = Field(default="", max_length=64)
    reason: str = Field(default="", pattern=r"^[a-z0-9_.-]{0,40}$")


M = TypeVar("M", bound=_Message)


@dataclass(frozen=True, slots=True)
class Taken:
    """What we answer: our order's number; ``repeated`` where we had it."""

    message: str
    number: str
    repeated: bool


def pushed(
    engine: Engine, rules: Rules, party: Party, body: bytes, signed_at: int, now: datetime
) -> Taken:
    """Take a matter in: an order exactly once by ``reference``, its link, and an alarm for desks.

    What they leave out is filled as of what a citizen tells; danger stays theirs.

    ``body`` is verified, ``signed_at`` its timestamp. Raises :class:`InboundError`.
    """
    city = rules.city
    if not party.pushes:
        raise InboundError("push_not_allowed")
    given = _read(Pushed, body)
    link = _mark("in", party.name, given.reference)
    known = _known(engine, link, given.id, signed_at)
    talk = _conversation(engine, city, party, given, now)
    order = write(engine, _draft(rules, party, given, talk, now),
                  now=now.astimezone(city.zone), city=city)  # fmt: skip
    with writing(engine) as session:
        session.get(WorkOrder, order.id, with_for_update=FOR_CHANGE)
        _refuse_replay(session, order.id, given.id, signed_at)
        if session.get(Linkage, link) is None:
            _link(session, link, order.id, order.number, party, given, now)
        _note(session, order.id, party.name, "link_pushed", now, given.id, signed_at,
              reference=given.reference)  # fmt: skip
    return Taken(given.id, order.number, known or order.repeated)


def receipt(engine: Engine, party: Party, body: bytes, signed_at: int, now: datetime) -> Taken:
    """Note what ``party`` says of an order we sent. Raises :class:`InboundError`.

    An acknowledgement counts also after a refusal and after we gave up; nothing takes it back.
    """
    given = _read(Receipt, body)
    with writing(engine) as session:
        link = session.get(Linkage, given.delivery, with_for_update=FOR_CHANGE)
        if link is None or link.party != party.name or link.direction != "out":
            raise InboundError("delivery_unknown")
        _refuse_replay(session, link.order_id, given.id, signed_at)
        order = session.get_one(WorkOrder, link.order_id)
        repeated = link.state == "acknowledged"
        if given.type == "order.refused" and link.state in OPEN:
            link.state, link.next_at, link.fault = "refused", None, given.reason or "refused"
            link.alarmed_at = now
            text = f"危险工单{order.number}：{party.label}拒收，请马上电话通报"
            key = f"link_refused:{link.id}:{link.created_at.timestamp():.0f}"
            raise_alarm(session, key, "link_refused", order.number, text, now)
        if given.type == "order.acknowledged":
            link.sent_at = link.sent_at or now
            acknowledge(session, link, order, given.reference, now)
        _note(session, order.id, party.name, "link_receipt", now, given.id, signed_at,
              said=given.type)  # fmt: skip
        return Taken(given.id, order.number, repeated)


def _read(model: type[M], body: bytes) -> M:
    try:
        return model.model_validate_json(body)
    except ValidationError:
        raise InboundError("message_malformed") from None


def _mark(*parts: str) -> str:
    return hashlib.sha256(":".join(parts).encode()).hexdigest()[:32]


def _known(engine: Engine, link: str, message: str, signed_at: int) -> bool:
    """Whether the matter is an order already; a copy of its message is refused before any write."""
    with reading(engine) as session:
        row = session.get(Linkage, link)
        if row is not None:
            _refuse_replay(session, row.order_id, message, signed_at)
        return row is not None


def _refuse_replay(session: Session, order: str, message: str, signed_at: int) -> None:
    """The same message is signed anew when it is sent again, later: what is not later is a copy."""
    events = session.scalars(
        select(OrderEvent).where(
            OrderEvent.order_id == order, OrderEvent.event.in_(("link_pushed", "link_receipt"))
        )
    )
    for event in events:
        same = event.data.get("message") == message
        if same and signed_at <= int(event.data.get("signed_at", 0)):
            raise InboundError("message_replayed")


def _conversation(
    engine: Engine, city: City, party: Party, given: Pushed, now: datetime
) -> str:  # fmt: skip
    """The talk the order belongs to: the call that came with it, else one made for it."""
    number = given.call.number if given.call else ""
    if number and (call := _call_of(engine, number, now)):
        return call
    talk = f"{party.name}-{_mark('talk', party.name, given.reference)}"
    with writing(engine) as session:
        if session.get(Conversation, talk) is None:
            session.add(
                Conversation(id=talk, channel=CHANNEL, line=city.lines[0].number, state="ended",
                             citizen=given.phone or number, started_at=now, ended_at=now)
            )  # fmt: skip
    return talk


def _call_of(engine: Engine, number: str, now: datetime) -> str | None:
    """The call of that number that is going on."""
    marker = getattr(engine.dialect, "marker", None)
    if marker is None:
        return None
    query = (
        select(Conversation.id)
        .where(Conversation.channel == "phone", Conversation.ended_at.is_(None),
               Conversation.started_at >= now - RECENT,
               Conversation.citizen_mark.in_(marker.candidates(number)))
        .order_by(Conversation.started_at.desc()).limit(1)
    )  # fmt: skip
    with reading(engine) as session:
        return session.scalar(query)


def _draft(rules: Rules, party: Party, given: Pushed, talk: str, now: datetime) -> OrderDraft:
    source = Provenance("", "", now, 1.0, "link.pushed", party.name)
    values: dict[str, Any] = {name: getattr(given, name) for name in _FIELDS}
    if not values["phone"] and given.call:
        values["phone"] = given.call.number
    fields = tuple(OrderField(name, text, source) for name, text in values.items() if text)
    draft = OrderDraft(
        key=f"link:{party.name}:{given.reference}", conversation=talk, channel=CHANNEL,
        line=rules.city.lines[0].number, kind=given.kind, urgency=given.urgency, title="",
        fields=fields, secret=given.secret,
    )  # fmt: skip
    return filled(draft, source, now, rules, most="urgent")


def _link(
    session: Session, link: str, order: str, number: str, party: Party, given: Pushed, now: datetime
) -> None:
    row = session.get_one(WorkOrder, order)
    row.reference = row.reference or given.reference
    session.add(
        Linkage(id=link, order_id=order, direction="in", party=party.name, state="acknowledged",
                reference=given.reference, created_at=now, sent_at=now, acknowledged_at=now)
    )  # fmt: skip
    raise_alarm(session, f"link_pushed:{link}", "link_pushed", number,
                f"{party.label}转来工单{number}，请受理", now)  # fmt: skip


def _note(
    session: Session, order: str, actor: str, event: str, now: datetime, message: str,
    signed_at: int, **data: object,
) -> None:  # fmt: skip
    session.add(
        OrderEvent(order_id=order, at=now, actor=actor, event=event,
                   data={"message": message, "signed_at": signed_at, **data})
    )  # fmt: skip
