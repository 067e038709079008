"""The agent's desk in Chromium, on the real app: a call and a chat, from the offer to the end."""

from __future__ import annotations

import io
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import uvicorn
from argon2 import PasswordHasher
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from sqlalchemy import Engine, select

from chat.attachments import keep
from config.city import City
from config.listening import listen
from handoff.classify import rules_of
from handoff.order import deeds
from handoff.orders import write_handoff
from store.engine import open_engine, reading, writing
from store.tables import Conversation, HandoffEntry, Staff, Turn, WechatMedia, WorkOrderField
from tests.fakes.control import FakeControl
from tests.fakes.office import Office
from turns.orders import OrderDraft, OrderField, Provenance
from web.__main__ import server

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian: chromium)"),
]
PASSWORD = "correct horse"
PHONE = "sip:8001@127.0.0.1:5070"
ATTACK = "<img src=x onerror=document.title='broken'>油烟很大"


@dataclass
class Site:
    """The web process, in this one."""

    office: Office
    engine: Engine
    browser: Browser
    port: int
    complaints: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def desk(self, login: str, width: int = 1280, height: int = 720) -> Page:
        """Somebody signed in, at a desk that is connected."""
        viewport = {"width": width, "height": height}
        context = self.browser.new_context(viewport=viewport, locale="zh-CN")  # type: ignore[arg-type]  # a TypedDict
        self.contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self._heard(said.text))
        page.goto(self.url("/staff/sign-in"))
        page.get_by_label("登录名").fill(login)
        page.get_by_label("密码").fill(PASSWORD)
        page.get_by_role("button", name="登录").click()
        page.wait_for_url(self.url("/desk"))  # to go anywhere now would cut signing in off
        expect(page.locator("#link")).to_have_text("已连接")
        return page

    def _heard(self, text: str) -> None:
        if "Content Security Policy" in text or "SyntaxError" in text:
            self.complaints.append(text)

    def states(self) -> dict[str, str]:
        with reading(self.engine) as session:
            return {row.id: row.state for row in session.scalars(select(HandoffEntry))}

    def hand_over(self, conversation: str, channel: str, said: tuple[str, ...]) -> None:
        """A citizen who told ``said`` asks for a person; the order is filled from it."""
        now = self.office.now().astimezone(self.office.city.zone)
        with writing(self.engine) as session:
            session.add(
                Conversation(id=conversation, channel=channel, line="12345", started_at=now,
                             citizen="13912345678" if channel == "phone" else "", ended_at=None)
            )  # fmt: skip
            session.flush()
            for place, text in enumerate(said):
                session.add(turn(conversation, f"h{place}", text, now))
        source = Provenance("h0", said[0][:6], now, 0.55, "said.where")
        draft = OrderDraft(
            key=f"handoff:{conversation}", conversation=conversation, channel=channel,
            line="12345", kind="投诉", urgency="normal", title="阳光花园3号楼楼下烧烤摊油烟扰民",
            department="城市管理局",
            fields=(
                OrderField("where", "阳光花园3号楼", source),
                OrderField("what", said[0], Provenance("h0", said[0], now, 0.93, "said.content")),
            ),
        )  # fmt: skip
        write_handoff(self.engine, draft, handoff=draft.key, reason="asked", now=now)
        self.wake(conversation)

    def says(self, conversation: str, heard: str, text: str) -> None:
        with writing(self.engine) as session:
            session.add(turn(conversation, heard, text, self.office.now()))
        self.wake(conversation)

    def wake(self, conversation: str) -> None:
        """As the core does: whoever waits for the conversation looks."""
        site = self.office.app.state.site
        self.office.loop.call_soon_threadsafe(site.floor.tell)
        self.office.loop.call_soon_threadsafe(site.floor.parts.bus.tell, conversation)


def turn(conversation: str, heard: str, text: str, at: datetime) -> Turn:
    return Turn(
        conversation_id=conversation, speaker="citizen", kind="text", heard=heard, text=text,
        at=at, audio_start_ms=None, audio_end_ms=None,
    )  # fmt: skip


