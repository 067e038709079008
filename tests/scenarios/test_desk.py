"""The editor's desk in Chromium: two people, from a search to an answer that is said."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvicorn
from argon2 import PasswordHasher
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from sqlalchemy import Engine

from config.city import City
from config.listening import listen
from config.settings import ROOT
from knowledge.load import load_folder
from knowledge.published import Published
from store.engine import open_engine, writing
from store.tables import Staff
from tests.fakes.office import Office
from web.__main__ import server

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(500),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian: chromium)"),
]
PASSWORD = "correct horse"
STAFF = (("wang", "王芳", "editor"), ("zhao", "赵明", "approver"))
MATTERS = ("gjj.rent", "gjj.buy", "police.idcard")
GATE_MS = 60_000
"""For what asks every golden question, on a busy machine."""


@dataclass
class DeskSite:
    """The web process, in this one, on a few of the sample city's matters."""

    office: Office
    engine: Engine
    browser: Browser
    port: int = 0
    complaints: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def sign_in(self, login: str, width: int = 1280) -> Page:
        """Somebody at a browser of their own."""
        context = self.browser.new_context(viewport={"width": width, "height": 844}, locale="zh-CN")
        self.contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self._heard(said.text))
        page.goto(self.url("/staff/sign-in"))
        page.get_by_label("登录名").fill(login)
        page.get_by_label("密码").fill(PASSWORD)
        page.get_by_role("button", name="登录").click()
        page.wait_for_url(self.url("/knowledge"))  # and its scripts run: keys do something
        return page

    def _heard(self, text: str) -> None:
        if "Content Security Policy" in text:
            self.complaints.append(text)


@pytest.fixture
def site(sqlite_template: Path, tmp_path: Path, city: City) -> Iterator[DeskSite]:
    """SQLite only: what the pages do there is the same on PostgreSQL (``tests/web``)."""
    file = tmp_path / "desk.sqlite3"
    shutil.copyfile(sqlite_template, file)
    engine = open_engine(f"sqlite:///{file}")
    _fill(engine, tmp_path / "knowledge")
    office = Office(tmp_path, engine, city, lambda: datetime.now(UTC))
    taken = listen("127.0.0.1", 0, "QIANMEN_WEB_PORT")
    running: uvicorn.Server = server(office.app)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [taken]})
    thread.start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        made = DeskSite(office, engine, browser, taken.getsockname()[1])
        yield made
        for context in made.contexts:
            context.close()
        browser.close()
    running.should_exit = True
    thread.join()
    engine.dispose()
    assert made.complaints == []


def _fill(engine: Engine, folder: Path) -> None:
    folder.mkdir()
    for code in MATTERS:
        source = ROOT / "config" / "cities" / "sample" / "knowledge" / f"{code}.yaml"
        shutil.copy(source, folder)
    now = datetime.now(UTC)
    load_folder(engine, folder, now)
    hashed = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with writing(engine) as session:
        for login, name, role in STAFF:
            session.add(Staff(login=login, name=name, password_hash=hashed, roles=[role],
                              created_at=now))  # fmt: skip


NEW = "带本人身份证和银行卡，到窗口当天就能办（示例数据）。"
THEIRS = "带身份证（示例数据）。"


def test_from_a_search_to_an_answer_that_is_said(site: DeskSite) -> None:
    wang, zhao = site.sign_in("wang"), site.sign_in("zhao")
    search_by_keyboard(wang)
    open_answer(wang)
    keeps_what_is_too_long(wang)
    both_edit(wang, zhao)
    wang.get_by_label("文字和电话里说的都看过了").check()
    wang.get_by_role("button", name="提交核对").click()
    expect(wang.locator("#steps")).to_contain_text("等核对")
    the_gate_refuses_a_stolen_question(site, wang, zhao)
    # The answer was written by both: neither of them may approve it.
    zhao.goto(site.url("/knowledge/gjj.rent/材料"))
    expect(zhao.get_by_role("button", name="批准")).to_be_disabled()
    expect(zhao.locator("#own-answer")).to_contain_text("另一位审核")
    publish_a_good_change(site, wang, zhao)
    fits_a_telephone(site)


