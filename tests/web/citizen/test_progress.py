"""How far an order is, by its number and the telephone it was given with."""

from __future__ import annotations

from datetime import UTC, datetime

from playwright.sync_api import expect

from tests.fakes.axe import violations
from tests.fakes.orders import PHONE, a_day
from tests.web.citizen.conftest import Phones
from tests.web.citizen.steps import SMALL_TARGETS, greeted


def test_the_steps_of_an_order_are_shown_to_who_knows_its_telephone(phones: Phones) -> None:
    office = phones.place.office
    now = datetime.now(UTC).astimezone(office.city.zone)
    number, _ = a_day(office.engine, office.settings.recordings_dir, now)
    page = phones.open(timezone_id="Asia/Shanghai")
    greeted(page)
    page.click("#progress-open")
    page.get_by_label("工单编号").fill(number)
    page.get_by_label("登记的电话").fill("13800138000")
    page.keyboard.press("Enter")
    expect(page.locator("#progress-wrong")).to_contain_text("没有查到")
    assert violations(page) == []
    page.get_by_label("登记的电话").fill(PHONE)
    page.keyboard.press("Enter")
    found = page.locator("#progress-found")
    expect(found).to_be_focused()
    expect(found).to_contain_text(number)
    expect(found).to_contain_text(f"{now.month}月{now.day}日")
    expect(found.locator(".progress__step_done").first).to_contain_text("受理")
    expect(found.locator(".progress__step")).to_have_count(6)
    expect(page.locator("#progress-wrong")).to_be_hidden()
    assert violations(page) == []
    assert page.evaluate(SMALL_TARGETS) == []
    assert PHONE not in page.url
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