@pytest.fixture
def site(sqlite_template: Path, tmp_path: Path, city: City) -> Iterator[Site]:
    """SQLite only: what the server does on PostgreSQL is tried in tests/web/agents."""
    file = tmp_path / "desk.sqlite3"
    shutil.copyfile(sqlite_template, file)
    engine = open_engine(f"sqlite:///{file}")
    hashed = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with writing(engine) as session:
        for login, name, phone in (("li", "李敏", PHONE), ("zhao", "赵强", "")):
            session.add(
                Staff(login=login, name=name, password_hash=hashed, roles=["agent"], capacity=3,
                      phone_uri=phone, created_at=datetime.now(UTC) - timedelta(days=1))
            )  # fmt: skip
    office = Office(
        tmp_path, engine, city, lambda: datetime.now(UTC), agents=True, control=FakeControl(),
        rules=rules_of(city),
    )  # fmt: skip
    taken = listen("127.0.0.1", 0, "QIANMEN_WEB_PORT")
    running: uvicorn.Server = server(office.app)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [taken]})
    thread.start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        made = Site(office, engine, browser, taken.getsockname()[1])
        yield made
        for context in made.contexts:
            context.close()
        browser.close()
    running.should_exit = True
    thread.join()
    engine.dispose()
    assert made.complaints == []


def test_a_chat_from_the_offer_to_the_result(site: Site) -> None:
    page = site.desk("li")
    page.keyboard.press("Alt+o")
    expect(page.locator(".status_online")).to_have_attribute("aria-pressed", "true")
    site.hand_over("c1", "web", (ATTACK, "在阳光花园3号楼楼下"))
    expect(page.locator(".offer__title")).to_have_text("阳光花园3号楼楼下烧烤摊油烟扰民")
    page.keyboard.press("F2")
    expect(page.locator(".turn_citizen .turn__text").first).to_have_text(ATTACK)
    assert "broken" not in page.title()
    page.keyboard.press("Alt+x")
    page.keyboard.type("我看到了，马上给您登记。")
    page.keyboard.press("Enter")
    expect(page.locator(".turn_agent .turn__text")).to_have_text("我看到了，马上给您登记。")
    expect(page.locator("#reply")).to_have_value("")
    a_field_somebody_writes_in_is_left_alone(site, page)
    the_source_is_one_click_away(page)
    a_picture_comes_after_its_turn(site, page)
    a_lost_line_loses_nothing(site, page)
    finished(site, page)


def a_field_somebody_writes_in_is_left_alone(site: Site, page: Page) -> None:
    where = page.locator("#field-where")
    expect(where).to_have_value("阳光花园3号楼楼下")  # filled further from what was said
    where.click()
    where.press("End")
    where.type("一单元")
    with reading(site.engine) as session:
        order = session.get_one(HandoffEntry, "handoff:c1").order_id
    number = page.locator(".order__number a").inner_text().split()[-1]
    deeds.edit(site.engine, number, {"where": "月光花园"}, by="zhao", now=site.office.now())
    site.wake("c1")
    expect(page.locator("[data-field=where] .datum__hint")).to_contain_text("月光花园")
    expect(where).to_have_value("阳光花园3号楼楼下一单元")
    where.press("Enter")
    expect(page.locator("[data-field=where] .former summary")).to_have_text("改过 3 次")
    with reading(site.engine) as session:
        row = session.scalars(
            select(WorkOrderField).where(
                WorkOrderField.order_id == order, WorkOrderField.name == "where"
            )
        ).one()
        assert (row.value, row.confirmed_by) == ("阳光花园3号楼楼下一单元", "li")


def the_source_is_one_click_away(page: Page) -> None:
    page.locator("[data-field=what] .source").click()
    expect(page.locator(".turn_source .turn__text")).to_have_text(ATTACK)


def a_picture_comes_after_its_turn(site: Site, page: Page) -> None:
    now = site.office.now()
    with writing(site.engine) as session:
        session.add(WechatMedia(id="wx:1", conversation_id="c1", kind="photo", media_id="m",
                                next_at=now, at=now))  # fmt: skip
        row = turn("c1", "wx:1", "", now)
        row.kind, row.attachments = "event", [{"kind": "image", "url": "", "text": ""}]
        session.add(row)
    site.wake("c1")
    expect(page.locator(".sent__words")).to_have_text("照片（正在取，来了就显示）")
    drawn = io.BytesIO()
    Image.new("RGB", (960, 640), "#8aa").save(drawn, "JPEG")
    files = site.office.app.state.site.door.files
    keep(site.engine, files, "c1", "wx:1", "photo", "image/jpeg", drawn.getvalue(), now)
    with writing(site.engine) as session:
        session.get_one(WechatMedia, "wx:1").state = "kept"
    site.office.loop.call_soon_threadsafe(site.office.app.state.site.floor.tell)
    picture = page.get_by_alt_text("市民发来的照片")
    expect(picture).to_have_js_property("naturalWidth", 960)
    expect(picture).to_have_js_property("offsetWidth", 240)
    expect(page.locator(".sent")).to_have_count(1)
    expect(page.locator(".sent__words")).to_have_count(0)


