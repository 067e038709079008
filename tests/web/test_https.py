"""Behind a proxy: who is believed, and what https changes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from config.errors import ConfigError
from config.listening import listen
from tests.fakes.office import Office
from tests.web.conftest import PASSWORD, Clock, Desk, sign_in
from web.__main__ import server
from web.app import public_origin


def test_a_public_address_with_https_makes_cookies_safe(office: Office, staff: str) -> None:
    office.settings = office.settings.model_copy(update={"public_url": "https://12345.example/"})
    with TestClient(office.start(), follow_redirects=False) as client:
        answer = client.get("/staff/sign-in")
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-qianmen_form=")
        assert "Secure" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie
        assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_over_plain_http_nothing_claims_https(visitor: TestClient) -> None:
    answer = visitor.get("/staff/sign-in")
    assert "strict-transport-security" not in answer.headers
    assert answer.headers["set-cookie"].startswith("qianmen_form=")


def test_a_cookie_without_the_prefix_is_nothing_over_https(office: Office, staff: str) -> None:
    with TestClient(office.app, base_url="https://testserver", follow_redirects=False) as client:
        assert sign_in(client, staff, PASSWORD) == 303
        value = client.cookies["__Host-qianmen_staff"]
        client.cookies.clear()
        client.cookies.set("qianmen_staff", value)
        assert client.get("/orders").status_code == 303


@pytest.mark.parametrize(
    ("url", "origin"),
    [("", ""), ("https://A.example", "https://a.example"), ("http://a:8080/", "http://a:8080")],
)
def test_the_public_address(url: str, origin: str) -> None:
    assert public_origin(url) == origin


@pytest.mark.parametrize(
    "url", ["a.example", "ftp://a", "https://", "https://a/b", "https://a:99999", "https://u@a",
            "https://a?x", "https://[a"],
)  # fmt: skip
def test_a_public_address_that_is_none(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        public_origin(url)
    assert "QIANMEN_PUBLIC_URL" in str(caught.value)


@pytest.mark.parametrize(
    ("proxies", "seen"),
    [((), ["http", "127.0.0.1"]), (("10.0.0.0/8",), ["http", "127.0.0.1"]),
     (("127.0.0.1",), ["https", "203.0.113.9"]), (("127.0.0.0/8",), ["https", "203.0.113.9"])],
)  # fmt: skip
async def test_only_our_proxies_are_believed(proxies: tuple[str, ...], seen: list[str]) -> None:
    app = FastAPI()

    @app.get("/")
    def show(request: Request) -> list[str]:
        return [request.url.scheme, request.client.host if request.client else ""]

    with listen("127.0.0.1", 0, "QIANMEN_WEB_PORT") as taken:
        taken.listen()
        running = server(app, proxies)
        task = asyncio.create_task(running.serve(sockets=[taken]))
        headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
        async with httpx.AsyncClient(trust_env=False) as client:
            port = taken.getsockname()[1]
            answer = await client.get(f"http://127.0.0.1:{port}/", headers=headers)
        running.should_exit = True
        await task
    assert answer.json() == seen


def test_the_idle_time_is_the_settings(desk: Desk, clock: Clock) -> None:
    app = desk.office.app
    app.state.site = replace(app.state.site, idle=timedelta(minutes=5))
    clock.advance(minutes=5, seconds=1)
    assert desk.get("/orders").status_code == 303
