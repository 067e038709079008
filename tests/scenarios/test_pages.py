"""The pages in Chromium, on the real app and core over a real socket."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Page,
    ViewportSize,
    WebSocketRoute,
    expect,
    sync_playwright,
)
from sqlalchemy import Engine, select

from config.city import City
from config.listening import listen
from handoff.queue import service
from handoff.staff import Act, create_first_administrator
from store.engine import reading, writing
from store.tables import Callback, Staff, Survey, Turn
from tests.fakes.dialogue import outcome
from tests.fakes.office import Office
from tests.fakes.orders import a_day
from turns.context import Context
from turns.replies import Ask, Bye, Option, Say
from turns.understood import Outcome, Understood
from web.__main__ import server

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian: chromium)"),
]
PHONE: ViewportSize = {"width": 390, "height": 844}


@dataclass
class Site:
    """The web process, which can be stopped and started again on its port."""

    office: Office
    port: int = 0
    password: str = ""
    _server: uvicorn.Server | None = None
    _thread: threading.Thread | None = None
    _kept: socket.socket | None = None
    """Bound while nobody serves: no other process may be given the port meanwhile."""
    errors: list[str] = field(default_factory=list)

    def start(self) -> None:
        taken = listen("127.0.0.1", self.port, "QIANMEN_WEB_PORT")
        if self._kept is not None:
            self._kept.close()
        self.port = taken.getsockname()[1]
        self._server = server(self.office.start())
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [taken]})
        self._thread.start()

    def stop(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
            self._kept = listen("127.0.0.1", self.port, "QIANMEN_WEB_PORT")

    def close(self) -> None:
        self.stop()
        if self._kept is not None:
            self._kept.close()

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def turns(self, speaker: str = "citizen") -> list[str]:
        with reading(self.office.engine) as session:
            rows = session.scalars(
                select(Turn.text).where(Turn.speaker == speaker).order_by(Turn.seq)
            )
            return list(rows)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def site(tmp_path: Path, engine: Engine, city: City) -> Iterator[Site]:
    site = Site(Office(tmp_path, engine, city, lambda: datetime.now(UTC)))
    site.start()
    yield site
    site.close()


@pytest.fixture
def page(chromium: Browser, site: Site) -> Iterator[Page]:
    """A telephone's browser; what its console complains of is in ``site.errors``."""
    context = chromium.new_context(viewport=PHONE, locale="zh-CN")
    page = context.new_page()

    def complains(said: ConsoleMessage) -> None:
        if "Content Security Policy" in said.text:
            site.errors.append(said.text)

    page.on("pageerror", lambda error: site.errors.append(str(error)))
    page.on("console", complains)
    yield page
    context.close()
    assert site.errors == []


def say(page: Page, text: str) -> None:
    page.fill("#words", text)
    page.click("#send")


def bubbles(page: Page, text: str) -> Any:
    return page.locator(".turn__bubble", has_text=text)


def test_a_question_typed_is_answered(site: Site, page: Page) -> None:
    page.goto(site.url())
    expect(bubbles(page, "智能助手")).to_have_count(1)
    say(page, "公积金怎么取")
    expect(bubbles(page, "听到：公积金怎么取")).to_have_count(1)
    expect(page.locator("#typing")).to_be_hidden()


class Agent:
    """Somebody at a desk, as far as the citizen notices; works through the queue's own door."""

    def __init__(self, site: Site) -> None:
        self.office, self.rules = site.office, site.office.city.queue
        with writing(self.office.engine) as session:
            session.add(Staff(login="zhang", name="张敏", password_hash="", roles=["agent"],
                              capacity=3, created_at=self.now))  # fmt: skip
        service.set_status(self.office.engine, "zhang", "online", self.now, self.rules)

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    def accepts(self) -> tuple[str, str]:
        """Handoff and conversation of whoever waits."""
        engine = self.office.engine
        service.dispatch(engine, self.rules, self.now)
        offer = service.desk_of(engine, "zhang", self.now, self.rules).offer
        assert offer is not None
        service.accept(engine, offer.offer, "zhang", self.now, self.rules)
        self.tell(offer.conversation)
        return offer.handoff, offer.conversation

    def tell(self, conversation: str) -> None:
        self.office.loop.call_soon_threadsafe(self.office.core.standing_changed, conversation)

    def do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self.office.loop).result(60)


