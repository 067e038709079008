"""What is told of a danger after it was sent goes to whoever has it, once for each fact."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from config.city import City
from config.links import Links
from handoff.classify import rules_of
from handoff.links import acknowledged
from handoff.links.book import claim_danger, settle_danger
from handoff.links.deliver import Step
from handoff.order.edits import confirm, edit
from handoff.orders import write_handoff
from handoff.refill import refill
from store.engine import reading, writing
from store.tables import Linkage, OrderEvent, Outbox, Turn, WorkOrder, WorkOrderField
from tests.handoff.links.conftest import PHONE, Write
from turns.orders import OrderDraft, OrderField, Provenance
from web import orderwords

DONE = Step("acknowledged", None, 200, "", "P-7")


def sent(engine: Engine, links: Links, now: datetime, step: Step | None = None) -> list[Any]:
    """What is due goes out; the messages, by the party."""
    told = []
    for party in links.parties:
        for claim in claim_danger(engine, party, links, now, 9):
            told.append(json.loads(claim.body))
            settle_danger(engine, claim, step or DONE, party, now)
    return told


def number_of(engine: Engine, order: str) -> str:
    with reading(engine) as session:
        return session.get_one(WorkOrder, order).number


def worse(engine: Engine, city: City, now: datetime, danger: str, words: str) -> None:
    source = Provenance("h2", words, now, 0.9, "said.danger")
    draft = OrderDraft("handoff:c-k1", "c-k1", "web", "12345", "求助", "danger", words,
                       fields=(OrderField("what", words, source),))  # fmt: skip
    write_handoff(engine, draft, handoff="h", reason="danger", now=now, city=city, danger=danger)


def test_another_danger_goes_to_whoever_had_the_first(
    engine: Engine, order: Write, linked: City, links: Links, now: datetime
) -> None:
    order("k1", danger="gas")
    assert [one["update"] for one in sent(engine, links, now)] == [[], []]
    for later in (1, 2):  # told twice, it goes once
        worse(engine, linked, now + timedelta(minutes=later), "fire", "着火了")
    told = sent(engine, links, now + timedelta(minutes=3))
    assert {one["to"] for one in told} == {"110", "gas"}
    for one in told:
        assert (one["danger"], one["dangers"]) == ("gas", ["gas", "fire"])
        assert "danger" in one["update"]
        assert one["order"]["fields"]["what"] == "着火了；家里煤气味很大"
    assert len({one["id"] for one in told}) == 2
    with reading(engine) as session:
        (event,) = session.scalars(select(OrderEvent).where(OrderEvent.event == "link_updated",
                                   OrderEvent.data["danger"].as_string() == "fire"))  # fmt: skip
    assert orderwords.event(event.event, event.data) == "补充告知联动单位：又一种险情（110、gas）"


def test_a_number_told_late_is_on_the_order_and_on_its_way(
    engine: Engine, order: Write, linked: City, links: Links, now: datetime
) -> None:
    id_ = order("k1")
    with writing(engine) as session:  # they had not told it when the danger was sent
        row = session.scalars(select(WorkOrderField).where(WorkOrderField.name == "phone")).one()
        session.delete(row)
    first = sent(engine, links, now)
    assert "phone" not in first[0]["order"]["fields"]
    with writing(engine) as session:
        for speaker, text in (("agent", "您的电话是多少？"), ("citizen", PHONE)):
            session.add(
                Turn(conversation_id="c-k1", speaker=speaker, kind="text", heard=f"t-{speaker}",
                     text=text, confidence=1.0, understood={}, at=now, audio_start_ms=None,
                     audio_end_ms=None)
            )  # fmt: skip
            session.flush()
    rules = rules_of(linked)
    assert "phone" in refill(engine, id_, now, rules)
    told = {one["to"]: one for one in sent(engine, links, now)}
    assert set(told) == {"110", "gas"}
    assert "phone" in told["110"]["update"]
    assert told["110"]["order"]["fields"]["phone"] == PHONE
    assert "phone" not in told["gas"]["order"]["fields"]  # who called is not for them
    assert refill(engine, id_, now, rules) == ()
    assert sent(engine, links, now) == []


def test_what_was_never_sent_tells_it_by_itself(
    engine: Engine, order: Write, linked: City, links: Links, now: datetime
) -> None:
    number = number_of(engine, order("k1", danger="gas"))
    edit(engine, number, {"where": "建业小区12号楼"}, by="wang", now=now)
    worse(engine, linked, now, "fire", "着火了")
    told = sent(engine, links, now)
    assert len(told) == 2
    assert {(one["dangers"][-1], one["order"]["fields"]["where"]) for one in told} == {
        ("fire", "建业小区12号楼")
    }


@pytest.mark.parametrize("urgency", ["danger", "urgent"])
def test_a_place_put_right_by_an_agent_goes_out_once_while_in_danger(
    engine: Engine, order: Write, links: Links, now: datetime, urgency: str
) -> None:
    number = number_of(engine, order("k1"))
    sent(engine, links, now)
    edit(engine, number, {"urgency": urgency, "where": "建业小区12号楼"}, by="wang", now=now)
    confirm(engine, number, "where", "wang", now)
    told = sent(engine, links, now)
    assert [one["update"] for one in told] == ([["where"]] * 2 if urgency == "danger" else [])


def test_an_update_that_is_acknowledged_is_not_told_to_the_citizen_again(
    engine: Engine, order: Write, links: Links, now: datetime
) -> None:
    id_ = order("k1")
    sent(engine, links, now)
    edit(engine, number_of(engine, id_), {"where": "建业小区12号楼"}, by="wang", now=now)
    assert len(sent(engine, links, now + timedelta(minutes=1))) == 2
    assert [ack.party for ack in acknowledged(engine, id_)] == ["110", "gas"]
    with reading(engine) as session:
        told = session.scalars(select(Outbox).where(Outbox.topic == "tell.acknowledged")).all()
        rows = session.scalars(select(Linkage.state)).all()
    assert len(told) == 2
    assert rows == ["acknowledged"] * 4
