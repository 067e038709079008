"""kill -9 between any two steps: an order is there once and whole, or is not there and waits."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest
from sqlalchemy import Engine, event, select

from config.city import City
from config.links import Links, Party
from config.orders import OrderRules
from handoff.order import deeds
from handoff.order.journal import Kept, drain, keep, waiting
from handoff.orders import write, write_handoff
from store.engine import open_engine, reading, writing
from store.tables import (
    Alarm,
    Conversation,
    HandoffEntry,
    Linkage,
    OrderEvent,
    Outbox,
    WorkOrder,
    WorkOrderField,
)
from turns.orders import OrderDraft, OrderField, Provenance

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
MOST = 80
"""No deed here takes as many steps."""


def draft() -> OrderDraft:
    field = OrderField("phone", "13912345678", Provenance("h1", "幺三九", NOON, 0.9, "form.phone"))
    return OrderDraft("handoff:c1", "c1", "web", "12345", "求助", "danger", "煤气", fields=(field,))


def linked(city: City) -> City:
    party = Party(name="110", label="公安110", url="http://127.0.0.1:9/x")
    return city.model_copy(update={"links": Links(parties=(party,))})


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still alive")


def in_child(work: Callable[[], object]) -> bool:
    """Do ``work`` in a process of its own; whether it lived to the end."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001  # no test goes on in a child
            os._exit(3)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return False
    assert os.WEXITSTATUS(status) == 0, "the work itself failed"
    return True


class Fatal:
    """Counts calls of the system and kills the process at one of them, before or after it."""

    def __init__(self, at: int) -> None:
        self.left = at

    def over(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*words: Any, **named: Any) -> Any:
            self.count()
            result = real(*words, **named)
            self.count()
            return result

        return call

    def count(self) -> None:
        self.left -= 1
        if not self.left:
            die()


class UndoneError(Exception):
    """Raised instead of a commit."""


def warmed(engine: Engine, work: Callable[[Engine], object]) -> None:
    """Do ``work`` and undo it: its statements are compiled then, for all children."""

    def undo(_: Any) -> NoReturn:
        raise UndoneError

    event.listen(engine, "commit", undo)
    with pytest.raises(UndoneError):
        work(engine)
    event.remove(engine, "commit", undo)
    engine.dispose()


def deadly(engine: Engine, at: int) -> Engine:
    """The process is killed before the ``at``-th statement or commit from here (from 1)."""
    fatal = Fatal(at)
    for name in ("before_cursor_execute", "commit"):
        event.listen(engine, name, lambda *_: fatal.count())
    return engine


def killed_everywhere(
    engine: Engine, work: Callable[[Engine], object], check: Callable[[], None]
) -> int:
    """Kill ``work`` at its first step, its second …; ``check`` after each; how many there were."""
    warmed(engine, work)
    for step in range(1, MOST):
        if in_child(lambda step=step: work(deadly(engine, step))):  # type: ignore[misc]  # bound at once
            return step - 1
        check()
        engine.dispose()
    raise AssertionError("too many steps")


def one_whole_order(engine: Engine) -> None:
    with reading(engine) as session:
        order = session.scalars(select(WorkOrder)).one()
        assert order.number == "2026112000001"
        assert session.scalars(select(WorkOrderField.name)).all() == ["phone"]
        assert session.scalars(select(HandoffEntry.order_id)).all() == [order.id]
        assert session.scalars(select(Linkage.party)).all() == ["110"]
        events = list(session.scalars(select(OrderEvent.event)))
        assert (events.count("accepted"), events.count("handed_over")) == (1, 1)
        topics = sorted(session.scalars(select(Outbox.topic)))
        assert topics == ["handoff.requested", "order.created", "order.danger"]


def nothing(engine: Engine) -> None:
    with reading(engine) as session:
        for table in (WorkOrder, WorkOrderField, HandoffEntry, Linkage, OrderEvent, Outbox):
            assert session.scalars(select(table)).first() is None