def test_a_citizen_waits_is_served_and_asked(site: Site, page: Page, city: City) -> None:
    targets = city.targets.model_copy(update={"survey": True})
    site.stop()
    site.office.city = city.model_copy(update={"targets": targets})
    site.start()
    agent = Agent(site)
    page.goto(site.url())
    say(page, "转人工")
    expect(page.locator("#queue-text")).to_contain_text("排在最前面")
    expect(page.locator("#host")).to_contain_text("正在排队")
    say(page, "公积金怎么取")
    expect(bubbles(page, "听到：公积金怎么取")).to_have_count(1)
    handoff, conversation = agent.accepts()
    expect(page.locator("#host")).to_have_text("工作人员 张敏 正在为您服务")
    expect(page.locator("#queue")).to_be_hidden()
    core, loop = site.office.core, site.office.loop
    loop.call_soon_threadsafe(core.typing, conversation, "agent")
    expect(page.locator("#typing")).to_have_text("工作人员正在输入…")
    agent.do(core.tell(conversation, Say("a1", "您好，<b>我是</b>张敏"), speaker="agent",
                       at=agent.now))  # fmt: skip
    expect(bubbles(page, "您好，<b>我是</b>张敏")).to_have_count(1)
    expect(page.locator("#typing")).to_be_hidden()
    service.finish(site.office.engine, handoff, "zhang", "answered", "", agent.now, agent.rules)
    agent.tell(conversation)
    agent.do(core.person_done(conversation, agent.now, given_back=False))
    page.get_by_role("button", name="不满意").click()
    expect(bubbles(page, "哪里不满意")).to_have_count(1)
    say(page, "等得太久")
    expect(bubbles(page, "谢谢您的评价")).to_have_count(1)
    expect(page.locator("#host")).to_have_text("智能助手为您服务")
    with reading(site.office.engine) as session:
        (row,) = session.scalars(select(Survey)).all()
        assert (row.score, row.why, row.agent) == ("dissatisfied", "等得太久", "zhang")


def test_a_citizen_leaves_a_number_instead_of_waiting(site: Site, page: Page) -> None:
    Agent(site)
    page.goto(site.url())
    say(page, "转人工")
    page.click("#callback")
    page.fill("#phone", "12345")
    page.keyboard.press("Enter")
    expect(page.locator("#phone-wrong")).to_be_visible()
    page.fill("#phone", "+86 138-0013-8000")
    page.keyboard.press("Enter")
    expect(bubbles(page, "尽快打138-0013-8000给您回电")).to_have_count(1)
    expect(page.locator("#queue")).to_be_hidden()
    expect(page.locator("#person")).to_be_enabled()
    with reading(site.office.engine) as session:
        (row,) = session.scalars(select(Callback)).all()
        assert (row.phone, row.reason) == ("13800138000", "asked")


def test_it_is_shown_that_an_answer_is_being_written(site: Site, page: Page) -> None:
    site.office.dialogue.gate.clear()
    page.goto(site.url())
    say(page, "公积金怎么取")
    expect(page.locator("#typing")).to_contain_text("正在输入")
    site.office.let_the_dialogue_answer()
    expect(bubbles(page, "听到：公积金怎么取")).to_have_count(1)
    expect(page.locator("#typing")).to_be_hidden()


def test_what_is_written_while_the_server_is_away_arrives_once(site: Site, page: Page) -> None:
    page.goto(site.url())
    expect(bubbles(page, "智能助手")).to_have_count(1)
    site.stop()
    expect(page.locator("#link")).to_contain_text("正在重新连接…")
    say(page, "断线时写的第一句")
    say(page, "断线时写的第二句")
    expect(page.locator(".turn__state", has_text="还没发出去")).to_have_count(2)
    site.start()
    expect(bubbles(page, "听到：断线时写的第二句")).to_have_count(1)
    expect(page.locator("#link")).to_be_hidden()
    expect(page.locator(".turn__state", has_text="还没发出去")).to_have_count(0)
    expect(bubbles(page, "智能助手")).to_have_count(1)
    assert site.turns() == ["断线时写的第一句", "断线时写的第二句"]


