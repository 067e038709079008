"""The learning loop: what the front door could not answer, for an editor to learn from.

Collected are turns that were missed or asked back, answers with a thumb down, and questions after
which the citizen wanted a person. What an editor has dealt with is left out. No citizen is named:
numbers are masked, and a conversation counts only as one more who asked.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.logs import mask
from knowledge.editing import Act
from language.normal import clean
from store import audit
from store.tables import Conversation, Feedback, LearningDone, Turn
from turns import wire
from turns.understood import Candidate, Understood

Reason = Literal["miss", "asked", "thumbs_down", "handoff"]
State = Literal["added", "dismissed"]

REASONS: tuple[Reason, ...] = get_args(Reason)
MOST = 2000
"""Turns looked at, the newest first: more nobody reads, and grouping grows with their square."""

_SHORTEST = 2
_REASON_OF: dict[str, Reason] = {"miss": "miss", "ask": "asked"}
_ASKED_FOR = frozenset({"answer", "ask", "miss"})


@dataclass(frozen=True, slots=True)
class Item:
    """One turn of a citizen to learn from; ``text`` with numbers masked.

    ``candidates``: what search thought of, best first; ``seq``: the turn, as
    :class:`store.tables.LearningDone` names it.
    """

    seq: int
    conversation: str
    channel: str
    text: str
    at: datetime
    reason: Reason
    candidates: tuple[Candidate, ...] = ()


def items(session: Session, since: datetime, until: datetime) -> tuple[Item, ...]:
    """What there is to learn from between two moments (aware), the newest first."""
    down = _thumbs_down(session, since, until)
    wished = _before_a_person(session, since, until)
    wanted = (
        select(Turn, Conversation.channel)
        .join(Conversation, Conversation.id == Turn.conversation_id)
        .outerjoin(LearningDone, LearningDone.turn_seq == Turn.seq)
        .where(
            Turn.decision.in_(_ASKED_FOR), Turn.speaker == "citizen", Turn.at >= since,
            Turn.at < until, LearningDone.id.is_(None), Conversation.erased_at.is_(None),
        )
        .order_by(Turn.seq.desc())
    )  # fmt: skip
    found: list[Item] = []
    for turn, channel in session.execute(wanted):
        reason = _reason(turn, down, wished)
        item = _item(turn, channel, reason) if reason else None
        if item is not None:
            found.append(item)
        if len(found) == MOST:
            break
    return tuple(found)


def settle(
    session: Session, act: Act, seqs: Iterable[int], state: State, *, matter: str = "",
    aspect: str = "",
) -> int:  # fmt: skip
    """Note that these turns are dealt with; how many were not yet. Turns that do not exist and
    turns that somebody else settled first are passed over.
    """
    wanted = sorted(set(seqs))[:MOST]
    there = set(session.scalars(select(Turn.seq).where(Turn.seq.in_(wanted))))
    done = set(
        session.scalars(select(LearningDone.turn_seq).where(LearningDone.turn_seq.in_(wanted)))
    )
    fresh = sorted(there - done)
    for seq in fresh:
        session.add(
            LearningDone(
                turn_seq=seq, state=state, matter=matter, aspect=aspect, actor=act.by, at=act.at
            )
        )
    if fresh:
        told = {"turns": len(fresh), "state": state, "matter": matter, "aspect": aspect}
        audit.write(
            session, act.key, actor=act.by, action="learning_settled", target=matter, data=told,
            at=act.at,
        )  # fmt: skip
    return len(fresh)


def _thumbs_down(session: Session, since: datetime, until: datetime) -> frozenset[tuple[str, str]]:
    wanted = select(Feedback.conversation_id, Feedback.heard).where(
        Feedback.value == "down", Feedback.at >= since, Feedback.at < until
    )
    return frozenset(session.execute(wanted))


def _before_a_person(session: Session, since: datetime, until: datetime) -> frozenset[int]:
    """The turns after which, next, a person was wished for: what was said did not help."""
    wanted = (
        select(Turn.conversation_id, Turn.seq, Turn.decision)
        .where(Turn.speaker == "citizen", Turn.decision != "", Turn.at >= since, Turn.at < until)
        .order_by(Turn.conversation_id, Turn.seq)
    )
    told: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for conversation, seq, decision in session.execute(wanted):
        told[conversation].append((seq, decision))
    return frozenset(
        seq
        for turns in told.values()
        for (seq, decision), (_, following) in itertools.pairwise(turns)
        if following == "handoff" and decision in _ASKED_FOR
    )


def _reason(turn: Turn, down: frozenset[tuple[str, str]], wished: frozenset[int]) -> Reason | None:
    if (turn.conversation_id, turn.heard or "") in down:
        return "thumbs_down"
    return _REASON_OF.get(turn.decision) or ("handoff" if turn.seq in wished else None)


def _item(turn: Turn, channel: str, reason: Reason) -> Item | None:
    text = mask(clean(turn.text))
    if len(text) < _SHORTEST or turn.kind not in ("speech", "text"):
        return None  # a button names what is known already
    return Item(turn.seq, turn.conversation_id, channel, text, turn.at, reason, _candidates(turn))


def _candidates(turn: Turn) -> tuple[Candidate, ...]:
    try:
        return wire.load(Understood, turn.understood).candidates
    except wire.WireError:
        return ()


def people(found: Sequence[Item]) -> int:
    """In how many conversations it was said."""
    return len({item.conversation for item in found})
