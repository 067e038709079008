"""Requests are measured by their route's template, never by their address."""

from __future__ import annotations

from fastapi.testclient import TestClient
from prometheus_client import REGISTRY

from config.metrics import exposition
from tests.fakes.office import Office
from web.metrics import Measured


def count(route: str, status: str, method: str = "GET") -> float:
    labels = {"route": route, "method": method, "status": status}
    name = "qianmen_web_request_seconds_count"
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_requests_by_route_method_and_status(office: Office) -> None:
    before = count("/livez", "200"), count("other", "404"), count("other", "405", "other")
    client = TestClient(Measured(office.app))
    client.get("/livez?phone=13900139000")
    client.get("/13900139000")
    client.request("WHAT13900139000", "/13900139000")
    assert count("/livez", "200") == before[0] + 1
    assert count("other", "404") >= before[1] + 1
    assert "13900139000" not in exposition()[0].decode()


def test_an_order_is_measured_without_its_number(office: Office) -> None:
    TestClient(Measured(office.app), follow_redirects=False).get("/orders/20261120000001")
    assert "20261120000001" not in exposition()[0].decode()


def test_the_public_port_has_no_measurements(office: Office) -> None:
    assert TestClient(office.app).get("/metrics").status_code == 404
