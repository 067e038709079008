"""What each agent has done today, counted on from where it was."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from store.engine import writing
from store.tables import HandoffEntry
from tests.fakes.office import Office
from tests.web.agents.conftest import Desks, hand_over
from tests.web.conftest import Clock, audits
from web.agents.tally import Tallies, Tally

ZONE = ZoneInfo("Asia/Shanghai")


def talked(engine: Engine, office: Office, name: str, agent: str, seconds: int | None) -> None:
    """``agent`` took somebody, and was done after ``seconds`` (None: they talk still)."""
    handoff = hand_over(office, name)
    now = office.now()
    with writing(engine) as session:
        row = session.get_one(HandoffEntry, handoff)
        row.state, row.agent, row.changed_at = "connected", agent, now
        row.accepted_at = row.connected_at = now
        if seconds is not None:
            row.state, row.ended_at = "done", now + timedelta(seconds=seconds)


def test_todays_talks_are_counted_and_their_length(
    engine: Engine, office: Office, desks: Desks, clock: Clock
) -> None:
    tallies = Tallies(ZONE)
    assert not tallies.read(engine, clock.now)
    talked(engine, office, "web-1", "li", 60)
    talked(engine, office, "web-2", "li", 120)
    talked(engine, office, "web-3", "wang", None)
    found = tallies.read(engine, clock.now)
    assert dict(found) == {"li": Tally(2, 90), "wang": Tally(1, None)}
    with writing(engine) as session:  # wang passes theirs on to li, who is done with them
        row = session.get_one(HandoffEntry, "handoff:web-3")
        row.tried = [{"agent": "wang", "outcome": "transferred", "at": clock.now.isoformat()}]
        row.agent, row.state, row.ended_at = "li", "done", clock.now + timedelta(seconds=30)
        row.changed_at = clock.now
    found = tallies.read(engine, clock.now)
    assert dict(found) == {"li": Tally(3, 70), "wang": Tally(1, None)}
    tomorrow = datetime.combine(clock.now.astimezone(ZONE).date(), datetime.min.time(), ZONE)
    assert not tallies.read(engine, tomorrow + timedelta(days=1, hours=1))


def test_a_reason_stands_beside_the_status(desks: Desks, office: Office, engine: Engine) -> None:
    li, wang = desks.page("li"), desks.page("wang")
    with li.open(), wang.open():
        li.online()
        (reason, *_) = office.city.queue.reasons["busy"]
        assert li.ask(type="status", value="busy")["type"] == "done"
        assert li.ask(type="status", value="busy", reason=reason)["type"] == "done"
        li.sees(lambda desk: (desk["status"], desk["reason"]) == ("busy", reason))
        wang.sees(lambda desk: any(
            (one["login"], one["reason"]) == ("li", reason) for one in desk.get("agents", ())
        ))  # fmt: skip
        refused = li.ask(type="status", value="busy", reason="没有这个")
        assert refused["code"] == "reason_unknown"
        assert li.ask(type="status", value="online", reason=reason)["code"] == "reason_unknown"
        li.online()
        li.sees(lambda desk: (desk["status"], desk["reason"]) == ("online", ""))
    assert len(audits(engine, "agent_status")) == 4
