"""What a turn was understood as, and the form's slots with their provenance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from turns.context import Context
from turns.orders import OrderField
from turns.replies import Option, Reply

Act = Literal[
    "policy", "complaint", "report", "suggestion", "praise", "help", "handoff", "danger", "greet",
    "bye", "repeat", "slower", "affirm", "deny", "cancel", "status", "insult", "other",
]  # fmt: skip
Decision = Literal["answer", "ask", "miss", "handoff", "danger", "form", "talk"]
Aspect = Literal["条件", "材料", "流程", "地点", "时限", "费用", "额度", "查询", "电话"]

ACTS: tuple[str, ...] = get_args(Act)
ASPECTS: tuple[str, ...] = get_args(Aspect)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A matter and aspect that the words may mean; ``score`` is calibrated, 0 to 1."""

    matter: str
    aspect: str
    score: float


@dataclass(frozen=True, slots=True)
class Understood:
    """One turn as the bot understood it.

    ``slots`` is the whole form as it stands after the turn, every field with its provenance;
    ``order`` the number of the work order that this turn completed ('' otherwise).
    """

    act: Act
    decision: Decision
    matter: str = ""
    aspect: str = ""
    answer: str = ""
    candidates: tuple[Candidate, ...] = ()
    slots: tuple[OrderField, ...] = ()
    order: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What published knowledge has for a text, looked up without side effects.

    ``answer`` is the published answer's id, '' where ``decision`` is not to answer.
    """

    decision: Decision
    answer: str
    candidates: tuple[Candidate, ...]
    options: tuple[Option, ...]
    context: Context


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one turn led to: what to tell, what the talk is about now, and how it was understood."""

    replies: tuple[Reply, ...]
    context: Context
    understood: Understood
