"""The web process: its port, its parts, and what stops it at the start."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from structlog.testing import capture_logs

from config.errors import ConfigError
from config.listening import listen
from config.settings import Settings
from web import __main__ as process


def test_a_port_is_taken_once() -> None:
    with listen("127.0.0.1", 0, "QIANMEN_WEB_PORT") as taken:
        port = taken.getsockname()[1]
        taken.listen()
        with pytest.raises(ConfigError) as caught:
            listen("127.0.0.1", port, "QIANMEN_WEB_PORT")
    assert caught.value.code == "port_in_use"
    assert f"QIANMEN_WEB_PORT: 127.0.0.1:{port}" in str(caught.value)


def test_an_address_that_is_not_ours_is_said_plainly() -> None:
    with pytest.raises(ConfigError):
        listen("192.0.2.1", 0, "QIANMEN_WEB_PORT")  # RFC 5737: nobody's


def test_the_app_on_its_real_parts_serves_without_redis(engine: Engine, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, redis_port=1, database_url=str(engine.url))
    with capture_logs(), TestClient(process.make_app(settings)) as client:
        assert client.get("/livez").status_code == 200
        with client.websocket_connect("/chat/ws") as socket:
            socket.send_json({"type": "hello"})
            assert socket.receive_json()["type"] == "welcome"


def test_what_is_missing_ends_the_start_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path, city=tmp_path / "nowhere")
    monkeypatch.setattr(process, "load_settings", lambda: settings)
    monkeypatch.setattr(process, "configure", lambda *_: None)
    with capture_logs() as logs:
        assert process.main() == 1
    assert [log["event"] for log in logs] == ["web_cannot_start"]
    assert logs[0]["code"] == "config_missing"


def test_the_app_is_told_that_it_stops() -> None:
    """An open wall's stream has no end of its own, and would hold the process up."""
    app = FastAPI()
    running = process.server(app)
    running.handle_exit(signal.SIGTERM, None)
    assert running.should_exit
    assert app.state.stopping
