"""The list and the wall in Chromium: walked by keys, narrowed, taken along; live, and as charts."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import uvicorn
from argon2 import PasswordHasher
from playwright.sync_api import Page, expect, sync_playwright
from sqlalchemy import Engine

from config.city import City
from config.listening import listen
from handoff.alarms import open_alarms, raise_alarm
from store.engine import open_engine, writing
from store.tables import Staff
from tests.fakes.office import Office
from tests.fakes.orders import a_day
from web.__main__ import server

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian: chromium)"),
]
PASSWORD = "correct horse"


@pytest.fixture
def engine(sqlite_template: Path, tmp_path: Path) -> Iterator[Engine]:
    """SQLite only: what the server does on PostgreSQL is tried without a browser."""
    file = tmp_path / "wall.sqlite3"
    shutil.copyfile(sqlite_template, file)
    engine = open_engine(f"sqlite:///{file}")
    yield engine
    engine.dispose()


@pytest.fixture
def page(engine: Engine, tmp_path: Path, city: City) -> Iterator[Page]:
    """A supervisor's browser; whatever it complains of fails the test."""
    office = Office(tmp_path, engine, city, lambda: datetime.now(UTC))
    hashed = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with writing(engine) as session:
        session.add(Staff(login="he", name="何主任", password_hash=hashed, roles=["supervisor"],
                          created_at=datetime.now(UTC) - timedelta(days=1)))  # fmt: skip
    a_day(engine, office.settings.recordings_dir, office.now().astimezone(city.zone))
    taken = listen("127.0.0.1", 0, "QIANMEN_WEB_PORT")
    running: uvicorn.Server = server(office.app)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [taken]})
    thread.start()
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(
            locale="zh-CN", base_url=f"http://127.0.0.1:{taken.getsockname()[1]}"
        )
        made = context.new_page()
        made.goto("/staff/sign-in?next=/orders")
        made.get_by_label("登录名").fill("he")
        made.get_by_label("密码").fill(PASSWORD)
        made.get_by_role("button", name="登录").click()
        made.wait_for_url("**/orders")  # and its scripts run: what is chosen narrows the list
        made.on("pageerror", lambda error: complaints.append(str(error)))
        made.on("console", lambda said: complaints.append(said.text)
                if "Content Security Policy" in said.text else None)  # fmt: skip
        yield made
        context.close()
        browser.close()
    running.should_exit = True
    thread.join()
    assert complaints == []


def test_the_list_by_keys_and_the_wall_live(page: Page, engine: Engine) -> None:
    rows = page.locator(".orders__row")
    expect(rows).to_have_count(9)
    page.locator("select[name=urgency]").select_option("danger")
    expect(rows).to_have_count(1)
    page.locator(".export summary").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    assert len(download.value.path().read_text("utf-8-sig").splitlines()) == 2
    page.locator("select[name=urgency]").select_option("")
    expect(rows).to_have_count(9)
    page.locator("h1").click()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(rows.nth(1)).to_have_class("orders__row orders__row_at")
    page.keyboard.press("Enter")
    page.wait_for_url("**/orders/2*")
    an_order_is_dispatched(page)
    the_wall_is_live(page, engine)


def an_order_is_dispatched(page: Page) -> None:
    page.keyboard.press("n")
    expect(page.locator("#dispatch-department")).to_be_focused()
    page.locator("#dispatch-department").select_option("城市管理局")
    page.locator("#dispatch-text").fill("请今晚到现场")
    page.locator(".deed_next .deed__form button").click()
    expect(page.locator(".badge_state")).to_have_text("派单")
    expect(page.locator(".timeline__text")).to_have_text("请今晚到现场")


def the_wall_is_live(page: Page, engine: Engine) -> None:
    page.goto("/wall?big=1")
    expect(page.locator('[data-tile="waiting"] .tile__value')).to_have_text("2")
    expect(page.locator("#danger li")).to_contain_text("临江大桥旁井盖缺失")
    expect(page.locator("#chart-kinds canvas")).to_be_visible()
    with writing(engine) as session:
        raise_alarm(session, "k", "link_failed", "1", "<b>没有送达</b>", datetime.now(UTC))
    alarm = page.locator("#alarms li", has_text="<b>没有送达</b>")
    expect(alarm).to_be_visible()  # it came by itself, and as text
    alarm.get_by_role("button", name="知道了").click()
    expect(alarm).to_have_count(0)
    assert all(one.key != "k" for one in open_alarms(engine))
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
