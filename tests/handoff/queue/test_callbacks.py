"""Call-backs: once a number, taken by one, tried again, closed when the citizen gets through."""

from __future__ import annotations

import pytest

from handoff.alarms import open_alarms
from handoff.queue import service
from handoff.queue.model import QueueError
from tests.handoff.queue.conftest import Hotline

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""What is asked of the database here is plain: once is enough."""


def left(hotline: Hotline, name: str, phone: str = "13912345678", **how: str) -> int:
    """Somebody calls, waits in vain and hangs up; the newest call-back's id."""
    hotline.call(name, phone=phone, **how)
    hotline.end(name)
    return hotline.callbacks()[-1].id


def test_a_callback_is_taken_by_one_and_done(hotline: Hotline) -> None:
    hotline.hire("li")
    hotline.hire("wang")
    one = left(hotline, "c1")
    (row,) = service.open_callbacks(hotline.engine, hotline.now)
    assert (row.phone, row.reason, row.calls, row.overdue) == ("13912345678", "abandoned", 1, False)
    for _ in range(2):
        assert service.take_callback(hotline.engine, one, "li", hotline.now).agent == "li"
    with pytest.raises(QueueError, match="offer_gone"):
        service.take_callback(hotline.engine, one, "wang", hotline.now)
    with pytest.raises(QueueError, match="not_yours"):
        service.finish_callback(hotline.engine, one, "wang", True, "", hotline.now, hotline.rules)
    call = hotline.call("c2", phone="13700001111")
    assert hotline.offered(call) == "wang"  # who calls back is on the telephone
    done = service.finish_callback(
        hotline.engine, one, "li", True, "已答复", hotline.now, hotline.rules
    )
    assert (done.state, done.note) == ("done", "已答复")
    assert service.open_callbacks(hotline.engine, hotline.now) == ()
    assert hotline.events("c1")[-2:] == ["callback_taken", "callback_done"]
    with pytest.raises(QueueError, match="entry_changed"):
        service.finish_callback(hotline.engine, one, "li", True, "", hotline.now, hotline.rules)


def test_who_is_not_reached_is_called_again_until_it_is_enough(hotline: Hotline) -> None:
    hotline.hire("li")
    one = left(hotline, "c1")
    states = []
    for _ in range(hotline.rules.callbacks.tries):
        service.take_callback(hotline.engine, one, "li", hotline.now)
        row = service.finish_callback(
            hotline.engine, one, "li", False, "", hotline.now, hotline.rules
        )
        states.append((row.state, row.tries))
        assert not [one for one in open_alarms(hotline.engine) if one.kind == "callback_failed"
                    and row.state == "open"]  # fmt: skip
    assert states == [("open", 1), ("open", 2), ("failed", 3)]
    assert service.open_callbacks(hotline.engine, hotline.now) == ()
    assert "callback_failed" in {one.kind for one in open_alarms(hotline.engine)}


def test_the_same_number_is_called_back_once_however_it_is_written(hotline: Hotline) -> None:
    for name, phone in (("c1", "13912345678"), ("c2", "+86 139 1234 5678"), ("c3", "13700001111")):
        left(hotline, name, phone)
    assert [(row.phone, row.calls) for row in hotline.callbacks()] == [
        ("13912345678", 2), ("13700001111", 1),
    ]  # fmt: skip


def test_who_gets_through_meanwhile_is_called_no_more(hotline: Hotline) -> None:
    left(hotline, "c1")
    left(hotline, "c2", "13700001111")
    hotline.hire("li")
    again = hotline.call("c3")
    hotline.dispatch()
    hotline.take(again)
    assert [row.state for row in hotline.callbacks()] == ["done", "open"]
    assert hotline.events("c1")[-1] == "callback_met"


def test_a_callback_may_be_asked_for_instead_of_waiting(hotline: Hotline) -> None:
    handoff = hotline.call("c1", channel="web", phone="w-1")
    rules = hotline.rules
    assert not service.ask_callback(hotline.engine, "c1", "withheld", hotline.now, rules)
    assert not service.ask_callback(hotline.engine, "nobody", "13912345678", hotline.now, rules)
    assert service.ask_callback(hotline.engine, "c1", "139-1234-5678", hotline.now, rules)
    assert not service.ask_callback(hotline.engine, "c1", "13912345678", hotline.now, rules)
    assert (hotline.entry(handoff).state, hotline.talk("c1")) == ("callback", "bot")
    assert [(row.phone, row.reason) for row in hotline.callbacks()] == [("13912345678", "asked")]
    hotline.hire("li")
    assert hotline.dispatch() == ()


def test_an_overdue_callback_is_shown_to_people_once(hotline: Hotline) -> None:
    left(hotline, "c1")
    hotline.pass_s(hotline.rules.callbacks.within_s + 1)
    assert [change.kind for change in hotline.dispatch()] == ["alarmed"]
    assert hotline.dispatch() == ()
    assert hotline.alarms() == ["callback_overdue"]
    assert service.open_callbacks(hotline.engine, hotline.now)[0].overdue


def test_danger_is_called_back_at_once(hotline: Hotline) -> None:
    left(hotline, "c1")
    left(hotline, "c2", urgency="danger")
    (row,) = hotline.callbacks()
    assert row.due_at is not None
    assert (row.due_at - hotline.now).total_seconds() == hotline.rules.callbacks.danger_within_s


def test_a_callback_that_nobody_finishes_is_open_again(hotline: Hotline) -> None:
    hotline.hire("li")
    one = left(hotline, "c1")
    service.take_callback(hotline.engine, one, "li", hotline.now)
    hotline.pass_s(hotline.rules.callbacks.taken_s, "li")
    assert [change.kind for change in hotline.dispatch()] == ["reopened"]
    assert [row.state for row in hotline.callbacks()] == ["open"]


def test_refusals_of_callbacks_have_codes(hotline: Hotline) -> None:
    hotline.hire("li")
    one = left(hotline, "c1")
    with pytest.raises(QueueError, match="entry_unknown"):
        service.take_callback(hotline.engine, 99, "li", hotline.now)
    with pytest.raises(QueueError, match="agent_unknown"):
        service.take_callback(hotline.engine, one, "ghost", hotline.now)
    with pytest.raises(QueueError, match="entry_changed"):
        service.finish_callback(hotline.engine, one, "li", True, "", hotline.now, hotline.rules)
