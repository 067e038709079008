"""How long what is kept: the city's rules, with the least that the law asks."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

LEAST_LOG_DAYS = 184
"""Six months by the calendar: network logs are kept at least so long (网络安全法 Art. 21 (3))."""

Days = Annotated[int, Field(ge=1, le=36500)]
LogDays = Annotated[int, Field(ge=LEAST_LOG_DAYS, le=36500)]


class Retention(BaseModel):
    """Days after which something is deleted; ``None`` for orders: they are kept for good.

    Of a conversation with an order whose state is not in ``closed_states``, or that still waits for
    a person, nothing is deleted. ``speech_days``: rendered sentences, some of which repeat what a
    citizen said.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    recordings_days: Days = 180
    transcripts_days: Days = 365
    orders_days: Days | None = 3650
    logs_days: LogDays = LEAST_LOG_DAYS
    audit_days: LogDays = 1095
    speech_days: Days = 7
    closed_states: tuple[str, ...] = Field(default=("办结", "归档"), min_length=1)