def search_by_keyboard(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("付房租")
    expect(page.locator("[data-matter]")).to_have_count(1)
    expect(page.locator("[data-matter] mark")).to_have_text("付房租")
    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-matter] a")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_label("查找事项")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("[data-matter]")).to_have_count(len(MATTERS))
    page.keyboard.type("付房租")
    expect(page.locator("[data-matter]")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url("**/knowledge/gjj.rent")


def open_answer(page: Page) -> None:
    expect(page.get_by_role("heading", name="租房提取公积金")).to_be_visible()
    page.get_by_label("各个方面").get_by_role("link", name="材料").click()
    page.wait_for_url("**/knowledge/gjj.rent/*")
    expect(page.locator("#text")).to_be_visible()


def keeps_what_is_too_long(page: Page) -> None:
    """Neither cut nor saved, and said so."""
    page.locator("#text").fill("字" * 2100)
    expect(page.locator("#wording [data-status]")).to_contain_text("答复超出 100 字")
    expect(page.locator('[data-count="text"]')).to_contain_text("超出 100 字")
    expect(page.locator("#text")).to_have_value("字" * 2100)


def both_edit(wang: Page, zhao: Page) -> None:
    """Each has the answer open; the second to save sees both texts and chooses."""
    zhao.goto(wang.url)
    wang.locator("#text").fill(NEW)
    expect(wang.locator('[data-preview="text"]')).to_have_text(NEW)
    expect(wang.locator("#wording [data-status]")).to_contain_text("已保存")
    expect(wang.locator("#steps")).to_contain_text("草稿")
    zhao.locator("#text").fill(THEIRS)
    clash = zhao.locator(".clash")
    expect(clash).to_contain_text("王芳")
    expect(clash).to_contain_text(NEW)
    expect(clash).to_contain_text(THEIRS)
    clash.get_by_text("我写的").click()
    clash.get_by_role("button", name="按选的保存").click()
    expect(zhao.locator("#wording [data-status]")).to_contain_text("已保存")
    # What one did not touch is taken over without a question.
    wang.locator("#why").fill("窗口流程变了")
    expect(wang.locator("#text")).to_have_value(THEIRS)
    expect(wang.locator("#wording [data-status]")).to_contain_text("已保存")


def the_gate_refuses_a_stolen_question(site: DeskSite, wang: Page, zhao: Page) -> None:
    """An alias of another matter that takes a golden question away is refused, and shown why."""
    stolen = "租房取公积金"
    wang.goto(site.url("/knowledge/gjj.buy"))
    wang.locator("#aliases").fill(wang.locator("#aliases").input_value() + f"\n{stolen}")
    expect(wang.locator("#pending")).to_contain_text(stolen)
    zhao.goto(site.url("/knowledge/gjj.buy"))
    zhao.get_by_role("button", name="批准改动").click()
    expect(zhao.locator("#pending")).to_contain_text("等发布")
    zhao.goto(site.url("/knowledge/publish"))
    zhao.get_by_role("button", name="检查选中的").click()
    gate = zhao.locator("#gate .gate")
    expect(gate).to_contain_text("没有通过", timeout=GATE_MS)
    expect(gate.locator(".conflict").first).to_contain_text(stolen)
    expect(gate.locator(".conflict").first).to_contain_text("购房提取公积金")
    expect(gate.get_by_role("button", name="发布")).to_have_count(0)
    wang.goto(site.url("/knowledge/gjj.buy"))
    wang.once("dialog", lambda asked: asked.accept())
    wang.get_by_role("button", name="放弃改动").click()
    expect(wang.locator("#pending")).to_contain_text("没有改动")


def publish_a_good_change(site: DeskSite, wang: Page, zhao: Page) -> None:
    text = "首次办理不收费，换领二十元，补领四十元。"
    wang.goto(site.url("/knowledge/police.idcard/费用"))
    wang.locator("#text").fill(text)
    if wang.locator("[name=sample]").is_checked():
        wang.locator("[name=sample]").uncheck()
    expect(wang.locator("#wording [data-status]")).to_contain_text("已保存")
    expect(wang.locator("#agreeing")).to_contain_text("电话里说的没有改")
    wang.get_by_label("文字和电话里说的都看过了").check()
    wang.get_by_role("button", name="提交核对").click()
    expect(wang.locator("#steps")).to_contain_text("等核对")
    zhao.goto(site.url("/knowledge/police.idcard/费用"))
    zhao.get_by_label("文字和电话里说的都看过了").check()
    zhao.get_by_role("button", name="核对并批准").click()
    zhao.get_by_role("link", name="去发布").click()
    zhao.wait_for_url("**/knowledge/publish")
    zhao.get_by_role("button", name="检查选中的").click()
    expect(zhao.locator("#gate .gate")).to_contain_text("检查通过", timeout=GATE_MS)
    zhao.get_by_label("为什么发布").fill("收费标准更新")
    zhao.get_by_role("button", name="发布", exact=True).click()
    expect(zhao.get_by_role("status")).to_contain_text("已经发布", timeout=GATE_MS)
    live = Published(site.engine, zone=site.office.city.zone,
                     cache=site.office.settings.data_dir / "learned")  # fmt: skip
    answer = live.search().by_code("police.idcard", "费用", now=datetime.now(UTC))
    assert answer is not None
    assert answer.text == text


def fits_a_telephone(site: DeskSite) -> None:
    page = site.sign_in("zhao", width=390)
    for path in ("", "/gjj.rent", "/gjj.rent/材料", "/gjj.rent/材料/history", "/publish", "/try",
                 "/expiring", "/import"):  # fmt: skip
        page.goto(site.url(f"/knowledge{path}"))
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
