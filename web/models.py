"""What the JSON API answers, as OpenAPI shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


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


class OrdersOut(_Model):
    """One page of work orders, newest first."""

    orders: list[OrderOut]
    total: int
    page: int
    pages: int


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


class EventOut(_Model):
    """One step in the order's life."""

    at: datetime
    actor: str
    event: str
    from_state: str
    to_state: str
    data: dict[str, Any]


class OrderDetailOut(OrderOut):
    """A work order with everything that belongs to it."""

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
    """Every error of the API."""

    code: str = Field(description="stable, for programs", examples=["order_unknown"])
    message: str = Field(description="for people")


class ReadyOut(_Model):
    """Whether everything behind the pages is ready."""

    ready: bool
    parts: dict[str, str] = Field(description="database, redis, rasa, actions, asr: ok, down, slow")
