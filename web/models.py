"""What the JSON API answers, as OpenAPI shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from config.orders import OrderKind, State, Urgency


class _Model(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class OrderOut(_Model):
    """A work order as the list has it."""

    number: str = Field(examples=["2026112100007"])
    created_at: datetime
    channel: str = Field(description="phone, web, wechat, observer …")
    line: str = Field(description="the number dialled, or the account written to")
    kind: str = Field(description="咨询 求助 投诉 举报 建议 表扬 其他")
    urgency: str = Field(description="normal, urgent, danger")
    state: str
    title: str
    matter: str = Field(description="the matter's code, or empty")
    department: str
    conversation: str
    conversation_state: str = Field(description="bot, waiting, agent, ended")
    departments: list[str] = Field(description="协办")
    code: str = Field(description="classification, or empty")
    agent: str = Field(description="login of whose order it is, or empty")
    secret: bool = Field(description="是否保密")
    sign_by: datetime | None
    due_at: datetime | None
    extended_to: datetime | None
    repeat_count: int = Field(description="the how manieth request about the same")
    urged: int = Field(description="催办")
    level: int = Field(description="提级, 0 none")
    edition: int = Field(description="counts changes; name it when you change the order")
    changed_at: datetime | None


class OrdersOut(_Model):
    """Work orders, newest first: one page, or what comes after a cursor."""

    orders: list[OrderOut]
    total: int | None = Field(default=None, description="by page only")
    page: int | None = None
    pages: int | None = None
    next: str = Field(default="", description="the next cursor; empty at the end")


class SearchIn(BaseModel):
    """What the list is narrowed to; '' is everything."""

    model_config = ConfigDict(extra="forbid")

    search: str = Field(
        default="",
        max_length=60,
        description="part of a number, a telephone number, or words of the title",
    )
    urgency: Urgency | Literal[""] = ""
    kind: OrderKind | Literal[""] = ""
    state: State | Literal[""] = ""
    view: Literal["", "mine", "soon", "overdue", "repeats", "secret"] = ""
    department: str = Field(default="", max_length=60)
    code: str = Field(default="", max_length=60)
    channel: str = Field(default="", max_length=60)
    cursor: str = Field(default="", max_length=200)
    limit: int = Field(default=50, ge=1, le=200)


Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]
Phone = Annotated[
    str, StringConstraints(strip_whitespace=True, pattern=r"^(\+?[0-9][0-9 -]{3,22})?$")
]


class OrderIn(BaseModel):
    """A matter of another system's, to become an order here."""

    model_config = ConfigDict(extra="forbid")

    kind: OrderKind
    what: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
    title: Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)] = ""
    urgency: Urgency = "normal"
    where: Line = ""
    when: Line = ""
    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=50)] = ""
    phone: Phone = ""
    contact: Phone = ""
    outcome: Line = ""
    against: Line = ""
    department: Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)] = ""
    departments: list[Annotated[str, StringConstraints(max_length=60)]] = Field(
        default_factory=list, max_length=9
    )
    code: Annotated[str, StringConstraints(max_length=60)] = ""
    secret: bool = False
    visit: bool = True


class DeedIn(BaseModel):
    """One step; what it asks for depends on the step. ``edition``: refused if it is another's."""

    model_config = ConfigDict(extra="forbid")

    edition: int | None = None
    text: str = Field(default="", max_length=2000, description="a reason, a note, the answer")
    department: str = Field(default="", max_length=60, description="主办")
    departments: list[str] = Field(default_factory=list, max_length=9, description="协办")
    workdays: int | None = Field(default=None, description="of an extension")
    reached: bool | None = Field(default=None, description="of a return visit")
    solved: bool | None = None
    score: Literal["", "satisfied", "fair", "dissatisfied"] = ""
    into: str = Field(default="", max_length=20, description="the main order of a merge")


class FieldsIn(BaseModel):
    """Fields to change, by name."""

    model_config = ConfigDict(extra="forbid")

    edition: int | None = None
    fields: dict[str, Annotated[str, StringConstraints(max_length=4000)]] = Field(
        min_length=1, max_length=30
    )


class ChangedOut(_Model):
    """Where the order stands now; ``repeated``: this key did it before."""

    number: str
    state: str
    edition: int
    repeated: bool = False


class DeedOut(_Model):
    """One step; ``refused`` says why it cannot be now."""

    verb: str
    label: str
    refused: str


class DeedsOut(_Model):
    """The steps of an order."""

    number: str
    state: str
    edition: int
    deeds: list[DeedOut]


class LinkOut(_Model):
    """110, or a department, that was told at once; only ``acknowledged`` may be told on."""

    party: str
    direction: str
    state: str = Field(description="waiting, sent, acknowledged, refused, failed, transferred")
    reference: str
    created_at: datetime
    acknowledged_at: datetime | None


class FieldOut(_Model):
    """One field with its provenance."""

    name: str
    value: str
    turn: str = Field(description="id of the citizen's turn it was taken from, or empty")
    quote: str
    at: datetime
    confidence: float = Field(ge=0, le=1, description="the recogniser's; 1 for typed text")
    rule: str
    confirmed_by: str
    former: list[dict[str, Any]] = Field(description="the values it had, oldest first")


class EventOut(_Model):
    """One step in the order's life."""

    at: datetime
    actor: str
    event: str
    from_state: str
    to_state: str
    data: dict[str, Any]
    text: str = Field(description="what somebody wrote: a reason, a note, the answer")


class OrderDetailOut(OrderOut):
    """A work order with everything that belongs to it."""

    hidden: bool = Field(description="who reported is not shown to you: name and phone read 保密")
    summary: str
    visit: bool = Field(description="是否回访")
    signed_at: datetime | None
    answered_at: datetime | None
    closed_at: datetime | None
    redone: int = Field(description="重办")
    reference: str = Field(description="110's number")
    merged_into: str = Field(description="number of the main order, or empty")
    merged: list[str] = Field(description="numbers of the orders merged into this one")
    repeats: str = Field(description="number of the earlier order it repeats, or empty")
    links: list[LinkOut]
    fields: list[FieldOut]
    events: list[EventOut]
    recordings: list[str] = Field(description="ids, played at /recordings/{id}")


class TurnOut(_Model):
    """One thing said."""

    seq: int
    id: str = Field(description="what provenance points at; empty for what was told")
    speaker: str = Field(description="citizen, bot, agent, system")
    kind: str
    text: str
    options: list[str] = Field(description="labels of the options offered")
    at: datetime
    confidence: float
    recording: str
    start_ms: int | None = Field(description="place in the recording, ms")
    end_ms: int | None


class ConversationOut(_Model):
    """A conversation with its transcript."""

    id: str
    channel: str
    line: str
    state: str
    started_at: datetime
    ended_at: datetime | None
    turns: list[TurnOut]


class ProblemOut(_Model):
    """Every error of the API (RFC 9457, application/problem+json)."""

    type: str = Field(default="about:blank")
    status: int = Field(default=0)
    title: str = Field(default="", description="for people, as ``message``")
    code: str = Field(description="stable, for programs", examples=["order_unknown"])
    message: str = Field(description="for people")


class ReadyOut(_Model):
    """Whether everything behind the pages is ready."""

    ready: bool
    parts: dict[str, str] = Field(description="database, redis, rasa, actions, asr: ok, down, slow")
