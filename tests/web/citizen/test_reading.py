"""Where the conversation is scrolled to, and what another tab shows of it."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from tests.fakes.axe import violations
from tests.web.citizen.conftest import Phones
from tests.web.citizen.steps import SMALL_TARGETS, bubbles, greeted, say
from turns.context import Context
from turns.replies import Say
from turns.understood import Outcome, Understood

LONG = "带本人身份证、收款的银行卡和夫妻双方名下没有房产的证明。" * 30
KEYBOARD = {"width": 360, "height": 330}
"""What the keyboard of a small telephone leaves."""


def _offers_the_newest(newest: Locator, *, offers: bool) -> None:
    expect(newest).to_be_visible() if offers else expect(newest).to_be_hidden()


def test_a_long_answer_is_read_from_its_beginning(phones: Phones) -> None:
    page = phones.open()
    answers = phones.place.office.dialogue.answers
    replies = (Say("", LONG), Say("", "还要问什么？"))
    understood = Understood(act="policy", decision="answer")
    answers["要带什么"] = Outcome(replies, Context(), understood)
    newest = page.locator("#newest")
    greeted(page)
    page.set_viewport_size(KEYBOARD)  # type: ignore[arg-type]  # a TypedDict
    say(page, "要带什么")
    asked = bubbles(page, "还要问什么？")
    expect(asked).not_to_be_in_viewport()
    expect(page.locator(".turn__speaker").last).to_be_in_viewport()
    expect(page.locator("#words")).to_be_in_viewport(ratio=1)
    _offers_the_newest(newest, offers=True)
    assert violations(page) == []
    assert page.evaluate(SMALL_TARGETS) == []
    newest.click()
    expect(asked).to_be_in_viewport()
    _offers_the_newest(newest, offers=False)
    page.set_viewport_size({"width": 390, "height": 844})  # the keyboard is gone
    page.wait_for_function("document.querySelector('#talk').scrollTop > 0")  # and the page knows
    expect(asked).to_be_in_viewport()
    page.locator("#talk").evaluate("talk => { talk.scrollTop = 40; }")
    _offers_the_newest(newest, offers=True)
    page.click("#large-type")  # everything grows; who reads stays where they are
    expect(asked).not_to_be_in_viewport()
    say(page, "您好")
    expect(bubbles(page, "听到：您好")).to_be_in_viewport(ratio=0.9)
    _offers_the_newest(newest, offers=False)


def test_what_is_said_in_one_tab_stands_in_the_other(phones: Phones) -> None:
    page = phones.open()
    greeted(page)
    other = page.context.new_page()
    other.goto(phones.place.url())
    greeted(other)
    say(page, "您好")
    expect(bubbles(other, "听到：您好")).to_have_count(1)
    expect(other.locator(".turn_mine .turn__bubble")).to_have_text(["您好"])
    expect(other.locator(".turn__state")).to_have_text([""])
    say(other, "还有呢")
    expect(page.locator(".turn_mine .turn__bubble")).to_have_text(["您好", "还有呢"])
    elsewhere = phones.open()  # somebody else's browser
    greeted(elsewhere)
    say(page, "谢谢")
    expect(bubbles(page, "听到：谢谢")).to_have_count(1)
    expect(elsewhere.locator(".turn_mine")).to_have_count(0)
