"""An answer edited in the browser is heard on the next turn of a call that is already going on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from argon2 import PasswordHasher
from playwright.sync_api import Browser, Page, expect, sync_playwright

from qianmen.citizen.call import Patience, place_call
from store.engine import open_store, writing
from store.tables import Answer, Staff
from tests.scenarios.front_door import FrontDoor
from tests.scenarios.said import ASKS

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(500),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian: chromium)"),
]
PASSWORD = "correct horse 12345"
ANSWER = "/knowledge/gjj.rent/条件"
TEXT = "连续足额缴存满三个月、在本市没有自有住房、租房居住的，可以提取。新规定从现在起执行。"
SPEECH = "可以提取。新规定从现在起执行。"


@pytest.fixture
def staff(front_door: FrontDoor) -> tuple[str, str]:
    """An editor and an approver."""
    hashed = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    engine = open_store(front_door.settings)
    with writing(engine) as session:
        for login, role in (("bian", "editor"), ("shen", "approver")):
            session.add(
                Staff(
                    login=login, name=login, password_hash=hashed, roles=[role],
                    created_at=datetime.now(UTC),
                )
            )  # fmt: skip
    engine.dispose()
    return "bian", "shen"


@pytest.fixture
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def signed_in(browser: Browser, base: str, login: str) -> Page:
    page = browser.new_context(base_url=base).new_page()
    page.goto("/staff/sign-in")
    page.fill("[name=login]", login)
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url("**/knowledge")
    return page


def write_answer(page: Page) -> None:
    page.goto(ANSWER)
    page.fill("#text", TEXT)
    page.fill("#speech", SPEECH)
    page.fill("#wording #why", "规定变了")
    expect(page.locator("#wording [data-status]")).to_contain_text("已保存")
    page.get_by_role("button", name="提交核对").click()
    expect(page.locator("#steps")).to_contain_text("等核对")  # the button says 核对, too


def approve_and_check(page: Page) -> None:
    """Up to the last button: what is left takes one click."""
    page.goto(ANSWER)
    page.get_by_role("button", name="批准").click()
    expect(page.locator("#steps")).to_contain_text("去发布")
    page.goto("/knowledge/publish")
    page.get_by_role("button", name="检查选中的").click()
    expect(page.locator("[data-gate=ok]")).to_be_visible(timeout=60_000)
    page.fill("#publish-why", "规定变了")


def publish(page: Page) -> None:
    page.locator("#gate").get_by_role("button", name="发布", exact=True).click()
    expect(page.locator(".releases")).to_contain_text("规定变了", timeout=60_000)


def undo(page: Page) -> None:
    page.goto("/knowledge/publish")
    page.on("dialog", lambda dialog: dialog.accept())
    page.fill("#undo-why", "演练结束")
    page.get_by_role("button", name="退回上一步").click()
    expect(page.locator(".releases")).to_contain_text("已退回", timeout=60_000)


def test_a_caller_hears_what_was_published_a_moment_ago(
    front_door: FrontDoor, staff: tuple[str, str], chromium: Browser
) -> None:
    base = front_door.settings.web_address
    editor, approver = (signed_in(chromium, base, login) for login in staff)
    write_answer(editor)
    approve_and_check(approver)
    heard = 0

    def on_progress(event: str, _text: str) -> None:
        nonlocal heard
        heard += event == "heard"
        if event == "heard" and heard == 2:  # after the greeting the answer as it was
            publish(approver)

    report = place_call(
        f"sip:12345@127.0.0.1:{front_door.settings.sip_port}",
        [ASKS, ASKS],
        database=front_door.settings.database,
        patience=Patience(),
        on_progress=on_progress,
    )
    answers = [turn.text for turn in report.turns if "连续足额缴存" in turn.text]
    assert len(answers) == 2, report.turns
    assert "新规定从现在起执行" not in answers[0]
    assert "新规定从现在起执行" in answers[1]
    undo(approver)
    (said,) = front_door.rows(
        Answer, Answer.matter_code == "gjj.rent", Answer.aspect == "条件",
        Answer.state == "published", Answer.region == "city",
    )  # fmt: skip
    assert "新规定" not in said.text
