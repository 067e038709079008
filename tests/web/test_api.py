"""The JSON API, with a session or with the command line's key."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from tests.fakes.office import KEY, Office
from tests.fakes.orders import CALL, CHAT
from tests.web.conftest import Desk, audits

HEADERS = {"X-Qianmen-Key": KEY}


def test_the_command_line_reads_orders(visitor: TestClient, day: tuple[str, str]) -> None:
    found = visitor.get("/api/orders", headers=HEADERS).json()
    assert (found["total"], found["page"], found["pages"]) == (9, 1, 1)
    newest = found["orders"][0]
    assert (newest["number"], newest["conversation"]) == (day[1], CHAT)
    assert newest["created_at"] == "2026-11-20T03:58:11Z"
    urgent = visitor.get("/api/orders?urgency=danger", headers=HEADERS).json()
    assert [order["department"] for order in urgent["orders"]] == ["应急管理局"]


def test_one_order_with_its_provenance(visitor: TestClient, day: tuple[str, str]) -> None:
    order = visitor.get(f"/api/orders/{day[0]}", headers=HEADERS).json()
    where = next(field for field in order["fields"] if field["name"] == "where")
    assert (where["turn"], where["confidence"]) == ("h3", 0.52)
    assert where["quote"] == "在解放路和胜利街的路口，建业小区九号楼下面"
    assert [event["event"] for event in order["events"]] == ["accepted", "handed_over"]
    assert order["recordings"] == ["rec-7f3a"]


def test_a_conversation_with_its_turns(visitor: TestClient, day: tuple[str, str]) -> None:
    talk = visitor.get(f"/api/conversations/{CALL}", headers=HEADERS).json()
    said = next(turn for turn in talk["turns"] if turn["id"] == "h3")
    assert (said["speaker"], said["start_ms"], said["end_ms"]) == ("citizen", 21000, 25400)


def test_reading_is_written_down(office: Office, visitor: TestClient, day: tuple[str, str]) -> None:
    visitor.get(f"/api/orders/{day[0]}", headers=HEADERS)
    visitor.get(f"/api/conversations/{CALL}", headers=HEADERS)
    assert audits(office.engine, "order_viewed") == [("command-line", day[0])]
    assert audits(office.engine, "conversation_viewed") == [("command-line", CALL)]


def test_a_session_is_good_for_the_api_too(desk: Desk, day: tuple[str, str]) -> None:
    assert desk.get("/api/orders").json()["total"] == 9


@pytest.mark.parametrize("key", ["", "wrong", KEY + "x", "ü" * 4])
def test_a_wrong_key_opens_nothing(visitor: TestClient, key: str) -> None:
    answer = visitor.get("/api/orders", headers={b"X-Qianmen-Key": key.encode()})
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/orders/none", 404, "order_unknown"),
        ("/api/conversations/none", 404, "conversation_unknown"),
        ("/api/nothing", 404, "not_found"),
        ("/api/orders?page=0", 422, "request_invalid"),
        ("/api/orders?page=x", 422, "request_invalid"),
        ("/api/orders?urgency=soon", 422, "request_invalid"),
    ],
)
def test_errors_are_json_with_a_stable_code(
    visitor: TestClient, path: str, status: int, code: str
) -> None:
    answer = visitor.get(path, headers=HEADERS)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["message"]


def test_another_method_is_an_error_of_the_same_kind(visitor: TestClient) -> None:
    answer = visitor.put("/api/orders")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET"


def test_a_database_that_is_away_is_said_without_its_secrets(
    visitor: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("SELECT secret", {"phone": "139"}, Exception("away"))

    monkeypatch.setattr("web.routes.api.list_orders", away)
    answer = visitor.get("/api/orders", headers=HEADERS)
    assert (answer.status_code, answer.json()["code"]) == (503, "store_down")
    assert "SELECT" not in answer.text


def test_openapi_shows_the_models(visitor: TestClient) -> None:
    schema = visitor.get("/openapi.json").json()
    assert {"OrdersOut", "OrderDetailOut", "FieldOut", "ConversationOut", "ProblemOut"} <= set(
        schema["components"]["schemas"]
    )
    assert "/api/orders/{number}" in schema["paths"]
    assert not any(path.startswith(("/orders", "/staff")) for path in schema["paths"])
    assert visitor.get("/docs").status_code == 404  # Swagger's page would load from a CDN
