"""Several at once: two agents, two dispatchers, a citizen who leaves while somebody clicks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from sqlalchemy import select

from handoff.queue import service
from handoff.queue.model import QueueError
from store.engine import reading
from store.tables import HandoffEntry, OrderEvent
from tests.handoff.queue.conftest import Hotline


def at_once(*works: Callable[[], object]) -> list[object]:
    """What each gives, begun in the same moment; of a refusal its code."""
    start = Barrier(len(works))

    def one(work: Callable[[], object]) -> object:
        start.wait(10)
        try:
            return work()
        except QueueError as error:
            return error.code

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(one, works))


def test_of_many_clicks_one_wins(hotline: Hotline) -> None:
    hotline.hire("li")
    handoff = hotline.call("c1")
    hotline.dispatch()
    offer = hotline.entry(handoff).offer

    def accept() -> str:
        return service.accept(hotline.engine, offer, "li", hotline.now, hotline.rules).state

    def decline() -> str:
        service.decline(hotline.engine, offer, "li", hotline.now)
        return "declined"

    def leave() -> str:
        service.abandoned(hotline.engine, "c1", hotline.now, hotline.rules)
        return "left"

    done = at_once(accept, decline, accept, leave)
    assert done[3] == "left"
    events = Counter(hotline.events("c1"))
    assert events["taken"] + events["declined"] <= 1
    assert (events["taken"], events["declined"]) == ("accepted" in done, "declined" in done)
    assert (hotline.entry(handoff).state, events["callback"]) == ("callback", 1)


def test_many_dispatchers_offer_everybody_once(hotline: Hotline) -> None:
    for number in range(6):
        hotline.hire(f"agent{number}")
    for number in range(9):
        hotline.call(f"c{number}", phone=f"1390000000{number}")
    changes = at_once(*[hotline.dispatch] * 4)
    offered = [
        (change.handoff, change.agent)
        for found in changes
        if isinstance(found, Sequence)
        for change in found
    ]
    assert len(offered) == len({handoff for handoff, _ in offered}) == 6
    assert len({agent for _, agent in offered}) == 6
    with reading(hotline.engine) as session:
        events = session.scalars(select(OrderEvent.event)).all()
        states = Counter(session.scalars(select(HandoffEntry.state)))
    assert Counter(events)["offered"] == 6
    assert states == {"offered": 6, "waiting": 3}


def test_nobody_is_lost_where_all_happens_together(hotline: Hotline) -> None:
    for number in range(4):
        hotline.hire(f"agent{number}", capacity=2)
    entries = [hotline.call(f"c{n}", channel="web") for n in range(8)]

    def work(number: int) -> Callable[[], object]:
        login = f"agent{number}"

        def go() -> object:
            for _ in range(6):
                hotline.dispatch()
                offer = service.desk_of(hotline.engine, login, hotline.now).offer
                if offer is not None:
                    service.accept(hotline.engine, offer.offer, login, hotline.now, hotline.rules)
            return None

        return go

    assert at_once(*(work(number) for number in range(4))) == [None] * 4
    hotline.dispatch()
    held = Counter(hotline.entry(each).agent for each in entries)
    assert all(count <= 2 for login, count in held.items() if login)
    for each in entries:
        assert hotline.entry(each).state in ("connected", "offered", "waiting")
        assert hotline.events(each.removeprefix("handoff:")).count("connected") <= 1
