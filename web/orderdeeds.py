"""Which steps an order's page offers, each a small form, and why the others cannot be now. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from config.orders import VERBS, OrderRules
from handoff.order.life import why_not
from handoff.order.model import OrderError, OrderState
from web.rights import Right

LEADING = frozenset({"supervise", "raise", "decide"})
"""What only who supervises may do."""
MAX_TEXT = 2000
_NEXT = {
    "受理": "dispatch", "派单": "sign", "签收": "handle", "办理": "answer", "答复": "visit",
    "回访": "close", "办结": "archive", "退单": "dispatch", "争议审核": "decide",
}  # fmt: skip
_TEXTS = {
    "answer": "答复内容", "return": "退单理由", "reassign": "改派理由", "dispute": "为什么有争议",
    "decide": "裁定理由", "extend": "延期理由", "urge": "催办内容", "supervise": "督办要求",
    "raise": "提级理由", "redo": "哪里没有解决", "visit": "市民的说法", "note": "备注",
    "unmerge": "拆单理由", "dispatch": "派单说明", "sign": "", "close": "办结说明",
    "handle": "办理情况", "merge": "为什么并单", "archive": "",
}  # fmt: skip
_REASONED = frozenset({"answer", "return", "dispute", "decide", "reassign", "redo", "extend",
                       "raise", "note", "unmerge"})  # fmt: skip
_TO_DEPARTMENTS = frozenset({"dispatch", "reassign", "decide", "redo"})
_TICKS = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class Deed:
    """One step: ``refused`` says why it cannot be now ('' where it can); ``next``: it is usual now.

    ``text_label`` names what is to be written ('' nothing); ``departments``, ``workdays``,
    ``visit``, ``into`` say what else it asks for.
    """

    verb: str
    label: str
    refused: str = ""
    next: bool = False
    text_label: str = ""
    text_needed: bool = False
    departments: bool = False
    workdays: int = 0
    visit: bool = False
    into: bool = False


def deeds_of(
    order: OrderState, rules: OrderRules, rights: frozenset[Right], now: datetime
) -> tuple[Deed, ...]:
    """Every step of the city's, the usual one first, then those that can be, then the refused."""
    if Right.CHANGE_ORDERS not in rights:
        return ()
    usual = _usual(order, rules, now)
    known = {move.verb for move in rules.moves}
    found = [_deed(order, verb, rules, rights, now, usual) for verb in VERBS if verb in known]
    return tuple(sorted(found, key=lambda deed: (bool(deed.refused), not deed.next)))


def _usual(order: OrderState, rules: OrderRules, now: datetime) -> str:
    """What comes next; where that cannot be (no visit is wanted, unsolved), what can."""
    if order.state == "回访" and order.facts.solved is False:
        wanted = ("redo", "close")
    elif order.state == "答复" and not order.visit:
        wanted = ("close", "visit")
    else:
        wanted = (_NEXT.get(order.state, ""), "answer")
    return next((verb for verb in wanted if verb and not why_not(order, verb, rules, now)), "")


def _deed(
    order: OrderState, verb: str, rules: OrderRules, rights: frozenset[Right], now: datetime,
    usual: str,
) -> Deed:  # fmt: skip
    refused = why_not(order, verb, rules, now)
    if not refused and verb in LEADING and Right.SUPERVISE not in rights:
        refused = "由班长办理"
    return Deed(
        verb=verb, label=VERBS[verb], refused=refused, next=verb == usual and not refused,
        text_label=_TEXTS.get(verb, "说明"), text_needed=verb in _REASONED,
        departments=verb in _TO_DEPARTMENTS, visit=verb == "visit", into=verb == "merge",
        workdays=rules.extension.workdays if verb == "extend" else 0,
    )  # fmt: skip


def may_do(verb: str, rights: Iterable[Right]) -> bool:
    """Whether somebody's rights allow the step at all."""
    held = frozenset(rights)
    return Right.CHANGE_ORDERS in held and (verb not in LEADING or Right.SUPERVISE in held)


def values_of(verb: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """What a form, or a program, gives a step, as ``handoff.order.deeds.do`` takes it.

    Only what the step asks for. Raises :class:`OrderError` ``value_invalid``.
    """
    values: dict[str, Any] = {}
    text = str(given.get("text") or "")
    if len(text) > MAX_TEXT:
        raise OrderError("value_invalid", f"文字太长，最多 {MAX_TEXT} 个字")
    if text.strip():
        values["text"] = text
    if verb in _TO_DEPARTMENTS:
        values["department"] = str(given.get("department") or "").strip()
        main = values["department"]
        helpers = [str(name).strip() for name in given.get("departments") or ()]
        values["departments"] = tuple(dict.fromkeys(n for n in helpers if n and n != main))
    if verb == "extend":
        values["workdays"] = _number(given.get("workdays"))
    if verb == "visit":
        values |= {"reached": _tick(given.get("reached")), "solved": _tick(given.get("solved")),
                   "score": str(given.get("score") or "")}  # fmt: skip
    if verb == "merge":
        values["into"] = str(given.get("into") or "").strip()
    return values


def _number(value: Any) -> int:
    text = str(value or "")
    if not (text.isascii() and text.isdecimal() and len(text) < 4):
        raise OrderError("value_invalid", "请写几个工作日")
    return int(text)


def _tick(value: Any) -> bool | None:
    return value if isinstance(value, bool) else _TICKS.get(str(value or ""))
