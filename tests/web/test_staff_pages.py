"""Signing in and out in the browser."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from tests.fakes.office import Office
from tests.web.conftest import PASSWORD, Clock, Desk, audits, sign_in
from web.routes.staff import own_path


def test_signing_in_leads_to_the_orders(desk: Desk) -> None:
    page = desk.get("/orders")
    assert page.status_code == 200
    assert "李敏" in page.text
    assert audits(desk.office.engine, "sign_in") == [("li", "staff")]


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(
    visitor: TestClient, staff: str
) -> None:
    page = visitor.get("/staff/sign-in")
    token = page.text.split('name="token" value="')[1].split('"')[0]
    form = {"login": staff, "password": PASSWORD, "token": token}
    cookie = visitor.post("/staff/sign-in", data=form).headers["set-cookie"].lower()
    assert "qianmen_staff=" in cookie
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


def test_over_https_the_cookie_stays_there(office: Office, staff: str) -> None:
    with TestClient(office.app, base_url="https://testserver", follow_redirects=False) as client:
        assert sign_in(client, staff, PASSWORD) == 303
        cookies = [c for c in client.cookies.jar if c.name == "__Host-qianmen_staff"]
        assert cookies[0].secure


@pytest.mark.parametrize(("login", "password"), [("li", "wrong"), ("nobody", "wrong")])
def test_a_wrong_password_and_an_unknown_login_look_alike(
    visitor: TestClient, staff: str, login: str, password: str
) -> None:
    assert sign_in(visitor, login, password) == 401
    assert "qianmen_staff" not in visitor.cookies


def test_a_locked_login_looks_like_a_wrong_password(visitor: TestClient, staff: str) -> None:
    page = visitor.get("/staff/sign-in")
    token = page.text.split('name="token" value="')[1].split('"')[0]
    answers = {
        visitor.post(
            "/staff/sign-in", data={"login": staff, "password": password, "token": token}
        ).text
        for password in (*["wrong"] * 5, PASSWORD)
    }
    assert len(answers) == 1


def test_a_form_from_elsewhere_is_refused(visitor: TestClient, staff: str) -> None:
    visitor.get("/staff/sign-in")
    form = {"login": staff, "password": PASSWORD}
    assert visitor.post("/staff/sign-in", data=form).status_code == 403
    assert visitor.post("/staff/sign-in", data={**form, "token": "0" * 64}).status_code == 403


def test_a_form_that_the_browser_calls_foreign_is_refused(desk: Desk) -> None:
    answer = desk.client.post(
        "/staff/sign-out", data={"token": desk.token}, headers={"sec-fetch-site": "cross-site"}
    )
    assert answer.status_code == 403
    assert desk.get("/orders").status_code == 200


def test_signing_out_ends_the_session_and_copies_of_its_cookie(desk: Desk) -> None:
    copy = desk.client.cookies["qianmen_staff"]
    assert desk.client.post("/staff/sign-out", data={"token": desk.token}).status_code == 303
    desk.client.cookies.set("qianmen_staff", copy)
    assert desk.get("/orders").status_code == 303


def test_signing_out_needs_the_form(desk: Desk) -> None:
    assert desk.client.post("/staff/sign-out").status_code == 403
    assert desk.get("/orders").status_code == 200


def test_half_an_hour_of_nothing_signs_out(desk: Desk, clock: Clock) -> None:
    clock.advance(minutes=29)
    assert desk.get("/orders").status_code == 200  # renews
    clock.advance(minutes=29)
    assert desk.get("/orders").status_code == 200
    clock.advance(minutes=31)
    assert desk.get("/orders").headers["location"] == "/staff/sign-in?next=/orders"


def test_a_page_that_refreshes_itself_keeps_nobody_signed_in(desk: Desk, clock: Clock) -> None:
    form = {"token": desk.token}
    for _ in range(2):
        clock.advance(minutes=14)
        assert desk.client.post("/orders/fresh", data=form).status_code == 200
    clock.advance(minutes=3)
    answer = desk.client.post("/orders/fresh", data=form, headers={"hx-request": "true"})
    assert answer.status_code in (401, 403)


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ("/orders/2026112000001", "/orders/2026112000001"),
        ("https://evil.example/", "/staff"),
        ("//evil.example", "/staff"),
        ("/\\evil.example", "/staff"),
        ("/a\\b", "/staff"),
        ("/a\nSet-Cookie: x", "/staff"),
        ("javascript:alert(1)", "/staff"),
        ("", "/staff"),
    ],
)
def test_after_signing_in_one_stays_on_this_site(wanted: str, path: str) -> None:
    assert own_path(wanted) == path


@pytest.mark.parametrize(
    "path", ["/orders", "/orders/1", "/orders/1/transcript", "/recordings/1", "/api/orders",
             "/api/orders/1", "/api/conversations/1"],
)  # fmt: skip
def test_nothing_is_shown_without_signing_in(visitor: TestClient, path: str) -> None:
    answer = visitor.get(path)
    if path.startswith("/api/"):
        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")
    else:
        assert answer.status_code == 303
        assert answer.headers["location"] == f"/staff/sign-in?next={path}"


@pytest.mark.parametrize("path", ["/orders", "/orders/fresh", "/orders/1/reply"])
def test_nothing_is_changed_without_signing_in(visitor: TestClient, path: str) -> None:
    assert visitor.post(path, data={"text": "x", "token": "y"}).status_code in (303, 403)


def test_a_page_that_is_not_there_keeps_the_menu(desk: Desk) -> None:
    answer = desk.get("/nothing")
    assert answer.status_code == 404
    for words in (
        "页面不存在",
        'href="/orders"',
        "退出",
        '<a href="/staff">回到首页',
        "代码：not_found",
    ):
        assert words in answer.text
    desk.client.cookies.clear()
    stranger = desk.get("/nothing").text
    assert "退出" not in stranger
    assert '<a href="/">回到首页' in stranger
