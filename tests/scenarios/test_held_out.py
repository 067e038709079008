"""What the demonstration and the scenarios say stands in nothing that was trained on."""

from __future__ import annotations

import pytest

from asr.starter.text import hanzi_only, training_sentences
from bot.rasa.corpus import sentences
from knowledge.asking import read_phrasings
from knowledge.files import read_folder
from qianmen.bench.questions import CALLS, CHAT
from qianmen.demo import CALL_SAYS, CHAT_SAYS
from tests.conftest import SAMPLE_CITY
from tests.scenarios.said import SCENARIO_SAYS

BENCH_SAYS = {sentence for said in (*CALLS, CHAT) for sentence in said}


@pytest.fixture(scope="module")
def trained_on() -> dict[str, set[str]]:
    matters = read_folder(SAMPLE_CITY / "knowledge").matters
    names = [name for matter in matters for name in (*matter.aliases, *matter.phrasings)]
    texts = {
        "starter": training_sentences(),
        "rasa": [text for said in sentences().values() for text in said],
        "aspects": read_phrasings().all,
        "matters": names,
    }
    return {name: {hanzi_only(text) for text in said} for name, said in texts.items()}


@pytest.mark.parametrize("sentence", sorted({*CALL_SAYS, *CHAT_SAYS, *SCENARIO_SAYS, *BENCH_SAYS}))
def test_what_is_said_was_never_trained_on(trained_on: dict[str, set[str]], sentence: str) -> None:
    assert [name for name, texts in trained_on.items() if hanzi_only(sentence) in texts] == []


def test_the_training_texts_are_really_read(trained_on: dict[str, set[str]]) -> None:
    assert {name: len(texts) > 150 for name, texts in trained_on.items()} == dict.fromkeys(
        trained_on, True
    )
