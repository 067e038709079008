"""The signed API of 110: matters pushed once, acknowledgements, and everything forged refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from fastapi.testclient import TestClient
from httpx2 import Response  # what the TestClient answers with
from prometheus_client import REGISTRY
from sqlalchemy import Engine, func, select

from config.city import City
from config.links import Links, Party
from handoff.alarms import open_alarms
from handoff.links import acknowledged, links_of
from handoff.links.keys import read_keys
from handoff.links.signing import SignatureError, signed, verify
from handoff.orders import write
from store.engine import reading, writing
from store.marks import marker_from
from store.tables import Conversation, Linkage, OrderEvent, WorkOrder, WorkOrderField
from tests.fakes.office import Office
from tests.web.conftest import Clock, audits
from turns.orders import OrderDraft
from web.routes.linkage import LARGEST

KEY, OLD, OTHER = "k" * 32, "o" * 32, "x" * 32
ORDERS, RECEIPTS = "/api/linkage/110/orders", "/api/linkage/110/acknowledgements"
one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""What is refused before anything is asked of a database is tried on one."""
PHONE, WHAT = "13912345678", "路灯不亮，天黑看不见路"


@pytest.fixture
def city(city: City) -> City:
    far = "http://far.test"
    parties = (
        Party(name="110", label="公安110", url=f"{far}/110", pushes=True),
        Party(name="gas", label="燃气公司", url=f"{far}/gas"),
        Party(name="keyless", label="没有密钥", url=f"{far}/keyless", pushes=True),
    )
    return city.model_copy(update={"links": Links(parties=parties)})


class Far:
    """The far side's program."""

    def __init__(self, client: TestClient, clock: Clock, party: str = "110") -> None:
        self.client, self.clock, self.party = client, clock, party

    def post(self, path: str, said: Any, key: str = KEY, **headers: str) -> Response:
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        made = signed((key.encode(),), "d1", self.clock.now, body)
        return self.client.post(path, content=body, headers=made | headers)


@pytest.fixture
def far(office: Office, clock: Clock) -> Iterator[Far]:
    keys = read_keys(f"110={KEY},{OLD} gas={OTHER}")
    office.app.state.site.link_keys.update(keys)
    with TestClient(office.app) as client:
        yield Far(client, clock)


def pushed(**more: Any) -> dict[str, Any]:
    return {"type": "order.push", "id": "m1", "reference": "JJ20261120-7", "what": WHAT,
            "where": "解放路", "phone": PHONE, "name": "王小明"} | more  # fmt: skip


def count(engine: Engine, table: type) -> int:
    with reading(engine) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def outcomes(code: str) -> float:
    return REGISTRY.get_sample_value("qianmen_link_messages_total", {"outcome": code}) or 0.0


def test_a_matter_becomes_an_order_and_is_acknowledged_signed(
    far: Far, engine: Engine, clock: Clock
) -> None:
    answer = far.post(ORDERS, pushed(secret=True))
    assert answer.status_code == 200
    said = answer.json()
    assert (said["id"], said["acknowledged"]) == ("m1", True)
    assert verify((KEY.encode(),), answer.headers, answer.content, now=clock.now, window_s=300)
    with reading(engine) as session:
        order = session.scalars(select(WorkOrder)).one()
        values = dict(session.execute(select(WorkOrderField.name, WorkOrderField.value)).all())
        rules = dict(session.execute(select(WorkOrderField.name, WorkOrderField.rule)).all())
    assert (order.number, order.channel, order.reference) == (
        said["reference"], "110", "JJ20261120-7"
    )  # fmt: skip
    assert (order.kind, order.state, order.secret) == ("求助", "受理", True)
    given = {"what": WHAT, "where": "解放路", "phone": PHONE, "name": "王小明", "kind": "求助"}
    assert {name: value for name, value in values.items() if rules[name] == "link.pushed"} == given
    assert (values["code"], order.department) == ("0201", "城市管理局")
    (link,) = links_of(engine, order.id)
    assert (link.party, link.direction, link.state) == ("110", "in", "acknowledged")
    assert acknowledged(engine, order.id) == (), "theirs, not ours"
    (alarm,) = open_alarms(engine)
    assert (alarm.kind, alarm.object) == ("link_pushed", order.number)
    assert audits(engine, "link_orders") == [("link:110", order.number)]