def test_a_lost_acknowledgement_doubles_nothing(site: Site, page: Page) -> None:
    """The message reaches the server, the socket breaks before the ack comes back."""
    cuts = [True]

    def between(ws: WebSocketRoute) -> None:
        upstream = ws.connect_to_server()

        def back(message: str | bytes) -> None:
            if cuts and '"ack"' in str(message):
                cuts.clear()
                ws.close(code=1001)
            else:
                ws.send(message)

        upstream.on_message(back)

    page.route_web_socket("**/chat/ws*", between)
    page.goto(site.url())
    expect(bubbles(page, "智能助手")).to_have_count(1)
    say(page, "只说一次")
    expect(bubbles(page, "听到：只说一次")).to_have_count(1)
    expect(page.locator('.turn_mine[data-state=""]', has_text="只说一次")).to_have_count(1)
    assert cuts == []
    assert site.turns() == ["只说一次"]
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.includes('.out.'))") == []


def test_a_reload_keeps_what_was_said_and_what_was_not_sent(site: Site, page: Page) -> None:
    page.goto(site.url())
    say(page, "公积金怎么取")
    expect(bubbles(page, "听到：公积金怎么取")).to_have_count(1)
    page.evaluate(
        """localStorage.setItem("qianmen.out.abcdefgh12345678", JSON.stringify(
             {id: "abcdefgh12345678", at: Date.now(), type: "text", text: "上次没发出去的"}))"""
    )
    page.reload()
    expect(bubbles(page, "听到：上次没发出去的")).to_have_count(1)
    expect(bubbles(page, "听到：公积金怎么取")).to_have_count(1)
    assert site.turns() == ["公积金怎么取", "上次没发出去的"]


def test_options_are_buttons_that_answer_once(site: Site, page: Page) -> None:
    asked = Ask("", "哪一项？", (Option("租房提取", "rent"), Option("购房提取", "buy")), "choice")
    site.office.dialogue.answers["取钱"] = Outcome(
        (asked,), Context(), Understood(act="policy", decision="ask")
    )
    page.goto(site.url())
    say(page, "取钱")
    page.get_by_role("button", name="租房提取").click()
    expect(bubbles(page, "听到：rent")).to_have_count(1)
    expect(page.get_by_role("button", name="购房提取")).to_be_disabled()
    assert site.turns() == ["取钱", "rent"]


def test_markup_in_an_answer_or_a_question_is_text(site: Site, page: Page) -> None:
    evil = "<img src=x onerror=\"document.title='hacked'\">"
    site.office.dialogue.answers[evil] = outcome(f"您说的是{evil}")
    page.goto(site.url())
    say(page, evil)
    expect(bubbles(page, f"您说的是{evil}")).to_have_count(1)
    assert page.locator("#turns img").count() == 0
    assert page.title() == "示例市12345热线"


def test_goodbye_ends_and_a_new_conversation_begins_empty(site: Site, page: Page) -> None:
    site.office.dialogue.answers["再见"] = Outcome(
        (Say("", "再见，感谢您"), Bye("")), Context(), Understood(act="bye", decision="talk")
    )
    page.goto(site.url())
    say(page, "再见")
    page.get_by_role("button", name="开始新的对话").click()
    expect(bubbles(page, "智能助手")).to_have_count(1)
    expect(bubbles(page, "再见")).to_have_count(0)
    expect(page.locator("#words")).to_be_visible()


def test_everything_to_press_is_large_enough_for_a_finger(site: Site, page: Page) -> None:
    page.goto(site.url())
    expect(bubbles(page, "智能助手")).to_have_count(1)
    for target in page.locator("button:visible, textarea:visible").all():
        box = target.bounding_box()
        assert box is not None
        assert box["height"] >= 44, target.text_content()
        assert box["width"] >= 44, target.text_content()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def first_sign_in(site: Site, page: Page) -> None:
    """The first administrator with the password that was shown once, then one of their own."""
    office = site.office
    key = office.app.state.site.key
    password = create_first_administrator(office.engine, Act("system", office.now(), key))
    assert password is not None
    page.goto(site.url("/orders"))
    page.get_by_label("登录名").fill("admin")
    page.get_by_label("密码").fill(password)
    page.get_by_role("button", name="登录").click()
    page.get_by_label("现在的密码").fill(password)
    page.get_by_label("新密码", exact=True).fill("four words of mine")
    page.get_by_label("再输一遍新密码").fill("four words of mine")
    page.get_by_role("button", name="修改密码").click()
    page.wait_for_url(site.url("/orders"))


