"""The JSON API, to write: steps of an order's life, changes of fields, other systems' orders."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Response
from sqlalchemy.orm import Session

from handoff.order import deeds
from handoff.order.edits import edit_in
from handoff.order.writing import Terms, write_new
from handoff.pushed import filled
from store.tables import Conversation
from turns.orders import OrderDraft, OrderField, Provenance
from web import audit
from web.accounts import Member
from web.deps import OwnRequest, SiteDep, WritesByApi, WritesOrders
from web.errors import ProblemError
from web.idempotency import Answer, once
from web.models import ChangedOut, DeedIn, FieldsIn, OrderIn, ProblemOut
from web.ordercase import found_order
from web.orderdeeds import may_do, values_of
from web.routes.api import KEYS, PROBLEMS
from web.secrecy import CALLER_FIELDS
from web.site import Site

CHANNEL = "api"
_CONFLICT: dict[int | str, dict[str, Any]] = {
    409: {"model": ProblemOut, "description": "order_changed (another edition), key_reused (the "
          "idempotency key of another request), or the step cannot be now: dispute_decided, "
          "extension_late, extensions_spent, level_highest, merge_circle, merge_closed, "
          "no_deadline, not_closed, not_merged, not_supervised, not_urged, order_erased, "
          "order_merged, return_late, returns_spent, step_refused, unsolved, visit_missing"},
}  # fmt: skip
router = APIRouter(prefix="/api/orders", tags=["work orders"], dependencies=[*KEYS, OwnRequest],
                   responses={**PROBLEMS, **_CONFLICT})  # fmt: skip
Key = Annotated[
    str,
    Header(alias="Idempotency-Key", max_length=100, pattern=r"^[\x21-\x7e]*$",
           description="the same for every try of the same request; known for 7 days"),
]  # fmt: skip
NeededKey = Annotated[
    str,
    Header(alias="Idempotency-Key", min_length=8, max_length=100, pattern=r"^[\x21-\x7e]+$",
           description="the same for every try of the same order: it is written once"),
]  # fmt: skip
_FIELDS = ("what", "where", "when", "name", "phone", "contact", "outcome", "against")


@router.post("", status_code=201)
def create_order(
    site: SiteDep, writer: WritesByApi, response: Response, asked: OrderIn, key: NeededKey
) -> ChangedOut:
    """Write another system's matter as an order, once; 200 where this key wrote it before.

    What it leaves out (class, departments, title, summary) is filled by the city's rules, and words
    that tell of danger make it urgent, as of what a citizen says.
    """

    name = hashlib.sha256(f"{writer.login}:{key}".encode()).hexdigest()[:32]
    talk = f"api-{name}"
    draft = _draft(site, writer, asked, f"api:{name}", talk)
    danger = site.danger(asked.what)
    draft = replace(draft, urgency="danger") if danger else draft

    def work(session: Session) -> Answer:
        if session.get(Conversation, talk) is None:
            session.add(Conversation(id=talk, channel=CHANNEL, line="", citizen=asked.phone,
                                     started_at=site.now(), ended_at=site.now(),
                                     state="ended"))  # fmt: skip
            session.flush()
        terms = Terms.of(site.city, site.now().astimezone(site.city.zone), danger)
        written = write_new(session, draft, terms)
        return Answer(201, {"number": written.number, "state": "受理", "edition": 1})

    done = once(site.engine, writer.login, key, {"create": asked.model_dump()}, site.now(), work,
                secret=site.key)  # fmt: skip
    response.status_code = 200 if done.repeated else 201
    if not done.repeated:
        audit.note(site, writer.login, "order_created", str(done.body["number"]))
    return ChangedOut(**done.body, repeated=done.repeated)


@router.post("/{number}/deeds/{verb}")
def do_deed(
    site: SiteDep,
    writer: WritesOrders,
    number: str,
    verb: Annotated[str, Path(max_length=20)],
    asked: DeedIn,
    key: Key = "",
) -> ChangedOut:
    """Take one step of the order's life, once for each idempotency key."""
    if not may_do(verb, writer.rights):
        raise ProblemError(403, "right_missing")

    def work(session: Session) -> Answer:
        state = deeds.do_in(
            session, number, verb, by=writer.login, now=site.now(), rules=site.city.orders,
            edition=asked.edition, **values_of(verb, asked.model_dump()),
        )  # fmt: skip
        return Answer(200, {"number": number, "state": state.state, "edition": state.edition})

    wants = {"deed": [number, verb], **asked.model_dump()}
    done = once(site.engine, writer.login, key, wants, site.now(), work,
                secret=site.key)  # fmt: skip
    if not done.repeated:
        audit.note(site, writer.login, "order_step", number, step=verb, state=done.body["state"])
    return ChangedOut(**done.body, repeated=done.repeated)


@router.patch("/{number}/fields")
def edit_fields(
    site: SiteDep, writer: WritesOrders, number: str, asked: FieldsIn, key: Key = ""
) -> ChangedOut:
    """Change fields; the former values are kept with who changed them and when."""
    detail = found_order(site, writer, number)
    if detail.hidden and CALLER_FIELDS & set(asked.fields):
        raise ProblemError(403, "right_missing")

    def work(session: Session) -> Answer:
        edition = edit_in(
            session, number, asked.fields, by=writer.login, now=site.now(),
            edition=asked.edition, rules=site.city.orders,
        )  # fmt: skip
        return Answer(200, {"number": number, "state": detail.row.state, "edition": edition})

    wants = {"fields": number, **asked.model_dump()}
    done = once(site.engine, writer.login, key, wants, site.now(), work,
                secret=site.key)  # fmt: skip
    if not done.repeated:
        audit.note(site, writer.login, "order_edited", number, fields=sorted(asked.fields))
    return ChangedOut(**done.body, repeated=done.repeated)


def _draft(site: Site, writer: Member, asked: OrderIn, key: str, talk: str) -> OrderDraft:
    now = site.now()
    source = Provenance("", "", now, 1.0, f"api:{writer.name}"[:60])
    values = {name: str(getattr(asked, name)).strip() for name in _FIELDS}
    draft = OrderDraft(
        key=key, conversation=talk, channel=CHANNEL, line="", kind=asked.kind,
        urgency=asked.urgency, title=asked.title,
        department=asked.department, departments=tuple(asked.departments), code=asked.code,
        secret=asked.secret, visit=asked.visit,
        fields=tuple(OrderField(name, value, source) for name, value in values.items() if value),
    )  # fmt: skip
    return filled(draft, source, now, site.rules())
