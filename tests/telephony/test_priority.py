"""Real-time priority for the pacing thread alone, and no harm where it is refused."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator

import pytest

from telephony.priority import SWITCH_S, take_priority


@pytest.fixture(autouse=True)
def usual_interval() -> Iterator[None]:
    before = sys.getswitchinterval()
    yield
    sys.setswitchinterval(before)


def test_only_the_thread_that_asks_has_it() -> None:
    seen: dict[str, int] = {}

    def pacing() -> None:
        if not take_priority():
            return
        seen["asked"] = os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK
        writer = threading.Thread(target=lambda: seen.update(writer=os.sched_getscheduler(0)))
        writer.start()
        writer.join()

    thread = threading.Thread(target=pacing)
    thread.start()
    thread.join()
    if not seen:
        pytest.skip("not permitted here")
    assert seen == {"asked": os.SCHED_RR, "writer": os.SCHED_OTHER}
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


def test_refused_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", refused)
    assert not take_priority()
    assert sys.getswitchinterval() == pytest.approx(SWITCH_S)
