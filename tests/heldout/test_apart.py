"""No sentence of the exam stands in anything trained on; the exam is whole and labelled."""

from __future__ import annotations

from collections import Counter

import pytest

from knowledge.files import read_folder
from tests.conftest import SAMPLE_CITY
from tests.heldout.sets import LISTS, TABLES, exam, key, rows, trained_on
from turns.understood import ACTS, ASPECTS

ENOUGH = {
    "questions": 450, "followups": 160, "outofscope": 150, "complaints": 250, "acts": 230,
    "danger": 200, "calm": 500, "person": 70, "notperson": 75,
}  # fmt: skip


@pytest.fixture(scope="module")
def trained() -> dict[str, set[str]]:
    return trained_on()


@pytest.mark.parametrize("name", [*TABLES, *LISTS])
def test_no_sentence_was_trained_on(trained: dict[str, set[str]], name: str) -> None:
    ours = {key(text) for file, text in exam() if file == name}
    shared = {where: sorted(ours & texts) for where, texts in trained.items()}
    assert {where: len(texts) for where, texts in shared.items() if texts} == {}


def test_the_training_texts_are_really_read(trained: dict[str, set[str]]) -> None:
    assert [where for where, texts in trained.items() if len(texts) < 50] == []


def test_the_exam_is_whole() -> None:
    counted = Counter(file for file, _ in exam())
    assert [name for name, least in ENOUGH.items() if counted[name] < least] == []


def test_no_sentence_stands_twice_in_a_list() -> None:
    counted = Counter((file, key(text)) for file, text in exam() if file in LISTS)
    assert [file for (file, _), count in counted.items() if count > 1] == []


def test_every_question_has_a_published_answer() -> None:
    contents = read_folder(SAMPLE_CITY / "knowledge")
    published = {(answer.matter, answer.aspect) for answer in contents.answers}
    asked = [row for name in ("questions", "followups") for row in rows(name) if row["aspect"]]
    missing = [
        (row["matter"], aspect)
        for row in asked
        for aspect in row["aspect"].split("|")[:1]
        if (row["matter"], aspect) not in published
    ]
    assert missing == []
    assert {row["matter"] for row in asked} == {matter.code for matter in contents.matters}


def test_acts_are_balanced_and_known() -> None:
    counted = Counter(row["act"] for row in rows("acts"))
    assert set(counted) == set(ACTS)
    assert min(counted.values()) >= 10


def test_aspects_are_known() -> None:
    asked = {a for row in rows("questions") for a in row["aspect"].split("|")}
    assert asked == set(ASPECTS)
