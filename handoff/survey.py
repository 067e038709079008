"""What a citizen thought of it: asked once, answered in two steps, kept with the order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from store.engine import reading, writing
from store.locks import FOR_CHANGE
from store.tables import Conversation, HandoffEntry, OrderEvent, Survey, WorkOrder

Score = Literal["satisfied", "fair", "dissatisfied"]
How = Literal["keys", "voice", "button"]
LABELS: dict[Score, str] = {"satisfied": "满意", "fair": "基本满意", "dissatisfied": "不满意"}
"""The scores as citizens choose them (GB/T 33358-2016, 回访: 满意、基本满意、不满意)."""
_KEYS: dict[str, Score] = {"1": "satisfied", "2": "fair", "3": "dissatisfied"}
_LONGEST_WHY = 500
_WORDS: tuple[tuple[re.Pattern[str], Score], ...] = (
    (re.compile(r"不(?:太|是很|怎么|够|大|算)?(?:满意|好|行)|很?差|太差|糟|失望|垃圾|没(?:有)?用|没解决"),
     "dissatisfied"),
    (re.compile(r"基本|还(?:行|可以|好|成)|一般|凑合|马马虎虎|过得去|差不多"), "fair"),
    (re.compile(r"满意|很?好|挺好|不错|可以|行|棒|五星|解决了"), "satisfied"),
)  # fmt: skip
_GOOD_NOT = re.compile(r"没(?:有)?(?:什么)?不满意|不错|不差")
_SOLVED = re.compile(r"^(?:1#?$|解决|都?办好|办成|好了|对|是|嗯|有$|已经解决)")
_UNSOLVED = re.compile(r"^(?:2#?$|没|不|还没|未)|没有?解决|没办")


@dataclass(frozen=True, slots=True)
class Asked:
    """A survey that was asked: its ``key``, and the talk it is about."""

    key: str
    handoff: str


def score_of(text: str) -> Score | None:
    """The score that a key, a button or words mean; None for something else."""
    words = text.strip("，。！？!# ")
    if words in _KEYS:
        return _KEYS[words]
    if len(words) > 20:  # who tells a story does not answer the question
        return None
    if _GOOD_NOT.search(words):
        return "satisfied"
    return next((score for pattern, score in _WORDS if pattern.search(words)), None)


def solved_of(text: str) -> bool | None:
    """Whether key, button or words mean that the matter was solved; None for something else."""
    words = text.strip("，。！？!# ")
    if _UNSOLVED.search(words):
        return False
    return True if _SOLVED.search(words) else None


def begin(engine: Engine, conversation: str, now: datetime) -> Asked | None:
    """Note that the citizen is asked about their latest talk with a person.

    None where they had none, or were asked about it before: nobody is asked twice.
    """
    try:
        with writing(engine) as session:
            row = _latest(session, conversation)
            if row is None:
                return None
            key = f"survey:{row.id}"
            if session.scalar(select(Survey.id).where(Survey.key == key)) is not None:
                return None
            session.add(
                Survey(key=key, conversation_id=conversation, order_id=row.order_id,
                       about="agent", agent=row.agent, asked_at=now)
            )  # fmt: skip
            return Asked(key, row.id)
    except IntegrityError:  # another process was faster
        return None


def score(engine: Engine, conversation: str, given: Score, how: How, now: datetime) -> bool:
    """Keep the score of the survey asked last; False where there is none, or it has one."""
    with writing(engine) as session:
        row = _open(session, conversation)
        if row is None or row.score:
            return False
        row.score, row.how, row.answered_at = given, how, now
        _note(session, row, "surveyed", now, {"score": given, "agent": row.agent})
        if given == "dissatisfied":
            _note(session, row, "dissatisfied", now, {"agent": row.agent})
        return True


def explain(
    engine: Engine, conversation: str, now: datetime, *, why: str = "", solved: bool | None = None
) -> bool:
    """Keep why, or whether the matter was solved; False where no survey was answered."""
    with writing(engine) as session:
        row = _open(session, conversation)
        if row is None or not row.score:
            return False
        row.why = why[:_LONGEST_WHY] or row.why
        row.solved = row.solved if solved is None else solved
        if solved is False:
            _note(session, row, "unsolved", now, {"agent": row.agent})
        return True


def surveys_of(engine: Engine, order: str) -> tuple[Survey, ...]:
    """What was asked about an order, the oldest first; rows without a session."""
    with reading(engine) as session:
        rows = session.scalars(select(Survey).where(Survey.order_id == order).order_by(Survey.id))
        found = tuple(rows)
        session.expunge_all()
        return found


def _latest(session: Session, conversation: str) -> HandoffEntry | None:
    session.get(Conversation, conversation, with_for_update=FOR_CHANGE)
    return session.scalar(
        select(HandoffEntry)
        .where(HandoffEntry.conversation_id == conversation)
        .where(HandoffEntry.connected_at.is_not(None))
        .order_by(HandoffEntry.created_at.desc(), HandoffEntry.id.desc())
        .limit(1)
    )


def _open(session: Session, conversation: str) -> Survey | None:
    session.get(Conversation, conversation, with_for_update=FOR_CHANGE)
    return session.scalar(
        select(Survey)
        .where(Survey.conversation_id == conversation)
        .order_by(Survey.id.desc())
        .limit(1)
    )


def _note(session: Session, row: Survey, event: str, now: datetime, data: dict[str, str]) -> None:
    order = session.get(WorkOrder, row.order_id) if row.order_id else None
    if order is not None:
        session.add(OrderEvent(order_id=order.id, at=now, actor="citizen", event=event, data=data))
