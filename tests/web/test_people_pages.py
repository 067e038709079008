"""Staff administration in the browser."""

from __future__ import annotations

import html
import re

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from handoff.staff import get_staff
from store.engine import writing
from store.tables import Staff
from tests.fakes.office import Office
from tests.web.conftest import PASSWORD, Clock, Desk, audits, sign_in


@pytest.fixture
def chief(engine: Engine, desk: Desk) -> Desk:
    """The signed-in member as an administrator, and somebody to look after."""
    with writing(engine) as session:
        row = session.scalars(select(Staff)).one()
        row.roles = ["administrator"]
        session.add(Staff(login="wang", name="王芳", password_hash=row.password_hash,
                          roles=["agent"], created_at=row.created_at))  # fmt: skip
    return desk


FORM = {"name": "钱小红", "roles": ["agent", "editor"], "phone": "sip:803@10.0.0.5",
        "skills": "公积金，社保 医保", "capacity": "3"}  # fmt: skip


def post(desk: Desk, path: str, **form: object) -> tuple[int, str]:
    answer = desk.client.post(f"/staff/people{path}", data={"token": desk.token, **form})
    return answer.status_code, html.unescape(answer.headers.get("location", answer.text))


def test_somebody_new_signs_in_with_the_password_shown_once(chief: Desk, office: Office) -> None:
    status, page = post(chief, "/new", login=" Qian ", **FORM)
    assert status == 200
    password = re.findall(r"[a-z2-9]{4}(?:-[a-z2-9]{4}){3}", page)[0]
    person = get_staff(office.engine, "qian")
    assert person.profile.skills == ("公积金", "社保", "医保")
    assert (person.profile.roles, person.profile.capacity) == (("agent", "editor"), 3)
    assert "还没换密码" in chief.get("/staff/people").text
    assert password not in chief.get("/staff/people/qian").text
    with TestClient(office.app, follow_redirects=False) as other:
        assert sign_in(other, "Qian", password) == 303
        assert "请先设" in other.get("/staff/account").text


@pytest.mark.parametrize(
    ("change", "says"),
    [({"login": "wang"}, "已经有人用了"), ({"login": "王"}, "登录名用"), ({"roles": []}, "角色"),
     ({"roles": ["boss"]}, "没有角色"), ({"capacity": "many"}, "同时接待"),
     ({"capacity": "-1"}, "同时接待"), ({"capacity": "٣"}, "同时接待"), ({"name": ""}, "姓名"),
     ({"phone": "javascript:alert(1)"}, "话机地址"), ({"name": "<b>"}, None)],
)  # fmt: skip
def test_a_wrong_form_says_so_and_keeps_what_was_typed(
    chief: Desk, change: dict[str, object], says: str | None
) -> None:
    answer = chief.client.post(
        "/staff/people/new", data={"token": chief.token, "login": "qian", **FORM, **change}
    )
    if says is None:
        assert "<b>的新密码" not in answer.text
        return
    assert answer.status_code == 422
    assert says in answer.text
    assert "公积金" in answer.text


def test_switching_off_is_felt_at_once(chief: Desk, office: Office, clock: Clock) -> None:
    with TestClient(office.app, follow_redirects=False) as other:
        assert sign_in(other, "wang", PASSWORD) == 303
        assert other.get("/orders").status_code == 200
        clock.advance(seconds=1)
        assert post(chief, "/wang/active", active="false")[1].endswith("done=disabled")
        assert other.get("/orders").status_code == 303
        assert sign_in(other, "wang", PASSWORD) == 401
        assert post(chief, "/wang/active", active="true")[1].endswith("done=enabled")
        assert other.get("/orders").status_code == 303  # the session of before stays ended
        assert sign_in(other, "wang", PASSWORD) == 303
    assert audits(office.engine, "staff_disabled") == [("li", "staff:wang")]


def test_a_new_password_ends_the_lock_and_the_sessions(chief: Desk, office: Office) -> None:
    with TestClient(office.app, follow_redirects=False) as other:
        for _ in range(5):
            sign_in(other, "wang", "wrong")
        assert sign_in(other, "wang", PASSWORD) == 401
        _, page = post(chief, "/wang/password")
        password = re.findall(r"[a-z2-9]{4}(?:-[a-z2-9]{4}){3}", page)[0]
        assert sign_in(other, "wang", password) == 303


def test_nobody_shuts_themselves_out(chief: Desk, office: Office) -> None:
    status, page = post(chief, "/li/active", active="false")
    assert (status, "不能停用自己" in page) == (422, True)
    assert post(chief, "/li", **FORM)[0] == 422
    assert post(chief, "/li/password")[0] == 422
    assert chief.get("/staff/people").status_code == 200


def test_who_is_unknown_is_not_found(chief: Desk) -> None:
    assert chief.get("/staff/people/nobody").status_code == 404
    assert chief.get("/staff/people/%00").status_code == 404
    assert post(chief, "/nobody/active", active="false")[0] == 404
    assert post(chief, "/wang/active", active="maybe")[0] == 422
