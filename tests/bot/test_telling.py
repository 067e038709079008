"""Questions about one's own orders, and chats joined with a code."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from bot.joining import code_given, join, joined_with, make_code
from bot.progress import AskedWrongError, asked_of, progress_of, told
from bot.records import Opening, open_conversation
from bot.telling import Tries
from config.city import City
from handoff.orders import write
from store.engine import reading, writing
from store.tables import WorkOrder
from tests.bot.test_conversation import Talk
from turns.orders import OrderDraft, OrderField, Provenance
from turns.replies import Ask

PHONE = "13812345678"


def written(engine: Engine, city: City, now: datetime, conversation: str = "c0") -> str:
    """An order with a telephone number; its number."""
    open_conversation(engine, Opening(conversation, "web", "12345", "web:0", now))
    source = Provenance("h1", PHONE, now, 1.0, "phone")
    draft = OrderDraft(
        f"form:{conversation}:h1", conversation, "web", "12345", "投诉", "normal", "路灯坏了",
        department="城市管理局", fields=(OrderField("phone", PHONE, source),),
    )  # fmt: skip
    order = write(engine, draft, now=now.astimezone(city.zone), city=city)
    return order.number


async def texts(talk: Talk, words: str) -> list[str]:
    return [getattr(reply, "text", "") for reply in await talk.say(words)]


def test_a_progress_is_told_to_who_knows_number_and_phone(
    engine: Engine, city: City, now: datetime
) -> None:
    number = written(engine, city, now)
    found = progress_of(engine, number, "138-1234-5678")
    shown = told(city.prompts, found, city.zone)
    assert (shown["found"], shown["state"], shown["department"]) == (True, "已受理", "城市管理局")
    assert [step["name"] for step in shown["steps"] if step["done"]] == ["受理"]
    assert "路灯坏了" in shown["text"]


@pytest.mark.parametrize("wrong", ["number", "phone", "both", "erased"])
def test_whatever_is_wrong_is_answered_alike(
    engine: Engine, city: City, now: datetime, wrong: str
) -> None:
    number = written(engine, city, now)
    asked = (
        str(int(number) + 1) if wrong in ("number", "both") else number,
        "13800000000" if wrong in ("phone", "both") else PHONE,
    )
    if wrong == "erased":
        with writing(engine) as session:
            session.query(WorkOrder).update({"erased_at": now})
    unknown = {"found": False, "text": city.prompts.progress_unknown}
    assert told(city.prompts, progress_of(engine, *asked), city.zone) == unknown


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"number": 1}', b'{"number": "1"}', b"\xff", b"[" * 9999]
)
def test_what_asks_nothing_is_refused(body: bytes) -> None:
    with pytest.raises(AskedWrongError):
        asked_of(body)


async def test_who_asks_in_the_chat_is_asked_for_the_phone(
    engine: Engine, city: City, now: datetime
) -> None:
    number = written(engine, city, now)
    talk = Talk(engine, city, now, "web")
    await talk.open()
    (asked,) = await talk.say(f"我的工单{number}办得怎么样了")
    assert isinstance(asked, Ask)
    assert asked.text == city.prompts.progress_phone
    assert await texts(talk, "13800000000") == [city.prompts.progress_unknown]
    await talk.say(f"工单{number}进度")
    (answer,) = await texts(talk, PHONE)
    assert "已受理" in answer
    assert "城市管理局" in answer
    assert talk.dialogue.asked == []
    await talk.bus.stop()


async def test_numbers_are_not_found_by_trying(engine: Engine, city: City, now: datetime) -> None:
    number = written(engine, city, now)
    talk = Talk(engine, city, now, "web")
    await talk.open()
    for tried in range(5):
        await talk.say(f"工单{number}进度")
        await talk.say(f"1380000000{tried}")
    await talk.say(f"工单{number}进度")
    assert await texts(talk, PHONE) == [city.prompts.progress_unknown]
    await talk.bus.stop()


async def test_joined_chats_know_each_others_orders(
    engine: Engine, city: City, now: datetime
) -> None:
    number = written(engine, city, now)
    talk = Talk(engine, city, now, "web")
    await talk.open()
    code, until = make_code(engine, "c0", now)
    assert until == now + timedelta(minutes=10)
    assert await texts(talk, "连接000000" if code != "000000" else "连接000001") == [
        city.prompts.link_unknown
    ]
    assert await texts(talk, f"连接 {code}") == [city.prompts.link_joined]
    (answer,) = await texts(talk, f"工单{number}办得怎么样")
    assert "已受理" in answer
    (answer,) = await texts(talk, "我之前反映的事处理得怎么样了")
    assert number in answer
    await talk.bus.stop()


def test_a_code_is_used_once_and_not_too_late(engine: Engine, now: datetime) -> None:
    for name in ("a", "b", "c"):
        open_conversation(engine, Opening(name, "web", "12345", f"web:{name}", now))
    code, until = make_code(engine, "a", now)
    assert not join(engine, "a", code, now)  # with itself
    assert not join(engine, "b", code, until)
    assert not join(engine, "nobody", code, now)
    assert join(engine, "b", code, now)
    assert not join(engine, "c", code, now)
    second, _ = make_code(engine, "b", now)
    assert join(engine, "c", second, now)
    with reading(engine) as session:
        assert joined_with(session, "c") == ("c", "a", "b")


def test_a_new_code_ends_the_one_before(engine: Engine, now: datetime) -> None:
    for name in ("a", "b"):
        open_conversation(engine, Opening(name, "web", "12345", f"web:{name}", now))
    first, _ = make_code(engine, "a", now)
    second, _ = make_code(engine, "a", now)
    assert first == second or not join(engine, "b", first, now)
    assert join(engine, "b", second, now)


@pytest.mark.parametrize(
    ("text", "code"),
    [("连接483920", "483920"), ("连接码：000123", "000123"), ("连接48392", ""), ("483920", "")],
)
def test_a_code_is_known_by_its_word(text: str, code: str) -> None:
    assert code_given(text) == code


def test_tries_come_back_with_time() -> None:
    tries = Tries()
    assert [tries.allow("a", 0) for _ in range(6)] == [True] * 5 + [False]
    assert tries.allow("b", 0)
    assert tries.allow("a", 600)
