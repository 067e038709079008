"""The conversation core on a real database, with a fake dialogue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, select

from bot import history
from bot.bus import Bus
from bot.claims import LEASE
from bot.conversation import Conversations, Parts
from bot.errors import ConversationError
from bot.noting import Note, note_nothing
from bot.queue import NoQueue, Queue
from bot.steering import PAUSE_S
from bot.urgent import Urgent
from config.city import City
from handoff.prefill import Said
from handoff.queue import service
from store.engine import reading
from store.tables import (
    Callback,
    Conversation,
    HandoffEntry,
    OrderEvent,
    Recording,
    Turn,
    WorkOrder,
    WorkOrderField,
)
from tests.fakes.dialogue import DOWN, FakeDialogue, outcome
from turns.context import Context
from turns.heard import Heard, HeardKind
from turns.orders import OrderField, Provenance
from turns.replies import Ask, Bye, Connect, Handoff, Reply, Say, Told
from turns.understood import Outcome, Understood

NOBODY = "redis://127.0.0.1:1/0"  # no Redis: the core must do without


def urgent(text: str) -> Urgent | None:
    if "着火" in text:
        return Urgent("danger", "fire", "着火", "fire")
    return Urgent("person", "wish", "人工", "person") if "人工" in text else None


def nothing(_said: tuple[Said, ...], _now: datetime) -> tuple[OrderField, ...]:
    return ()


class Talk:
    """One conversation, driven as a channel drives it."""

    def __init__(
        self, engine: Engine, city: City, now: datetime, channel: str, *,
        queue: Queue | None = None, note: Note = note_nothing,
    ) -> None:  # fmt: skip
        self.dialogue = FakeDialogue()
        self.bus = Bus(NOBODY)
        self.engine, self.now, self.channel = engine, now, channel
        parts = Parts(
            engine, city, self.dialogue, self.bus, urgent,
            lambda code: ("租房提取公积金", "住房公积金管理中心") if code else ("", ""),
            nothing, lambda: now, queue=queue or NoQueue(), note=note,
        )  # fmt: skip
        self.core = Conversations(parts)
        self.count = 0

    async def open(self) -> None:
        await self.core.open(
            "c1", channel=self.channel, line="12345", citizen="13900139000", at=self.now
        )

    def heard(self, text: str, kind: HeardKind = "text") -> Heard:
        self.count += 1
        return Heard(f"h{self.count}", "c1", self.channel, "12345", kind, text, self.now, 0.9)

    async def say(self, text: str, kind: HeardKind = "text") -> list[Reply]:
        """Say it and return what is told in answer."""
        heard = self.heard(text, kind)
        await self.core.hear(heard)
        await self.core.settled()
        return [told.reply for told in await self.told() if told.in_reply_to == heard.id]

    async def told(self, cursor: int = 0) -> list[Told]:
        return list(history.told_after(self.engine, "c1", cursor))

    def rows(self, table: type) -> list[Any]:
        with reading(self.engine) as session:
            return list(session.scalars(select(table)).all())


@pytest.fixture
async def chat(engine: Engine, city: City, now: datetime) -> AsyncIterator[Talk]:
    talk = Talk(engine, city, now, "web")
    await talk.open()
    yield talk
    await talk.bus.stop()


@pytest.fixture
async def call(engine: Engine, city: City, now: datetime) -> AsyncIterator[Talk]:
    talk = Talk(engine, city, now, "phone")
    await talk.open()
    yield talk
    await talk.bus.stop()


async def test_the_greeting_says_machine_and_recording_and_asks(call: Talk) -> None:
    (greeting,) = await call.told()
    assert isinstance(greeting.reply, Say)
    for word in ("智能助手", "录音", "请问"):
        assert word in greeting.reply.text
    assert not greeting.reply.interruptible
    assert greeting.last


async def test_opening_twice_greets_once(chat: Talk) -> None:
    await chat.open()
    assert len(await chat.told()) == 1


async def test_a_turn_is_committed_and_answered(chat: Talk) -> None:
    assert await chat.say("公积金怎么取") == [Say("h1.0", "听到：公积金怎么取")]
    (turn,) = [t for t in chat.rows(Turn) if t.heard == "h1"]
    assert (turn.text, turn.confidence) == ("公积金怎么取", 0.9)
    assert turn.timings["dialogue_ms"] >= 0


async def test_a_turn_costs_two_transactions_that_write_and_no_other(
    chat: Talk, engine: Engine
) -> None:
    """Each is a wait for the disk, and a reader's word more is a thread's: they are counted."""
    began: list[str] = []
    event.listen(engine, "begin", lambda _connection: began.append("a transaction"))
    heard = chat.heard("公积金怎么取")
    await chat.core.hear(heard)
    await chat.core.settled()
    assert len(began) == 2
    assert [told.in_reply_to for told in await chat.told()] == ["", "h1"]


async def test_what_changes_between_two_turns_is_seen_by_the_second(chat: Talk) -> None:
    """The second is heard while the first is answered, and knows what the first led to."""
    chat.dialogue.answers["租房"] = outcome(
        "能", act="policy", decision="answer", matter="gjj.rent"
    )
    chat.dialogue.gate.clear()
    await chat.core.hear(chat.heard("租房"))
    await chat.core.hear(chat.heard("要带什么"))
    chat.dialogue.gate.set()
    await chat.core.settled()
    _, text, metadata = chat.dialogue.asked[-1]
    assert text == "要带什么"
    assert metadata["context"]["matter"] == "gjj.rent"
    assert [reply["text"] for reply in metadata["last_replies"]] == ["能"]


async def test_rasa_gets_what_it_needs_to_decide(chat: Talk) -> None:
    chat.dialogue.answers["租房"] = outcome(
        "能", act="policy", decision="answer", matter="gjj.rent"
    )
    await chat.say("租房")
    await chat.say("要带什么")
    sender, _, metadata = chat.dialogue.asked[-1]
    assert sender == "c1"
    assert metadata["context"]["matter"] == "gjj.rent"
    assert metadata["heard"] == "h2"
    assert metadata["caller"] == ""
    assert [reply["text"] for reply in metadata["last_replies"]] == ["能"]
    assert metadata["at"].endswith("+08:00")


async def test_a_repeated_id_is_dropped(chat: Talk) -> None:
    heard = chat.heard("一次")
    await asyncio.gather(*(chat.core.hear(heard) for _ in range(5)))
    await chat.core.settled()
    assert len(chat.dialogue.asked) == 1
    assert len([t for t in chat.rows(Turn) if t.heard == "h1"]) == 1


async def test_turns_of_one_citizen_stand_in_line(chat: Talk) -> None:
    chat.dialogue.gate.clear()
    for text in "一二三":
        await chat.core.hear(chat.heard(text))
    await asyncio.sleep(0)
    assert len(chat.dialogue.asked) <= 1
    chat.dialogue.gate.set()
    await chat.core.settled()
    assert [text for _, text, _ in chat.dialogue.asked] == ["一", "二", "三"]


async def test_a_reader_goes_on_behind_its_cursor(chat: Talk) -> None:
    await chat.say("一")
    first = await chat.told()
    await chat.say("二")
    rest = await chat.told(first[-1].cursor)
    assert [getattr(told.reply, "text", "") for told in rest] == ["听到：二"]


async def test_a_waiting_reader_is_woken(chat: Talk) -> None:
    replies = chat.core.replies("c1")
    await anext(replies)
    waiting = asyncio.ensure_future(anext(replies))
    await asyncio.sleep(0)
    await chat.core.hear(chat.heard("你好"))
    assert (await waiting).in_reply_to == "h1"
    await chat.core.settled()


async def test_a_person_on_the_first_request_without_rasa(call: Talk) -> None:
    call.dialogue.answers["转人工"] = DOWN
    say, handoff, connect = await call.say("转人工", "speech")
    assert isinstance(say, Say)
    assert isinstance(handoff, Handoff)
    assert isinstance(connect, Connect)
    assert not call.dialogue.asked
    assert (handoff.reason, handoff.number) == ("asked", "2026112000001")
    assert handoff.number in say.text
    assert connect.target == "sip:agents@127.0.0.1:5070"
    assert call.rows(Conversation)[0].state == "waiting"


async def test_who_asks_for_a_machine_is_told_before_a_person_comes(call: Talk, city: City) -> None:
    say, handoff, _ = await call.say("你是机器人吗？转人工", "speech")
    assert isinstance(say, Say)
    assert isinstance(handoff, Handoff)
    assert say.text.startswith(city.prompts.machine)
    assert handoff.number in say.text


async def test_who_talked_to_a_person_waits_no_longer(call: Talk) -> None:
    await call.say("转人工", "speech")
    await call.core.connected("c1", call.now)
    assert [row.state for row in call.rows(Conversation)] == ["agent"]
    assert [row.state for row in call.rows(HandoffEntry)] == ["connected"]
    assert [row.event for row in call.rows(OrderEvent)][-1] == "connected"
    await call.core.close("c1", call.now)
    assert [row.state for row in call.rows(Conversation)] == ["ended"]


async def test_who_hangs_up_while_waiting_is_called_back(call: Talk) -> None:
    await call.say("转人工", "speech")
    await call.core.close("c1", call.now)
    assert [row.state for row in call.rows(Conversation)] == ["ended"]
    assert [row.state for row in call.rows(HandoffEntry)] == ["callback"]
    assert [row.phone for row in call.rows(Callback)] == ["13900139000"]


async def test_danger_comes_before_a_person(call: Talk) -> None:
    replies = await call.say("着火了快转人工", "speech")
    assert isinstance(replies[1], Handoff)
    assert (replies[1].reason, replies[1].urgency) == ("danger", "danger")
    (order,) = call.rows(WorkOrder)
    assert (order.urgency, order.kind) == ("danger", "求助")
    what = next(f for f in call.rows(WorkOrderField) if f.name == "what")
    assert what.quote == "着火了快转人工"


async def test_a_dead_dialogue_becomes_a_sentence_and_a_person(call: Talk) -> None:
    call.dialogue.answers["公积金"] = DOWN
    say, handoff, connect = await call.say("公积金", "speech")
    assert isinstance(say, Say)
    assert isinstance(handoff, Handoff)
    assert "抱歉" in say.text
    assert handoff.reason == "failure"
    assert isinstance(connect, Connect)


async def test_a_bug_in_the_dialogue_still_becomes_a_sentence_and_a_person(call: Talk) -> None:
    call.dialogue.answers["公积金"] = RuntimeError("a bug")
    say, connect = await call.say("公积金", "speech")
    assert isinstance(say, Say)
    assert isinstance(connect, Connect)


async def test_two_misses_or_two_silences_become_a_person(call: Talk) -> None:
    (first,) = await call.say("", "silence")
    assert isinstance(first, Say)
    assert any(isinstance(reply, Handoff) for reply in await call.say("", "silence"))


async def test_an_answer_between_two_silences_counts_them_anew(call: Talk) -> None:
    await call.say("", "silence")
    await call.say("公积金", "speech")
    assert len(await call.say("", "silence")) == 1


async def test_key_zero_is_a_person_and_other_keys_are_an_answer(call: Talk) -> None:
    await call.say("13800138000#", "keys")
    assert call.dialogue.asked[-1][1] == "13800138000"
    assert any(isinstance(reply, Handoff) for reply in await call.say("0", "keys"))


async def test_the_day_of_a_hand_overs_number_is_the_citys(engine: Engine, city: City) -> None:
    night = datetime(2026, 11, 19, 16, 30, tzinfo=UTC)  # half past midnight in the sample city
    talk = Talk(engine, city, night, "web")
    await talk.open()
    await talk.say("转人工")
    await talk.bus.stop()
    assert talk.rows(WorkOrder)[0].number.startswith("20261120")


async def test_rasas_wish_for_a_person_writes_the_order(chat: Talk, now: datetime) -> None:
    field = OrderField("where", "建业小区", Provenance("h1", "建业小区", now, 0.9, "form.where"))
    known = Understood("complaint", "form", slots=(field,))
    chat.dialogue.answers["听不清"] = Outcome((Handoff("", "misses"),), Context(), known)
    say, handoff = await chat.say("听不清")
    assert isinstance(say, Say)
    assert isinstance(handoff, Handoff)
    assert handoff.reason == "misses"
    assert [f.value for f in chat.rows(WorkOrderField) if f.name == "where"] == ["建业小区"]


async def test_asked_twice_a_citizen_waits_once(chat: Talk) -> None:
    first = await chat.say("转人工")
    second = await chat.say("转人工")
    assert len(chat.rows(HandoffEntry)) == len(chat.rows(WorkOrder)) == 1
    numbers = {r.number for r in (*first, *second) if isinstance(r, Handoff)}
    assert len(numbers) == 1


async def test_an_agent_takes_the_conversation_over(chat: Talk, now: datetime) -> None:
    await chat.say("转人工")
    await chat.core.tell("c1", Say("a1", "我是坐席"), speaker="agent", at=now)
    assert await chat.say("好的") == []
    assert (await chat.told())[-1].speaker == "agent"


async def test_what_was_told_to_a_person_is_not_answered_by_the_bot_when_they_are_gone(
    chat: Talk, engine: Engine, city: City, now: datetime
) -> None:
    await chat.say("转人工")
    entry = chat.rows(HandoffEntry)[0].id
    service.connected(engine, entry, now, agent="wang")
    assert await chat.say("我家水管爆了") == []
    later = now + timedelta(minutes=5)
    service.finish(engine, entry, "wang", "", "", later, city.queue)
    before = len(await chat.told())
    await chat.open()  # the page is loaded again
    await chat.core.settled()
    assert chat.rows(Conversation)[0].state == "bot"
    assert len(await chat.told()) == before
    chat.dialogue.gate.clear()
    await chat.core.hear(replace(chat.heard("还有一件事"), at=later))
    other = Talk(engine, city, now + LEASE + timedelta(seconds=1), "web")
    await other.open()  # and its process died before it answered what came after the talk
    await other.core.settled()
    assert [getattr(told.reply, "text", "") for told in (await other.told())[before:]] == [
        "听到：还有一件事"
    ]
    assert len(other.dialogue.forgotten) == 1
    chat.dialogue.gate.set()
    await chat.core.settled()
    await other.bus.stop()


async def test_bye_ends_the_conversation(chat: Talk) -> None:
    known = Understood("bye", "talk")
    chat.dialogue.answers["再见"] = Outcome((Say("", "再见"), Bye("")), Context(), known)
    assert [type(reply) for reply in await chat.say("再见")] == [Say, Bye]
    assert chat.rows(Conversation)[0].state == "ended"


async def test_what_a_dead_process_left_unanswered_is_answered_on_return(
    chat: Talk, engine: Engine, city: City, now: datetime
) -> None:
    chat.dialogue.gate.clear()
    await chat.core.hear(chat.heard("有人吗"))
    other = Talk(engine, city, now + LEASE + timedelta(seconds=1), "web")
    await other.open()
    await other.core.settled()
    texts = [getattr(told.reply, "text", "") for told in await other.told()]
    assert texts[1:] == ["听到：有人吗"]
    chat.dialogue.gate.set()
    await chat.core.settled()
    await other.bus.stop()


async def test_long_text_is_cut_and_cleaned(chat: Talk) -> None:
    await chat.say("啊\x00" * 3000)
    (turn,) = [t for t in chat.rows(Turn) if t.heard == "h1"]
    assert len(turn.text) <= 1000
    assert "\x00" not in turn.text


async def test_an_unknown_conversation_is_refused(chat: Talk) -> None:
    with pytest.raises(ConversationError) as caught:
        await chat.core.hear(replace(chat.heard("你好"), conversation="c9"))
    assert caught.value.code == "conversation_unknown"


async def test_a_lost_database_is_said_by_code(chat: Talk, engine: Engine) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql("DROP TABLE turn")
        connection.commit()
    with pytest.raises(ConversationError) as caught:
        await chat.core.hear(chat.heard("你好"))
    assert caught.value.code == "store_down"


async def test_a_recording_is_noted_from_begin_to_end(call: Talk, now: datetime) -> None:
    await call.core.begin_recording("c1", "c1", Path("a.wav"), now)
    assert not call.rows(Recording)[0].complete
    await call.core.end_recording("c1", 1234)
    row = call.rows(Recording)[0]
    assert (row.complete, row.duration_ms) == (True, 1234)


async def answered(call: Talk) -> list[Reply]:
    """The caller asked and was answered."""
    call.dialogue.answers["公积金"] = replace(
        outcome(""),
        replies=(
            Say("", "第一句。", "头一句。", answer="7"),
            Ask("", "还有别的事吗？", expects="yes_no"),
        ),
    )
    return await call.say("公积金", "speech")


async def test_slower_is_told_and_the_answer_goes_on(call: Talk, city: City) -> None:
    await answered(call)
    heard, *again = await call.say("慢点说", "speech")
    assert heard == Say("h2.0", city.prompts.slower, adjust=("slower",))
    assert again == [
        Say("h2.1", "第一句。", "头一句。", answer="7", again="sentence"),
        Ask("h2.2", "还有别的事吗？", expects="yes_no", again="sentence"),
    ]
    louder = await call.say("声音大一点", "speech")
    assert [getattr(reply, "text", "") for reply in louder] == [
        city.prompts.louder, "第一句。", "还有别的事吗？"
    ]  # fmt: skip
    assert len(call.dialogue.asked) == 1


async def test_once_more_is_all_of_it(call: Talk) -> None:
    first, second = await answered(call)
    for text, kind in (("再说一遍", "speech"), ("*", "keys")):
        told = await call.say(text, kind)  # type: ignore[arg-type]  # a kind, in a tuple
        assert [replace(reply, id="") for reply in told] == [
            replace(first, id=""), replace(second, id="")
        ]  # fmt: skip


async def test_the_greeting_may_be_cut_off_the_second_time(call: Talk) -> None:
    (greeting,) = await call.told()
    (again,) = await call.say("*", "keys")
    assert isinstance(greeting.reply, Say)
    assert again == replace(greeting.reply, id=getattr(again, "id", ""), interruptible=True)


async def test_going_on_where_it_was_cut(call: Talk) -> None:
    await answered(call)
    await call.core.note_timings("c1", "h1", {"heard_share": 0.4})
    told = await call.say("继续", "speech")
    assert [getattr(reply, "again", "") for reply in told] == ["place", "place"]
    assert len(call.dialogue.asked) == 1


async def test_going_on_may_be_a_yes(call: Talk) -> None:
    await answered(call)
    await call.core.note_timings("c1", "h1", {"heard_share": 1.0})
    await call.say("继续", "speech")
    assert [turn[1] for turn in call.dialogue.asked] == ["公积金", "继续"]


async def test_a_chat_is_not_steered(chat: Talk) -> None:
    await chat.say("慢点说")
    assert [turn[1] for turn in chat.dialogue.asked] == ["慢点说"]


async def test_an_answer_to_doubtful_words_begins_with_them(call: Talk) -> None:
    call.dialogue.answers["租房材料"] = outcome("带身份证。", act="policy", decision="answer")
    for confidence, told in ((0.9, ["带身份证。"]), (0.7, ["您问的是：租房材料。", "带身份证。"])):
        heard = replace(call.heard("租房材料", "speech"), confidence=confidence)
        await call.core.hear(heard)
        await call.core.settled()
        replies = [t.reply for t in await call.told() if t.in_reply_to == heard.id]
        assert [reply.text for reply in replies if isinstance(reply, Say)] == told


async def test_who_wants_us_to_wait_is_waited_for_and_then_told_the_rest(
    call: Talk, city: City
) -> None:
    await answered(call)
    await call.core.note_timings("c1", "h1", {"heard_share": 0.4})
    assert await call.say("等一下我拿支笔", "speech") == [
        Say("h2.0", city.prompts.pause, wait_s=PAUSE_S)
    ]
    told = await call.say("继续", "speech")
    assert [getattr(reply, "again", "") for reply in told] == ["place", "place"]
    assert len(call.dialogue.asked) == 1


async def test_words_that_cannot_be_relied_on_are_asked_for_again(call: Talk) -> None:
    for _ in range(2):
        await call.core.hear(replace(call.heard("公鸡金", "speech"), confidence=0.4))
        await call.core.settled()
    assert call.dialogue.asked == []
    assert any(isinstance(told.reply, Handoff) for told in await call.told())


async def test_danger_is_danger_however_unclear(call: Talk) -> None:
    await call.core.hear(replace(call.heard("着火了", "speech"), confidence=0.2))
    await call.core.settled()
    assert any(isinstance(told.reply, Handoff) for told in await call.told())


async def test_once_more_after_a_silence_is_the_answer(call: Talk) -> None:
    await answered(call)
    await call.say("", "silence")
    told = await call.say("再说一遍", "speech")
    assert [getattr(reply, "text", "") for reply in told] == ["第一句。", "还有别的事吗？"]
