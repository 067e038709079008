"""What a step needs beyond the table of allowed steps. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from config.orders import OrderRules
from handoff.order import deadlines
from handoff.order.model import OrderError, OrderState, Values

SCORES = {"satisfied": "满意", "fair": "基本满意", "dissatisfied": "不满意"}
MAX_DEPARTMENTS = 10
_LONGEST_NAME = 60
_REASONED = ("return", "dispute", "decide", "reassign", "redo", "extend", "raise", "unmerge")
_State = Callable[[OrderState, OrderRules, datetime | None], None]
_Given = Callable[[OrderState, OrderRules, datetime, Values], None]


def check_state(order: OrderState, verb: str, rules: OrderRules, now: datetime | None) -> None:
    """Raise :class:`OrderError` where ``order`` does not admit ``verb``, whatever it is given."""
    check = _STATE.get(verb)
    if check is not None:
        check(order, rules, now)


def check_values(
    order: OrderState, verb: str, rules: OrderRules, now: datetime, values: Values
) -> None:
    """Raise :class:`OrderError` where ``verb`` is not given what it needs."""
    if verb in _REASONED and not values.text and not values.rule:
        raise OrderError("reason_missing", "请写明理由")
    check = _GIVEN.get(verb)
    if check is not None:
        check(order, rules, now, values)


def _sign(order: OrderState, _: OrderRules, __: datetime | None) -> None:
    if order.facts.dispatched_at is None or order.state != "派单":
        raise OrderError("step_refused", "还没有派单，不能签收")


def _close(order: OrderState, rules: OrderRules, _: datetime | None) -> None:
    if order.answered_at is None:
        raise OrderError("answer_missing", "还没有答复，不能办结")
    if rules.visit_before_close and order.visit and not order.facts.visits:
        raise OrderError("visit_missing", "市民要求回访，回访以后才能办结")
    if order.facts.solved is False and order.redone < rules.redo_most:
        raise OrderError("unsolved", f"回访说没有解决，先重办（满 {rules.redo_most} 次才可办结）")


def _archive(order: OrderState, _: OrderRules, __: datetime | None) -> None:
    if order.closed_at is None:
        raise OrderError("not_closed", "办结以后才能归档")


def _return(order: OrderState, rules: OrderRules, now: datetime | None) -> None:
    if order.facts.decided:
        raise OrderError("dispute_decided", "争议已经裁定，不能再退单")
    if order.facts.returns >= rules.returns.most:
        raise OrderError("returns_spent", "退单次数已用完，请提交争议审核")
    since = order.facts.dispatched_at
    if since and now and not deadlines.before(since, rules.returns.within, rules, now):
        raise OrderError("return_late", "已过退单期限，请提交争议审核或办理")


def _dispute(order: OrderState, _: OrderRules, __: datetime | None) -> None:
    if order.facts.decided:
        raise OrderError("dispute_decided", "争议已经裁定过，不再审核")


def _extend(order: OrderState, rules: OrderRules, now: datetime | None) -> None:
    if order.due is None:
        raise OrderError("no_deadline", "这件工单没有办理期限，不用延期")
    if order.facts.extensions >= rules.extension.most:
        raise OrderError("extensions_spent", f"最多延期 {rules.extension.most} 次")
    if now and now > order.due:
        raise OrderError("extension_late", "已经超过办理期限，不能再延期")


def _supervise(order: OrderState, _: OrderRules, now: datetime | None) -> None:
    if not (order.urged or _serious(order) or (now and order.overdue(now))):
        raise OrderError("not_urged", "先催办，超期或仍未办再督办")


def _raise(order: OrderState, rules: OrderRules, _: datetime | None) -> None:
    if order.level >= len(rules.levels):
        raise OrderError("level_highest", f"已经提到最高一级（{rules.levels[-1]}）")
    often = 0 < rules.repeats.raise_at <= order.repeat_count
    if not (order.facts.supervised or often or _serious(order)):
        raise OrderError("not_supervised", "先督办，仍未解决再提级")


def _serious(order: OrderState) -> bool:
    return order.urgency == "danger" or order.facts.solved is False


def _unmerge(order: OrderState, _: OrderRules, __: datetime | None) -> None:
    if not order.merged_into:
        raise OrderError("not_merged", "这件工单没有并单")


_STATE: dict[str, _State] = {
    "sign": _sign, "close": _close, "archive": _archive, "return": _return, "dispute": _dispute,
    "extend": _extend, "supervise": _supervise, "raise": _raise, "unmerge": _unmerge,
}  # fmt: skip


def _to_department(order: OrderState, _: OrderRules, __: datetime, values: Values) -> None:
    names = (values.department, *values.departments)
    if not (values.department or order.department):
        raise OrderError("department_missing", "请选主办单位")
    if len(names) > MAX_DEPARTMENTS or not all(_is_name(name) for name in names if name):
        raise OrderError("value_invalid", f"单位名称不对，或超过 {MAX_DEPARTMENTS} 个")


def _is_name(name: str) -> bool:
    return len(name) <= _LONGEST_NAME and name.isprintable()


def _to_another(order: OrderState, rules: OrderRules, now: datetime, values: Values) -> None:
    _to_department(order, rules, now, values)
    if not values.department or values.department == order.department:
        raise OrderError("department_same", "改派要换一个主办单位")


def _answer(_: OrderState, __: OrderRules, ___: datetime, values: Values) -> None:
    if not values.text:
        raise OrderError("answer_missing", "请写答复内容")


def _note(_: OrderState, __: OrderRules, ___: datetime, values: Values) -> None:
    if not values.text:
        raise OrderError("value_invalid", "请写备注内容")


def _longer(_: OrderState, rules: OrderRules, __: datetime, values: Values) -> None:
    if not 1 <= values.workdays <= rules.extension.workdays:
        most = rules.extension.workdays
        raise OrderError("extension_long", f"延期 1 到 {most} 个工作日")


def _visited(_: OrderState, __: OrderRules, ___: datetime, values: Values) -> None:
    if values.reached is None:
        raise OrderError("result_missing", "请选是否联系上市民")
    if values.score and values.score not in SCORES:
        raise OrderError("value_invalid", "满意度是 满意、基本满意、不满意 之一")
    if not values.reached and (values.score or values.solved is not None):
        raise OrderError("value_invalid", "没有联系上市民，不能填回访结果")


def _into(order: OrderState, _: OrderRules, __: datetime, values: Values) -> None:
    main = values.into
    if main is None:
        raise OrderError("merge_unknown", "请写并入哪一件工单")
    if main.id == order.id:
        raise OrderError("merge_self", "不能并入自己")
    if main.merged_into:
        raise OrderError("merge_circle", "那件工单自己已经并单，请并入它的主单")
    if main.closed_at is not None:
        raise OrderError("merge_closed", "那件工单已经办结，不能再并入")


_GIVEN: dict[str, _Given] = {
    "dispatch": _to_department, "redo": _to_department, "decide": _to_department,
    "reassign": _to_another, "answer": _answer, "note": _note, "extend": _longer,
    "visit": _visited, "merge": _into,
}  # fmt: skip
