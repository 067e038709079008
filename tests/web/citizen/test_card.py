"""The complaint read back as a card: confirmed as it is, or mended field by field before."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from tests.fakes.axe import violations
from tests.fakes.dialogue import outcome
from tests.web.citizen.conftest import Phones
from tests.web.citizen.steps import SMALL_TARGETS, Line, bubbles, greeted, say
from turns.context import Context
from turns.replies import Ask, Card, CardField, Option
from turns.understood import Outcome, Understood

STORY = "建业小区9号楼楼下烧烤摊油烟特别大"
CARD = Card(
    "投诉",
    (
        CardField("what", "什么事", "楼下烧烤摊每天晚上油烟特别大，窗户都不敢开"),
        CardField("where", "地点", "建业小区9号楼"),
        CardField("when", "时间", ""),
        CardField("phone", "联系电话", "13912345678"),
    ),
)
MENDED = CardField("where", "地点", "建业小区12号楼", mended=True)


def asked(card: Card) -> Outcome:
    yes_no = (Option("对", "对"), Option("不对", "不对"))
    ask = Ask("", "我复述一遍：……对吗？", yes_no, "yes_no", card=card)
    return Outcome((ask,), Context(), Understood(act="complaint", decision="form"))


@pytest.fixture
def page(phones: Phones) -> Page:
    answers = phones.place.office.dialogue.answers
    answers[STORY] = asked(CARD)
    answers["地点改成：建业小区12号楼"] = asked(
        replace(CARD, fields=(CARD.fields[0], MENDED, *CARD.fields[2:]))
    )
    answers["对"] = outcome("好的，已经为您登记。")
    page = phones.open()
    greeted(page)
    say(page, STORY)
    expect(page.get_by_role("button", name="确认提交")).to_be_visible()
    return page


def test_what_was_noted_is_shown_and_confirmed(page: Page) -> None:
    card = page.locator(".card")
    for words in ("投诉", "建业小区9号楼", "还没填", "139 1234 5678"):
        expect(card).to_contain_text(words)
    expect(bubbles(page, "我复述一遍")).to_have_count(0)
    expect(page.locator("#spoken")).to_contain_text("我复述一遍")
    assert violations(page) == []
    assert page.evaluate(SMALL_TARGETS) == []
    page.get_by_role("button", name="确认提交").click()
    expect(bubbles(page, "已经为您登记")).to_have_count(1)
    assert page.locator(".card button").count() == 0
    assert violations(page) == []
    page.reload()
    expect(page.locator(".card_settled")).to_have_count(1)
    assert page.locator(".card button").count() == 0


def test_one_field_is_mended_and_the_rest_stays(page: Page) -> None:
    page.get_by_role("button", name="修改地点").click()
    field = page.get_by_label("地点改成")
    expect(field).to_be_focused()
    expect(field).to_have_value("建业小区9号楼")
    assert violations(page) == []
    assert page.evaluate(SMALL_TARGETS) == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="修改地点")).to_be_focused()
    page.keyboard.press("Enter")
    field.fill("建业小区12号楼")
    page.keyboard.press("Enter")
    expect(bubbles(page, "地点改成：建业小区12号楼")).to_have_count(1)
    fresh = page.locator(".card:not(.card_settled)")
    expect(fresh.locator(".card__row_mended")).to_contain_text("建业小区12号楼")
    expect(page.locator(".card_settled .card__row").nth(1)).to_contain_text("建业小区9号楼")
    assert page.locator(".card_settled button").count() == 0
    expect(fresh.get_by_role("button", name="填写时间")).to_be_visible()
    expect(fresh.get_by_role("button", name="确认提交")).to_be_visible()


def test_a_field_mended_offline_arrives_once(phones: Phones) -> None:
    answers = phones.place.office.dialogue.answers
    answers[STORY] = asked(CARD)
    page = phones.open(visit=False)
    line = Line(page)
    page.goto(phones.place.url())
    greeted(page)
    say(page, STORY)
    page.get_by_role("button", name="填写时间").click()
    line.cut()
    page.get_by_label("时间改成").fill("昨天晚上八点")
    page.get_by_role("button", name="保存").click()
    expect(page.locator(".turn__state", has_text="还没发出去")).to_have_count(1)
    line.mend()
    expect(bubbles(page, "听到：时间改成：昨天晚上八点")).to_have_count(1)
    expect(page.locator(".turn_mine", has_text="昨天晚上八点")).to_have_count(1)
