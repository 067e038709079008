"""The inbox of the learning loop: read, added from, put aside; who may, and bad input."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select, update

from store.engine import reading, writing
from store.tables import Conversation, LearningDone, Matter, Staff, Turn
from tests.fakes.office import Office
from tests.web.conftest import Desk
from turns import wire
from turns.understood import Candidate, Understood

SAID = ("我租的房能动公积金不", "租房能动公积金不能", "租的房能动公积金吗")


@pytest.fixture
def inbox(office: Office, now: datetime) -> Office:
    """Three people were missed; one matter is known."""
    known = Understood("policy", "miss", candidates=(Candidate("gjj.rent", "条件", 0.5),))
    with writing(office.engine) as session:
        session.add(Matter(code="gjj.rent", name="租房提取公积金", department="公积金中心"))
        for n, text in enumerate(SAID):
            session.add(Conversation(id=f"c{n}", channel="web", started_at=now))
            session.flush()
            session.add(
                Turn(
                    conversation_id=f"c{n}", speaker="citizen", kind="text", heard=f"h{n}",
                    text=text, understood=wire.dump(known), decision="miss", at=now,
                )
            )  # fmt: skip
    return office


def as_role(engine: Engine, role: str) -> None:
    with writing(engine) as session:
        session.execute(update(Staff).values(roles=[role]))


def seqs(engine: Engine) -> str:
    with reading(engine) as session:
        return ",".join(map(str, session.scalars(select(Turn.seq).order_by(Turn.seq))))


def pending(engine: Engine) -> str:
    with reading(engine) as session:
        return str(session.get_one(Matter, "gjj.rent").pending)


def post(desk: Desk, path: str, form: Mapping[str, object]) -> Any:
    return desk.client.post(f"/knowledge/inbox{path}", data={"token": desk.token, **form})


def left(engine: Engine) -> list[str]:
    with reading(engine) as session:
        return list(session.scalars(select(LearningDone.state)))


@pytest.fixture
def editor(inbox: Office, desk: Desk) -> Desk:
    as_role(inbox.engine, "editor")
    return desk


def test_three_people_ask_the_same_thing(editor: Desk) -> None:
    page = editor.get("/knowledge/inbox")
    assert page.status_code == 200
    assert page.text.count('class="card inbox__group"') == 1
    assert "<b>3</b> 人这样问过" in page.text
    assert "最像：租房提取公积金 · 条件" in page.text
    part = editor.get("/knowledge/inbox?days=30", headers={"hx-request": "true"})
    assert "<html" not in part.text
    assert SAID[0] in part.text


def test_an_editor_adds_them_as_ways_of_asking(editor: Desk, inbox: Office) -> None:
    form = {"seqs": seqs(inbox.engine), "matter": "gjj.rent", "aspect": "条件",
            "kind": "question", "text": [SAID[0], " ", SAID[0], "租房的公积金能动吗"]}  # fmt: skip
    answer = post(editor, "/add", form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/knowledge/inbox?done=added")
    assert SAID[0] in pending(inbox.engine)
    assert "租房的公积金能动吗" in pending(inbox.engine)
    assert left(inbox.engine) == ["added"] * 3
    assert "没有要学的" in editor.get("/knowledge/inbox").text


def test_or_as_another_name(editor: Desk, inbox: Office) -> None:
    form = {
        "seqs": seqs(inbox.engine),
        "matter": "gjj.rent",
        "kind": "alias",
        "text": ["房租公积金"],
    }
    assert post(editor, "/add", form).status_code == 303
    assert "房租公积金" in pending(inbox.engine)


def test_putting_aside_twice_is_harmless(editor: Desk, inbox: Office) -> None:
    form = {"seqs": seqs(inbox.engine)}
    first, second = (post(editor, "/dismiss", form) for _ in range(2))
    assert first.headers["location"].endswith("done=dismissed")
    assert second.headers["location"].endswith("done=nothing")
    assert left(inbox.engine) == ["dismissed"] * 3


@pytest.mark.parametrize(
    ("changed", "status"),
    [({"seqs": ""}, 422), ({"seqs": "1;drop"}, 422), ({"seqs": "9" * 12}, 422),
     ({"matter": "no.such"}, 404), ({"aspect": "天气"}, 422), ({"kind": "pattern"}, 422),
     ({"text": []}, 422), ({"text": ["x" * 5000]}, 422), ({"token": "wrong"}, 403)],
)  # fmt: skip
def test_bad_input_changes_nothing(
    editor: Desk, inbox: Office, changed: dict[str, object], status: int
) -> None:
    form: dict[str, object] = {"seqs": seqs(inbox.engine), "matter": "gjj.rent", "aspect": "条件"}
    form |= {"kind": "question", "text": [SAID[0]]} | changed  # fmt: skip
    assert post(editor, "/add", form).status_code == status
    assert (left(inbox.engine), pending(inbox.engine)) == ([], "{}")


def test_a_supervisor_reads_and_an_agent_does_not(inbox: Office, desk: Desk) -> None:
    as_role(inbox.engine, "supervisor")
    page = desk.get("/knowledge/inbox")
    assert SAID[0] in page.text
    assert "加进去" not in page.text
    assert post(desk, "/dismiss", {"seqs": "1"}).status_code == 403
    as_role(inbox.engine, "agent")
    assert desk.get("/knowledge/inbox").status_code == 403


def test_nobody_signed_in(visitor: TestClient, inbox: Office) -> None:
    assert visitor.get("/knowledge/inbox").status_code in (303, 401)
