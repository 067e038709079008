"""A person takes over and already knows: a call and a chat at an agent's desk in Chromium.

The agent's telephone is Debian's baresip, the caller a pyVoIP telephone. On the way the web process
and Redis are killed: whoever waits goes on waiting, and nothing is written twice.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from playwright.sync_api import Browser, Page, expect, sync_playwright
from sqlalchemy import select

from handoff.queue.model import OPEN
from qianmen.citizen.call import Patience, place_call
from store.engine import open_store, writing
from store.tables import HandoffEntry, Staff, Survey, Turn, WorkOrder, WorkOrderField
from tests.scenarios.callers import needs_baresip, write_baresip_folder
from tests.scenarios.front_door import FrontDoor

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian: chromium)"),
    needs_baresip,
]
PASSWORD = "correct horse 12345"
EXTENSION = "8001"
AGENT_SAYS = "您好，我是坐席，您反映的油烟问题我看到了。"
COMPLAINT = "我要投诉阳光花园小区三号楼楼下烧烤摊油烟很大"
PERSON = "转人工"
LONG_MS = 120_000
"""For what takes a second on an idle machine."""
AGAIN_MS = 180_000
"""For a desk whose web process was killed, on a busy machine."""


@pytest.fixture(scope="module")
def agent(front_door: FrontDoor) -> str:
    """An agent with an extension at the city's PBX."""
    hashed = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    engine = open_store(front_door.settings)
    with writing(engine) as session:
        session.add(
            Staff(login="zuo", name="左晴", password_hash=hashed, roles=["agent"], capacity=2,
                  phone_uri=f"sip:{EXTENSION}@127.0.0.1:{front_door.agent_port}",
                  created_at=datetime.now(UTC))
        )  # fmt: skip
    engine.dispose()
    return "zuo"