def test_sent_again_it_is_the_same_order_and_a_copy_is_refused(
    far: Far, engine: Engine, clock: Clock
) -> None:
    first = far.post(ORDERS, pushed())
    copy = far.post(ORDERS, pushed())
    assert (copy.status_code, copy.json()["code"]) == (409, "message_replayed")
    clock.advance(seconds=5)
    again = far.post(ORDERS, pushed())
    assert (again.status_code, again.json()) == (200, first.json())
    clock.advance(seconds=5)
    anew = far.post(ORDERS, pushed(id="m2"))
    assert anew.json()["reference"] == first.json()["reference"]
    assert count(engine, WorkOrder) == count(engine, Linkage) == 1
    assert len(audits(engine, "link_orders")) == 1
    other = far.post(ORDERS, pushed(id="m3", reference="JJ20261120-8"))
    assert other.json()["reference"] != first.json()["reference"]


def test_a_matter_that_comes_with_its_call_belongs_to_it(
    far: Far, engine: Engine, clock: Clock, office: Office
) -> None:
    marker = marker_from(office.settings)
    engine.dialect.marker = marker  # type: ignore[attr-defined]  # as open_store does
    with writing(engine) as session:
        for name, began, ended in (
            ("call-now", clock.now, None), ("call-over", clock.now, clock.now),
            ("call-old", clock.now - timedelta(hours=2), None),
        ):  # fmt: skip
            session.add(Conversation(id=name, channel="phone", citizen=PHONE, started_at=began,
                                     ended_at=ended))  # fmt: skip
    call = {"id": "c-77", "number": PHONE}
    far.post(ORDERS, pushed(call=call, phone=None))
    with reading(engine) as session:
        order = session.scalars(select(WorkOrder)).one()
        phone = session.scalar(select(WorkOrderField.value).where(WorkOrderField.name == "phone"))
    assert phone == PHONE
    assert order.conversation_id == "call-now"


def danger(engine: Engine, city: City, now: datetime) -> WorkOrder:
    with writing(engine) as session:
        session.add(Conversation(id="c1", channel="web", state="waiting", started_at=now))
    draft = OrderDraft("k1", "c1", "web", "12345", "求助", "danger", "煤气味很大")
    written = write(engine, draft, now=now.astimezone(city.zone), city=city, danger="gas")
    with reading(engine) as session:
        return session.get_one(WorkOrder, written.id)


def delivery(engine: Engine, party: str = "110") -> str:
    with reading(engine) as session:
        return session.scalars(select(Linkage.id).where(Linkage.party == party)).one()


def receipt(to: str, **more: Any) -> dict[str, Any]:
    return {"type": "order.acknowledged", "id": "a1", "delivery": to, "reference": "P-9"} | more


def test_an_acknowledgement_that_comes_later_counts_once(
    far: Far, engine: Engine, city: City, clock: Clock
) -> None:
    order = danger(engine, city, clock.now)
    said = receipt(delivery(engine))
    answer = far.post(RECEIPTS, said)
    assert (answer.status_code, answer.json()["reference"]) == (200, order.number)
    (ack,) = acknowledged(engine, order.id)
    assert (ack.party, ack.reference) == ("110", "P-9")
    assert far.post(RECEIPTS, said).json()["code"] == "message_replayed"
    clock.advance(seconds=1)
    assert far.post(RECEIPTS, said).status_code == 200
    assert audits(engine, "link_acknowledgements") == [("link:110", order.number)]
    with reading(engine) as session:
        events = list(session.scalars(select(OrderEvent.event)))
    assert events.count("link_acknowledged") == 1


def test_a_refusal_alarms_and_may_still_become_an_acknowledgement(
    far: Far, engine: Engine, city: City, clock: Clock
) -> None:
    order = danger(engine, city, clock.now)
    to = delivery(engine)
    no = receipt(to, type="order.refused", reason="not_ours", id="a0")
    assert far.post(RECEIPTS, no).status_code == 200
    assert [alarm.kind for alarm in open_alarms(engine)] == ["link_refused"]
    assert acknowledged(engine, order.id) == ()
    assert far.post(RECEIPTS, receipt(to)).status_code == 200
    assert len(acknowledged(engine, order.id)) == 1
    assert far.post(RECEIPTS, {**no, "id": "a2"}).status_code == 200
    assert len(acknowledged(engine, order.id)) == 1, "nothing takes it back"


def test_nobody_acknowledges_for_another(
    far: Far, engine: Engine, city: City, clock: Clock
) -> None:
    order = danger(engine, city, clock.now)
    gas = receipt(delivery(engine, "gas"))
    answer = far.post(RECEIPTS, gas)
    assert (answer.status_code, answer.json()["code"]) == (404, "delivery_unknown")
    assert far.post("/api/linkage/gas/acknowledgements", gas).json()["code"] == "signature_wrong"
    assert acknowledged(engine, order.id) == ()


