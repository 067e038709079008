"""Connections, messages and refusals of the web chat are counted."""

from __future__ import annotations

from fastapi.testclient import TestClient
from prometheus_client import REGISTRY

from chat.limits import Limits, Rate
from tests.chat.test_socket import Browser
from tests.fakes.office import Office


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_a_chat_is_counted(office: Office) -> None:
    office.limits = Limits(session=Rate(1, 0))
    messages = value("qianmen_chat_messages_total", kind="text")
    refused = value("qianmen_chat_refused_total", code="too_fast")
    browser = Browser()
    with TestClient(office.start()) as client, browser.on(client):
        assert value("qianmen_chat_connections") == 1
        assert browser.say("message-1", "你好")["type"] == "ack"
        browser.send(type="text", id="message-2", text="在吗")
        while browser.frame()["type"] != "error":
            pass
    assert value("qianmen_chat_connections") == 0
    assert value("qianmen_chat_messages_total", kind="text") == messages + 1
    assert value("qianmen_chat_refused_total", code="too_fast") == refused + 1
