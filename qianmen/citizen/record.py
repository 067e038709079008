"""The front door's own record of a conversation, read from its database."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Engine, make_url, select
from sqlalchemy.exc import SQLAlchemyError

from qianmen.citizen.report import SaidTurn, Who
from store.engine import StoreError, open_engine, reading
from store.seal import SealError, seal_from
from store.tables import Conversation, OrderEvent, Turn, WorkOrder

_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Record:
    """A conversation as it stands in the database.

    ``connecting``: the caller was given to a person, and had them where the order says so (a tone
    that rings is no person); ``timings`` of each spoken turn of the citizen in order, ms by part.
    """

    conversation: str
    turns: tuple[SaidTurn, ...]
    ended: bool
    connecting: bool
    order: str
    timings: tuple[dict[str, Any], ...] = ()


def read_record(
    database: str, conversation: str, wait_s: float = 3.0, *, data_key: str = ""
) -> Record | None:
    """The record, once it is ended or ``wait_s`` is over; None where there is none.

    ``database`` is a SQLAlchemy URL, ``data_key`` what its personal data is sealed with; '' and one
    that cannot be read have no record.
    """
    try:
        if not database or not _exists(database):
            return None
        engine = open_engine(database, seal_from(data_key))
    except (StoreError, SealError, SQLAlchemyError):
        return None
    until = time.monotonic() + wait_s
    try:
        while True:
            record = _read(engine, conversation)
            if (record is not None and record.ended) or time.monotonic() >= until:
                return record
            time.sleep(_POLL_S)
    except (SealError, SQLAlchemyError):
        return None
    finally:
        engine.dispose()


def _exists(database: str) -> bool:
    """Looking must not make an empty database."""
    url = make_url(database)
    return url.get_backend_name() != "sqlite" or Path(url.database or "").is_file()


def _read(engine: Engine, conversation: str) -> Record | None:
    with reading(engine) as session:
        row = session.get(Conversation, conversation)
        if row is None:
            return None
        turns = session.scalars(
            select(Turn).where(Turn.conversation_id == conversation).order_by(Turn.seq)
        ).all()
        numbers = session.scalars(
            select(WorkOrder.number)
            .where(WorkOrder.conversation_id == conversation)
            .order_by(WorkOrder.created_at)
        ).all()
        reached = session.scalars(
            select(OrderEvent.id)
            .join(WorkOrder, WorkOrder.id == OrderEvent.order_id)
            .where(WorkOrder.conversation_id == conversation, OrderEvent.event == "connected")
        ).first()
        given = any(turn.kind == "connect" for turn in turns)
        return Record(
            conversation=conversation,
            turns=tuple(_said(turn) for turn in turns if turn.text or turn.kind == "speech"),
            ended=row.ended_at is not None,
            connecting=given and (reached is not None or not numbers),
            order=numbers[-1] if numbers else "",
            timings=tuple(
                turn.timings
                for turn in turns
                if turn.speaker == "citizen" and turn.kind == "speech"
            ),
        )


def _said(turn: Turn) -> SaidTurn:
    return SaidTurn(cast(Who, turn.speaker), turn.text, turn.at.isoformat(), turn.confidence)
