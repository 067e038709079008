"""The life of an order: what may follow what, and what no data can allow."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.orders import VERBS, Extension, OrderRules, Repeats, Return
from handoff.order.life import may, replay, step, why_not
from handoff.order.model import Event, Facts, OrderError, OrderState, Values

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)  # a Friday, 12:00 in the city
RULES = OrderRules()
GIVEN: dict[str, dict[str, Any]] = {
    "dispatch": {"department": "城市管理局"},
    "reassign": {"department": "水务局", "text": "不是我局职责"},
    "decide": {"department": "公安局", "text": "经协商"},
    "redo": {"text": "没有解决"},
    "return": {"text": "不属本局"},
    "dispute": {"text": "三定方案"},
    "answer": {"text": "已处理"},
    "visit": {"reached": True, "solved": True, "score": "satisfied"},
    "extend": {"workdays": 5, "text": "需要鉴定"},
    "raise": {"text": "多次反映"},
    "note": {"text": "已电话联系"},
    "unmerge": {"text": "不是一回事"},
}


def order(**values: Any) -> OrderState:
    state = OrderState("o1", "2026112000001", "受理", "normal", "投诉", NOON, Facts(NOON))
    return replace(state, **values)


def lived(*verbs: str, state: OrderState | None = None, at: datetime = NOON) -> OrderState:
    state = state or order()
    for verb in verbs:
        at += timedelta(minutes=1)
        state = do(state, verb, at)
    return state


def do(
    state: OrderState, verb: str, at: datetime, rules: OrderRules = RULES, **values: Any
) -> OrderState:
    given = Values(**(values or GIVEN.get(verb, {})))
    return step(state, verb, rules, by="wang", now=at, values=given).order


def refusal(state: OrderState, verb: str, at: datetime = NOON, **values: Any) -> str:
    with pytest.raises(OrderError) as refused:
        do(state, verb, at, **values)
    assert any("\u4e00" <= letter <= "\u9fff" for letter in str(refused.value))
    return refused.value.code


def test_the_whole_way() -> None:
    done = lived("dispatch", "sign", "handle", "answer", "visit", "close", "archive")
    assert done.state == "归档"
    assert done.closed_at == NOON + timedelta(minutes=6)


def test_an_answer_at_once() -> None:
    assert lived("answer", "visit", "close").state == "办结"


@pytest.mark.parametrize(
    ("verbs", "then", "code"),
    [
        ((), "close", "step_refused"),
        (("dispatch", "sign", "handle"), "close", "step_refused"),
        (("dispatch", "return"), "sign", "step_refused"),
        ((), "sign", "step_refused"),
        (("answer",), "close", "visit_missing"),
        (("answer", "visit"), "archive", "step_refused"),
        (("dispatch", "dispute", "decide"), "return", "dispute_decided"),
        (("dispatch", "dispute", "decide"), "dispute", "dispute_decided"),
        (("dispatch", "return", "dispatch", "return", "dispatch"), "return", "returns_spent"),
        (("dispatch", "sign", "extend"), "extend", "extensions_spent"),
        ((), "supervise", "not_urged"),
        (("urge",), "raise", "not_supervised"),
        (("urge", "supervise", "raise", "raise", "raise"), "raise", "level_highest"),
        ((), "unmerge", "not_merged"),
        ((), "fly", "verb_unknown"),
    ],
)
def test_illegal_steps_are_refused_with_a_reason(
    verbs: tuple[str, ...], then: str, code: str
) -> None:
    assert refusal(lived(*verbs), then, NOON + timedelta(hours=1)) == code


def test_what_came_back_is_signed_after_a_new_dispatch() -> None:
    assert lived("dispatch", "return", "dispatch", "sign").state == "签收"


@pytest.mark.parametrize(
    ("verbs", "then", "values", "code"),
    [
        ((), "dispatch", {"department": ""}, "department_missing"),
        ((), "dispatch", {"department": "x" * 61}, "value_invalid"),
        ((), "answer", {"text": " \x00\x07 "}, "answer_missing"),
        ((), "note", {"text": ""}, "value_invalid"),
        ((), "note", {"text": "x" * 4001}, "value_invalid"),
        (("dispatch",), "return", {"text": ""}, "reason_missing"),
        (("dispatch",), "reassign", {"department": "城市管理局", "text": "x"}, "department_same"),
        (("dispatch", "sign"), "extend", {"workdays": 0, "text": "x"}, "extension_long"),
        (("dispatch", "sign"), "extend", {"workdays": 11, "text": "x"}, "extension_long"),
        (("answer",), "visit", {}, "result_missing"),
        (("answer",), "visit", {"reached": True, "score": "great"}, "value_invalid"),
        (("answer",), "visit", {"reached": False, "score": "satisfied"}, "value_invalid"),
        ((), "merge", {}, "merge_unknown"),
    ],
)
def test_steps_that_are_not_given_what_they_need(
    verbs: tuple[str, ...], then: str, values: dict[str, Any], code: str
) -> None:
    state = lived(*verbs)
    with pytest.raises(OrderError) as refused:
        step(state, then, RULES, by="wang", now=NOON, values=Values(**values))
    assert refused.value.code == code


def test_an_extension_must_be_asked_before_the_limit() -> None:
    signed = lived("dispatch", "sign")
    assert signed.due is not None
    assert refusal(signed, "extend", signed.due + timedelta(seconds=1)) == "extension_late"
    longer = do(signed, "extend", signed.due)
    assert longer.due is not None
    assert longer.due > signed.due


def test_a_return_must_come_soon() -> None:
    sent = lived("dispatch")  # on Friday; two working days end on Tuesday at 18:00
    tuesday = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
    assert do(sent, "return", tuesday).state == "退单"
    assert refusal(sent, "return", tuesday + timedelta(minutes=1)) == "return_late"


def test_unsolved_is_done_again_until_the_citys_limit() -> None:
    state = lived("dispatch", "sign", "answer")
    for _ in range(RULES.redo_most):
        state = do(state, "visit", NOON, reached=True, solved=False)
        assert refusal(state, "close") == "unsolved"
        state = lived("redo", "sign", state=state)
        assert state.answered_at is None
        assert refusal(state, "close") == "step_refused"
        state = do(state, "answer", NOON)
    state = do(state, "visit", NOON, reached=True, solved=False)
    assert do(state, "close", NOON).state == "办结"
    assert state.redone == RULES.redo_most


def test_who_wants_no_return_visit_is_not_visited() -> None:
    state = lived("answer", state=order(visit=False))
    assert do(state, "close", NOON).state == "办结"


def test_a_city_that_closes_before_it_visits() -> None:
    rules = OrderRules.model_validate({
        **RULES.model_dump(by_alias=True),
        "visit_before_close": False,
        "moves": [
            *(move.model_dump(by_alias=True) for move in RULES.moves
              if move.verb not in ("visit", "close", "archive")),
            {"verb": "close", "from": ["答复"], "to": "办结"},
            {"verb": "visit", "from": ["办结"], "to": "回访"},
            {"verb": "archive", "from": ["回访", "办结"], "to": "归档"},
        ],
    })  # fmt: skip
    state = lived("answer")
    for verb in ("close", "visit", "archive"):
        state = do(state, verb, NOON, rules)
    assert state.state == "归档"


def test_what_was_told_often_is_raised_without_more_ado() -> None:
    often = replace(order(), repeat_count=RULES.repeats.raise_at)
    assert do(often, "raise", NOON).level == 1
    never = OrderRules(repeats=Repeats(raise_at=0))
    with pytest.raises(OrderError):
        step(often, "raise", never, by="wang", now=NOON, values=Values(text="x"))


def test_late_orders_may_be_supervised() -> None:
    late = order(due_at=NOON)
    assert why_not(late, "supervise", RULES, NOON)
    assert not why_not(late, "supervise", RULES, NOON + timedelta(seconds=1))


def test_what_may_be_done_now() -> None:
    assert may(order(), RULES, NOON) == ("dispatch", "answer", "urge", "merge", "note")
    merged = replace(order(), merged_into="o2")
    assert may(merged, RULES, NOON) == ("unmerge", "note")
    assert may(lived("answer", "visit", "close", "archive"), RULES, NOON) == ("note",)


_TRIED = st.lists(
    st.tuples(
        # a verb, or the how manieth of those that may be
        st.one_of(st.integers(0, 20), st.sampled_from(sorted({*VERBS, "fly"}))),
        st.integers(0, 60 * 24 * 9),  # minutes since the step before
        st.booleans(),
        st.sampled_from(["城市管理局", "水务局", ""]),
        st.sampled_from(["x", "x", ""]),
    ),
    min_size=12,
    max_size=40,
)
_ANY_RULES = st.builds(
    lambda redo, returns, extensions, visit: OrderRules().model_copy(
        update={"redo_most": redo, "returns": Return(most=returns),
                "extension": Extension(most=extensions), "visit_before_close": visit}
    ),
    st.integers(0, 2), st.integers(0, 3), st.integers(0, 2), st.booleans(),
)  # fmt: skip


def values_of(verb: str, yes: bool, department: str, text: str, main: OrderState) -> Values:
    if verb == "visit":
        return Values(reached=True, solved=yes, text=text)
    into = main if verb == "merge" else None
    return Values(text=text, department=department, workdays=3, into=into)


def check(before: OrderState, after: OrderState, event: Event) -> None:
    """What must be so after any step, whatever the city's data say."""
    if after.state in ("办结", "归档"):
        assert after.answered_at is not None
        assert after.closed_at is not None
    if event.verb == "sign":
        assert before.state == "派单"
        assert after.facts.dispatched_at is not None
    if event.verb == "extend":
        assert before.due is not None
        assert event.at <= before.due
    assert after.edition == before.edition + 1


@given(_TRIED, _ANY_RULES)
def test_no_sequence_closes_without_an_answer_and_history_replays(
    tried: list[tuple[str | int, int, bool, str, str]], rules: OrderRules
) -> None:
    main = replace(order(), id="o2", number="2026112000002")
    first = state = order(due_at=NOON + timedelta(days=7))
    events: list[Event] = []
    answers = 0
    at = NOON
    for wish, minutes, yes, department, text in tried:
        at += timedelta(minutes=minutes)
        able = may(state, rules, at)
        verb = wish if isinstance(wish, str) else able[wish % len(able)]
        try:
            values = values_of(verb, yes, department, text, main)
            taken = step(state, verb, rules, by="wang", now=at, values=values)
        except OrderError:
            continue
        check(state, taken.order, taken.event)
        answers = 0 if verb == "redo" else answers + (verb == "answer")
        if taken.event.to_state == "办结":
            assert answers
        state = taken.order
        events.append(taken.event)
    assert replay(first, events, rules) == state