def test_a_handover_killed_anywhere_is_not_there_and_then_once(engine: Engine, city: City) -> None:
    with writing(engine) as session:
        session.add(Conversation(id="c1", channel="web", started_at=NOON))
    city = linked(city)

    def work(dying: Engine) -> object:
        return write_handoff(dying, draft(), handoff="h", reason="danger", now=NOON, city=city,
                             danger="gas")  # fmt: skip

    steps = killed_everywhere(engine, work, lambda: nothing(engine))
    assert steps > 10
    one_whole_order(engine)
    work(engine)  # asked again, as who was told nothing does
    one_whole_order(engine)


@pytest.mark.parametrize("deed", ["dispatch", "merge", "edit"])
def test_a_deed_killed_anywhere_is_wholly_done_or_not_at_all(engine: Engine, deed: str) -> None:
    with writing(engine) as session:
        session.add(Conversation(id="c1", channel="web", started_at=NOON))
    number, main = (
        write(engine, OrderDraft(key, "c1", "web", "", "投诉", "normal", "油烟"), now=NOON).number
        for key in ("a", "b")
    )

    def work(dying: Engine) -> object:
        if deed == "edit":
            changes = {"title": "夜间油烟", "what": "油烟大"}
            return deeds.edit(dying, number, changes, by="wang", now=NOON)
        values: dict[str, Any] = {"department": "公安局"} if deed == "dispatch" else {"into": main}
        return deeds.do(dying, number, deed, by="wang", now=NOON, rules=OrderRules(), **values)

    def check() -> None:
        assert states() == (1, ["accepted"], 0)

    def states() -> tuple[int, list[str], int]:
        with reading(engine) as session:
            row = session.scalars(select(WorkOrder).where(WorkOrder.number == number)).one()
            events = session.scalars(select(OrderEvent.event).where(OrderEvent.order_id == row.id))
            told = session.scalars(select(Outbox.id).where(Outbox.topic == "order.changed"))
            return row.edition, list(events), len(told.all())

    killed_everywhere(engine, work, check)
    name = "edited" if deed == "edit" else deed
    assert states() == (2, ["accepted", name], 1)


def kept() -> Kept:
    return Kept(draft(), NOON, handoff="h", reason="danger", danger="gas")


def test_keeping_killed_anywhere_leaves_a_whole_order_or_none(tmp_path: Path) -> None:
    outcomes = set()

    def work(at: int) -> None:
        fatal = Fatal(at)
        for name in ("open", "fsync", "link"):
            setattr(os, name, fatal.over(getattr(os, name)))
        keep(tmp_path / str(at), kept())

    for at in range(1, MOST):
        lived = in_child(lambda at=at: work(at))  # type: ignore[misc]  # bound at once
        found = waiting(tmp_path / str(at))
        assert len(found) <= 1
        outcomes.add(len(found))
        if lived:
            break
    assert lived
    assert outcomes == {0, 1}


def test_draining_killed_anywhere_writes_once(
    engine: Engine, database: str, tmp_path: Path, city: City
) -> None:
    city = linked(city)
    later = NOON + timedelta(minutes=1)
    keep(tmp_path, kept())
    engine.dispose()
    real_unlink = Path.unlink

    def work(at: int) -> None:
        fatal = Fatal(at)
        Path.unlink = fatal.over(real_unlink)  # type: ignore[method-assign]  # dies in the child
        os.fsync = fatal.over(os.fsync)
        dying = open_engine(database)
        for name in ("before_cursor_execute", "commit"):
            event.listen(dying, name, lambda *_: fatal.count())
        drain(dying, tmp_path, later, city=city)

    for at in range(1, MOST):
        if not waiting(tmp_path):
            break
        in_child(lambda at=at: work(at))  # type: ignore[misc]  # bound at once
    drain(engine, tmp_path, later, city=city)
    assert waiting(tmp_path) == ()
    one_whole_order(engine)
    with reading(engine) as session:
        assert session.scalars(select(Alarm.kind)).all() == ["order_late"]
