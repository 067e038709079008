"""The courier's book: fanned out once, claimed once, never lost."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from sqlalchemy import Engine, select

from config.city import City
from config.links import Links
from handoff.alarms import open_alarms
from handoff.links import telling
from handoff.links.book import (
    Claim,
    alarm_overdue,
    claim_danger,
    claim_news,
    fan_out,
    forget_strangers,
    settle_danger,
    settle_news,
)
from handoff.links.deliver import Step
from handoff.orders import write_handoff
from store.engine import reading, writing
from store.tables import Conversation, Delivery, Linkage, Outbox, Turn
from tests.handoff.links.conftest import NAME, PHONE, Write
from turns.orders import OrderDraft

SENT = Step("sent", None, 200)


def deliveries(engine: Engine) -> dict[tuple[str, str], str]:
    with reading(engine) as session:
        rows = session.execute(
            select(Outbox.topic, Delivery.target, Delivery.state)
            .join(Delivery, Delivery.outbox_id == Outbox.id)
        )  # fmt: skip
        return {(topic, target): state for topic, target, state in rows}


def test_each_target_gets_what_it_wants_once(
    engine: Engine, order: Write, links: Links, linked: City, now: datetime
) -> None:
    order(urgency="normal")
    draft = OrderDraft("k2", "c-k1", "web", "12345", "投诉", "normal", "油烟")
    write_handoff(engine, draft, handoff="h1", reason="asked", now=now, city=linked)
    assert fan_out(engine, links, now) >= 2
    assert fan_out(engine, links, now) == 0
    found = deliveries(engine)
    assert found["order.created", "erp"] == found["handoff.requested", "wall"] == "waiting"
    assert ("handoff.requested", "erp") not in found
    assert ("order.created", "wall") not in found


def test_a_webhook_is_told_no_more_than_the_city_allows(
    engine: Engine, order: Write, links: Links, now: datetime
) -> None:
    order(urgency="normal", secret=True)
    fan_out(engine, links, now)
    (claim, *_) = claim_news(engine, links.targets[0], links, now, 9)
    told = json.loads(claim.body)
    assert (told["type"], told["id"], told["to"]) == ("order.created", claim.id, "erp")
    assert set(told["order"]["fields"]) == {"what", "where"}
    assert PHONE not in claim.body.decode()
    assert NAME not in claim.body.decode()
    everything = links.targets[0].model_copy(
        update={"fields": ("what", "phone", "name"), "caller": "unless_secret"}
    )
    for times, caller in enumerate(("unless_secret", "always"), 1):
        asked = everything.model_copy(update={"caller": caller})
        later = now + timedelta(seconds=times * links.lease_s)
        (claim, *_) = claim_news(engine, asked, links, later, 9)
        assert PHONE not in claim.body.decode(), "是否保密"


def test_a_claim_is_one_couriers_until_its_lease_is_over(
    engine: Engine, order: Write, links: Links, now: datetime
) -> None:
    """Killed between claim and send: the same message, under the same id, is due again."""
    order()
    police = links.parties[0]
    (claim,) = claim_danger(engine, police, links, now, 9)
    assert claim_danger(engine, police, links, now + timedelta(seconds=1), 9) == ()
    (again,) = claim_danger(engine, police, links, now + timedelta(seconds=links.lease_s), 9)
    assert (again.id, again.tries) == (claim.id, 2)


def test_couriers_side_by_side_never_claim_the_same(
    engine: Engine, order: Write, links: Links, now: datetime
) -> None:
    for number in range(12):
        order(f"k{number}")
    police = links.parties[0]

    def claim(_: int) -> tuple[Claim, ...]:
        return claim_danger(engine, police, links, now, 3)

    with ThreadPoolExecutor(6) as pool:
        found = [each.id for claims in pool.map(claim, range(8)) for each in claims]
    assert len(found) == len(set(found))
    rest = claim_danger(engine, police, links, now, 99)
    assert {*found, *(each.id for each in rest)} == _ids(engine, "110")


def _ids(engine: Engine, party: str) -> set[str]:
    with reading(engine) as session:
        return set(session.scalars(select(Linkage.id).where(Linkage.party == party)))


def test_a_late_failure_does_not_disturb_the_next_try(
    engine: Engine, order: Write, links: Links, now: datetime
) -> None:
    order()
    police = links.parties[0]
    (slow,) = claim_danger(engine, police, links, now, 9)
    later = now + timedelta(seconds=links.lease_s)
    (next_,) = claim_danger(engine, police, links, later, 9)
    settle_danger(engine, slow, Step("waiting", now, 0, "timeout"), police, later)
    assert claim_danger(engine, police, links, later, 9) == (), "still the second's"
    settle_danger(engine, slow, Step("acknowledged", None, 200, "", "P"), police, later)
    settle_danger(engine, next_, Step("waiting", later, 0, "timeout"), police, later)
    assert claim_danger(engine, police, links, later + timedelta(hours=1), 9) == ()


def test_sent_tried_again_and_given_up(
    engine: Engine, order: Write, links: Links, now: datetime
) -> None:
    order(urgency="normal")
    fan_out(engine, links, now)
    target = links.targets[0]
    (claim, *_) = claim_news(engine, target, links, now, 1)
    at = now + timedelta(seconds=30)
    settle_news(engine, claim, Step("waiting", at, 503, "http_503"), now)
    with reading(engine) as session:
        row = session.get_one(Delivery, claim.id)
        assert (row.state, row.next_at, row.status, row.fault) == ("waiting", at, 503, "http_503")
    (claim, *_) = claim_news(engine, target, links, at, 1)
    settle_news(engine, claim, Step("given_up", None, 503, "http_503"), at)
    assert [alarm.kind for alarm in open_alarms(engine)] == ["webhook_given_up"]
    settle_news(engine, claim, SENT, at)
    assert deliveries(engine)["order.created", "erp"] == "given_up"


def test_what_waits_for_a_target_that_is_gone_is_given_up(
    engine: Engine, order: Write, links: Links, now: datetime
) -> None:
    order(urgency="normal")
    fan_out(engine, links, now)
    left = links.model_copy(update={"targets": links.targets[1:]})
    assert forget_strangers(engine, left) >= 1
    assert forget_strangers(engine, left) == 0
    assert deliveries(engine)["order.created", "erp"] == "given_up"


def test_danger_for_a_party_that_is_gone_alarms_people(
    engine: Engine, order: Write, links: Links, now: datetime
) -> None:
    order(danger="water")
    assert alarm_overdue(engine, Links(), now + timedelta(seconds=31)) == 1


def acknowledged_at(engine: Engine, links: Links, now: datetime) -> None:
    (claim,) = claim_danger(engine, links.parties[0], links, now, 9)
    settle_danger(engine, claim, Step("acknowledged", None, 200, "", "P"), links.parties[0], now)


def test_a_citizen_who_is_there_is_told_once(
    engine: Engine, order: Write, links: Links, now: datetime
) -> None:
    order()
    assert telling.claim_news(engine, now) == ()
    acknowledged_at(engine, links, now)
    (news,) = telling.claim_news(engine, now)
    assert (news.conversation, news.party, news.at) == ("c-k1", "110", now)
    assert telling.claim_news(engine, now) == (), "leased"
    with writing(engine) as session:  # told, and killed before that was noted
        session.add(Turn(conversation_id="c-k1", speaker="system", kind="say", at=now))
    assert telling.claim_news(engine, now + timedelta(seconds=11)) == ()
    with reading(engine) as session:
        entry = session.scalars(select(Outbox).where(Outbox.topic == telling.TOPIC)).one()
        assert entry.sent_at is not None


def test_who_is_gone_or_has_a_person_is_told_nothing(
    engine: Engine, order: Write, links: Links, now: datetime
) -> None:
    for key, state, ended in (("a", "agent", None), ("b", "ended", now), ("c", "waiting", None)):
        order(key)
        with writing(engine) as session:
            talk = session.get_one(Conversation, f"c-{key}")
            talk.state, talk.ended_at = state, ended
        acknowledged_at(engine, links, now)
    assert [news.conversation for news in telling.claim_news(engine, now)] == ["c-c"]
    order("d")
    acknowledged_at(engine, links, now)
    assert telling.claim_news(engine, now + telling.FRESH + timedelta(seconds=11)) == ()
