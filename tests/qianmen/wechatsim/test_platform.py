"""The simulated platform as a whole: its API on a socket, its pushes with their retries."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from qianmen.wechatsim import messages, xmlwire
from qianmen.wechatsim.account import Account
from qianmen.wechatsim.crypto import signature
from qianmen.wechatsim.delivery import Delivery, HttpWire, Unanswered
from qianmen.wechatsim.platform import Breach, Platform
from qianmen.wechatsim.server import serving
from qianmen.wechatsim.view import FAULT

ACCOUNT = Account("wx0123456789abcdef", "secret", "token", mode="plain")
KNOWN = {"grant_type": "client_credential", "appid": ACCOUNT.appid, "secret": ACCOUNT.secret}


class Clock:
    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def platform(clock: Clock) -> Platform:
    return Platform(ACCOUNT, clock, templates={"t1": ("thing1",)})


@pytest.fixture
def api(platform: Platform) -> Iterator[httpx.Client]:
    with serving(platform) as url, httpx.Client(base_url=url, trust_env=False) as client:
        yield client


def token(api: httpx.Client) -> str:
    return str(api.post("/cgi-bin/stable_token", json=KNOWN).json()["access_token"])


def send(api: httpx.Client, path: str, known: str, **call: Any) -> int:
    reply = api.post(f"/cgi-bin/{path}", params={"access_token": known}, json=call)
    assert reply.status_code == 200
    return int(reply.json()["errcode"])


def say(api: httpx.Client, known: str, openid: str, text: str = "ok") -> int:
    return send(api, "message/custom/send", known, touser=openid, msgtype="text",
                text={"content": text})  # fmt: skip


@pytest.mark.parametrize(
    ("change", "errcode"),
    [
        ({"grant_type": "x"}, 40002),
        ({"appid": ""}, 41002),
        ({"appid": "wx9"}, 40013),
        ({"secret": ""}, 41004),
        ({"secret": "x"}, 40125),
    ],
)
def test_no_token_for_who_is_not_the_account(
    api: httpx.Client, change: dict[str, str], errcode: int
) -> None:
    for reply in (
        api.post("/cgi-bin/stable_token", json=KNOWN | change),
        api.get("/cgi-bin/token", params=KNOWN | change),
    ):
        assert reply.json()["errcode"] == errcode


def test_a_message_needs_a_token_a_follower_and_an_open_window(
    api: httpx.Client, platform: Platform, clock: Clock
) -> None:
    known = token(api)
    assert say(api, "", "o1") == 41001
    assert say(api, "nonsense", "o1") == 40001
    assert say(api, known, "o1") == 40003
    platform.citizen("o1")
    assert say(api, known, "o1") == 45015
    platform.hears("o1", messages.text("你好"))
    assert [say(api, known, "o1", str(n)) for n in range(6)] == [0, 0, 0, 0, 0, 45047]
    platform.hears("o1", messages.unsubscribe())
    assert say(api, known, "o1") == 43004
    assert [seen.text for seen in platform.citizen("o1").seen] == ["你好", *"01234"]
    clock.now += 7200
    assert say(api, known, "o1") == 42001
    assert platform.breaches == []


def test_typing_is_shown_only_after_a_message_and_once(
    api: httpx.Client, platform: Platform, clock: Clock
) -> None:
    known, path = token(api), "message/custom/typing"
    platform.citizen("o1")
    assert send(api, path, known, touser="o1", command="Typing") == 45080
    platform.hears("o1", messages.text("你好"))
    assert send(api, path, known, touser="o1", command="Typing") == 0
    assert send(api, path, known, touser="o1", command="Typing") == 45081
    assert send(api, path, known, touser="o1", command="CancelTyping") == 0
    assert send(api, path, known, touser="o1", command="Tippen") == 45072
    clock.now += 31
    assert send(api, path, known, touser="o1", command="Typing") == 45080


def test_media_are_given_as_they_are_videos_by_their_address(
    api: httpx.Client, platform: Platform, clock: Clock
) -> None:
    known = token(api)

    def get(media_id: str) -> httpx.Response:
        return api.get("/cgi-bin/media/get", params={"access_token": known, "media_id": media_id})

    voice = platform.media.keep(b"#!AMR\n", "amr", clock())
    assert get(voice).content == b"#!AMR\n"
    assert get(voice).headers["content-type"] == "audio/amr"
    video = platform.media.keep(b"mp4", "mp4", clock())
    assert httpx.get(get(video).json()["video_url"], trust_env=False).content == b"mp4"
    assert get("").json()["errcode"] == 41006
    assert get("other").json()["errcode"] == 40007
    clock.now += 3 * 86400
    known = token(api)
    assert get(voice).json()["errcode"] == 40007


def test_notices_need_no_window_but_a_subscription_notice_its_consent(
    api: httpx.Client, platform: Platform
) -> None:
    known, citizen = token(api), platform.citizen("o1")
    call = {"touser": "o1", "template_id": "t1", "data": {"thing1": {"value": "已办结"}}}
    assert send(api, "message/template/send", known, **call) == 0
    assert send(api, "message/subscribe/bizsend", known, **call) == 43101
    citizen.takes.add("t1")
    assert send(api, "message/subscribe/bizsend", known, **call) == 0
    assert send(api, "message/subscribe/bizsend", known, **call) == 43101
    assert [seen.via for seen in citizen.seen] == ["template", "template"]


def test_faults_come_as_they_are_told(api: httpx.Client, platform: Platform) -> None:
    known = token(api)
    platform.hears("o1", messages.text("你好"))
    platform.faults.errors.extend([45047, -1])
    assert [say(api, known, "o1") for _ in range(3)] == [45047, -1, 0]
    platform.faults.server_errors = 1
    assert api.post("/cgi-bin/menu/create").status_code == 502
    platform.faults.down = True
    with pytest.raises(httpx.TransportError):
        api.get("/cgi-bin/token")
    platform.faults.down = False
    assert api.get("/cgi-bin/nowhere").json()["errcode"] == 40066
    assert api.get("/cgi-bin/menu/create").json()["errcode"] == 43002
    assert api.post("/cgi-bin/token").json()["errcode"] == 43001


# ---------------------------------------------------------------------------- pushes


class Server:
    """An account's server that does as it is told; an exception in ``answers`` is raised."""

    def __init__(self, *answers: bytes | Exception) -> None:
        self.answers = list(answers)
        self.got: list[tuple[Mapping[str, str], bytes]] = []
        self._lock = threading.Lock()

    def __call__(
        self, method: str, query: Mapping[str, str], body: bytes, content_type: str
    ) -> tuple[int, bytes]:
        with self._lock:
            self.got.append((query, body))
            answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return 200, answer