def signed_in(site: Site, page: Page) -> tuple[str, str]:
    """Sign in at a desk's size; the numbers of the call's order and the chat's."""
    office = site.office
    page.set_viewport_size({"width": 1280, "height": 800})
    call, chat = a_day(
        office.engine, office.settings.recordings_dir, office.now().astimezone(office.city.zone)
    )
    first_sign_in(site, page)
    expect(page.locator(".orders__row")).to_have_count(9)
    return call, chat


PLAYED = """() => {
  // Every turn that stands out while it is heard, however briefly.
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      if (target.matches(".say_playing")) document.body.dataset.played = target.textContent;
    }
  }).observe(document.getElementById("talk"), { subtree: true, attributeFilter: ["class"] });
}"""


def test_a_click_on_a_field_shows_and_plays_where_it_came_from(site: Site, page: Page) -> None:
    signed_in(site, page)
    page.get_by_role("link", name="建业小区9号楼下烧烤摊油烟扰民").click()
    page.wait_for_url("**/orders/2*")  # and its scripts run
    page.locator('.field[data-name="what"] .field__value').click()
    chosen = page.locator(".say_chosen")
    expect(chosen).to_have_count(1)
    expect(chosen.locator("mark")).to_have_text("楼下那个烧烤摊，天天晚上油烟特别大，窗户都不敢开")
    expect(chosen).to_be_in_viewport()
    # The transcript refreshes itself; the mark stays.
    with page.expect_response("**/transcript"):
        pass
    expect(chosen.locator("mark")).to_have_count(1)
    page.evaluate(PLAYED)
    page.locator('.field[data-name="where"] .play').click()
    expect(page.locator("body")).to_have_attribute("data-played", re.compile("解放路和胜利街"))
    expect(page.locator(".say_chosen mark")).to_contain_text("建业小区九号楼下面")
    assert page.evaluate("document.querySelector('audio').currentTime") >= 21


def test_the_list_narrows_down_and_stays_so_while_it_refreshes(site: Site, page: Page) -> None:
    call, _ = signed_in(site, page)
    page.get_by_label("查找").fill(call)
    expect(page.locator(".orders__row")).to_have_count(1)
    with page.expect_response("**/orders/fresh"):
        pass
    expect(page.locator(".orders__row")).to_have_count(1)
    assert "search" not in page.url
    page.get_by_role("link", name="建业小区").click()
    page.wait_for_url("**/orders/2*")  # the list has a link to all orders, too
    page.get_by_role("link", name="全部工单").click()
    page.wait_for_url("**/orders")
    expect(page.locator(".orders__row")).to_have_count(1)  # what was looked for is still there
    page.get_by_label("查找").fill("")
    expect(page.locator(".orders__row")).to_have_count(9)
    page.locator("select[name=urgency]").select_option("danger")
    expect(page.locator(".orders__row")).to_have_count(1)
    expect(page.locator(".orders__row")).to_contain_text("井盖")


def test_an_agents_reply_appears_in_the_citizens_window(
    site: Site, page: Page, chromium: Browser
) -> None:
    page.goto(site.url())
    say(page, "转人工")
    expect(page.locator(".handed")).to_contain_text("工单号")
    context = chromium.new_context(locale="zh-CN")
    desk = context.new_page()
    first_sign_in(site, desk)
    desk.locator(".orders__title a").click()
    desk.wait_for_url("**/orders/2*")
    desk.locator("#text").fill("您好，我是小李，请讲。")
    desk.get_by_role("button", name="发送回复").click()
    expect(bubbles(page, "您好，我是小李，请讲。")).to_have_count(1)
    expect(page.locator("#host")).to_contain_text("工作人员")
    say(page, "暖气还是不热")
    expect(desk.locator(".say_citizen", has_text="暖气还是不热")).to_have_count(1)
    context.close()
