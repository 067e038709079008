"""Ids that several rooms must make alike."""

from __future__ import annotations

import re

import pytest

from turns.ids import conversation_of_call
from turns.trace import is_trace, trace_of


@pytest.mark.parametrize("call_id", ["a@b", "长" * 50, "x" * 500, "a\nb", "\ud800", ""])
def test_a_conversation_is_named_by_what_cannot_be_read_back(call_id: str) -> None:
    assert re.fullmatch(r"call-[0-9a-f]{32}", conversation_of_call(call_id))


def test_a_number_in_a_call_id_is_not_in_the_conversations() -> None:
    name = conversation_of_call("13900139000@10.0.0.1")
    assert "13900139000" not in name
    assert name != conversation_of_call("13900139001@10.0.0.1")


def test_a_turn_has_one_trace_wherever_it_is_asked_for() -> None:
    assert trace_of("c1", "h1") == trace_of("c1", "h1")
    assert is_trace(trace_of("c1", "h1"))
    assert len({trace_of("c1", "h1"), trace_of("c1", "h2"), trace_of("c2", "h1")}) == 3


@pytest.mark.parametrize(
    "text", ["", "0" * 32, "a" * 31, "a" * 33, "A" * 32, "g" * 32, "a" * 31 + "\n"]
)
def test_what_is_no_trace(text: str) -> None:
    assert not is_trace(text)