def said(text: str) -> bytes:
    return xmlwire.document({
        "ToUserName": "o1", "FromUserName": ACCOUNT.original_id, "CreateTime": int(Clock.now),
        "MsgType": "text", "Content": text,
    })  # fmt: skip


def numbers(server: Server) -> set[str]:
    return {xmlwire.read(body).child("MsgId").text for _, body in server.got}  # type: ignore[union-attr]  # there is one


def test_a_push_is_signed_and_what_comes_back_is_shown(platform: Platform) -> None:
    server = Server(said("您好"))
    Delivery(platform, server).send("o1", messages.text("你好"))
    (query, _) = server.got[0]
    assert query["signature"] == signature("token", query["timestamp"], query["nonce"])
    assert [(seen.who, seen.text) for seen in platform.citizen("o1").seen] == [
        ("citizen", "你好"), ("account", "您好"),
    ]  # fmt: skip


def test_a_push_is_tried_three_times_with_one_number_and_its_failure_is_shown(
    platform: Platform,
) -> None:
    server = Server(Unanswered("timeout"), b"<html>", Unanswered("connection"))
    done = Delivery(platform, server).send("o1", messages.text("你好"))
    assert len(numbers(server)) == 1
    assert len({query["nonce"] for query, _ in server.got}) == 3
    assert done.shown is None
    assert platform.citizen("o1").seen[-1].text == FAULT
    assert [breach.code for breach in platform.breaches] == [
        "timeout", "xml_malformed", "connection",
    ]  # fmt: skip


def test_a_retry_that_gets_another_answer_is_a_breach(platform: Platform) -> None:
    Delivery(platform, Server(said("一"), said("二"))).send("o1", messages.text("你好"), lose=1)
    assert platform.breaches == [Breach("answers_differ", "o1")]
    Delivery(platform, Server(*[said("三")] * 3)).send("o1", messages.text("你好"), together=True)
    assert len(platform.breaches) == 1


def test_a_new_server_must_give_the_echo_back(platform: Platform) -> None:
    Delivery(platform, Server(b"echo?")).check_server()
    Delivery(platform, Server(Unanswered("timeout"))).check_server()
    assert [breach.code for breach in platform.breaches] == ["echo", "echo_timeout"]


def test_nothing_answers_where_nobody_listens(platform: Platform) -> None:
    wire = HttpWire("http://127.0.0.1:1/wechat")
    with pytest.raises(Unanswered, match="connection"):
        wire("GET", {}, b"", "")
    wire.close()
