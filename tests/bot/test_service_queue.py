"""Where citizens stand, on the real queue: hundreds who look cost one reading."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pytest
from sqlalchemy import Engine, event

from bot import records
from bot.records import Opening
from bot.service_queue import FRESH_S, ServiceQueue
from config.city import City
from handoff.orders import write_handoff
from handoff.queue import service
from store.engine import writing
from store.tables import Staff
from turns.orders import OrderDraft


@dataclass
class Clock:
    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s


def waits(engine: Engine, name: str, now: datetime, urgency: str = "normal") -> None:
    records.open_conversation(engine, Opening(name, "web", "12345", f"web:{name}", now))
    draft = OrderDraft(f"k{name}", name, "web", "12345", "投诉", urgency, "油烟")  # type: ignore[arg-type]  # an Urgency
    write_handoff(engine, draft, handoff=f"handoff:{name}", reason="asked", now=now)


def sign_in(engine: Engine, city: City, now: datetime) -> None:
    with writing(engine) as session:
        session.add(Staff(login="zhang", name="张敏", password_hash="", roles=["agent"],
                          created_at=now))  # fmt: skip
    service.set_status(engine, "zhang", "online", now, city.queue)


def test_it_tells_what_the_queue_tells(engine: Engine, city: City, now: datetime) -> None:
    clock = Clock()
    queue = ServiceQueue(engine, city.queue, lambda: True, clock)
    assert queue.standing("c0", now) is None
    sign_in(engine, city, now)
    for name in ("c0", "c1", "c2"):
        waits(engine, name, now)
    waits(engine, "c3", now, "danger")
    for name in ("c0", "c1", "c2", "c3"):
        found = queue.standing(name, now)
        told = service.standing(engine, name, now, city.queue)
        assert found is not None
        assert told is not None
        assert (found.position, found.estimate_s) == (told.position, told.estimate_s)
        assert found.staffed
    danger = queue.standing("c3", now)
    assert danger is not None
    assert (danger.position, danger.urgency) == (1, "danger")


def test_whoever_takes_them_is_known_at_once(engine: Engine, city: City, now: datetime) -> None:
    queue = ServiceQueue(engine, city.queue, lambda: True)
    sign_in(engine, city, now)
    waits(engine, "c0", now)
    assert queue.standing("c0", now) is not None
    service.dispatch(engine, city.queue, now)
    offer = service.desk_of(engine, "zhang", now, city.queue).offer
    assert offer is not None
    service.accept(engine, offer.offer, "zhang", now, city.queue)
    taken = queue.standing("c0", now)
    assert taken is not None
    assert (taken.state, taken.position, taken.agent_name) == ("connected", 0, "张敏")
    service.finish(engine, taken.handoff, "zhang", "answered", "", now, city.queue)
    assert queue.standing("c0", now) is None


def test_many_who_look_cost_one_reading(engine: Engine, city: City, now: datetime) -> None:
    clock = Clock()
    queue = ServiceQueue(engine, city.queue, lambda: True, clock)
    names = [f"c{n}" for n in range(30)]
    for name in names:
        waits(engine, name, now)
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    for name in names:
        assert queue.standing(name, now) is not None
    first = len(asked)
    assert first < 3 * len(names)  # their own entry each, and what a transaction takes
    clock.now_s += FRESH_S + 1
    assert queue.standing("c0", now) is not None
    assert len(asked) - first > 3  # it has looked again


@pytest.mark.parametrize("reached", [True, False])
def test_without_redis_nobody_is_there(
    engine: Engine, city: City, now: datetime, reached: bool
) -> None:
    queue = ServiceQueue(engine, city.queue, lambda: reached)
    sign_in(engine, city, now)
    assert queue.staffed("web", now) is reached
    waits(engine, "c0", now)
    standing = queue.standing("c0", now)
    assert standing is not None
    assert standing.staffed is reached
    assert standing.attended  # a desk looks once a second by itself
