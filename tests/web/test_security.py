"""Headers, the last resort, and what the pages load."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from config.errors import ConfigError
from config.settings import Settings
from tests.fakes.office import Office
from tests.web.conftest import Desk
from web.app import create_app
from web.security import content_policy
from web.templating import STATIC
from web.vendor import FILES, copy


def test_every_answer_carries_the_headers(visitor: TestClient) -> None:
    for path in ("/", "/staff/sign-in", "/nothing", "/api/orders", "/livez"):
        headers = visitor.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("host", ["a.example:8000", "127.0.0.1", "[::1]:8000"])
def test_older_browsers_may_open_the_socket(host: str) -> None:
    assert f"connect-src 'self' ws://{host} wss://{host};" in content_policy(host)


@pytest.mark.parametrize("host", ["", "evil; script-src *", "a b", "a,b", "x:123456"])
def test_a_strange_host_adds_nothing_to_the_policy(host: str) -> None:
    assert "connect-src 'self';" in content_policy(host)


def test_an_exception_is_a_plain_page_and_a_log_line_without_values(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("13912345678 said something")

    monkeypatch.setattr("web.routes.orders.list_orders", broken)
    monkeypatch.setattr("web.routes.api.list_orders", broken)
    with capture_logs() as logs:
        page, answer = desk.get("/orders"), desk.get("/api/orders")
    assert (page.status_code, answer.status_code) == (500, 500)
    assert "系统出了点问题" in page.text
    assert answer.json()["code"] == "internal"
    assert "Traceback" not in page.text
    assert page.headers["x-content-type-options"] == "nosniff"
    assert {log["event"] for log in logs} == {"request_failed"}
    assert "139" not in str(logs)
    assert logs[0]["error"] == "RuntimeError"


def test_nothing_is_loaded_from_elsewhere_and_nothing_stands_inline(
    desk: Desk, day: tuple[str, str]
) -> None:
    for path in ("/", "/staff/sign-in", "/orders", f"/orders/{day[0]}"):
        html = desk.get(path).text
        assert not re.search(r'(src|href)="(https?:)?//', html)
        assert not re.search(r"<script(?![^>]*\ssrc=)", html)
        assert not re.search(r"\son[a-z]+=|\sstyle=|<style|javascript:", html)
        for name in re.findall(r'(?:src|href)="(/static/[^"]+)"', html):
            assert desk.get(name).status_code == 200, name


def test_scripts_put_citizens_words_in_as_text() -> None:
    for script in STATIC.glob("*/*.js"):
        if script.parent.name != "vendor":
            assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(",
                                 script.read_text(encoding="utf-8")), script  # fmt: skip


def test_assets_are_kept_for_ever_under_their_version(visitor: TestClient) -> None:
    (name,) = re.findall(r'href="(/static/[^"]+chat\.css)"', visitor.get("/").text)
    answer = visitor.get(name)
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-encoding"] == "gzip"
    assert visitor.get(name.replace("chat.css", "none.css")).status_code == 404
    assert visitor.get(f"{name.rsplit('/', 1)[0]}/..%2f..%2fapp.py").status_code == 404


def test_a_secret_that_is_too_short_is_refused_at_start(office: Office, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, secret_key="short")
    with pytest.raises(ConfigError) as caught:
        create_app(settings, office.city, office.engine, office.core)
    assert caught.value.code == "settings_invalid"


def test_vendor_copies_what_is_there_and_names_what_is_not(tmp_path: Path) -> None:
    source = tmp_path / "node_modules"
    (source / "weui/dist/style").mkdir(parents=True)
    (source / "weui/dist/style/weui.min.css").write_text("a{}")
    missing = copy(source, tmp_path / "vendor")
    assert set(missing) == set(FILES) - {"weui/dist/style/weui.min.css"}
    assert [path.name for path in (tmp_path / "vendor").iterdir()] == ["weui.min.css"]
