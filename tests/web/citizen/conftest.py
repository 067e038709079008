"""The citizen's page in Chromium, on the real app and core over a real socket.

One web process serves all tests here: each test has a browser of its own, and so a session and a
conversation of its own. SQLite only: what the server does on PostgreSQL is tried in tests/chat.
"""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from config.city import City
from config.listening import listen
from knowledge.load import load_folder
from store.engine import open_engine
from tests.fakes.embedder import Embedder
from tests.fakes.office import Office
from tests.fakes.vosk_server import StockVoskServer
from web.__main__ import server

CHROMIUM = shutil.which("chromium")
SIZES = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1440, "height": 900}}
_MEDIA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of these need a browser."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.slow)
            item.add_marker(
                pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
            )


@dataclass
class Place:
    """The web process, and a site of another origin that embeds its page."""

    office: Office
    port: int
    embedder: Embedder

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@dataclass
class Phones:
    """Opens browsers of citizens; what their consoles complain of is kept."""

    browser: Browser
    place: Place
    contexts: list[BrowserContext] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, size: str = "phone", *, at: str = "", visit: bool = True, **more: Any) -> Page:
        """A browser on the citizen's page, or on ``at``."""
        context = self.browser.new_context(
            viewport=SIZES[size],  # type: ignore[arg-type]  # a TypedDict
            locale="zh-CN", reduced_motion="reduce", **more,
        )  # fmt: skip
        self.contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._heard)
        if visit:
            page.goto(at or self.place.url())
        return page

    def _heard(self, said: ConsoleMessage) -> None:
        if "Content Security Policy" in said.text or "Permissions policy" in said.text:
            self.complaints.append(said.text)


@contextmanager
def recogniser(words: list[str]) -> Iterator[str]:
    """A recogniser's URL; it hears one of ``words`` in each half second of sound."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    serving = StockVoskServer(words).serving()
    yield asyncio.run_coroutine_threadsafe(serving.__aenter__(), loop).result(60)
    asyncio.run_coroutine_threadsafe(serving.__aexit__(None, None, None), loop).result(60)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", *_MEDIA]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def place(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, city: City
) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("citizen")
    shutil.copyfile(sqlite_template, folder / "citizen.sqlite3")
    engine = open_engine(f"sqlite:///{folder / 'citizen.sqlite3'}")
    load_folder(engine, city.folder / "knowledge", datetime.now(UTC))
    office = Office(folder, engine, city, lambda: datetime.now(UTC))
    with Embedder().serving() as embedder, recogniser(["公积金", "怎么取"]) as asr:
        told = {"embed_origins": (embedder.allowed,), "asr_server": asr}
        office.settings = office.settings.model_copy(update=told)
        taken = listen("127.0.0.1", 0, "QIANMEN_WEB_PORT")
        port = taken.getsockname()[1]
        embedder.script = f"http://127.0.0.1:{port}/chat/embed.js"
        running: uvicorn.Server = server(office.start())
        thread = threading.Thread(target=running.run, kwargs={"sockets": [taken]})
        thread.start()
        yield Place(office, port, embedder)
        running.should_exit = True
        thread.join()
    engine.dispose()


@pytest.fixture
def phones(chromium: Browser, place: Place) -> Iterator[Phones]:
    phones = Phones(chromium, place)
    yield phones
    place.office.let_the_dialogue_answer()  # a test that failed may have held it up
    for context in phones.contexts:
        context.close()
    assert phones.complaints == []