@pytest.fixture
def telephone(front_door: FrontDoor, tmp_path: Path) -> Iterator[None]:
    """Debian's baresip on the agent's desk: it takes every call and speaks."""
    # Again and again: what is said while the order is read to the agent is not for the caller.
    seconds = write_baresip_folder(tmp_path, [AGENT_SAYS] * 20, EXTENSION, 1.5, 6.0)
    account = f"<sip:{EXTENSION}@127.0.0.1>;regint=0;answermode=auto;audio_codecs=PCMA/8000/1\n"
    (tmp_path / "accounts").write_text(account)
    config = (tmp_path / "config").read_text()
    listening = config.replace("127.0.0.1:0", f"127.0.0.1:{front_door.agent_port}", 1)
    (tmp_path / "config").write_text(listening)
    said = tmp_path / "baresip.log"
    with said.open("wb") as log:
        process = subprocess.Popen(
            ["baresip", "-f", str(tmp_path), "-t", str(seconds + 400)], cwd=tmp_path,
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    yield
    lived = process.poll() is None
    process.kill()
    process.wait()
    assert lived, said.read_text("utf-8", "replace")[-2000:]


@pytest.fixture
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def nobody_waits(front_door: FrontDoor) -> None:
    """Whom other scenarios left waiting would be offered first."""
    engine = open_store(front_door.settings)
    with writing(engine) as session:
        for entry in session.scalars(select(HandoffEntry).where(HandoffEntry.state.in_(OPEN))):
            entry.state, entry.agent, entry.offer = "done", "", ""
    engine.dispose()


@pytest.fixture
def desk(front_door: FrontDoor, agent: str, chromium: Browser) -> Iterator[Page]:
    """The agent at work; goes home at the end, so that other callers reach the hunt group."""
    nobody_waits(front_door)
    page = chromium.new_context(base_url=front_door.settings.web_address).new_page()
    page.goto("/staff/sign-in")
    page.fill("[name=login]", agent)
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url("**/desk")
    page.keyboard.press("Alt+o")
    expect(page.locator(".status_online")).to_have_attribute("aria-pressed", "true")
    yield page
    page.get_by_role("button", name="离线").click()
    expect(page.locator(".status_offline")).to_have_attribute("aria-pressed", "true")


def web_dies(front_door: FrontDoor, page: Page) -> None:
    front_door.kill("web")
    expect(page.locator("#link")).not_to_have_text("已连接")
    expect(page.locator("#link")).to_have_text("已连接", timeout=AGAIN_MS)


def finish(page: Page, result: str) -> None:
    page.get_by_role("button", name="结束 Alt Enter").click()
    page.get_by_label(result).check()
    page.get_by_role("button", name="结束", exact=True).click()
    expect(page.locator(".status_wrapup")).to_be_visible()
    page.keyboard.press("Alt+g")  # heard after the result: who is ready again has given it
    expect(page.locator(".status_online")).to_have_attribute("aria-pressed", "true")


def test_a_caller_gets_a_person_who_knows(
    front_door: FrontDoor, desk: Page, telephone: None
) -> None:
    before = {order.id for order in front_door.rows(WorkOrder)}

    def take() -> None:
        """The telephone rings and is joined; the web process dies, and the talk goes on."""
        expect(desk.locator(".offer__title")).to_be_visible(timeout=LONG_MS)
        desk.keyboard.press("F2")
        expect(desk.get_by_role("button", name="挂断 F10")).to_be_enabled(timeout=LONG_MS)
        expect(desk.locator("#field-kind")).to_have_value("投诉")
        expect(desk.locator("#field-where")).not_to_have_value("")
        web_dies(front_door, desk)
        expect(desk.get_by_role("button", name="挂断 F10")).to_be_enabled(timeout=LONG_MS)

    def leave() -> None:
        expect(desk.locator(".turn_agent")).not_to_have_count(0, timeout=LONG_MS)
        desk.keyboard.press("F10")

    events: list[str] = []

    def on_progress(event: str, text: str) -> None:
        events.append(f"{event} {text}")
        if event == "said" and text == PERSON:
            take()
        elif event == "heard" and any(PERSON in one for one in events) and not left:
            heard_since.append(text)
            if front_door.rows(HandoffEntry, HandoffEntry.state == "connected"):
                left.append(True)
                leave()

    left: list[bool] = []
    heard_since: list[str] = []
    report = place_call(
        f"sip:12345@127.0.0.1:{front_door.settings.sip_port}",
        [COMPLAINT, "昨天晚上十点", PERSON],
        last_keys="11",
        database=front_door.settings.database,
        patience=Patience(stay_s=30.0),
        on_progress=on_progress,
    )
    assert left, (events, report.turns)
    (order,) = [row for row in front_door.rows(WorkOrder) if row.id not in before]
    fields = {
        row.name: row.value for row in front_door.rows(
            WorkOrderField, WorkOrderField.order_id == order.id
        )
    }  # fmt: skip
    assert order.kind == "投诉"
    assert "阳光花园" in fields["where"]
    assert "油烟" in fields["what"]
    (survey,) = front_door.rows(Survey, Survey.order_id == order.id)
    assert (survey.score, survey.how, survey.solved) == ("satisfied", "keys", True)
    finish(desk, "已转办")
    (entry,) = front_door.rows(HandoffEntry, HandoffEntry.order_id == order.id)
    assert (entry.state, entry.agent, entry.result) == ("done", "zuo", "transferred")
    said = front_door.rows(Turn, Turn.conversation_id == report.conversation)
    assert any(turn.speaker == "agent" for turn in said)


def test_a_chatter_gets_a_person_in_the_same_window(
    front_door: FrontDoor, desk: Page, chromium: Browser
) -> None:
    citizen = chromium.new_context(base_url=front_door.settings.web_address).new_page()
    citizen.goto("/")
    write(citizen, "我要投诉小区物业不修电梯")
    expect(citizen.locator("body")).to_contain_text("哪里", timeout=LONG_MS)
    write(citizen, "在月亮湾小区5号楼")
    desk.keyboard.press("Alt+b")
    expect(desk.locator(".status_busy")).to_have_attribute("aria-pressed", "true")
    write(citizen, PERSON)
    expect(citizen.locator("body")).to_contain_text("工单", timeout=LONG_MS)
    web_dies(front_door, desk)  # who waits, waits in the database
    desk.keyboard.press("Alt+o")
    expect(desk.locator(".offer__title")).to_be_visible(timeout=LONG_MS)
    front_door.kill("redis")  # nothing that waits lives there
    desk.keyboard.press("F2")
    expect(desk.locator(".turn_citizen", has_text="物业不修电梯")).to_be_visible(timeout=AGAIN_MS)
    desk.locator("#reply").fill("我是左晴，电梯的事我马上转给住建部门。")
    desk.locator("#reply").press("Enter")
    expect(citizen.locator("body")).to_contain_text("我是左晴", timeout=AGAIN_MS)
    write(citizen, "好的谢谢")
    expect(desk.locator(".turn_citizen", has_text="好的谢谢")).to_be_visible(timeout=LONG_MS)
    finish(desk, "已转办")
    expect(citizen.locator("body")).to_contain_text("评价", timeout=LONG_MS)
    citizen.get_by_role("button", name="满意", exact=True).click()
    expect(citizen.locator("body")).to_contain_text("解决了吗", timeout=LONG_MS)
    citizen.context.close()


def write(page: Page, text: str) -> None:
    box = page.get_by_role("textbox").first
    box.fill(text)
    box.press("Enter")
    expect(page.locator("body")).to_contain_text(text)