def a_lost_line_loses_nothing(site: Site, page: Page) -> None:
    """Words that were written while the line was away arrive, once, in both directions."""
    page.evaluate("() => { WebSocket.prototype.send = (old => function (data) {"
                  " if (!window.cut) old.call(this, data); })(WebSocket.prototype.send);"
                  " window.cut = true; }")  # fmt: skip
    page.locator("#reply").fill("这句是断线的时候写的。")
    page.locator("#reply").press("Enter")
    expect(page.locator("#reply")).to_have_value("这句是断线的时候写的。")
    site.says("c1", "h7", "你还在吗")
    page.evaluate("() => { window.cut = false; }")
    site.office.loop.call_soon_threadsafe(_drop_sockets, site)
    sent = page.locator(".turn_agent .turn__text", has_text="断线的时候写的")
    expect(sent).to_have_count(1)
    expect(page.locator(".turn_citizen .turn__text", has_text="你还在吗")).to_have_count(1)
    expect(page.locator("#link")).to_have_text("已连接")


def _drop_sockets(site: Site) -> None:
    for desk in list(site.office.app.state.site.floor.desks.values()):
        desk._spawn(desk.page.close(1001))


def finished(site: Site, page: Page) -> None:
    page.locator("#talk").click()
    page.keyboard.press("Alt+Enter")
    page.get_by_label("已转办").check()
    page.get_by_role("button", name="结束", exact=True).click()
    expect(page.locator(".status_wrapup")).to_be_visible()
    assert site.states()["handoff:c1"] == "done"
    page.locator("#field-when").fill("昨天晚上")  # the order can be finished after the talk
    page.locator("#field-when").press("Enter")
    expect(page.locator("[data-field=when] .sure")).to_be_visible()
    page.keyboard.press("Alt+g")
    expect(page.locator(".status_online")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#mine")).to_contain_text("等待派单")
    expect(page.locator("#today")).to_contain_text("今天 1 件，平均")
    page.keyboard.press("Alt+b")
    page.get_by_label("原因").select_option("开会")
    expect(page.get_by_label("原因")).to_have_value("开会")
    expect(page.locator(".status_busy")).to_have_attribute("aria-pressed", "true")


def test_a_call_fits_one_screen_however_long_it_is(site: Site) -> None:
    page = site.desk("li")
    page.keyboard.press("Alt+o")
    site.hand_over("call-1", "phone", tuple(f"这是第{n}句，楼下烧烤摊油烟很大" for n in range(200)))
    page.get_by_role("button", name="接 F2").click()
    expect(page.locator(".turn")).to_have_count(200)
    for name in ("挂断 F10", "保持 F6"):
        expect(page.get_by_role("button", name=name)).to_be_enabled()
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 1280
    expect(page.get_by_role("button", name="结束 Alt Enter")).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("button", name="挂断 F10")).to_be_in_viewport(ratio=1)
    expect(page.locator(".turn").last).to_be_in_viewport()
    page.keyboard.press("F6")
    expect(page.get_by_role("button", name="取回 F6")).to_be_visible()
    page.keyboard.press("F6")
    expect(page.get_by_role("button", name="保持 F6")).to_be_enabled()
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="快捷键")).to_be_visible()
    page.keyboard.press("Escape")


def test_who_has_no_telephone_or_a_second_window_is_told(site: Site) -> None:
    page = site.desk("zhao")
    expect(page.locator("#notes")).to_contain_text("没有登记话机号码")
    second = page.context.new_page()
    second.goto(site.url("/desk"))
    expect(second.locator("#link")).to_have_text("已连接")
    expect(page.get_by_role("dialog")).to_contain_text("别的窗口")
