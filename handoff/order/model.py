"""An order as its life sees it: frozen, without a word of the citizen's."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any


class OrderError(Exception):
    """A step or a change that cannot be; ``code`` is stable, the message Chinese, for people.

    Codes: answer_missing, department_missing, department_same, dispute_decided, extension_late,
    extension_long, extensions_spent, field_unknown, level_highest, merge_circle, merge_closed,
    merge_self, merge_unknown, no_deadline, not_closed, not_merged, not_supervised, not_urged,
    order_changed, order_erased, order_merged, order_unknown, reason_missing, result_missing,
    return_late, returns_spent, step_refused, unsolved, value_invalid, value_unknown, verb_unknown,
    visit_missing.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Facts:
    """What only the history tells. Counts are since the order began, or began anew (重办).

    ``begun_at``: acceptance, or the last 重办. ``decided``: a dispute was decided, so the
    department stands. ``solved``: what the last return visit said. ``state_before`` and
    ``answered_before``: where an order that was merged stood.
    """

    begun_at: datetime
    dispatched_at: datetime | None = None
    returns: int = 0
    extensions: int = 0
    visits: int = 0
    solved: bool | None = None
    supervised: int = 0
    decided: bool = False
    state_before: str = ""
    answered_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class OrderState:
    """Where an order stands. ``merged_into`` is the main order's id, '' for none."""

    id: str
    number: str
    state: str
    urgency: str
    kind: str
    created_at: datetime
    facts: Facts
    edition: int = 1
    department: str = ""
    departments: tuple[str, ...] = ()
    visit: bool = True
    secret: bool = False
    agent: str = ""
    sign_by: datetime | None = None
    signed_at: datetime | None = None
    due_at: datetime | None = None
    extended_to: datetime | None = None
    answered_at: datetime | None = None
    closed_at: datetime | None = None
    merged_into: str = ""
    repeat_count: int = 1
    urged: int = 0
    level: int = 0
    redone: int = 0

    @property
    def due(self) -> datetime | None:
        """By when it must be answered, extensions counted."""
        return self.extended_to or self.due_at

    def overdue(self, now: datetime) -> bool:
        """Whether signing or answering is late."""
        unsigned = self.state == "派单" and self.sign_by is not None and now > self.sign_by
        return unsigned or (self.answered_at is None and self.due is not None and now > self.due)


@dataclass(frozen=True, slots=True)
class Values:
    """What a step is given. ``text``: a reason, a note, the answer. ``workdays`` of an extension.

    ``reached``, ``solved``, ``score`` (satisfied, fair, dissatisfied, or '') are of a return visit.
    ``into`` is the main order of a merge; ``rule`` names what did it without a person.
    """

    text: str = ""
    department: str = ""
    departments: tuple[str, ...] = ()
    workdays: int = 0
    reached: bool | None = None
    solved: bool | None = None
    score: str = ""
    into: OrderState | None = None
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """A step that was taken: what the history keeps of it. ``data`` is JSON, nothing personal."""

    verb: str
    at: datetime
    by: str
    from_state: str
    to_state: str
    text: str = ""
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """An order after a step, and the step."""

    order: OrderState
    event: Event


def remember(facts: Facts, verb: str, at: datetime, data: dict[str, Any]) -> Facts:
    """The facts after a step; a verb that is none of ours (an older event) changes nothing."""
    if verb in ("dispatch", "reassign", "decide"):
        return replace(facts, dispatched_at=at, decided=facts.decided or verb == "decide")
    if verb == "redo":
        return Facts(begun_at=at, dispatched_at=at, supervised=facts.supervised)
    if verb == "return":
        return replace(facts, returns=facts.returns + 1)
    if verb == "extend":
        return replace(facts, extensions=facts.extensions + 1)
    if verb == "visit":
        return replace(facts, visits=facts.visits + 1, solved=data.get("solved"))
    if verb == "supervise":
        return replace(facts, supervised=facts.supervised + 1)
    return _merging(facts, verb, data)


def _merging(facts: Facts, verb: str, data: dict[str, Any]) -> Facts:
    if verb == "merge":
        told = data.get("answered_before")
        return replace(facts, state_before=str(data.get("state_before", "")),
                       answered_before=datetime.fromisoformat(told) if told else None)  # fmt: skip
    if verb == "unmerge":
        return replace(facts, state_before="", answered_before=None)
    return facts
