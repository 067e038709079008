"""How far an order is, by its number and the telephone it was given with."""

from __future__ import annotations

from playwright.sync_api import Route, expect

from tests.fakes.axe import violations
from tests.web.citizen.conftest import Phones
from tests.web.citizen.steps import SMALL_TARGETS, greeted

FOUND = {
    "found": True, "number": "2026112200001", "state": "办理", "department": "城市管理局",
    "due": "2026-11-27", "answer": "", "text": "您的诉求正在由城市管理局办理。",
    "steps": [
        {"name": "受理", "at": "2026-11-22T09:00:00+08:00", "done": True},
        {"name": "派单", "at": "2026-11-22T09:20:00+08:00", "done": True},
        {"name": "办理", "at": "2026-11-22T10:05:00+08:00", "done": True},
        {"name": "答复", "at": None, "done": False},
    ],
}  # fmt: skip


def test_the_steps_of_an_order_are_shown(phones: Phones) -> None:
    page = phones.open(timezone_id="Asia/Shanghai")
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.post_data or "")
        route.fulfill(json=FOUND)

    page.route("**/chat/progress", answer)
    greeted(page)
    page.click("#progress-open")
    page.get_by_label("工单编号").fill("2026112200001")
    page.get_by_label("登记的电话").fill("13912345678")
    page.keyboard.press("Enter")
    found = page.locator("#progress-found")
    expect(found).to_be_focused()
    for words in ("正在由城市管理局办理", "11月22日", "11月27日", "2026112200001"):
        expect(found).to_contain_text(words)
    expect(found.locator(".progress__step_done")).to_have_count(3)
    assert asked == ['{"number":"2026112200001","phone":"13912345678"}']
    assert violations(page) == []
    assert page.evaluate(SMALL_TARGETS) == []
    assert "13912345678" not in page.url
    page.keyboard.press("Escape")
    page.click("#progress-open")  # who holds the telephone next sees no number of theirs
    expect(page.get_by_label("登记的电话")).to_have_value("")
    expect(found).to_be_hidden()


def test_who_is_offline_is_told_so(phones: Phones) -> None:
    page = phones.open()
    page.route("**/chat/progress", lambda route: route.abort("internetdisconnected"))
    page.click("#progress-open")
    page.get_by_label("工单编号").fill("1")
    page.get_by_label("登记的电话").fill("2")
    page.keyboard.press("Enter")
    expect(page.locator("#progress-wrong")).to_contain_text("连不上")
