"""How far the words of a turn can be relied on."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.clarity import clarity
from turns.heard import Heard, HeardKind

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def heard(text: str, kind: HeardKind = "speech", confidence: float = 0.9) -> Heard:
    return Heard("h1", "c1", "phone", "12345", kind, text, NOW, confidence)


@pytest.mark.parametrize("text", ["嘟嘟嘟嘟", "嘟 嘟", "滴滴滴", "嗡嗡", "沙沙沙"])
def test_noise_is_no_answer(text: str) -> None:
    assert clarity(heard(text)) == clarity(heard(text, "text")) == "unclear"


@pytest.mark.parametrize("text", ["喂喂喂", "嗯嗯", "滴滴打车乱收费", "嘟", "半夜嗡嗡响", ""])
def test_words_are_words(text: str) -> None:
    assert clarity(heard(text)) == "clear"


def test_only_a_spoken_turn_is_doubted_for_its_confidence() -> None:
    assert clarity(heard("公积金", confidence=0.6)) == "doubtful"
    assert clarity(heard("公积金", confidence=0.5)) == "unclear"
    assert (
        clarity(heard("公积金", confidence=0.0)) == clarity(heard("公积金", "text", 0.1)) == "clear"
    )
