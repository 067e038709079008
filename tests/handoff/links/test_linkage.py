"""An order in danger and its way to each party."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from sqlalchemy import Engine, select

from config.city import City
from config.links import Links
from handoff.alarms import open_alarms
from handoff.links import acknowledged, links_of, push, transferred
from handoff.links.book import alarm_overdue, claim_danger, settle_danger
from handoff.links.deliver import Step
from store.engine import reading, writing
from store.tables import Linkage, OrderEvent, Outbox, WorkOrder
from tests.handoff.links.conftest import NAME, PHONE, WHERE, Write

DONE = Step("acknowledged", None, 200, "", "P-7")


def states(engine: Engine, order: str) -> dict[str, str]:
    return {link.party: link.state for link in links_of(engine, order)}


def events(engine: Engine, order: str) -> list[str]:
    with reading(engine) as session:
        return list(session.scalars(
            select(OrderEvent.event).where(OrderEvent.order_id == order).order_by(OrderEvent.id)
        ))  # fmt: skip


def test_danger_goes_to_110_and_to_whom_it_concerns(engine: Engine, order: Write) -> None:
    assert states(engine, order("a", danger="gas")) == {"110": "waiting", "gas": "waiting"}
    assert states(engine, order("b", danger="water")) == {"110": "waiting"}
    assert states(engine, order("c", danger="")) == {"110": "waiting", "gas": "waiting"}
    assert states(engine, order("d", urgency="normal")) == {}
    assert open_alarms(engine) == ()


def test_asked_twice_it_goes_once(engine: Engine, order: Write) -> None:
    first = order("a")
    assert order("a") == first
    with reading(engine) as session:
        assert len(session.scalars(select(Linkage)).all()) == 2
        topics = session.scalars(select(Outbox.topic).where(Outbox.topic == "order.danger")).all()
    assert topics == ["order.danger"]
    assert events(engine, first).count("linked") == 1


def test_a_city_that_is_linked_with_nobody_alarms_people_at_once(
    engine: Engine, order: Write, city: City
) -> None:
    order("a", city=city)
    (alarm,) = open_alarms(engine)
    assert alarm.kind == "link_unconfigured"
    assert "没有配置110联动" in alarm.text


def test_what_a_party_is_told(engine: Engine, order: Write, links: Links, now: datetime) -> None:
    order("a")
    order("s", secret=True)
    told = {
        party.name: [json.loads(claim.body) for claim in claim_danger(engine, party, links, now, 9)]
        for party in links.parties
    }  # fmt: skip
    assert [len(messages) for messages in told.values()] == [2, 2]
    for messages in told.values():
        for message in messages:
            assert (message["type"], message["danger"]) == ("order.danger", "gas")
            assert message["order"]["fields"]["where"] == WHERE
    plain, secret = sorted(told["110"], key=lambda message: message["order"]["secret"])
    assert plain["order"]["fields"]["phone"] == PHONE
    assert not {PHONE, NAME} & set(secret["order"]["fields"].values()), "是否保密"
    for message in told["gas"]:
        assert not {PHONE, NAME} & set(message["order"]["fields"].values())


def test_one_side_that_fails_does_not_hold_the_other(
    engine: Engine, order: Write, links: Links, now: datetime
) -> None:
    key = order()
    police, gas = links.parties
    (down,) = claim_danger(engine, police, links, now, 9)
    (up,) = claim_danger(engine, gas, links, now, 9)
    settle_danger(engine, down, Step("waiting", now, 0, "connect_failed"), police, now)
    settle_danger(engine, up, DONE, gas, now)
    assert states(engine, key) == {"110": "waiting", "gas": "acknowledged"}
    (ack,) = acknowledged(engine, key)
    assert (ack.party, ack.reference, ack.at) == ("gas", "P-7", now)
    assert alarm_overdue(engine, links, now + timedelta(seconds=29)) == 0
    assert alarm_overdue(engine, links, now + timedelta(seconds=31)) == 1
    assert alarm_overdue(engine, links, now + timedelta(seconds=90)) == 0, "once"
    (alarm,) = open_alarms(engine)
    assert (alarm.kind, "公安110" in alarm.text) == ("link_unacknowledged", True)


def test_a_refusal_alarms_at_once_and_an_acknowledgement_is_never_taken_back(
    engine: Engine, order: Write, links: Links, now: datetime
) -> None:
    key = order()
    police, gas = links.parties
    (refused,) = claim_danger(engine, police, links, now, 9)
    (taken,) = claim_danger(engine, gas, links, now, 9)
    assert settle_danger(engine, refused, Step("refused", None, 200, "not_ours"), police, now)
    assert [alarm.kind for alarm in open_alarms(engine)] == ["link_refused"]
    settle_danger(engine, taken, DONE, gas, now)
    settle_danger(engine, taken, Step("failed", None, 0, "timeout"), gas, now)
    assert states(engine, key) == {"110": "refused", "gas": "acknowledged"}


def test_an_agent_may_send_it_again_but_not_what_is_acknowledged(
    engine: Engine, order: Write, links: Links, now: datetime
) -> None:
    key = order(danger="water")
    (claim,) = claim_danger(engine, links.parties[0], links, now, 9)
    settle_danger(engine, claim, Step("failed", None, 0, "timeout"), links.parties[0], now)
    later = now + timedelta(minutes=5)
    assert push(engine, key, "110", by="li", now=later, rules=links) == "waiting"
    assert push(engine, key, "gas", by="li", now=later, rules=links) == "waiting"
    assert push(engine, key, "nobody", by="li", now=later, rules=links) == ""
    assert push(engine, "no order", "110", by="li", now=later, rules=links) == ""
    (again,) = claim_danger(engine, links.parties[0], links, later, 9)
    assert again.id == claim.id, "the same message to the far side"
    settle_danger(engine, again, DONE, links.parties[0], later)
    assert push(engine, key, "110", by="li", now=later, rules=links) == "acknowledged"
    assert not claim_danger(engine, links.parties[0], links, later + timedelta(hours=1), 9)


def test_a_telephone_transfer_is_noted_and_is_no_acknowledgement(
    engine: Engine, order: Write, now: datetime
) -> None:
    key = order(danger="water")
    for _ in range(2):
        transferred(engine, key, "110", by="li", now=now)
    assert sorted(link.state for link in links_of(engine, key)) == ["transferred", "waiting"]
    assert acknowledged(engine, key) == ()
    assert events(engine, key).count("transferred") == 2
    transferred(engine, "no order", "110", by="li", now=now)


def test_110s_number_becomes_the_orders_reference(
    engine: Engine, order: Write, links: Links, now: datetime
) -> None:
    key = order()
    (claim,) = claim_danger(engine, links.parties[0], links, now, 9)
    settle_danger(engine, claim, DONE, links.parties[0], now)
    with reading(engine) as session:
        assert session.get_one(WorkOrder, key).reference == "P-7"
        tell = session.scalars(select(Outbox).where(Outbox.topic == "tell.acknowledged")).one()
    assert tell.payload["party"] == "110"


def test_an_erased_order_tells_nothing_more(
    engine: Engine, order: Write, links: Links, now: datetime
) -> None:
    key = order()
    with writing(engine) as session:
        session.get_one(WorkOrder, key).erased_at = now
    (claim,) = claim_danger(engine, links.parties[0], links, now, 9)
    told = json.loads(claim.body)["order"]
    assert (told["fields"], told["erased"]) == ({}, True)
