"""An account in miniature: the real app on a real socket, the simulated platform before it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from sqlalchemy import Engine, select

from config.city import City
from config.listening import listen
from handoff.prefill import Said
from qianmen.wechatsim.account import Account, Format, Mode
from qianmen.wechatsim.delivery import Delivered, Delivery, HttpWire
from qianmen.wechatsim.messages import Fields
from qianmen.wechatsim.platform import Platform
from qianmen.wechatsim.server import serving
from qianmen.wechatsim.setup import PATH, aes_key
from qianmen.wechatsim.view import Seen, doubled
from store.engine import reading
from store.tables import Turn, WechatCitizen
from tests.fakes.office import Office
from tests.fakes.vosk_server import StockVoskServer
from turns.orders import OrderField
from turns.replies import Say
from web.__main__ import server

PATIENCE_S = 30.0
Extract = Callable[[tuple[Said, ...], datetime], tuple[OrderField, ...]]
OPENID = "o6_bmjrPTlm6_2sgVt7hMZOPfL2M"


class Clock:
    """Real time, moved on by as much as the test says."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def seconds(self) -> float:
        return self().timestamp()

    def advance(self, **span: float) -> None:
        self.ahead += timedelta(**span)


@dataclass
class Stage:
    """One account: its platform, its front door, a citizen who writes to it."""

    office: Office
    platform: Platform
    delivery: Delivery
    clock: Clock
    keys: tuple[str, str]
    url: str

    def send(self, fields: Fields, **how: Any) -> Delivered:
        """The citizen does something."""
        return self.delivery.send(OPENID, fields, **how)

    @property
    def seen(self) -> list[Seen]:
        """What their telephone shows."""
        return self.platform.citizen(OPENID).seen

    def texts(self, via: str = "") -> list[str]:
        """What the account said, in order; ``via`` passive or custom."""
        return [b.text for b in self.seen if b.who == "account" and via in ("", b.via)]

    def wait(self, until: Callable[[], bool], what: str) -> None:
        """For something that only a later call brings."""
        assert self.platform.wait(until, PATIENCE_S), what

    def sees(self, words: str, times: int = 1) -> None:
        """Wait until the citizen has seen ``words`` so often."""
        self.wait(lambda: self.count(words) >= times, f"{words!r} among {self.texts()}")

    def count(self, words: str) -> int:
        """How many bubbles of the account's hold ``words``."""
        return sum(words in text for text in self.texts())

    def is_clean(self) -> None:
        """Nothing broke a rule, nothing came twice."""
        assert [breach.code for breach in self.platform.breaches] == []
        assert doubled(self.seen) == []

    def rotate(self) -> None:
        """The platform goes over to the new key."""
        self.platform.account = replace(self.platform.account, aes_key=self.keys[1])

    def open_gate(self) -> None:
        """The bot answers again."""
        self.office.let_the_dialogue_answer()

    def shut_gate(self) -> None:
        """The bot stalls from now on."""
        self.office.dialogue.gate.clear()

    @property
    def conversation(self) -> str:
        """The citizen's conversation of now."""
        with reading(self.office.engine) as session:
            return session.scalars(select(WechatCitizen)).one().conversation_id

    def heard(self) -> list[str]:
        """What stands in the record of theirs."""
        with reading(self.office.engine) as session:
            wanted = select(Turn.text).where(Turn.speaker == "citizen").order_by(Turn.seq)
            return list(session.scalars(wanted))

    def agent_says(self, text: str) -> None:
        """A person at a desk writes."""
        work = self.office.core.tell(
            self.conversation, Say("", text), speaker="agent", at=self.clock()
        )
        run_in(self.office, work)

    def bot_says(self, *texts: str) -> None:
        """The front door tells something that nobody asked for."""
        work = self.office.core.tell(
            self.conversation, *(Say("", text) for text in texts), speaker="bot", at=self.clock()
        )
        run_in(self.office, work)


def run_in(office: Office, work: Any) -> Any:
    """Do ``work`` in the web process's own loop."""
    return asyncio.run_coroutine_threadsafe(work, office.loop).result(PATIENCE_S)


@contextmanager
def running(app: FastAPI) -> Iterator[str]:
    """The app on a free port, in a thread of its own; its base URL."""
    taken = listen("127.0.0.1", 0, "QIANMEN_WEB_PORT")
    serving_: uvicorn.Server = server(app)
    thread = threading.Thread(target=serving_.run, kwargs={"sockets": [taken]})
    thread.start()
    try:
        while not serving_.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"
    finally:
        serving_.should_exit = True
        thread.join()


def _unhurried(office: Office) -> None:
    """The platform's five seconds are for benches: a busy machine is late now and then."""
    wechat = office.app.state.site.wechat
    assert wechat is not None
    wechat.door.times = replace(wechat.door.times, written_s=PATIENCE_S, answered_s=PATIENCE_S)


@contextmanager
def recogniser(*words: str) -> Iterator[str]:
    """A recogniser that hears ``words``, one each half second; its URL."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    serving_ = StockVoskServer(list(words)).serving()
    try:
        yield asyncio.run_coroutine_threadsafe(serving_.__aenter__(), loop).result(PATIENCE_S)
        asyncio.run_coroutine_threadsafe(
            serving_.__aexit__(None, None, None), loop
        ).result(PATIENCE_S)  # fmt: skip
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def staged(
    folder: Path, engine: Engine, city: City, mode: Mode = "secure", format: Format = "xml",  # noqa: A002  # WeChat's word
    extract: Extract = lambda said, now: (), **more: Any,
) -> Iterator[Stage]:  # fmt: skip
    """A front door with an account, and the platform before it, until the end."""
    clock, keys = Clock(), (aes_key(), aes_key())
    account = Account("wx0123456789abcdef", "the account's secret", "tokentoken", keys[0],
                      mode=mode, format=format)  # fmt: skip
    platform = Platform(account, clock.seconds)
    with serving(platform) as api:
        settings = {
            "wechat_appid": account.appid, "wechat_secret": account.secret,
            "wechat_token": account.token, "wechat_api": api,
            "wechat_aes_key": "" if mode == "plain" else keys[1],
            "wechat_aes_key_before": "" if mode == "plain" else keys[0],
        }  # fmt: skip
        office = Office(folder, engine, city, clock, more={**settings, **more}, extract=extract)
        with running(office.app) as url:
            wire = HttpWire(url + PATH, 2 * PATIENCE_S)
            _unhurried(office)
            tending = asyncio.run_coroutine_threadsafe(office.core.tend(), office.loop)
            try:
                yield Stage(office, platform, Delivery(platform, wire), clock, keys, url + PATH)
            finally:
                office.let_the_dialogue_answer()
                tending.cancel()
                wire.close()
