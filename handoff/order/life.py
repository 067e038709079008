"""The life of a work order as a guarded state machine. Pure: the time is passed in.

The city's data says which step leads where (``config.orders``). What no city may configure away is
here: nothing is closed without an answer, nothing is signed that was not dispatched since it came
back, nothing is extended after its limit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from config.orders import STATES, VERBS, OrderRules, Span
from handoff.order import deadlines
from handoff.order.departments import helping
from handoff.order.guards import check_state, check_values
from handoff.order.model import Event, Facts, OrderError, OrderState, Step, Values, remember

MAX_TEXT = 4000


def step(
    order: OrderState,
    verb: str,
    rules: OrderRules,
    *,
    by: str,
    now: datetime,
    values: Values | None = None,
) -> Step:
    """``order`` after ``verb``; raises :class:`OrderError` saying why it cannot be.

    ``by`` is a login, or bot, citizen, system.
    """
    values = _tidied(values or Values())
    _allowed(order, verb, rules)
    check_state(order, verb, rules, now)
    check_values(order, verb, rules, now, values)
    data = _data(order, verb, values)
    after = _applied(order, verb, now, data, rules)
    return Step(after, Event(verb, now, by, order.state, after.state, values.text, data))


def may(order: OrderState, rules: OrderRules, now: datetime | None = None) -> tuple[str, ...]:
    """The verbs that ``order`` admits; without ``now`` those of which only the time decides too."""
    return tuple(verb for verb in VERBS if not why_not(order, verb, rules, now))


def why_not(order: OrderState, verb: str, rules: OrderRules, now: datetime | None = None) -> str:
    """Why ``verb`` cannot be now, in Chinese; '' where it can, given what it needs."""
    try:
        _allowed(order, verb, rules)
        check_state(order, verb, rules, now)
    except OrderError as error:
        return str(error)
    return ""


def replay(first: OrderState, events: Iterable[Event], rules: OrderRules) -> OrderState:
    """The order that ``events`` made of ``first``: the history tells the same as the row."""
    order = first
    for event in events:
        if event.verb in VERBS:
            order = _applied(order, event.verb, event.at, event.data, rules)
        elif event.verb == "follow":
            order = follow(order, event.data, event.to_state)
    return order


def following(main: OrderState) -> dict[str, Any]:
    """What a merged order takes over when its main order was answered or closed."""
    return {
        "answered_at": main.answered_at.isoformat() if main.answered_at else None,
        "closed_at": main.closed_at.isoformat() if main.closed_at else None,
    }


def follow(order: OrderState, data: dict[str, Any], state: str) -> OrderState:
    """A merged order goes where its main order went."""
    return replace(
        order, state=state, answered_at=_time(data.get("answered_at")),
        closed_at=_time(data.get("closed_at")), edition=order.edition + 1,
    )  # fmt: skip


def _allowed(order: OrderState, verb: str, rules: OrderRules) -> None:
    if verb not in VERBS:
        raise OrderError("verb_unknown", f"没有“{verb[:20]}”这个步骤")
    if order.merged_into and verb not in ("note", "unmerge"):
        raise OrderError("order_merged", "这件工单已经并单，请在主单上办理，或先拆单")
    if rules.leads(verb, order.state) is None:
        raise OrderError("step_refused", _refusal(order, verb))


def _refusal(order: OrderState, verb: str) -> str:
    if verb == "sign" and order.state == "退单":
        return "已经退单，重新派单以后才能签收"
    if verb == "close" and order.answered_at is None:
        return "还没有答复，不能办结"
    return f"现在是“{order.state}”，不能{VERBS[verb]}"


def _tidied(values: Values) -> Values:
    text = "".join(c for c in values.text if c.isprintable() or c == "\n").strip()
    if len(text) > MAX_TEXT:
        raise OrderError("value_invalid", f"文字太长，最多 {MAX_TEXT} 个字")
    return replace(values, text=text, department=values.department.strip())


def _data(order: OrderState, verb: str, values: Values) -> dict[str, Any]:
    """What the history keeps beside the text, enough to do the step over again."""
    data: dict[str, Any] = {"rule": values.rule} if values.rule else {}
    if verb in ("dispatch", "reassign", "decide", "redo"):
        data["department"] = values.department or order.department
        data["departments"] = list(
            helping(data["department"], values.departments or order.departments)
        )
    elif verb == "extend":
        data["workdays"] = values.workdays
    elif verb == "visit":
        data |= {"reached": values.reached, "solved": values.solved, "score": values.score}
    elif verb == "merge" and values.into is not None:
        answered = order.answered_at.isoformat() if order.answered_at else None
        data |= {"into": values.into.number, "into_id": values.into.id,
                 "state_before": order.state, "answered_before": answered,
                 "state": values.into.state, **following(values.into)}  # fmt: skip
    return data


def _applied(
    order: OrderState, verb: str, at: datetime, data: dict[str, Any], rules: OrderRules
) -> OrderState:
    to = rules.leads(verb, order.state) or order.state
    after = replace(
        order, state=to, edition=order.edition + 1, facts=remember(order.facts, verb, at, data)
    )
    match verb:
        case "dispatch" | "reassign" | "decide" | "redo":
            return _dispatched(after, verb, at, data, rules)
        case "sign":
            return replace(after, signed_at=at)
        case "answer":
            return replace(after, answered_at=at)
        case "close":
            return replace(after, closed_at=at)
        case "extend":
            due = after.due or at
            longer = deadlines.after(due, Span(workdays=int(data["workdays"])), rules)
            return replace(after, extended_to=longer)
        case "urge":
            return replace(after, urged=after.urged + 1)
        case "raise":
            return replace(after, level=after.level + 1)
        case "merge":
            merged = replace(after, merged_into=str(data["into_id"]), edition=order.edition)
            return follow(merged, data, str(data["state"]))
        case "unmerge":
            return _unmerged(after, order.facts)
        case _:
            return after


def _dispatched(
    order: OrderState, verb: str, at: datetime, data: dict[str, Any], rules: OrderRules
) -> OrderState:
    department = str(data["department"])
    order = replace(
        order, department=department, departments=tuple(data["departments"]), signed_at=None,
        sign_by=deadlines.due_by("sign", order.urgency, order.kind, department, at, rules),
        due_at=deadlines.due_by(
            "answer", order.urgency, order.kind, department, order.facts.begun_at, rules
        ),
    )  # fmt: skip
    if verb != "redo":
        return order
    return replace(
        order, redone=order.redone + 1, answered_at=None, closed_at=None, extended_to=None
    )


def _unmerged(order: OrderState, before: Facts) -> OrderState:
    state = before.state_before if before.state_before in STATES else "受理"
    return replace(
        order, merged_into="", state=state, answered_at=before.answered_before, closed_at=None
    )


def _time(told: Any) -> datetime | None:
    return datetime.fromisoformat(told) if isinstance(told, str) else None
