"""Anything may happen in any order: no citizen has two, none is lost, no agent has too many."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select

from config.queue import QueueRules
from handoff.queue import service
from handoff.queue.model import ACTIVE, OPEN, Entry, QueueError
from handoff.queue.rows import entry_of
from store.engine import open_engine, reading, writing
from store.tables import Callback, Conversation, HandoffEntry
from tests.conftest import NOON
from tests.handoff.queue.conftest import Hotline

AGENTS = {"a0": 1, "a1": 1, "a2": 3}
STATE_OF = {"connected": "agent", **dict.fromkeys(OPEN, "waiting")}
TALKS = ["finish", "back", "transfer", "part", "ready"]
WHO = st.sampled_from(sorted(AGENTS))
TEMPLATE: list[Path] = []


def refusal(work: Callable[[], object]) -> str:
    """The code with which ``work`` is refused; '' where it is done."""
    try:
        work()
    except QueueError as error:
        return error.code
    return ""


class Machine(RuleBasedStateMachine):
    """A hotline with three agents to whom anything may happen."""

    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="qianmen-queue-"))
        shutil.copyfile(TEMPLATE[0], self.folder / "queue.sqlite3")
        engine = open_engine(f"sqlite:///{self.folder / 'queue.sqlite3'}")
        self.line = Hotline(engine, NOON, QueueRules())
        self.present = set(AGENTS)
        self.citizens = 0
        for login, capacity in AGENTS.items():
            self.line.hire(login, capacity=capacity)

    def teardown(self) -> None:
        if hasattr(self, "line"):
            self.line.engine.dispose()
            shutil.rmtree(self.folder)

    @property
    def now(self) -> datetime:
        return self.line.now

    def entries(self, *states: str) -> list[Entry]:
        with reading(self.line.engine) as session:
            rows = session.scalars(
                select(HandoffEntry)
                .where(HandoffEntry.state.in_(states or ACTIVE))
                .order_by(HandoffEntry.created_at, HandoffEntry.id)
            )
            return [entry_of(row) for row in rows]

    @rule(channel=st.sampled_from(["phone", "web"]), urgency=st.sampled_from(["normal", "danger"]),
          number=st.integers(0, 3))  # fmt: skip
    def somebody_comes(self, channel: str, urgency: str, number: int) -> None:
        self.citizens += 1
        phone = f"1390000000{number}" if channel == "phone" else ""
        self.line.call(f"c{self.citizens}", channel=channel, urgency=urgency, phone=phone)

    @precondition(lambda self: self.citizens > 0)
    @rule(data=st.data())
    def somebody_asks_again(self, data: st.DataObject) -> None:
        name = f"c{data.draw(st.integers(1, self.citizens))}"
        with reading(self.line.engine) as session:
            row = session.get_one(Conversation, name)
            channel, over = row.channel, row.ended_at is not None
        if not over:
            self.line.call(name, channel=channel)

    @precondition(lambda self: self.citizens > 0)
    @rule(data=st.data())
    def somebody_leaves(self, data: st.DataObject) -> None:
        self.line.end(f"c{data.draw(st.integers(1, self.citizens))}")

    @rule()
    def dispatched(self) -> None:
        self.line.dispatch()
        assert self.line.dispatch() == (), "what was due is done"

    @rule(seconds=st.sampled_from([1, 5, 14, 21, 80, 1000]))
    def time_passes(self, seconds: int) -> None:
        for _ in range(0, seconds, 14):  # desks give signs of life meanwhile
            self.line.pass_s(min(seconds, 14), *self.present)

    @rule(login=WHO)
    def a_desk_vanishes(self, login: str) -> None:
        self.present.discard(login)

    @rule(login=WHO, status=st.sampled_from(["online", "online", "busy", "break", "offline"]))
    def a_status_is_chosen(self, login: str, status: str) -> None:
        self.present.add(login)
        service.set_status(self.line.engine, login, status, self.now, self.line.rules)

    @precondition(lambda self: self.entries("offered"))
    @rule(data=st.data(), login=WHO)
    def an_offer_is_clicked(self, data: st.DataObject, login: str) -> None:
        entry = data.draw(st.sampled_from(self.entries("offered")))
        by = data.draw(st.sampled_from([entry.agent, entry.agent, login]))
        engine, now, rules = self.line.engine, self.now, self.line.rules
        if data.draw(st.booleans()):
            code = refusal(lambda: service.accept(engine, entry.offer, by, now, rules))
        else:
            code = refusal(lambda: service.decline(engine, entry.offer, by, now))
        assert code == ("" if by == entry.agent else "not_yours")

    @precondition(lambda self: self.entries("accepted"))
    @rule(data=st.data(), answered=st.booleans())
    def a_telephone_rings(self, data: st.DataObject, answered: bool) -> None:
        entry = data.draw(st.sampled_from(self.entries("accepted")))
        if answered:
            service.connected(self.line.engine, entry.handoff, self.now, agent=entry.agent)
        else:
            service.phone_failed(self.line.engine, entry.handoff, "busy", self.now, self.line.rules)

    @precondition(lambda self: self.entries("connected", "wrapup"))
    @rule(
        data=st.data(),
        what=st.sampled_from(["finish", "back", "transfer", "part", "ready"]),
        to=WHO,
    )
    def a_talk_goes_on(self, data: st.DataObject, what: str, to: str) -> None:
        entry = data.draw(st.sampled_from(self.entries("connected", "wrapup")))
        engine, rules, now = self.line.engine, self.line.rules, self.now
        name, login = entry.handoff, entry.agent
        works: dict[str, Callable[[], object]] = {
            "finish": lambda: service.finish(engine, name, login, "answered", "", now, rules),
            "back": lambda: service.give_back(engine, name, login, "", now),
            "transfer": lambda: service.transfer(
                engine, name, login, to_agent=to, now=now, rules=rules
            ),
            "part": self._part(entry.conversation),
            "ready": lambda: service.ready(engine, login, now),
        }
        assert refusal(works[what]) in ("", "entry_changed", "target_unknown", "not_staffed")

    def _part(self, conversation: str) -> Callable[[], object]:
        def work() -> None:
            with writing(self.line.engine) as session:
                service.part(session, conversation, self.now, self.line.rules)

        return work

    @invariant()
    def nobody_has_too_many(self) -> None:
        if not hasattr(self, "line"):
            return
        held: Counter[tuple[str, bool]] = Counter()
        for entry in self.entries():
            assert (entry.state == "waiting") == (entry.agent == ""), entry
            assert (entry.state == "offered") <= (entry.offer != ""), entry
            if entry.agent:
                held[entry.agent, entry.is_call] += 1
        for login, capacity in AGENTS.items():
            assert held[login, True] <= 1
            assert held[login, False] <= capacity
            assert not (held[login, True] and held[login, False])

    @invariant()
    def nobody_is_lost_and_nobody_counted_twice(self) -> None:
        if not hasattr(self, "line"):
            return
        active = Counter(entry.conversation for entry in self.entries())
        assert all(count == 1 for count in active.values())
        with reading(self.line.engine) as session:
            talks = session.scalars(select(Conversation)).all()
            open_numbers = Counter(
                session.scalars(select(Callback.phone).where(Callback.state == "open"))
            )
        assert all(count == 1 for count in open_numbers.values())
        state = {entry.conversation: entry.state for entry in self.entries()}
        for talk in talks:
            if talk.ended_at is not None:
                assert talk.id not in state, "who is gone waits no more"
            elif talk.id in state:
                assert talk.state == STATE_OF[state[talk.id]], talk.id
            else:
                assert talk.state == "bot", talk.id


@pytest.fixture(scope="module", autouse=True)
def _template(sqlite_template: Path) -> None:
    TEMPLATE[:] = [sqlite_template]


Machine.TestCase.settings = settings(
    max_examples=8, stateful_step_count=30, deadline=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
TestMachine = Machine.TestCase


def work(hotline: Hotline, login: str, turn: int) -> None:
    """What an agent does who is not always attentive."""
    desk = service.desk_of(hotline.engine, login, hotline.now)
    if desk.status == "busy":
        service.set_status(hotline.engine, login, "online", hotline.now, hotline.rules)
    if desk.offer is not None and turn % 5:
        if turn % 7 == 0:
            service.decline(hotline.engine, desk.offer.offer, login, hotline.now)
        else:
            hotline.take(desk.offer.handoff)
    for entry in desk.mine:
        if entry.state == "connected" and turn % 3 == 0:
            service.finish(hotline.engine, entry.handoff, login, "answered", "",
                           hotline.now, hotline.rules)  # fmt: skip


def test_in_the_end_everybody_was_served(hotline: Hotline) -> None:
    """Two agents who decline, miss and vanish now and then: the queue still empties."""
    hotline.hire("li")
    hotline.hire("wang", capacity=2)
    names = [f"c{n}" for n in range(12)]
    for number, name in enumerate(names):
        hotline.call(name, channel="web" if number % 3 else "phone", phone=f"139000000{number:02}")
    for turn in range(200):
        hotline.pass_s(5, *([] if turn % 17 < 4 else ["li"]), "wang")
        hotline.dispatch()
        for login in ("li", "wang"):
            work(hotline, login, turn)
        if all(hotline.entry(f"handoff:{name}").state == "done" for name in names):
            break
    states = {name: hotline.entry(f"handoff:{name}").state for name in names}
    assert set(states.values()) == {"done"}, states
    waits = [hotline.entry(f"handoff:{name}") for name in names]
    assert all(e.connected_at and e.connected_at - e.created_at < timedelta(1) for e in waits)
