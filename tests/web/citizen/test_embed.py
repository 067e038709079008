"""The page in a frame of another site, put there by one script tag."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.fakes.axe import violations
from tests.web.citizen.conftest import Phones
from tests.web.citizen.steps import bubbles, greeted


def test_one_script_tag_puts_the_chat_on_a_site(phones: Phones) -> None:
    page = phones.open("desktop", at=phones.place.embedder.allowed)
    opener = page.get_by_role("button", name="在线问12345")
    expect(opener).to_be_visible()
    assert page.frames[-1].url == "about:blank"  # nothing is loaded before somebody wants it
    assert violations(page) == []
    opener.click()
    frame = page.frame_locator("iframe")
    greeted(frame)
    assert violations(page) == []
    frame.locator("#words").fill("公积金怎么取")
    frame.locator("#words").press("Enter")
    expect(bubbles(frame, "听到：公积金怎么取")).to_have_count(1)
    frame.locator("#words").press("Escape")
    expect(opener).to_be_focused()
    expect(page.locator("iframe")).to_be_hidden()
    page.reload()
    page.get_by_role("button", name="在线问12345").click()
    # The session is kept, whether or not this browser lets a frame of another site keep anything.
    expect(bubbles(frame, "听到：公积金怎么取")).to_have_count(1)


def test_the_site_is_told_how_many_messages_were_not_seen_and_no_more(phones: Phones) -> None:
    page = phones.open(at=phones.place.embedder.allowed)
    page.evaluate("addEventListener('message', (event) => (window.heard ??= []).push(event.data))")
    page.get_by_role("button", name="在线问12345").click()
    frame = page.frame_locator("iframe")
    greeted(frame)
    box = page.locator("iframe").bounding_box()
    assert box is not None
    assert (box["x"], box["width"]) == (0, 390)  # the whole telephone's screen
    dialogue = phones.place.office.dialogue
    dialogue.gate.clear()
    frame.locator("#words").fill("公积金怎么取")
    frame.locator("#words").press("Enter")
    expect(frame.locator("#typing")).to_be_visible()
    page.get_by_role("button", name="收起").click()
    expect(frame.locator("html")).to_have_attribute("data-seen", "false")
    phones.place.office.let_the_dialogue_answer()
    expect(page.get_by_role("button", name="1条新消息")).to_be_visible()
    heard = page.evaluate("heard")
    assert heard[-1] == {"qianmen": "unseen", "number": 1}
    assert {message["qianmen"] for message in heard} <= {"unseen", "keep", "recall"}
    assert "公积金" not in str(heard)


def test_the_frame_may_hear_and_know_where_it_is(phones: Phones) -> None:
    page = phones.open(at=phones.place.embedder.allowed)
    page.get_by_role("button", name="在线问12345").click()
    frame = page.frame_locator("iframe")
    greeted(frame)
    frame.locator("#voice-open").click()
    frame.locator("#voice-record").click()
    expect(frame.locator("#voice-status")).to_have_text("正在录音，请说。")


def test_a_site_that_is_not_named_cannot_embed_the_page(phones: Phones) -> None:
    page = phones.open(visit=False)
    page.goto(phones.place.embedder.other)
    said = "frame-ancestors"
    with page.expect_console_message(lambda message: said in message.text):
        page.get_by_role("button", name="在线问12345").click()
    expect(page.frame_locator("iframe").locator("#words")).to_have_count(0)
    assert all(said in complaint for complaint in phones.complaints)
    phones.complaints.clear()
