"""``qianmen ask`` works without anything running, and leaves nothing in the installation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings
from tests.scenarios.front_door import (
    clean_environment,
    lend_rasa_model,
    private_settings,
    qianmen,
)
from tests.scenarios.said import ASKS, ASKS_ON, COMPLAINS, DANGER, PERSON, WHEN, WHERE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(500)]

ROWS = [
    ("text", "conversation", "turn", "channel"),
    (ASKS_ON, "c1", "2", ""),
    (ASKS, "c1", "1", ""),
    (COMPLAINS, "c2", "1", "phone"),
    (WHERE, "c2", "2", "phone"),
    (WHEN, "c2", "3", "phone"),
    (PERSON, "", "", ""),
    (DANGER, "", "", "phone"),
    ("", "", "", ""),
    ("<script>alert(1)</script>", "", "", ""),
    ("/restart", "", "", ""),
]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    if not Settings().rasa_python.is_file():
        pytest.skip("Rasa's environment is not set up: run `make setup`")
    folder = tmp_path_factory.mktemp("ask")
    settings = private_settings(folder)
    lend_rasa_model(settings)
    path: Path = folder / "questions.tsv"
    path.write_text("\n".join("\t".join(row) for row in ROWS) + "\n", "utf-8")
    command = qianmen(
        "ask", "--batch", str(path), "--now", "2026-11-20T12:00",
        environment=clean_environment() | settings.environment(),
    )  # fmt: skip
    out, err = command.communicate(timeout=200)
    assert command.returncode == 0, err
    assert not (settings.data_dir / "qianmen.sqlite3").exists()
    rows: list[dict[str, Any]] = json.loads(out)
    return rows


def test_the_answers_stand_in_the_order_of_the_questions(answers: list[dict[str, Any]]) -> None:
    assert [row["text"] for row in answers] == [row[0] for row in ROWS[1:]]


def test_a_question_and_its_follow_up(answers: list[dict[str, Any]]) -> None:
    follow_up, first = answers[0], answers[1]
    assert (first["act"], first["decision"]) == ("policy", "answer")
    assert (first["matter"], first["aspect"]) == ("gjj.rent", "条件")
    assert first["answer_id"].startswith("gjj.rent:条件")
    assert len(first["candidates"]) >= 2
    assert (follow_up["matter"], follow_up["aspect"]) == ("gjj.rent", "材料")


def test_a_complaint_fills_its_slots_turn_by_turn(answers: list[dict[str, Any]]) -> None:
    last = answers[4]
    assert last["decision"] == "form"
    assert "打桩" in last["slots"]["what"]
    assert "阳光花园" in last["slots"]["where"]
    assert last["slots"]["when"]["from"].startswith("2026-11-18")


def test_a_person_and_a_danger_come_first(answers: list[dict[str, Any]]) -> None:
    assert (answers[5]["act"], answers[5]["decision"]) == ("handoff", "handoff")
    assert (answers[6]["act"], answers[6]["decision"]) == ("danger", "danger")
    assert "煤气" in answers[6]["slots"]["what"]


def test_rubbish_is_answered_without_policy(answers: list[dict[str, Any]]) -> None:
    for row in answers[7:]:
        assert row["decision"] in ("miss", "talk", "ask"), row
        assert row["say"]
        assert not row["answer_id"]
