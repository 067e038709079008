"""The page for those who see little, hear it read out, or use no pointer: WCAG 2.2 AA by axe."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.fakes.axe import violations
from tests.web.citizen.conftest import Phones
from tests.web.citizen.steps import (
    SMALL_TARGETS,
    SMALLEST_TEXT,
    Line,
    bubbles,
    greeted,
    say,
)
from turns.context import Context
from turns.replies import Ask, Bye, Option, Reply, Say
from turns.understood import Outcome, Understood

RATING = Ask(
    "", "请您对刚才的人工服务作个评价。",
    (Option("满意", "满意"), Option("基本满意", "基本满意"), Option("不满意", "不满意")), "choice",
)  # fmt: skip


def told(*replies: Reply) -> Outcome:
    return Outcome(replies, Context(), Understood(act="policy", decision="answer"))


def fine(page: Page, smallest_px: float = 16) -> None:
    """Nothing axe objects to, nothing too small to press or to read, nothing beside the screen."""
    assert violations(page) == []
    assert page.evaluate(SMALL_TARGETS) == []
    assert page.evaluate(SMALLEST_TEXT) >= smallest_px
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("size", ["phone", "desktop"])
def test_the_conversation_in_every_state(phones: Phones, size: str) -> None:
    page = phones.open(size, visit=False)
    line = Line(page)
    answers = phones.place.office.dialogue.answers
    answers["评价"], answers["再见"] = told(RATING), told(Say("", "再见"), Bye(""))
    answers["公积金"] = told(Say("", "可以提取。", answer="1"))
    page.goto(phones.place.url())
    greeted(page)
    fine(page)
    say(page, "公积金")
    page.get_by_role("button", name="没解决").click()
    say(page, "评价")
    expect(page.get_by_role("button", name="基本满意")).to_be_enabled()
    fine(page)
    page.click("#large-type")
    fine(page, smallest_px=21)
    page.click("#more-contrast")
    fine(page, smallest_px=21)
    page.click("#large-type")
    fine(page)
    page.click("#more-contrast")
    line.cut()
    say(page, "还在吗")
    expect(page.locator("#link")).to_contain_text("正在重新连接")
    fine(page)
    line.mend()
    expect(bubbles(page, "听到：还在吗")).to_have_count(1)
    page.click("#person")
    expect(page.locator(".handed")).to_contain_text("工单号")
    expect(page.locator("#queue")).to_be_visible()
    fine(page)
    page.click("#callback")
    page.keyboard.press("Enter")
    expect(page.locator("#phone-wrong")).to_be_visible()
    fine(page)
    say(page, "再见")
    expect(page.locator("#again")).to_be_visible()
    fine(page)


def test_every_sheet(phones: Phones) -> None:
    """On a telephone each is looked at where it is used."""
    page = phones.open("desktop")
    greeted(page)
    for opener in ("#progress-open", "#place-open", "#voice-open"):
        page.click(opener)
        fine(page)
        page.keyboard.press("Escape")
        expect(page.locator("dialog[open]")).to_have_count(0)
        expect(page.locator(opener)).to_be_focused()
    page.click("#large-type")
    page.click("#progress-open")
    page.click("#progress-ask")
    expect(page.locator("#progress-wrong")).to_contain_text("都写上")
    fine(page, smallest_px=21)


def test_what_is_new_is_read_out_once(phones: Phones) -> None:
    page = phones.open(visit=False)
    line = Line(page)
    page.goto(phones.place.url())
    greeted(page)
    page.evaluate("""() => {
      window.spoken = [];
      new MutationObserver((changes) => {
        for (const { addedNodes } of changes) {
          for (const node of addedNodes) window.spoken.push(node.textContent);
        }
      }).observe(document.getElementById("spoken"), { childList: true });
    }""")
    say(page, "第一句")
    expect(bubbles(page, "听到：第一句")).to_have_count(1)
    line.cut()
    say(page, "第二句")
    line.mend()
    expect(bubbles(page, "听到：第二句")).to_have_count(1)
    assert page.evaluate("spoken") == ["听到：第一句", "听到：第二句"]
    assert page.locator("#turns[aria-live], #turns [aria-live]").count() == 0
    page.reload()
    expect(bubbles(page, "听到：第二句")).to_have_count(1)
    assert page.locator("#spoken").text_content() == ""


def test_by_keyboard_alone(phones: Phones) -> None:
    answers = phones.place.office.dialogue.answers
    answers["取钱"] = told(Ask("", "哪一项？", (Option("租房提取", "rent"),), "choice"))
    page = phones.open("desktop")
    greeted(page)
    order = []
    for _ in range(5):
        page.keyboard.press("Tab")
        order.append(page.evaluate("document.activeElement.id || document.activeElement.className"))
    assert order == ["skip", "person", "large-type", "more-contrast", "progress-open"]
    for _ in range(4):
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#words")).to_be_focused()
    page.keyboard.type("取钱")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="租房提取")).to_be_enabled()
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="租房提取")).to_be_focused()
    page.keyboard.press("Enter")
    expect(bubbles(page, "听到：rent")).to_have_count(1)
    expect(page.locator("#talk")).to_be_focused()  # what had the focus is settled


def test_large_type_and_contrast_are_kept(phones: Phones) -> None:
    page = phones.open()
    page.click("#large-type")
    expect(page.locator("#large-type")).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(page.locator("#large-type")).to_have_attribute("aria-pressed", "true")
    greeted(page)
    assert page.evaluate("getComputedStyle(document.querySelector('.turn__bubble')).fontSize") == (
        "24px"
    )
    asks = phones.open(contrast="more")  # the device says so
    expect(asks.locator("#more-contrast")).to_have_attribute("aria-pressed", "true")
    asks.click("#more-contrast")
    asks.reload()
    expect(asks.locator("#more-contrast")).to_have_attribute("aria-pressed", "false")


def test_at_four_hundred_percent_nothing_is_cut_off(phones: Phones) -> None:
    page = phones.open()
    page.set_viewport_size({"width": 320, "height": 256})
    greeted(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    say(page, "您好")
    expect(bubbles(page, "听到：您好")).to_be_in_viewport()
    page.click("#large-type")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
