from __future__ import annotations

from typing import Any

import pytest

from qianmen.citizen import chat
from qianmen.citizen.chat import hold_chat
from qianmen.citizen.errors import CitizenError
from qianmen.citizen.report import ChatReport, SaidTurn
from tests.fakes.chat_server import chat_server
from tests.ports import free_port

ANSWERS: dict[str, list[dict[str, Any]]] = {
    "租房": [{"type": "say", "text": "可以。"}, {"type": "ask", "text": "还有别的事吗？"}],
    "转人工": [
        {"type": "handoff", "number": "20260504-0001"},
        {"type": "say", "text": "坐席马上来。"},
    ],
    "没了": [{"close": True}],
    "太快": [{"frame": {"type": "error", "code": "too_fast", "text": "请慢一点"}}],
    "？": [],
}


async def test_each_sentence_waits_for_the_whole_answer_to_the_one_before() -> None:
    shown: list[SaidTurn] = []
    async with chat_server(ANSWERS) as url:
        report = await hold_chat(url, ["租房", "转人工"], on_progress=shown.append)
    assert [(turn.who, turn.text) for turn in report.turns] == [
        ("bot", "您好，请讲。"), ("citizen", "租房"), ("bot", "可以。"), ("bot", "还有别的事吗？"),
        ("citizen", "转人工"), ("bot", "坐席马上来。"),
    ]  # fmt: skip
    assert (report.handed_over, report.order) == (True, "20260504-0001")
    assert report.conversation == "web-1"
    assert tuple(shown) == report.turns
    assert report.as_json()["turns"][1]["text"] == "租房"


async def failure(says: list[str], **server: object) -> CitizenError:
    async with chat_server(ANSWERS, **server) as url:  # type: ignore[arg-type]  # options of a fake
        with pytest.raises(CitizenError) as caught:
            await hold_chat(url, says)
    return caught.value


async def test_a_chat_that_is_closed_halfway_keeps_what_was_said() -> None:
    error = await failure(["租房", "没了"])
    assert error.code == "lost"
    assert isinstance(error.report, ChatReport)
    assert [turn.text for turn in error.report.turns][-1] == "没了"


async def test_a_refused_message() -> None:
    error = await failure(["太快"])
    assert (error.code, "too_fast" in str(error)) == ("rejected", True)


async def test_no_answer_and_no_greeting_are_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat, "REPLY_S", 0.2)
    monkeypatch.setattr(chat, "WELCOME_S", 0.3)
    assert (await failure(["？"])).code == "silent"
    assert (await failure([], greet=False)).code == "silent"


@pytest.mark.parametrize("raw", ["no json", "[1]", '"x"'])
async def test_something_else_that_answers(raw: str) -> None:
    assert (await failure([], raw=raw)).code == "rejected"


async def test_nobody_there_and_no_address() -> None:
    closed = f"http://127.0.0.1:{free_port()}"
    for url, code in ((closed, "unreachable"), ("127.0.0.1", "bad_input"),
                      ("ftp://127.0.0.1", "bad_input")):  # fmt: skip
        with pytest.raises(CitizenError) as caught:
            await hold_chat(url, [])
        assert caught.value.code == code
