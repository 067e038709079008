"""What becomes of an order, told to a citizen of WeChat by template or subscription notice.

They ride with the webhooks' deliveries (``handoff.links.book``): written down with the step that
they tell of, leased before they are sent, tried again under the same id. Notices say the order's
number and where it stands, nothing that the citizen told. Synchronous but for what sends.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from chat.wechat.api import Api, Notice
from chat.wechat.errors import WeChatError
from config.city import City
from config.wechat import CREATED, NoticeTemplate
from handoff.links.outcome import Failed, Outcome, Refused, Sent
from store.engine import reading, writing
from store.tables import Conversation, Delivery, Outbox, WechatCitizen, WorkOrder

TARGET = "wechat"
"""What such deliveries are for, as a webhook's are for its target."""
LEASE = timedelta(seconds=60)
_CHANNEL = "wechat"
_CREATED_TOPIC, _CHANGED_TOPIC = "order.created", "order.changed"
# The platform refuses a longer value (47003); a field's kind is what its name begins with.
_MOST = {"thing": 20, "short_thing": 20, "phrase": 5, "const": 20, "name": 10,
         "character_string": 32, "number": 32}  # fmt: skip
_EXACT = frozenset({"phrase", "character_string", "number"})
"""Only characters of their own kind may stand in these."""
_DEFAULT_MOST = 20
_NOTHING = "无"


@dataclass(frozen=True, slots=True)
class Due:
    """One notice to be tried: the ``tries``-th time; ``since`` when it first became due."""

    id: str
    openid: str
    kind: str
    notice: Notice
    tries: int
    since: datetime

    def __repr__(self) -> str:
        """Nothing that a log could leak."""
        return f"Due(id={self.id!r})"


def event_of(topic: str, payload: Mapping[str, object]) -> str:
    """The step that an entry of the outbox tells of; '' for none."""
    if topic == _CREATED_TOPIC:
        return CREATED
    return str(payload.get("event", "")) if topic == _CHANGED_TOPIC else ""


def wanted(session: Session, city: City, entry: Outbox) -> tuple[str, ...]:
    """``TARGET``, where a citizen of WeChat is to be told of ``entry``."""
    if event_of(entry.topic, entry.payload) not in city.wechat.notices:
        return ()
    order = session.get(WorkOrder, str(entry.payload.get("order", "")))
    return (TARGET,) if order is not None and _citizen(session, order) is not None else ()


def _citizen(session: Session, order: WorkOrder) -> WechatCitizen | None:
    """Who wrote, in whatever conversation they are by now."""
    talk = session.get(Conversation, order.conversation_id or "")
    if talk is None or talk.channel != _CHANNEL or talk.erased_at is not None:
        return None
    known = WechatCitizen.conversation_id == talk.id
    if talk.citizen_mark:
        known |= WechatCitizen.openid_mark == talk.citizen_mark
    return session.scalar(select(WechatCitizen).where(known).limit(1))


def claim(engine: Engine, city: City, now: datetime, limit: int) -> tuple[Due, ...]:
    """Lease what is due, the oldest first; what nobody is there for any more is refused."""
    due = (
        (Delivery.target == TARGET) & (Delivery.state == "waiting") & (Delivery.next_at <= now)
    )  # fmt: skip
    with reading(engine) as session:
        if session.scalar(select(Delivery.id).where(due).limit(1)) is None:
            return ()
    query = select(Delivery).where(due).order_by(Delivery.next_at).limit(limit)
    with writing(engine) as session:
        rows = session.scalars(query.with_for_update(skip_locked=True)).all()
        return tuple(found for row in rows if (found := _claim(session, row, city, now)))


def _claim(session: Session, row: Delivery, city: City, now: datetime) -> Due | None:
    entry = session.get_one(Outbox, row.outbox_id)
    template = city.wechat.notices.get(event_of(entry.topic, entry.payload))
    order = session.get(WorkOrder, str(entry.payload.get("order", "")))
    citizen = _citizen(session, order) if order is not None else None
    if template is None or order is None or citizen is None or not citizen.subscribed:
        row.state, row.fault = "refused", "nobody_there"
        return None
    row.tries += 1
    row.next_at = now + LEASE
    notice = made(template, words_of(order, city, entry.created_at), row.id)
    return Due(row.id, citizen.openid, template.kind, notice, row.tries, row.created_at)


def words_of(order: WorkOrder, city: City, at: datetime) -> dict[str, str]:
    """What a template's braces may hold; the step was at ``at``."""
    return {
        "number": order.number,
        "kind": order.kind,
        "department": order.department,
        "deadline": _moment(order.due_at, city),
        "time": _moment(at, city),
        "city": city.name,
    }


def _moment(at: datetime | None, city: City) -> str:
    """As the platform takes it: 2026年11月20日 12:00."""
    if at is None:
        return ""
    local = at.astimezone(city.zone)
    return f"{local.year}年{local.month:02}月{local.day:02}日 {local:%H:%M}"


def made(template: NoticeTemplate, words: Mapping[str, str], known: str) -> Notice:
    """The notice with its fields filled, each within the platform's bounds."""
    fields = {name: _bounded(name, text.format(**words)) for name, text in template.fields.items()}
    return Notice(template.template, fields, template.url.format(**words), known)


def _bounded(name: str, text: str) -> str:
    if name.startswith(("time", "date")):
        return text or _NOTHING
    kind = name.rstrip("0123456789")
    most = _MOST.get(kind, _DEFAULT_MOST)
    text = " ".join(text.split()) or _NOTHING
    if len(text) <= most:
        return text
    return text[:most] if kind in _EXACT else text[: most - 1] + "…"


async def send(api: Api, body: bytes) -> Outcome:
    """Try once; ``body`` as :func:`dumped` made it."""
    found = json.loads(body)
    notice = Notice(**found["notice"])
    try:
        if found["kind"] == "subscription":
            await api.send_subscription(found["openid"], notice)
        else:
            await api.send_template(found["openid"], notice)
    except WeChatError as error:
        return Failed(error.code) if error.passing else Refused(error.code)
    return Sent()


def dumped(due: Due) -> bytes:
    """All that sending it takes; never kept."""
    notice = {"template": due.notice.template, "fields": dict(due.notice.fields),
              "url": due.notice.url, "id": due.notice.id}  # fmt: skip
    return json.dumps({"openid": due.openid, "kind": due.kind, "notice": notice}).encode()
