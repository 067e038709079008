"""One's own account: the first password, a new one, and sessions on other devices."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from store.engine import reading, writing
from store.tables import Staff
from tests.fakes.office import Office
from tests.web.conftest import PASSWORD, Clock, Desk, audits, sign_in

FRESH = "four words of mine"


def change(desk: Desk, current: str = PASSWORD, fresh: str = FRESH, again: str = FRESH) -> str:
    form = {"token": desk.token, "current": current, "fresh": fresh, "again": again}
    answer = desk.client.post("/staff/account/password", data=form)
    return answer.headers.get("location", answer.text)


@pytest.fixture
def newcomer(office: Office, engine: Engine, visitor: TestClient, staff: str) -> Desk:
    with writing(engine) as session:
        session.scalars(select(Staff)).one().must_change = True
    assert sign_in(visitor, staff, PASSWORD, next="/orders/1") == 303
    return Desk(office, visitor)


def test_before_the_first_password_of_ones_own_nothing_else_opens(newcomer: Desk) -> None:
    for path in ("/orders", "/orders/1", "/recordings/1", "/staff/people", "/staff/audit"):
        assert newcomer.get(path).headers["location"] == "/staff/account"
    answer = newcomer.get("/api/orders")
    assert (answer.status_code, answer.json()["code"]) == (403, "password_must_change")
    page = newcomer.get("/staff/account").text
    assert "请先设一个自己的密码" in page
    assert "工单</a>" not in page
    assert newcomer.get("/staff").headers["location"] == "/staff/account"


def test_with_it_one_goes_on(newcomer: Desk, clock: Clock) -> None:
    clock.advance(seconds=5)
    assert change(newcomer) == "/desk"
    assert newcomer.get("/orders").status_code == 200
    assert audits(newcomer.office.engine, "password_changed") == [("li", "staff:li")]


@pytest.mark.parametrize(
    ("current", "fresh", "again", "says"),
    [("wrong", FRESH, FRESH, "现在的密码不对"), (PASSWORD, FRESH, "another", "两次输入"),
     (PASSWORD, PASSWORD, PASSWORD, "和现在的一样"), (PASSWORD, "short", "short", "至少要 10"),
     (PASSWORD, "1234567890", "1234567890", "太常见"),
     (PASSWORD, "qianmen12345", "qianmen12345", "热线名称"),
     (PASSWORD, "shilishi@2026", "shilishi@2026", "热线名称")],
)  # fmt: skip
def test_what_is_wrong_is_said_and_nothing_changes(
    desk: Desk, current: str, fresh: str, again: str, says: str
) -> None:
    assert says in change(desk, current, fresh, again)
    desk.client.cookies.clear()
    assert sign_in(desk.client, "li", PASSWORD) == 303


def test_guessing_the_current_one_locks_the_login(desk: Desk) -> None:
    for _ in range(5):
        change(desk, current="wrong")
    assert "现在的密码不对" in change(desk)
    engine = desk.office.engine
    assert len(audits(engine, "password_failed")) == len(audits(engine, "password_tried")) == 5
    assert audits(engine, "password_refused") == [("li", "staff")]
    assert audits(engine, "sign_in_failed") == []


def test_a_new_password_ends_all_other_sessions_at_once(desk: Desk, clock: Clock) -> None:
    copy = desk.client.cookies["qianmen_staff"]
    clock.advance(seconds=1)
    assert change(desk) == "/staff/account?done=password"
    assert desk.get("/orders").status_code == 200
    desk.client.cookies.clear()
    desk.client.cookies.set("qianmen_staff", copy)
    assert desk.get("/orders").status_code == 303


def test_other_devices_can_be_signed_out(desk: Desk, clock: Clock) -> None:
    copy = desk.client.cookies["qianmen_staff"]
    clock.advance(seconds=1)
    assert (
        desk.client.post("/staff/account/sessions", data={"token": desk.token}).status_code == 303
    )
    assert "其他设备上的登录都已退出" in desk.get("/staff/account?done=sessions").text
    desk.client.cookies.clear()
    desk.client.cookies.set("qianmen_staff", copy)
    assert desk.get("/orders").status_code == 303


@pytest.mark.usefixtures("at_full_strength")
def test_older_parameters_are_renewed_at_sign_in(desk: Desk) -> None:
    with reading(desk.office.engine) as session:
        stored = session.scalars(select(Staff.password_hash)).one()
    assert "m=65536" in stored
    desk.client.cookies.clear()
    assert sign_in(desk.client, "li", PASSWORD) == 303


def test_an_address_that_tries_too_often_must_wait(
    office: Office, visitor: TestClient, staff: str, clock: Clock
) -> None:
    for _ in range(50):
        office.app.state.site.addresses.failed("testclient", clock())
    assert sign_in(visitor, staff, PASSWORD) == 429
    clock.advance(minutes=15)
    assert sign_in(visitor, staff, PASSWORD) == 303
