"""The platform's API as we call it, against a platform that checks every field."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from chat.wechat.api import Media, Notice
from chat.wechat.errcodes import ERRCODES
from chat.wechat.errors import WeChatError
from chat.wechat.messages import Choice, Menu, Message, News, Text
from chat.wechat.pace import Pace
from qianmen.wechatsim import messages
from qianmen.wechatsim.codes import MESSAGES
from tests.chat.wechat.rig import BASE, Clock, Rig

OPENID = "o6_bmjrPTlm6_2sgVt7hMZOPfL2M"


@pytest.fixture
def rig() -> Rig:
    rig = Rig()
    rig.platform.hears(OPENID, messages.text("在吗"))
    return rig


@pytest.mark.parametrize(
    ("message", "kind", "shown"),
    [
        (Text("您好，\n\"前门\"😀"), "text", '您好，\n"前门"😀'),
        (News("办事指南", "https://a.example.cn/x?y=1", "怎么办"), "news", "办事指南\n怎么办"),
        (Menu("满意吗？", (Choice("100", "满意"), Choice("101", "不满意"))), "msgmenu",
         "满意吗？\n满意\n不满意\n"),
    ],
)  # fmt: skip
async def test_messages_are_as_the_platform_wants_them(
    rig: Rig, message: Message, kind: str, shown: str
) -> None:
    await rig.api().send(OPENID, message)
    (seen,) = rig.shown(OPENID)
    assert (seen.kind, seen.text) == (kind, shown)
    assert not rig.platform.breaches


@pytest.mark.parametrize("errcode", [40001, 40014, 42001])
async def test_a_refused_token_is_renewed_once(rig: Rig, errcode: int) -> None:
    rig.platform.faults.errors.append(errcode)
    api = rig.api()
    await api.send(OPENID, Text("您好"))
    assert rig.texts(OPENID) == ["您好"]
    rig.platform.faults.errors.extend([errcode, errcode])
    with pytest.raises(WeChatError) as refused:
        await api.send(OPENID, Text("再来"))
    assert refused.value.code in ("token_invalid", "token_expired")


async def test_busy_is_tried_again_with_waits(rig: Rig) -> None:
    rig.platform.faults.errors.extend([-1, -1])
    await rig.api().send(OPENID, Text("您好"))
    assert len(rig.shown(OPENID)) == 1
    assert rig.clock.slept == [0.5, 1.5]
    rig.platform.faults.errors.extend([-1, -1, -1])
    with pytest.raises(WeChatError, match="wechat_busy") as busy:
        await rig.api().send(OPENID, Text("您好"))
    assert busy.value.passing


@pytest.mark.parametrize(
    ("errcode", "code"),
    [(45015, "window_over"), (45047, "quota_of_messages"), (45002, "text_too_long"),
     (40003, "openid_invalid"), (43004, "unsubscribed"), (45009, "quota_of_calls"),
     (99999, "wechat_refused")],
)  # fmt: skip
async def test_refusals_have_stable_codes(rig: Rig, errcode: int, code: str) -> None:
    rig.platform.faults.errors.append(errcode)
    with pytest.raises(WeChatError) as refused:
        await rig.api().send(OPENID, Text("您好"))
    assert (refused.value.code, refused.value.errcode) == (code, errcode)
    assert rig.paths().count("/cgi-bin/message/custom/send") == 1


async def test_what_never_got_there_is_sent_again(rig: Rig) -> None:
    api = rig.api()
    await api.tokens.get()
    rig.unreachable = 2
    await api.send(OPENID, Text("您好"))
    assert len(rig.shown(OPENID)) == 1


async def test_what_may_have_got_there_is_not_sent_again(rig: Rig) -> None:
    api = rig.api()
    await api.tokens.get()
    rig.lost = 1
    with pytest.raises(WeChatError, match="wechat_timeout") as unsure:
        await api.send(OPENID, Text("您好"))
    assert unsure.value.passing
    assert len(rig.shown(OPENID)) == 1
    rig.lost = 1
    await api.create_menu({"button": [{"type": "click", "name": "转人工", "key": "PERSON"}]})
    assert rig.platform.menu


async def test_typing_costs_nothing_and_its_refusals_do_no_harm(rig: Rig) -> None:
    api = rig.api()
    await api.typing(OPENID, "Typing")
    await api.typing(OPENID, "Typing")  # 45081
    rig.clock.go(3600)
    await api.typing(OPENID, "Typing")  # 45080
    errcodes = [call.errcode for call in rig.platform.calls if call.path.endswith("typing")]
    assert errcodes[0] == 0
    assert set(errcodes[1:]) <= {45080, 45081, 0}
    assert rig.platform.citizen(OPENID).allowance.left == 5


async def test_files_are_fetched(rig: Rig) -> None:
    now = rig.clock.seconds()
    voice = rig.platform.media.keep(b"#!AMR\nxyz", "amr", now)
    assert await rig.api().media(voice) == Media(b"#!AMR\nxyz", "audio/amr")
    speech = rig.platform.media.keep(b"\x46abc", "speex", now)
    assert (await rig.api().media(speech, hd=True)).content == b"\x46abc"
    video = rig.platform.media.keep(b"....ftypmp42", "mp4", now)
    assert await rig.api().media(video) == Media(b"....ftypmp42", "video/mp4")
    assert "access_token" not in dict(rig.requests[-1].url.params)
    with pytest.raises(WeChatError, match="media_invalid"):
        await rig.api().media("nobody's")


async def test_a_video_is_fetched_from_the_platform_only(rig: Rig) -> None:
    rig.platform.address = "http://169.254.169.254"
    video = rig.platform.media.keep(b"mp4", "mp4", rig.clock.seconds())
    with pytest.raises(WeChatError, match="wechat_malformed"):
        await rig.api().media(video)
    assert all(request.url.host == "platform.test" for request in rig.requests)


async def test_notices(rig: Rig) -> None:
    rig.platform.templates["T1"] = ("character_string1", "phrase2")
    told = Notice("T1", {"character_string1": "20261120000001", "phrase2": "已受理"}, id="n1")
    await rig.api().send_template(OPENID, told)
    with pytest.raises(WeChatError, match="notice_refused"):
        await rig.api().send_subscription(OPENID, told)
    rig.platform.citizen(OPENID).takes.add("T1")
    await rig.api().send_subscription(OPENID, told)
    assert [seen.kind for seen in rig.shown(OPENID)] == ["notice", "notice"]
    with pytest.raises(WeChatError, match="template_invalid"):
        await rig.api().send_template(OPENID, Notice("T2", {}))


@pytest.mark.parametrize(
    ("answer", "code"),
    [(httpx.Response(200, content=b"<html>"), "wechat_malformed"),
     (httpx.Response(200, content=b"[1]"), "wechat_malformed"),
     (httpx.Response(404), "wechat_http_404"),
     (httpx.Response(200, content=b" " * 2_000_000), "media_too_large")],
)  # fmt: skip
async def test_strange_answers_are_errors(rig: Rig, answer: httpx.Response, code: str) -> None:
    api = rig.api()
    await api.tokens.get()
    api.client = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: answer))
    with pytest.raises(WeChatError) as strange:
        await api.send(OPENID, Text("您好"))
    assert strange.value.code == code


async def test_no_log_tells_whom_what_or_the_token(rig: Rig) -> None:
    rig.platform.faults.errors.extend([-1, -1, 45015])
    api = rig.api()
    with capture_logs() as logs, pytest.raises(WeChatError) as refused:
        await api.send(OPENID, Text("我家住在建业小区"))
    written = json.dumps(logs, ensure_ascii=False, default=str) + repr(refused.value)
    for secret in (OPENID, "建业", await api.tokens.get()):
        assert secret not in written
    assert logs[-1]["code"] == "window_over"


def test_every_errcode_that_the_platform_lists_for_sending_is_known() -> None:
    ours = {40001, 40003, 40007, 40014, 40037, 42001, 43004, 43101, 44004, 45002, 45008, 45009,
            45011, 45015, 45047, 45072, 45080, 45081, 47001, 47003, 48001}  # fmt: skip
    assert ours <= set(ERRCODES)
    assert ours <= set(MESSAGES)


async def test_calls_wait_for_their_turn() -> None:
    clock = Clock()
    pace = Pace(2, 2, clock=clock.seconds, sleep=clock.sleep)
    for _ in range(4):
        await pace.wait()
    assert clock.slept == [0.5, 0.5]


async def test_who_would_wait_too_long_is_told_so() -> None:
    clock = Clock()
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    pace = Pace(1, 1, clock=clock.seconds, sleep=sleep)
    for _ in range(11):
        await pace.wait()
    with pytest.raises(WeChatError, match="wechat_too_fast"):
        await pace.wait()
    assert waited == [float(n) for n in range(1, 11)]


async def test_the_base_is_the_one_that_was_set(rig: Rig) -> None:
    await rig.api().send(OPENID, Text("您好"))
    assert {f"{request.url.scheme}://{request.url.host}" for request in rig.requests} == {BASE}
    sent: dict[str, Any] = json.loads(rig.requests[-1].content)
    assert sent["touser"] == OPENID
