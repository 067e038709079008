"""Logs: personal data is masked by type."""

from __future__ import annotations

import pytest

from config.logs import mask, mask_event


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("caller 13800138000 said", "caller <mobile> said"),
        ("138-0013-8000", "<mobile>"),
        ("id 11010519491231002X", "id <id-number>"),
        ("0475-8234567", "<landline>"),
        ("6222020200112233445", "<bank-card>"),
        ("order 2026112000001", "order 2026112000001"),
        ("port 5060", "port 5060"),
    ],
)
def test_numbers_are_replaced_by_their_kind(text: str, masked: str) -> None:
    assert mask(text) == masked


def test_personal_fields_become_their_length() -> None:
    event = {"event": "heard", "text": "我叫张三", "code": "x", "data": {"quote": "楼下", "n": 3}}
    assert mask_event(None, "", event) == {
        "event": "heard",
        "text": "<4 characters>",
        "code": "x",
        "data": {"quote": "<2 characters>", "n": 3},
    }


def test_numbers_in_lists_are_masked() -> None:
    assert mask_event(None, "", {"args": ["13800138000", 5]}) == {"args": ["<mobile>", 5]}
