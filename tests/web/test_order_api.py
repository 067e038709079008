"""Other systems at the API: keys and their rights, orders written once, steps by edition."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from chat.limits import Limiter, Rate
from handoff.alarms import open_alarms
from handoff.apikeys import GRANTABLE, ApiKeyError, add_key, disable_key, list_keys
from handoff.staff import Act
from store.engine import reading, writing
from store.tables import ApiKey, ApiRequest, Conversation, Outbox, WorkOrder, WorkOrderField
from tests.fakes.office import KEY, Office
from tests.web.conftest import Clock, Desk, audits
from web.rights import Right

ORDER = {"kind": "投诉", "what": "路灯不亮三天了", "where": "青年路18号", "phone": "138 0013 8000",
         "name": "张三"}  # fmt: skip


class System:
    """Another system, with a key of its own."""

    def __init__(
        self, office: Office, client: TestClient, *rights: str, name: str = "city"
    ) -> None:
        act = Act("admin", office.now(), KEY)
        self.key = add_key(office.engine, act, name, rights or list(GRANTABLE))
        self.client, self.headers = client, {"X-Qianmen-Key": self.key}

    def get(self, path: str) -> Any:
        return self.client.get(path, headers=self.headers)

    def send(self, path: str, body: object, key: str = "", method: str = "POST") -> Any:
        headers = self.headers | ({"Idempotency-Key": key} if key else {})
        return self.client.request(method, path, json=body, headers=headers)


@pytest.fixture
def system(office: Office, visitor: TestClient) -> System:
    return System(office, visitor)


def test_what_a_key_may_be_granted_are_rights() -> None:
    assert {Right(right) for right in GRANTABLE} <= set(Right)


def test_a_key_is_kept_as_its_hash_and_opens_until_it_is_switched_off(
    office: Office, visitor: TestClient, day: tuple[str, str]
) -> None:
    system = System(office, visitor, "see_orders")
    assert system.get("/api/orders").json()["total"] == 9
    with reading(office.engine) as session:
        row = session.scalars(select(ApiKey)).one()
    assert system.key not in str(vars(row))
    assert row.used_at is not None
    disable_key(office.engine, Act("admin", office.now(), KEY), "city")
    assert system.get("/api/orders").status_code == 401
    assert [one.active for one in list_keys(office.engine)] == [False]
    assert audits(office.engine, "api_key_added") == [("admin", "key:city")]
    assert audits(office.engine, "api_key_disabled") == [("admin", "key:city")]


@pytest.mark.parametrize("spoil", [str.upper, lambda key: key[:-1] + "!", lambda key: key + "x",
                                   lambda key: key[:17] + "a" * 43])  # fmt: skip
def test_a_key_that_is_nearly_right_opens_nothing(system: System, spoil: Any) -> None:
    system.headers = {"X-Qianmen-Key": spoil(system.key)}
    answer = system.get("/api/orders")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


@pytest.mark.parametrize(
    ("name", "rights", "code"),
    [("x", ["see_orders"], "key_name_invalid"), ("a b", ["see_orders"], "key_name_invalid"),
     ("ok-name", [], "right_unknown"), ("ok-name", ["manage_staff"], "right_unknown"),
     ("city", ["see_orders"], "key_name_taken")],
)  # fmt: skip
def test_a_key_that_cannot_be_made(
    office: Office, system: System, name: str, rights: list[str], code: str
) -> None:
    with pytest.raises(ApiKeyError) as caught:
        add_key(office.engine, Act("admin", office.now(), KEY), name, rights)
    assert caught.value.code == code


def test_a_key_does_what_it_was_granted_and_no_more(
    office: Office, visitor: TestClient, day: tuple[str, str]
) -> None:
    reader = System(office, visitor, "see_orders", name="reader")
    creator = System(office, visitor, "create_orders", name="creator")
    assert reader.send(f"/api/orders/{day[0]}/deeds/note", {"text": "x"}).status_code == 403
    assert reader.send("/api/orders", ORDER, "k" * 8).status_code == 403
    assert creator.get("/api/orders").status_code == 403
    assert creator.send("/api/orders", ORDER, "k" * 8).status_code == 201
    changer = System(office, visitor, "see_orders", "change_orders", name="changer")
    assert changer.send(f"/api/orders/{day[0]}/deeds/urge", {}).status_code == 200
    assert changer.send(f"/api/orders/{day[0]}/deeds/supervise", {}).status_code == 403


def test_an_order_is_written_once_for_each_key(office: Office, system: System) -> None:
    first = system.send("/api/orders", ORDER, "their-number-1")
    again = system.send("/api/orders", ORDER, "their-number-1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["number"] == again.json()["number"]
    assert (first.json()["repeated"], again.json()["repeated"]) == (False, True)
    other = system.send("/api/orders", ORDER | {"what": "另一件"}, "their-number-1")
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")
    assert (
        system.send("/api/orders", ORDER, "their-number-2").json()["number"]
        != first.json()["number"]
    )
    with reading(office.engine) as session:
        orders = session.scalars(select(WorkOrder)).all()
        assert len(orders) == 2
        assert {order.title for order in orders} == {"青年路18号路灯不亮三天"}
        assert session.scalars(select(Outbox.topic)).all().count("order.created") == 2
        fields = session.scalars(select(WorkOrderField)).all()
        given = {field.name for field in fields if field.rule == "api:city"}
        assert given == {"kind", "what", "where", "phone", "name"}
        assert "138" not in str([vars(row) for row in session.scalars(select(ApiRequest))])
    assert len(audits(office.engine, "order_created")) == 2


def test_an_order_of_another_system_is_filled_as_a_citizens(office: Office, system: System) -> None:
    first = system.send("/api/orders", ORDER, "their-number-1").json()["number"]
    order = system.get(f"/api/orders/{first}").json()
    leaf = next(one for one in office.city.classes.leaves() if "路灯" in one.words)
    assert (order["code"], order["department"]) == (leaf.code, leaf.department)
    assert order["departments"] == list(leaf.helped_by)
    assert "路灯不亮" in order["summary"]
    rules = {field["name"]: field["rule"] for field in order["fields"]}
    assert (rules["code"], rules["summary"]) == ("class.words", "summary.assembled")


def test_what_the_other_system_said_stands(office: Office, system: System) -> None:
    said = {"title": "路灯", "department": "应急管理局", "departments": ["应急管理局", "水务局"],
            "kind": "建议", "urgency": "urgent", "secret": True, "visit": False}  # fmt: skip
    number = system.send("/api/orders", ORDER | said, "their-number-3").json()["number"]
    order = system.get(f"/api/orders/{number}").json()
    for name in ("title", "department", "kind", "urgency", "secret", "visit"):
        assert order[name] == said[name]
    assert order["departments"] == ["水务局"]
    fields = {field["name"]: field for field in order["fields"]}
    assert fields["title"]["value"] == "路灯"
    assert {fields[name]["rule"] for name in ("title", "department", "urgency")} == {"api:city"}


def test_danger_in_another_systems_words_is_danger(office: Office, system: System) -> None:
    said = ORDER | {"what": "小区里煤气泄漏，味道很大"}
    number = system.send("/api/orders", said, "their-number-4").json()["number"]
    assert system.get(f"/api/orders/{number}").json()["urgency"] == "danger"
    assert [alarm.object for alarm in open_alarms(office.engine)] == [number]


def test_an_idempotency_key_is_known_for_a_week(
    office: Office, system: System, clock: Clock, day: tuple[str, str]
) -> None:
    path = f"/api/orders/{day[0]}/deeds/urge"
    assert system.send(path, {}, "once").json()["repeated"] is False
    assert system.send(path, {}, "once").json()["repeated"] is True
    clock.advance(days=8)
    assert system.send(path, {}, "once").json()["repeated"] is False
    with reading(office.engine) as session:
        assert len(session.scalars(select(ApiRequest)).all()) == 1


@pytest.mark.parametrize(
    ("body", "key"),
    [({"kind": "投诉"}, "k" * 8), (ORDER | {"kind": "x"}, "k" * 8),
     (ORDER | {"what": " "}, "k" * 8),
     (ORDER | {"phone": "call me"}, "k" * 8), (ORDER | {"state": "归档"}, "k" * 8),
     (ORDER | {"what": "x" * 4001}, "k" * 8), (ORDER, ""), (ORDER, "short"), ([], "k" * 8)],
)  # fmt: skip
def test_what_is_no_order_is_refused(system: System, body: object, key: str) -> None:
    answer = system.send("/api/orders", body, key)
    assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")
    assert answer.headers["content-type"] == "application/problem+json"


def test_danger_from_another_system_is_linked_at_once(office: Office, system: System) -> None:
    number = system.send("/api/orders", ORDER | {"urgency": "danger"}, "d" * 8).json()["number"]
    order = system.get(f"/api/orders/{number}").json()
    assert order["urgency"] == "danger"
    # The sample city names nobody to tell: then a person is alarmed.
    assert [alarm.object for alarm in open_alarms(office.engine)] == [number]


def test_steps_are_taken_by_edition_once_for_each_key(
    office: Office, system: System, day: tuple[str, str]
) -> None:
    path = f"/api/orders/{day[0]}/deeds"
    may = {one["verb"]: one["refused"] for one in system.get(path).json()["deeds"]}
    assert may["dispatch"] == ""
    assert may["close"] == "还没有答复，不能办结"
    body = {"edition": 1, "department": "城市管理局", "departments": ["生态环境局"]}
    first, again = (system.send(f"{path}/dispatch", body, "step-1").json() for _ in range(2))
    assert (first["state"], first["edition"], first["repeated"]) == ("派单", 2, False)
    assert again == first | {"repeated": True}
    stale = system.send(f"{path}/sign", {"edition": 1})
    assert (stale.status_code, stale.json()["code"]) == (409, "order_changed")
    refused = system.send(f"{path}/close", {})
    assert (refused.status_code, refused.json()["message"]) == (409, "还没有答复，不能办结。")
    assert system.send(f"{path}/fly", {}).json()["code"] == "verb_unknown"
    assert system.send("/api/orders/none/deeds/sign", {}).json()["code"] == "order_unknown"
    assert system.send(f"{path}/extend", {"text": "x"}).status_code in (409, 422)
    history = system.get(f"/api/orders/{day[0]}/history").json()
    assert [(one["event"], one["actor"]) for one in history][-1] == ("dispatch", "key:city")


def test_fields_are_changed_with_their_former_values(system: System, day: tuple[str, str]) -> None:
    path = f"/api/orders/{day[0]}/fields"
    body = {"edition": 1, "fields": {"where": "青年路", "urgency": "urgent"}}
    changed = system.send(path, body, "edit-1", method="PATCH")
    assert changed.json()["edition"] == 2
    order = system.get(f"/api/orders/{day[0]}").json()
    where = next(one for one in order["fields"] if one["name"] == "where")
    assert (where["value"], where["confirmed_by"]) == ("青年路", "key:city")
    assert where["former"][0]["value"] == "解放街道建业小区9号楼（解放路与胜利街路口）"
    assert order["urgency"] == "urgent"
    for fields, code in (({"number": "1"}, "field_unknown"), ({"phone": "x"}, "value_invalid")):
        answer = system.send(path, {"fields": fields}, method="PATCH")
        assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_a_list_by_cursor_is_not_shifted_by_new_orders(
    system: System, day: tuple[str, str]
) -> None:
    seen: list[str] = []
    cursor = ""
    for turn in range(10):
        answer = system.get(f"/api/orders?limit=2&cursor={cursor}").json()
        seen += [order["number"] for order in answer["orders"]]
        cursor = answer["next"]
        if turn == 1:
            system.send("/api/orders", ORDER, "meanwhile")
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == 9
    assert seen[:2] == [day[1], day[0]]
    for broken in ("x", "%00", "AAAA", "MjAyNnwx"):
        assert system.get(f"/api/orders?cursor={broken}").status_code == 422


def test_a_number_is_searched_for_in_no_address(system: System, day: tuple[str, str]) -> None:
    found = system.send("/api/orders/search", {"search": "13912345678"}).json()
    assert [order["number"] for order in found["orders"]] == [day[0]]
    assert system.send("/api/orders/search", {"page": 1}).status_code == 422


def test_a_secret_order_tells_a_system_nothing_of_who_reported(
    office: Office, visitor: TestClient, day: tuple[str, str]
) -> None:
    with writing(office.engine) as session:
        session.scalars(select(WorkOrder).where(WorkOrder.number == day[0])).one().secret = True
    reader = System(office, visitor, "see_orders", "change_orders", name="reader")
    trusted = System(office, visitor, "see_orders", "see_secret", name="trusted")
    order = reader.get(f"/api/orders/{day[0]}").json()
    assert order["hidden"] is True
    assert order["recordings"] == []
    assert "13912345678" not in str(order)
    assert "幺三九" not in str(order)
    talk = reader.get(f"/api/conversations/{order['conversation']}")
    assert (talk.status_code, talk.json()["code"]) == (403, "conversation_secret")
    assert reader.send("/api/orders/search", {"search": "13912345678"}).json()["orders"] == []
    changes = {"fields": {"phone": "13900000000"}}
    assert reader.send(f"/api/orders/{day[0]}/fields", changes, method="PATCH").status_code == 403
    assert ("key:reader", day[0]) in audits(office.engine, "order_refused")
    assert "13912345678" in str(trusted.get(f"/api/orders/{day[0]}").json())


def test_a_session_writes_with_its_own_token_only(desk: Desk, day: tuple[str, str]) -> None:
    path = f"/api/orders/{day[0]}/deeds/note"
    forged = desk.client.post(path, json={"text": "x"})
    assert (forged.status_code, forged.json()["code"]) == (403, "form_expired")
    own = desk.client.post(path, json={"text": "x"}, headers={"X-Qianmen-Token": desk.token})
    assert own.status_code == 200
    assert desk.client.post("/api/orders", json=ORDER, headers={
        "X-Qianmen-Token": desk.token, "Idempotency-Key": "k" * 8}).status_code == 403  # fmt: skip


def test_whoever_asks_too_fast_must_wait(office: Office, system: System) -> None:
    site = office.app.state.site
    object.__setattr__(site, "api_limit", Limiter(Rate(burst=3, per_s=0)))
    told = [system.get("/api/orders").status_code for _ in range(5)]
    assert told == [200, 200, 200, 429, 429]
    assert visitor_free(office, system)


def visitor_free(office: Office, system: System) -> bool:
    """Another system is not held back by it."""
    other = System(office, system.client, "see_orders", name="other")
    return bool(other.get("/api/orders").status_code == 200)


def test_the_document_names_keys_and_every_code(visitor: TestClient) -> None:
    schema = visitor.get("/openapi.json").json()
    assert schema["openapi"].startswith("3.1")
    assert {"key", "session"} <= set(schema["components"]["securitySchemes"])
    step = schema["paths"]["/api/orders/{number}/deeds/{verb}"]["post"]
    assert "order_changed" in step["responses"]["409"]["description"]
    assert {"401", "403", "404", "409", "422", "429", "503"} <= set(step["responses"])
    assert any(one["name"] == "Idempotency-Key" for one in step["parameters"])
    create = schema["paths"]["/api/orders"]["post"]
    assert create["responses"]["201"]["content"]["application/json"]["schema"]
    assert next(one for one in create["parameters"] if one["name"] == "Idempotency-Key")["required"]


def test_openapi_is_valid(visitor: TestClient) -> None:
    validator = pytest.importorskip("openapi_spec_validator")
    validator.validate(visitor.get("/openapi.json").json())


def test_the_conversation_of_a_foreign_order_is_over(office: Office, system: System) -> None:
    system.send("/api/orders", ORDER, "k" * 8)
    with reading(office.engine) as session:
        talk = session.scalars(select(Conversation)).one()
    assert (talk.channel, talk.state, talk.citizen) == ("api", "ended", "138 0013 8000")
