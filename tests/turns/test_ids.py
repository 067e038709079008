"""Ids that several rooms must make alike."""

from __future__ import annotations

import pytest

from turns.ids import conversation_of_call


@pytest.mark.parametrize("call_id", ["a@b", "长" * 50])
def test_a_short_call_id_names_the_conversation(call_id: str) -> None:
    assert conversation_of_call(call_id) == f"call-{call_id}"


@pytest.mark.parametrize("call_id", ["x" * 500, "a\nb", "\ud800"])
def test_a_hostile_call_id_is_hashed(call_id: str) -> None:
    assert len(conversation_of_call(call_id)) == len("call-") + 64
