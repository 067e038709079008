"""One citizen in two places: joined by a code that only they can carry from one to the other."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.web.citizen.conftest import Phones
from tests.web.citizen.steps import Line, bubbles, greeted, say


def test_a_code_joins_another_browser(phones: Phones) -> None:
    page = phones.open()
    greeted(page)
    page.get_by_role("button", name="连接微信或别处的对话").click()
    note = page.locator(".turn_note", has_text="连接码")
    expect(note).to_be_visible()
    found = re.search(r"连接码是(\d+)", note.inner_text())
    assert found is not None
    other = phones.open("desktop")
    greeted(other)
    say(other, f"连接{found[1]}")
    expect(other.locator(".turn_bot")).to_have_count(2)
    expect(bubbles(other, "听到")).to_have_count(0)  # no words for the dialogue


def test_who_is_offline_gets_no_code(phones: Phones) -> None:
    page = phones.open(visit=False)
    line = Line(page)
    page.goto(phones.place.url())
    greeted(page)
    line.cut()
    expect(page.locator("#link")).to_be_visible()
    page.get_by_role("button", name="连接微信或别处的对话").click()
    expect(page.locator(".turn_note")).to_have_text("现在没有连上，请稍后再试。")
