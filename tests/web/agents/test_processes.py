"""Several web processes and no Redis: the database alone holds the desks and the queue together."""

from __future__ import annotations

import asyncio

import pytest
from starlette.websockets import WebSocketDisconnect

from handoff.orders import write_handoff
from handoff.queue import service
from store.engine import writing
from store.tables import Conversation
from tests.fakes.office import Office
from tests.web.agents.conftest import Desks
from turns.orders import OrderDraft


def test_a_window_at_another_process_takes_over(desks: Desks, office: Office) -> None:
    page = desks.page("li")
    with page.open():
        floor = office.app.state.site.floor
        check = asyncio.run_coroutine_threadsafe(floor.check_windows(), office.loop)
        check.result(60)
        page.online()  # nobody else has opened one: it stays
        service.open_desk(office.engine, "li", "a window elsewhere", office.now())
        asyncio.run_coroutine_threadsafe(floor.check_windows(), office.loop).result(60)
        assert page.until("closing")["code"] == "taken_over"
        with pytest.raises(WebSocketDisconnect) as closed:
            page.frame()
        assert closed.value.code == 4409
    assert service.desks_of(office.engine, ["li"]) == {"li": "a window elsewhere"}


def test_the_window_that_was_opened_last_is_the_agents(desks: Desks, office: Office) -> None:
    service.open_desk(office.engine, "li", "a window elsewhere", office.now())
    page = desks.page("li")
    with page.open():
        floor = office.app.state.site.floor
        asyncio.run_coroutine_threadsafe(floor.check_windows(), office.loop).result(60)
        page.online()
        assert service.desks_of(office.engine, ["li"])["li"] == floor.desks["li"].id


def test_who_waits_is_offered_though_nobody_wakes_the_process(desks: Desks, office: Office) -> None:
    """Written by another process, and no Redis that could tell of it."""
    page = desks.page("li")
    with page.open():
        page.online()
        now = office.now().astimezone(office.city.zone)
        with writing(office.engine) as session:
            session.add(
                Conversation(id="c9", channel="web", line="12345", started_at=now, ended_at=None)
            )
        draft = OrderDraft(
            key="handoff:c9", conversation="c9", channel="web", line="12345", kind="投诉",
            urgency="normal", title="楼下烧烤摊油烟扰民",
        )  # fmt: skip
        write_handoff(office.engine, draft, handoff=draft.key, reason="asked", now=now)
        assert page.offered()["handoff"] == "handoff:c9"
