"""The account's address: there with an account alone, and for that one only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from config.city import City
from config.errors import ConfigError
from qianmen.wechatsim.account import Account
from qianmen.wechatsim.envelope import checking
from store.engine import open_engine
from tests.fakes.office import Office

SETTINGS = {"wechat_appid": "wx0123456789abcdef", "wechat_token": "tokentoken",
            "wechat_secret": "secret", "wechat_api": "http://127.0.0.1:1"}  # fmt: skip
Make = Callable[..., Office]


@pytest.fixture
def office(tmp_path: Path, city: City, now: datetime) -> Make:
    engine: Engine = open_engine(f"sqlite:///{tmp_path / 'none.sqlite3'}")

    def make(**more: Any) -> Office:
        return Office(tmp_path, engine, city, lambda: now, more=more)

    return make


def test_without_an_account_there_is_no_such_address(office: Make) -> None:
    for more in ({}, {"wechat_appid": "wx0123456789abcdef"}, {"wechat_token": "tokentoken"}):
        client = TestClient(office(**more).app)
        for path in ("/wechat", "/wechat/wx0123456789abcdef"):
            assert client.get(path).status_code == client.post(path).status_code == 404


def test_the_platforms_check_is_answered_with_its_echo(office: Make, now: datetime) -> None:
    account = Account(SETTINGS["wechat_appid"], "secret", SETTINGS["wechat_token"], mode="plain")
    with TestClient(office(**SETTINGS).app) as client:
        for path in ("/wechat", f"/wechat/{account.appid}"):
            query, echo = checking(account, int(now.timestamp()))
            reply = client.get(path, params=dict(query))
            assert (reply.status_code, reply.text) == (200, echo)
            assert reply.headers["content-type"].startswith("text/plain")
        late, _ = checking(account, int(now.timestamp()) - 301)
        for wrong in ({}, {**query, "nonce": "0"}, dict(late)):
            assert client.get("/wechat", params=wrong).status_code == 403
        for odd in ("", "<script>", "a" * 201, "回声"):
            shown = client.get("/wechat", params={**query, "echostr": odd})
            assert (shown.status_code, shown.text) in ((400, "field_invalid"), (200, "<script>"))
        assert client.get("/wechat/wx9999999999999999", params=dict(query)).status_code == 404


@pytest.mark.parametrize(
    ("more", "variable"),
    [
        ({"wechat_aes_key": "short"}, "QIANMEN_WECHAT_AES_KEY"),
        ({"wechat_line": "110"}, "QIANMEN_WECHAT_LINE"),
    ],
)
def test_settings_that_cannot_be_right_stop_the_start(
    office: Make, more: dict[str, str], variable: str
) -> None:
    with pytest.raises(ConfigError, match=variable):
        office(**SETTINGS, **more)
