"""Agents at their desks, over the real app and core, with a clock the test moves."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select
from starlette.testclient import WebSocketTestSession

from config.city import City
from handoff.orders import write_handoff
from store.engine import reading, writing
from store.tables import Conversation, HandoffEntry, Staff, Turn
from tests.fakes.office import Office
from tests.web.conftest import PASSWORD, Clock, sign_in
from turns.orders import OrderDraft
from web.sessions import form_token, load

Frame = dict[str, Any]
ORIGIN = {"origin": "http://testserver"}


@pytest.fixture
def office(tmp_path: Path, engine: Engine, city: City, clock: Clock) -> Office:
    return Office(tmp_path, engine, city, clock, agents=True)


@pytest.fixture
def people(engine: Engine, clock: Clock, hashed: str) -> None:
    """Two agents with telephones, one without, and who leads them."""
    with writing(engine) as session:
        for login, name, roles, phone in (
            ("li", "李敏", ["agent"], "sip:8001@127.0.0.1:5070"),
            ("wang", "王芳", ["agent"], "sip:8002@127.0.0.1:5070"),
            ("zhao", "赵强", ["agent"], ""),
            ("ban", "班长", ["supervisor"], ""),
            ("bian", "编辑", ["editor"], ""),
        ):
            session.add(
                Staff(login=login, name=name, password_hash=hashed, roles=roles, phone_uri=phone,
                      capacity=2, skills=[], created_at=clock.now)
            )  # fmt: skip


class Page:
    """One agent's page: what it sends, and what it waits for."""

    def __init__(self, office: Office, client: TestClient, login: str) -> None:
        self.office, self.client, self.login = office, client, login
        self.frames: list[Frame] = []
        self.desk: Frame = {"offer": None, "mine": [], "alarms": [], "callbacks": []}
        self.socket: WebSocketTestSession
        self._count = 0

    @property
    def token(self) -> str:
        key = self.office.app.state.site.key
        session = load(self.client.cookies["qianmen_staff"], key, self.office.now())
        assert session is not None
        return form_token(session.nonce, key)

    @contextmanager
    def open(self) -> Iterator[Frame]:
        """Connected: gives the welcome."""
        with self.client.websocket_connect("/desk/live", headers=ORIGIN) as self.socket:
            self.send(type="hello", token=self.token)
            yield self.until("welcome")

    def send(self, **fields: Any) -> None:
        self.socket.send_text(json.dumps(fields))

    def frame(self) -> Frame:
        frame: Frame = json.loads(self.socket.receive_text())
        if frame["type"] == "beat":
            self.send(type="ping")
        elif frame["type"] == "desk":
            frame = self.desk = {**self.desk, **frame}
        self.frames.append(frame)
        return frame

    def until(self, kind: str, fits: Callable[[Frame], object] = lambda _: True) -> Frame:
        """The next frame of that type that fits; others are kept in ``frames``."""
        while True:
            frame = self.frame()
            if frame["type"] == kind and fits(frame):
                return frame

    def ask(self, id_: str = "", **fields: Any) -> Frame:
        """Ask for something and wait for what became of it."""
        self._count += 1
        id_ = id_ or f"{self.login}-action-{self._count}"
        self.send(id=id_, **fields)
        while True:
            frame = self.frame()
            if frame["type"] in ("done", "refused") and frame["id"] == id_:
                return frame

    def sees(self, fits: Callable[[Frame], object]) -> Frame:
        """Wait until the desk stands so; perhaps it does already."""
        return self.desk if fits(self.desk) else self.until("desk", fits)

    @property
    def order(self) -> Frame:
        """The order as it was shown last."""
        last = next(one for one in reversed(self.frames) if one["type"] == "order")
        order: Frame = last["order"]
        return order

    def card(self, handoff: str) -> Frame:
        """The card of a citizen whom the agent has."""
        self.sees(lambda desk: any(one["handoff"] == handoff for one in desk["mine"]))
        return next(one for one in self.desk["mine"] if one["handoff"] == handoff)

    def online(self) -> None:
        """Sit down."""
        assert self.ask(type="status", value="online")["type"] == "done"

    def offered(self) -> Frame:
        """Wait for an offer."""
        offer: Frame = self.sees(lambda desk: desk["offer"])["offer"]
        return offer


class Desks:
    """Lets agents sign in, each in a browser of their own, on one web process."""

    def __init__(self, office: Office, stack: ExitStack) -> None:
        self._office = office
        self._first = stack.enter_context(TestClient(office.app, follow_redirects=False))

    def page(self, login: str) -> Page:
        """Signed in, the desk not yet open."""
        client = TestClient(self._office.app, follow_redirects=False)
        client.portal = self._first.portal  # one event loop: one process
        assert sign_in(client, login, PASSWORD) == 303
        return Page(self._office, client, login)


@pytest.fixture
def desks(office: Office, people: None) -> Iterator[Desks]:
    with ExitStack() as stack:
        yield Desks(office, stack)


def hand_over(
    office: Office, conversation: str, *, channel: str = "web", text: str = "转人工",
    reason: str = "asked", citizen: str = "",
) -> str:  # fmt: skip
    """A citizen asks for a person; the handoff's id."""
    now = office.now().astimezone(office.city.zone)
    with writing(office.engine) as session:
        session.add(
            Conversation(id=conversation, channel=channel, line="12345", citizen=citizen,
                         started_at=now, ended_at=None)
        )  # fmt: skip
        session.flush()
        session.add(
            Turn(conversation_id=conversation, speaker="citizen", kind="text", heard="h1",
                 text=text, at=now, audio_start_ms=None, audio_end_ms=None)
        )  # fmt: skip
    draft = OrderDraft(
        key=f"handoff:{conversation}", conversation=conversation, channel=channel, line="12345",
        kind="投诉", urgency="normal", title="楼下烧烤摊油烟扰民",
    )  # fmt: skip
    write_handoff(office.engine, draft, handoff=draft.key, reason=reason, now=now)
    office.loop.call_soon_threadsafe(office.app.state.site.floor.tell)
    return draft.key


def states(engine: Engine) -> dict[str, tuple[str, str]]:
    """State and agent of every handoff."""
    with reading(engine) as session:
        rows = session.scalars(select(HandoffEntry))
        return {row.id: (row.state, row.agent) for row in rows}
