"""orders.yaml: what a city may say of its orders' life, and what it may not."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from config.city import SHIPPED, load_city
from config.errors import ConfigError
from config.orders import STATES, STAYING, VERBS, OrderRules, Span


def test_the_sample_city_uses_every_verb() -> None:
    rules = load_city(SHIPPED).orders
    assert {move.verb for move in rules.moves} == set(VERBS)
    assert {state for move in rules.moves for state in (*move.from_, move.to) if state} == set(
        STATES
    )
    assert rules.timezone == "Asia/Shanghai"


def test_a_city_without_the_file_lives_by_the_defaults(tmp_path: Path) -> None:
    folder = tmp_path / "city"
    shutil.copytree(SHIPPED, folder)
    (folder / "orders.yaml").unlink()
    assert load_city(folder).orders == OrderRules()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("moves: []", "orders.yaml:1"),
        ("limits: [{answer: {minutes: 5, workdays: 1}}]", "one of the two"),
        ("limits: [{answer: {}}]", "one of the two"),
        ("limits: [{urgency: [soon]}]", "orders.yaml:1"),
        ("colour: red", "colour"),
        ("moves: [{verb: sign, from: [派单, 退单], to: 签收}]", "only what was dispatched"),
        ("moves: [{verb: urge, from: [受理], to: 派单}]", "leads nowhere"),
        ("moves: [{verb: dispatch, from: [受理]}]", "missing"),
        ("moves: [{verb: dispatch, from: [受理], to: 派单}]", "is missing"),
        ("levels: []", "orders.yaml:1"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    folder = tmp_path / "city"
    shutil.copytree(SHIPPED, folder)
    (folder / "orders.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load_city(folder)
    assert refused.value.code == "config_invalid"
    assert told in str(refused.value)


def test_a_move_cannot_lead_to_two_places() -> None:
    moves: list[dict[str, Any]] = [move.model_dump(by_alias=True) for move in OrderRules().moves]
    with pytest.raises(ValidationError, match="given twice"):
        OrderRules.model_validate({"moves": [*moves, moves[0]]})


def test_steps_that_stay_lead_nowhere() -> None:
    rules = OrderRules()
    assert all(rules.leads(verb, "受理") in ("受理", None) for verb in STAYING)
    assert rules.leads("sign", "退单") is None


@pytest.mark.parametrize(
    ("secret", "roles", "own", "sees"),
    [
        (False, (), False, True),
        (True, ("agent",), False, False),
        (True, ("agent",), True, True),
        (True, ("agent", "supervisor"), False, True),
    ],
)
def test_who_sees_the_caller_of_a_secret_order(
    secret: bool, roles: tuple[str, ...], own: bool, sees: bool
) -> None:
    assert OrderRules().may_see_caller(secret=secret, roles=roles, own=own) is sees


def test_a_span_is_one_of_two() -> None:
    with pytest.raises(ValidationError):
        Span()
