"""``qianmen wechat simulate``: what it refuses, what it shows, when it says that it worked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from typer.testing import CliRunner

from config.errors import ConfigError
from config.settings import Settings
from qianmen.commands.wechat import wechat
from qianmen.wechatsim import xmlwire
from qianmen.wechatsim.setup import made, setup_of
from tests.ports import free_port

pytestmark = pytest.mark.usefixtures("logs_as_they_were")
RUN = CliRunner()
APPID, TOKEN = "wx0123456789abcdef", "tokentoken"


class Account(BaseHTTPRequestHandler):
    """An account in plain mode: it answers at once, or says ``success`` and sends a message."""

    late = ""
    passive = True

    def do_GET(self) -> None:
        self._give(parse_qs(urlsplit(self.path).query)["echostr"][0].encode())

    def do_POST(self) -> None:
        got = xmlwire.read(self.rfile.read(int(self.headers["Content-Length"])))
        fields = {one.name: one.text for one in got.children}
        words = fields.get("Content", "您好")
        reply = {
            "ToUserName": fields["FromUserName"], "FromUserName": fields["ToUserName"],
            "CreateTime": int(fields["CreateTime"]), "MsgType": "text", "Content": f"听到：{words}",
        }  # fmt: skip
        if self.late:  # before the push is answered, so that nothing has to be waited for
            known = {"grant_type": "client_credential", "appid": APPID, "secret": "s"}
            token = httpx.post(f"{self.late}/cgi-bin/stable_token", json=known, trust_env=False)
            httpx.post(
                f"{self.late}/cgi-bin/message/custom/send", trust_env=False,
                params={"access_token": token.json()["access_token"]},
                json={"touser": fields["FromUserName"], "msgtype": "text",
                      "text": {"content": f"later: {words.encode().hex()}"}},
            )  # fmt: skip
        self._give(xmlwire.document(reply) if self.passive else b"success")

    def _give(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def account(**how: Any) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Here", (Account,), how))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/wechat"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> str:
    """The settings of an account; where its API is looked for."""
    port = free_port()
    for name, value in {
        "APPID": APPID, "TOKEN": TOKEN, "SECRET": "s", "API": f"http://127.0.0.1:{port}",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"QIANMEN_WECHAT_{name}", value)
    monkeypatch.setattr("qianmen.commands.wechat.SETTLE_S", 0.02)  # what comes, comes before
    return f"http://127.0.0.1:{port}"


def simulate(*arguments: str) -> tuple[int, dict[str, Any]]:
    result = RUN.invoke(wechat, ["simulate", "--json", "--mode", "plain", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, json.loads(result.stdout)


def test_a_conversation_that_works_is_one_document_and_exit_code_0(api: str) -> None:
    with account() as url:
        code, told = simulate("--url", url, "--say", "你好", "--say", "再见", "--strict")
    assert code == 0
    assert told["worked"] is True
    assert [(turn["who"], turn["text"]) for turn in told["turns"]] == [
        ("bot", "听到：您好"), ("citizen", "你好"), ("bot", "听到：你好"),
        ("citizen", "再见"), ("bot", "听到：再见"),
    ]  # fmt: skip
    assert told["breaches"] == []


def test_a_message_in_place_of_an_answer_counts_too_and_retries_are_made(api: str) -> None:
    with account(passive=False, late=api) as url:
        code, told = simulate("--url", url, "--say", "hi")
        assert code == 0
        assert told["turns"][-1] == told["turns"][-1] | {"who": "bot", "via": "custom"}
        code, told = simulate("--url", url, "--say", "hi", "--retries", "1")
    assert code == 1  # each retry was answered anew: this account knows no repeats
    assert told["doubled"] != []


def test_nothing_heard_is_exit_code_1(api: str) -> None:
    code, told = simulate("--url", "http://127.0.0.1:1/wechat", "--say", "你好")
    assert code == 1
    assert "connection" in told["breaches"]
    assert told["unanswered"] == ["你好"]
    assert told["turns"][-1]["who"] == "system"


def test_the_outcome_is_shown_to_people(api: str) -> None:
    with account() as url:
        shown = RUN.invoke(wechat, ["simulate", "--mode", "plain", "--url", url, "--say", "你好"])
    assert "市民：你好\n前门：听到：你好\n" in shown.stdout
    assert "✔ 全部答复" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--mode", "open"], "mode_unknown"),
        (["--format", "yaml"], "mode_unknown"),
        (["--voice", "nothing.wav"], "bad_input"),
        (["--mode", "secure"], "wechat_key_missing"),
        (["--mode", "plain", "--rotate-key"], "wechat_key_missing"),
    ],
)
def test_what_cannot_be_is_named(api: str, arguments: list[str], code: str) -> None:
    result = RUN.invoke(wechat, ["simulate", "--url", "http://127.0.0.1:1/wechat", *arguments])
    assert isinstance(result.exception, ConfigError)
    assert result.exception.code == code


def test_settings_that_lead_elsewhere_are_named(api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QIANMEN_WECHAT_API", "https://api.weixin.qq.com")
    result = RUN.invoke(
        wechat, ["simulate", "--mode", "plain", "--url", "http://127.0.0.1:1/wechat"]
    )
    assert isinstance(result.exception, ConfigError)
    assert result.exception.code == "wechat_api_elsewhere"
    monkeypatch.setenv("QIANMEN_WECHAT_TOKEN", "")
    result = RUN.invoke(wechat, ["simulate", "--url", "http://127.0.0.1:1/wechat"])
    assert isinstance(result.exception, ConfigError)
    assert result.exception.code == "wechat_unset"


def test_an_account_made_for_the_run_may_rotate_its_key(tmp_path: Path) -> None:
    setup = setup_of(made(Settings(data_dir=tmp_path), 8121), "secure", "xml", rotate=True)
    assert setup.port == 8121
    assert len(setup.account.aes_key) == len(setup.next_key) == 43
    assert setup.account.aes_key != setup.next_key