# Forged, stale, broken


@one_database
@pytest.mark.parametrize(("path", "key", "headers", "status", "code"), [
    (ORDERS, OTHER, {}, 401, "signature_wrong"),
    (ORDERS, KEY, {"Qianmen-Signature": ""}, 401, "signature_missing"),
    (ORDERS, KEY, {"Qianmen-Signature": "v1=zz"}, 401, "signature_malformed"),
    (ORDERS, KEY, {"Qianmen-Timestamp": "1"}, 401, "signature_wrong"),
    ("/api/linkage/nobody/orders", KEY, {}, 404, "link_unknown"),
    ("/api/linkage/keyless/orders", KEY, {}, 401, "signature_wrong"),
    ("/api/linkage/gas/orders", OTHER, {}, 403, "push_not_allowed"),
    ("/api/linkage/A..B/orders", KEY, {}, 422, "request_invalid"),
])  # fmt: skip
def test_what_is_not_the_partys_is_refused(
    far: Far, engine: Engine, path: str, key: str, headers: dict[str, str], status: int, code: str
) -> None:
    before = outcomes(code)
    answer = far.post(path, pushed(), key, **headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert count(engine, WorkOrder) == count(engine, Conversation) == 0
    if code != "request_invalid":
        assert outcomes(code) == before + 1
        assert {target for _, target in audits(engine, "link_refused")} == {code}
    with pytest.raises(SignatureError):
        verify((KEY.encode(),), answer.headers, answer.content, now=far.clock.now, window_s=300)


@one_database
def test_the_previous_key_serves_during_a_rotation(far: Far) -> None:
    assert far.post(ORDERS, pushed(), OLD).status_code == 200


@one_database
@pytest.mark.parametrize("minutes", [-6, 6])
def test_stale_messages_and_those_from_the_future_are_refused(far: Far, minutes: int) -> None:
    body = json.dumps(pushed()).encode()
    headers = signed((KEY.encode(),), "d1", far.clock.now + timedelta(minutes=minutes), body)
    answer = far.client.post(ORDERS, content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "signature_stale")


@one_database
@pytest.mark.parametrize("said", [
    b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 5000, {}, pushed(extra=1), pushed(what=""),
    pushed(what="x" * 4001), pushed(type="order.danger"), pushed(id="a b"), pushed(reference=""),
    pushed(kind="x"), pushed(urgency="danger"), pushed(phone="call me"), pushed(id=7),
    pushed(call={"id": "c"}),
], ids=range(18))  # fmt: skip
def test_broken_messages_write_nothing(far: Far, engine: Engine, said: Any) -> None:
    answer = far.post(ORDERS, said)
    assert (answer.status_code, answer.json()["code"]) == (422, "message_malformed")
    assert count(engine, WorkOrder) == count(engine, Conversation) == 0


@one_database
def test_a_message_that_is_too_large_is_cut_off(far: Far) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(10_000):
            yield b"x" * 4096

    answer = far.client.post(ORDERS, content=endless())
    assert (answer.status_code, answer.json()["code"]) == (413, "message_too_large")
    assert far.post(ORDERS, b" " * LARGEST).json()["code"] == "message_malformed"


@one_database
def test_a_flood_of_forgeries_does_not_fill_the_audit(far: Far, engine: Engine) -> None:
    for _ in range(20):
        far.post(ORDERS, pushed(), OTHER)
    assert audits(engine, "link_refused") == [("link:110", "signature_wrong")]


@one_database
def test_our_own_messages_cannot_be_turned_against_us(far: Far, engine: Engine) -> None:
    """One key signs both ways: what we sent to 110 is no matter that 110 could push."""
    ours = {"type": "order.danger", "id": "d1", "to": "110", "order": {}, "danger": "gas", "at": ""}
    assert far.post(ORDERS, ours).json()["code"] == "message_malformed"
    assert count(engine, WorkOrder) == 0


@one_database
def test_nothing_personal_is_logged(far: Far, tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as logs:
        far.post(ORDERS, pushed())
        far.post(ORDERS, pushed(extra=PHONE))
        far.post(ORDERS, pushed(), OTHER)
    assert len(logs) >= 2
    for word in (PHONE, WHAT, "王小明", "解放路"):
        assert word not in str(logs)
