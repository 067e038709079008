"""The citizen's page."""

from __future__ import annotations

from datetime import date, datetime

from fastapi.testclient import TestClient
from sqlalchemy import select

from store.engine import writing
from store.tables import Answer, Matter
from tests.fakes.office import Office


def publish(office: Office, now: datetime, aspects: dict[str, tuple[str, ...]]) -> None:
    with writing(office.engine) as session:
        for position, (name, known) in enumerate(aspects.items()):
            code = f"m{position}"
            session.add(Matter(code=code, name=name, department="公积金", position=position))
            session.flush()
            for aspect in known:
                session.add(
                    Answer(matter_code=code, aspect=aspect, state="published", text="答",
                           document="条例", valid_from=date(2026, 1, 1), changed_at=now)
                )  # fmt: skip


def test_the_page_says_that_a_machine_answers_and_that_words_are_kept(visitor: TestClient) -> None:
    html = visitor.get("/").text
    for words in ("机器", "对话会保存", "转人工", "示例市12345热线", 'data-line="12345"'):
        assert words in html


def test_another_line_has_its_own_page(visitor: TestClient) -> None:
    assert 'data-line="12329"' in visitor.get("/?line=12329").text
    assert 'data-line="12345"' in visitor.get("/?line=<script>").text


def test_quick_questions_are_ones_that_have_an_answer(
    office: Office, visitor: TestClient, now: datetime
) -> None:
    assert "quick__item" not in visitor.get("/").text
    publish(office, now, {"租房提取": ("条件", "材料"), "购房提取": ("条件",), "查询": ("查询",)})
    html = visitor.get("/").text
    assert "租房提取要符合什么条件？" in html
    assert "购房提取要符合什么条件？" in html
    assert html.count("quick__item") == 2


def test_a_question_whose_answer_no_longer_holds_is_not_offered(
    office: Office, visitor: TestClient, now: datetime
) -> None:
    publish(office, now, {"租房提取": ("条件",), "购房提取": ("条件",)})
    with writing(office.engine) as session:
        rent, buy = session.scalars(select(Answer).order_by(Answer.id))
        rent.valid_to = date(2026, 11, 19)  # yesterday, in the city
        buy.valid_to = date(2026, 11, 20)
    html = visitor.get("/").text
    assert "租房提取" not in html
    assert "购房提取要符合什么条件？" in html
