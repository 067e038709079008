"""The same day, shortened, through the real service and database; and the rows both benches use."""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from config.queue import PHONE, QueueRules
from handoff.queue import service
from qianmen.bench.queueday import Arrival, Day, Plan, moment, staffing
from store.engine import open_engine, reading, upgrade, writing
from store.tables import Conversation, Staff, WorkOrder

RULES = QueueRules(
    vanish_s=86_400, sign_off_s=86_400, wrapup_call_s=0, wrapup_chat_s=0, busy_after_lapse=False
)
"""Nobody vanishes in virtual time, and wrap-up is part of the handling time."""


class BenchError(Exception):
    """It cannot be measured; ``code`` is stable: database_not_empty."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@contextmanager
def fresh_database(url: str = "") -> Iterator[Engine]:
    """A database on the newest schema: a file that goes again, or ``url``'s, an empty one."""
    with tempfile.TemporaryDirectory(prefix="qianmen-queue-") as folder:
        engine = open_engine(url or f"sqlite:///{Path(folder) / 'queue.sqlite3'}")
        try:
            upgrade(engine)
            _check_empty(engine)
            yield engine
        finally:
            engine.dispose()


def _check_empty(engine: Engine) -> None:
    with reading(engine) as session:
        if session.scalar(select(Staff.id).limit(1)) is not None:
            raise BenchError("database_not_empty", "这个数据库里已经有人，请另建一个空的")


def hire(engine: Engine, logins: list[str], now: datetime, *, capacity: int = 1) -> None:
    """Agents with a telephone, not signed in yet."""
    with writing(engine) as session:
        for login in logins:
            session.add(
                Staff(login=login, name=login, password_hash="-", roles=["agent"],  # noqa: S106  # nobody signs in with it
                      skills=[],
                      phone_uri=f"sip:{login}@127.0.0.1", capacity=capacity, active=True,
                      created_at=now),
            )  # fmt: skip


def arrive(
    session: Session, name: str, now: datetime, rules: QueueRules, channel: str = PHONE
) -> str:
    """A call (or a chat), its order and its entry in the queue; the entry's id."""
    session.add(Conversation(id=name, channel=channel, citizen="", started_at=now, ended_at=None))
    session.flush()
    session.add(
        WorkOrder(id=name, key=name, number=name, conversation_id=name, channel=channel,
                  kind="咨询", urgency="normal", title="", created_at=now),
    )  # fmt: skip
    session.flush()
    return service.enter(
        session, handoff=name, conversation=name, order=name, channel=channel, reason="asked",
        urgency="normal", now=now, rules=rules,
    )  # fmt: skip


class ServiceDay:
    """Calls and shifts as in ``queueday.Simulation``, but every step is the service's."""

    def __init__(self, engine: Engine, plan: Plan, calls: tuple[Arrival, ...]) -> None:
        self._engine = engine
        self._calls = calls
        staff = staffing(plan)
        self._logins = [f"a{number:04d}" for number in range(max(staff))]
        hire(engine, self._logins, moment(0))
        first, last = int(calls[0].at // 3600), int(calls[-1].at // 3600)
        self._events: list[tuple[float, int, str]] = [
            (hour * 3600.0, -1, str(staff[hour])) for hour in range(first, last + 1)
        ]
        self._events += [(call.at, index, "") for index, call in enumerate(calls)]
        heapq.heapify(self._events)
        self._talks: dict[str, str] = {}
        self._taken: set[str] = set()
        self._waits: list[float] = []
        self._doubled = 0

    def run(self) -> Day:
        """Until the last call is answered and over."""
        while self._events:
            at, index, agent = heapq.heappop(self._events)
            if index < 0:
                self._shift(int(agent), at)
            elif agent:
                service.finish(self._engine, self._talks.pop(agent), agent, "answered", "",
                               moment(at), RULES)  # fmt: skip
            else:
                with writing(self._engine) as session:
                    arrive(session, str(index), moment(at), RULES)
            self._dispatch(at)
        return Day(tuple(self._waits), self._doubled, len(self._calls) - len(self._waits))

    def _shift(self, count: int, at: float) -> None:
        for number, login in enumerate(self._logins):
            status = "online" if number < count else "busy"
            service.set_status(self._engine, login, status, moment(at), RULES)

    def _dispatch(self, at: float) -> None:
        for change in service.dispatch(self._engine, RULES, moment(at)):
            if change.kind == "offered":
                self._take(change.handoff, change.agent, at)

    def _take(self, handoff: str, agent: str, at: float) -> None:
        offer = service.desk_of(self._engine, agent, moment(at)).offer
        self._doubled += handoff in self._taken or agent in self._talks or offer is None
        self._taken.add(handoff)
        service.accept(self._engine, offer.offer if offer else "", agent, moment(at), RULES)
        service.connected(self._engine, handoff, moment(at))
        self._talks[agent] = handoff
        call = self._calls[int(handoff)]
        self._waits.append(at - call.at)
        heapq.heappush(self._events, (at + call.takes_s, len(self._calls), agent))
