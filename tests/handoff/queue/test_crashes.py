"""A process that dies before any statement or at the commit leaves all or nothing; again, it works.

Dying is an error raised where the statement would have been sent: the transaction is gone, as it
is with the process.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from zlib import crc32

import pytest
from sqlalchemy import event

from handoff.queue import service
from handoff.queue.model import Entry
from store.engine import writing
from tests.handoff.queue.conftest import Hotline

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
_MOST = 60


class DiedError(Exception):
    """The process is gone."""


def dies_at(hotline: Hotline, number: int, work: Callable[[], object]) -> bool:
    """Do ``work`` in a process that dies at its ``number``-th statement; whether it did."""
    seen = 0

    def count(*_: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            raise DiedError

    names = ("before_cursor_execute", "commit")
    for name in names:
        event.listen(hotline.engine, name, count)
    try:
        work()
    except DiedError:
        return True
    finally:
        for name in names:
            event.remove(hotline.engine, name, count)
    return False


def ready_for(hotline: Hotline, step: str, name: str) -> tuple[str, Callable[[], object]]:
    """A citizen for whom ``step`` is what comes next, and the step."""
    engine, rules = hotline.engine, hotline.rules
    phone = f"139{crc32(name.encode()) % 10**8:08d}"
    handoff = f"handoff:{name}"
    if step == "enter":
        return handoff, lambda: hotline.call(name, phone=phone)
    hotline.call(name, phone=phone)
    if step == "dispatch":
        return handoff, hotline.dispatch
    if step == "leave":
        return handoff, lambda: service.abandoned(engine, name, hotline.now, rules)
    hotline.dispatch()
    entry = hotline.entry(handoff)
    if step == "accept":
        return handoff, lambda: service.accept(engine, entry.offer, entry.agent, hotline.now)
    service.accept(engine, entry.offer, entry.agent, hotline.now)
    if step == "phone_failed":
        return handoff, lambda: service.phone_failed(engine, handoff, "busy", hotline.now, rules)
    if step == "connected":
        return handoff, lambda: service.connected(engine, handoff, hotline.now)
    service.connected(engine, handoff, hotline.now)
    if step == "transfer":
        return handoff, lambda: service.transfer(
            engine, handoff, "li", to_agent="wang", now=hotline.now, rules=rules
        )
    return handoff, lambda: service.finish(
        engine, handoff, "li", "answered", "", hotline.now, rules
    )


def core_of(entry: Entry) -> Entry:
    """What two citizens with the same fate have in common."""
    alike = dict.fromkeys(("handoff", "conversation", "order", "offer", "agent"), "")
    return replace(entry, **alike)  # type: ignore[arg-type]  # all of them text


def tidy(hotline: Hotline, name: str) -> None:
    """Nobody of ``name`` is left, and li is at their desk."""
    with writing(hotline.engine) as session:
        service.leave(session, name, hotline.now, hotline.rules)
    service.ready(hotline.engine, "li", hotline.now)
    for status in ("busy", "online"):
        service.set_status(hotline.engine, "li", status, hotline.now, hotline.rules)


@pytest.mark.parametrize(
    "step",
    ["enter", "dispatch", "accept", "connected", "phone_failed", "transfer", "finish", "leave"],
)
def test_all_or_nothing_and_again_it_works(hotline: Hotline, step: str) -> None:
    hotline.hire("li")
    hotline.hire("wang", status="busy")
    handoff, work = ready_for(hotline, step, "whole")
    work()
    whole, steps = hotline.entry(handoff), hotline.events("whole")
    tidy(hotline, "whole")
    for number in range(1, _MOST):
        name = f"c{number}"
        handoff, work = ready_for(hotline, step, name)
        died = dies_at(hotline, number, work)
        if died:
            work()  # by another process, or the same one started again
        if step != "transfer":  # of which the second is refused: it is theirs no more
            work()
        assert core_of(hotline.entry(handoff)) == core_of(whole), number
        assert hotline.events(name) == steps, number
        tidy(hotline, name)
        if not died:
            assert number > 3
            return
    pytest.fail("it takes too many statements to be tried")
