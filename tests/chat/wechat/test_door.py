"""The door of an account: each message written down and heard once, answered in time, the same
to every retry, in whatever process."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import OperationalError

from bot import history, records
from bot.bus import Bus
from bot.conversation import Conversations
from bot.parts import Parts
from bot.service_queue import ServiceQueue
from chat.limits import Limiter, Rate
from chat.wechat import citizens, steps
from chat.wechat.citizens import Known, forget_replies
from chat.wechat.deciding import Decision
from chat.wechat.door import Answer, Times, WechatDoor
from chat.wechat.merging import Place, Style
from chat.wechat.opening import Account as Opening
from config.city import City
from qianmen.wechatsim import messages
from qianmen.wechatsim.account import Account
from qianmen.wechatsim.envelope import enclosed
from qianmen.wechatsim.messages import Fields
from qianmen.wechatsim.passive import Passive, judged
from store.engine import open_engine, reading, writing
from store.tables import Conversation, Turn, WechatCitizen, WechatMedia, WechatReply
from tests.conftest import NOON
from tests.fakes.dialogue import FakeDialogue, outcome
from tests.fakes.office import NOBODY
from turns.replies import Handoff, Say
from turns.understood import Outcome

ACCOUNT = Account("wx0123456789abcdef", "secret", "tokentoken", mode="plain")
OPENID = "o6_bmjrPTlm6_2sgVt7hMZOPfL2M"
QUESTIONS = ("租房提取公积金要带什么材料？", "居住证怎么办理？")
PATIENT = Times(reply_s=60, written_s=60, answered_s=60)
"""Nothing is given up because this machine is slow."""
_numbers = count(5_836_982_871_638_042_400)


class Slow(FakeDialogue):
    """``reached``: a turn has come as far as this."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = asyncio.Event()

    async def turn(self, sender: str, text: str, metadata: dict[str, Any]) -> Outcome:
        self.reached.set()
        return await super().turn(sender, text, metadata)


@dataclass
class Process:
    """A web process in miniature: a core and a door."""

    engine: Engine
    city: City
    now: Callable[[], datetime]
    dialogue: FakeDialogue
    more: dict[str, Any]
    fetched: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bus = Bus(NOBODY)
        self.core = Conversations(
            Parts(
                self.engine, self.city, self.dialogue, self.bus, lambda text: None,
                lambda code: ("", ""), lambda said, now: (), self.now,
                queue=ServiceQueue(self.engine, self.city.queue, lambda: True),
            )
        )  # fmt: skip
        account = Opening(ACCOUNT.appid, (ACCOUNT.token,))
        settings = {"times": PATIENT, **self.more}
        self.door = WechatDoor(
            account, self.core, self.engine, self.city, line="12345", questions=lambda: QUESTIONS,
            fetch=lambda: self.fetched.append("files"), now=self.now, **settings,
        )  # fmt: skip

    async def receive(self, message: Fields) -> Answer:
        """The platform brings ``message``."""
        push = enclosed(ACCOUNT, message, int(self.now().timestamp()))
        return await self.door.receive(push.query, push.body)

    async def stop(self) -> None:
        await self.door.settled()
        await self.core.settled()
        await self.bus.stop()


@dataclass
class Stage:
    """A city's account: its database, a clock, and as many processes as the test wants."""

    engine: Engine
    city: City
    dialogue: Slow = field(default_factory=Slow)
    now: datetime = NOON
    processes: list[Process] = field(default_factory=list)

    def process(self, **more: Any) -> Process:
        made = Process(self.engine, self.city, lambda: self.now, self.dialogue, more)
        self.processes.append(made)
        return made

    def message(self, fields: Fields, openid: str = OPENID) -> Fields:
        event = fields["MsgType"] == "event"
        head = {"ToUserName": ACCOUNT.original_id, "FromUserName": openid,
                "CreateTime": int(self.now.timestamp())}  # fmt: skip
        return {**head, **fields} if event else {**head, **fields, "MsgId": next(_numbers)}

    async def tells(self, it: Process, fields: Fields) -> str:
        """What the citizen is shown at once; '' for nothing."""
        message = self.message(fields)
        return self.shown(message, await it.receive(message)).text

    def shown(self, message: Fields, answer: Answer) -> Passive:
        return judged(ACCOUNT, message, 200, answer.body, int(self.now.timestamp()))

    def turns(self, speaker: str = "citizen") -> list[tuple[str, str]]:
        with reading(self.engine) as session:
            wanted = select(Turn).where(Turn.speaker == speaker).order_by(Turn.seq)
            return [(row.kind, row.text) for row in session.scalars(wanted)]

    @property
    def citizen(self) -> WechatCitizen:
        with reading(self.engine) as session:
            return session.scalars(select(WechatCitizen)).one()

    def change(self, **columns: Any) -> None:
        with writing(self.engine) as session:
            row = session.scalars(select(WechatCitizen)).one()
            for name, value in columns.items():
                setattr(row, name, value)

    def told(self) -> int:
        """The cursor behind all that was told."""
        return history.told_after(self.engine, self.citizen.conversation_id, 0)[-1].cursor


@pytest.fixture
def anywhere(engine: Engine, city: City) -> Stage:
    """On either database."""
    return Stage(engine, city)


@pytest.fixture
def file(sqlite_template: Path, tmp_path: Path) -> Path:
    made = tmp_path / "test.sqlite3"
    shutil.copyfile(sqlite_template, made)
    return made


@pytest.fixture
def stage(file: Path, city: City) -> Iterator[Stage]:
    engine = open_engine(f"sqlite:///{file}")
    yield Stage(engine, city)
    engine.dispose()


@asynccontextmanager
async def ended(stage: Stage) -> AsyncIterator[None]:
    try:
        yield
    finally:
        stage.dialogue.gate.set()
        for process in stage.processes:
            await process.stop()


async def test_an_answer_that_is_ready_is_told_at_once_and_to_every_retry(anywhere: Stage) -> None:
    it, other = anywhere.process(), anywhere.process()
    message = anywhere.message(messages.text("公积金怎么取"))
    async with ended(anywhere):
        first = await it.receive(message)
        text = anywhere.shown(message, first).text
        assert text.startswith("您好，这里是示例市12345热线")
        assert text.endswith("听到：公积金怎么取")
        again = [await process.receive(message) for process in (it, other, it)]
        assert [one.body for one in again] == [first.body] * 3
        assert anywhere.turns() == [("text", "公积金怎么取")]
        row = anywhere.citizen
        assert (row.cursor, row.part, row.claimed_by) == (anywhere.told(), 0, "")
        assert (row.left, row.window_until) == (5, NOON + timedelta(hours=48))


async def test_retries_at_the_same_time_in_two_processes_get_one_answer(anywhere: Stage) -> None:
    it, other = anywhere.process(), anywhere.process()
    message = anywhere.message(messages.text("公积金怎么取"))
    anywhere.dialogue.gate.clear()
    async with ended(anywhere):
        tries = [
            asyncio.create_task(process.receive(message)) for process in (it, other, it, other)
        ]
        await anywhere.dialogue.reached.wait()
        anywhere.dialogue.gate.set()
        answers = {(await one).body for one in tries}
        assert len(answers) == 1
        assert len(anywhere.dialogue.asked) == len(anywhere.turns()) == 1
        with reading(anywhere.engine) as session:
            assert len(session.scalars(select(WechatReply)).all()) == 1


async def test_a_bot_that_stalls_is_not_waited_for_and_its_answer_is_left_to_push(
    anywhere: Stage,
) -> None:
    it = anywhere.process(times=replace(PATIENT, reply_s=0.05))
    message = anywhere.message(messages.text("公积金怎么取"))
    anywhere.dialogue.gate.clear()
    async with ended(anywhere):
        assert (await it.receive(message)).body == b"success"
        anywhere.dialogue.gate.set()
        await it.core.settled()
        assert (await it.receive(message)).body == b"success"
        row = anywhere.citizen
        assert (row.cursor, row.claimed_by) == (0, "")
        assert [text for _, text in anywhere.turns("bot")][-1] == "听到：公积金怎么取"


async def test_what_cannot_be_written_down_in_time_is_said_so_and_heard_later(
    stage: Stage, file: Path
) -> None:
    message = stage.message(messages.text("公积金怎么取"))
    writer = sqlite3.connect(file, isolation_level=None)
    async with ended(stage):
        writer.execute("BEGIN IMMEDIATE")
        hasty = stage.process(times=Times(reply_s=0.05, written_s=0.1, answered_s=0.15))
        for _ in range(3):
            told = stage.shown(message, await hasty.receive(message)).text
            assert told == stage.city.prompts.wechat_not_kept
        writer.execute("ROLLBACK")
        await hasty.door.settled()  # what was late is written all the same, once
        it = stage.process()
        assert stage.shown(message, await it.receive(message)).text.endswith("听到：公积金怎么取")
        assert stage.turns() == [("text", "公积金怎么取")]
    writer.close()


async def test_a_database_that_is_away_for_a_moment_is_waited_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter, tried = citizens.enter, count(1)

    def away(engine: Engine, *what: Any) -> Any:
        if next(tried) < 3:
            raise OperationalError("BEGIN", None, Exception("connection refused"))
        return enter(engine, *what)

    monkeypatch.setattr(steps, "AGAIN_S", 0.01)
    monkeypatch.setattr(citizens, "enter", away)
    it = stage.process()
    async with ended(stage):
        assert (await stage.tells(it, messages.text("公积金怎么取"))).endswith("听到：公积金怎么取")
        assert next(tried) > 3
        tried = count(-1000)
        hasty = stage.process(times=Times(reply_s=0.1, written_s=0.2, answered_s=0.3))
        told = await stage.tells(hasty, messages.text("居住证怎么办"))
        assert told == stage.city.prompts.wechat_not_kept
        assert "12345" in told
        assert stage.turns() == [("text", "公积金怎么取")]


async def test_an_event_that_cannot_be_noted_is_no_fault_of_the_citizens(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("BEGIN", None, Exception("connection refused"))

    it = stage.process()
    async with ended(stage):
        await stage.tells(it, messages.text("你好"))
        monkeypatch.setattr(citizens, "touch", away)
        assert await stage.tells(it, messages.unsubscribe()) == ""


async def test_who_follows_is_greeted_and_chooses_by_number(stage: Stage) -> None:
    it = stage.process()
    async with ended(stage):
        text = await stage.tells(it, messages.subscribe())
        assert text.count("示例市12345热线") == 1
        assert f"1. {QUESTIONS[0]}\n2. {QUESTIONS[1]}" in text
        row = stage.citizen
        assert (row.subscribed, row.left, row.click_left) == (True, 0, 3)
        assert (await stage.tells(it, messages.text("第二个"))).endswith(f"听到：{QUESTIONS[1]}")
        assert stage.turns() == [("choice", QUESTIONS[1])]
        assert (await stage.tells(it, messages.text("2"))).endswith("听到：2")


async def test_who_comes_back_is_greeted_again_and_who_leaves_is_told_nothing(
    stage: Stage,
) -> None:
    it = stage.process()
    async with ended(stage):
        await stage.tells(it, messages.text("你好"))
        assert await stage.tells(it, messages.unsubscribe()) == ""
        gone = stage.citizen
        assert not gone.subscribed
        stage.now += timedelta(seconds=9)
        text = await stage.tells(it, messages.subscribe())
        assert "示例市12345热线" in text
        assert QUESTIONS[0] in text
        assert stage.citizen.subscribed
        assert stage.turns() == [("text", "你好")]


async def test_who_never_wrote_leaves_no_trace_by_leaving(stage: Stage) -> None:
    it = stage.process()
    async with ended(stage):
        for event in (messages.unsubscribe(), {"MsgType": "event", "Event": "VIEW"}):
            assert await stage.tells(it, event) == ""
    with reading(stage.engine) as session:
        assert not session.scalars(select(WechatCitizen)).all()
        assert not session.scalars(select(Conversation)).all()


async def test_a_scanned_code_tells_region_and_department(stage: Stage) -> None:
    it = stage.process()
    async with ended(stage):
        await stage.tells(it, messages.subscribe("hall-east"))
        state = history.read_state(stage.engine, stage.citizen.conversation_id)
        assert state is not None
        assert state.context.region == "east"
        stage.now += timedelta(seconds=9)
        await stage.tells(it, messages.scan("hall-gjj"))
        state = history.read_state(stage.engine, stage.citizen.conversation_id)
        assert state is not None
        assert (state.context.region, state.context.department) == ("east", "住房公积金管理中心")
        await stage.tells(it, messages.text("他们不给我办"))
        assert stage.dialogue.asked[-1][1] == "他们不给我办"


async def test_buttons_and_codes_stand_for_words(stage: Stage) -> None:
    it = stage.process()
    async with ended(stage):
        text = await stage.tells(it, messages.click("rent"))
        assert text.endswith("听到：租房提取公积金要什么材料？")
        assert (await stage.tells(it, messages.scan("market"))).endswith("听到：我要投诉")
        assert QUESTIONS[0] in await stage.tells(it, messages.click("a button of yesterday"))
        assert [text for _, text in stage.turns()] == ["租房提取公积金要什么材料？", "我要投诉"]


async def test_who_is_being_pushed_to_is_told_nothing_at_once(stage: Stage) -> None:
    it = stage.process()
    async with ended(stage):
        await stage.tells(it, messages.text("一"))
        stage.change(claimed_by="a pusher", claimed_until=NOON + timedelta(seconds=30))
        before = stage.citizen.cursor
        assert await stage.tells(it, messages.text("公积金怎么取")) == ""
        row = stage.citizen
        assert (row.cursor, row.claimed_by) == (before, "a pusher")
        stage.now += timedelta(minutes=1)
        text = await stage.tells(it, messages.text("还有呢，医保呢"))
        assert "听到：公积金怎么取" in text  # what nobody pushed is told now
        assert "听到：还有呢，医保呢" in text


async def test_who_has_a_person_is_not_kept_waiting(stage: Stage) -> None:
    it = stage.process()
    async with ended(stage):
        await stage.tells(it, messages.text("你好"))
        with writing(stage.engine) as session:
            session.scalars(select(Conversation)).one().state = "agent"
        assert await stage.tells(it, messages.text("在吗")) == ""
        assert stage.turns()[-1] == ("text", "在吗")
        assert len(stage.dialogue.asked) == 1


async def test_a_new_conversation_begins_after_the_end_and_after_a_day(anywhere: Stage) -> None:
    it = anywhere.process()
    async with ended(anywhere):
        await anywhere.tells(it, messages.text("一天"))
        first = anywhere.citizen.conversation_id
        anywhere.now += timedelta(hours=23)
        await anywhere.tells(it, messages.text("同一个"))
        assert anywhere.citizen.conversation_id == first
        anywhere.now += timedelta(hours=25)
        text = await anywhere.tells(it, messages.text("第二天"))
        second = anywhere.citizen.conversation_id
        assert second != first
        assert "示例市12345热线" in text
        assert "同一个" not in text
        records.end_conversation(anywhere.engine, second, anywhere.now)
        await anywhere.tells(it, messages.text("又来"))
        assert anywhere.citizen.conversation_id not in (first, second)


async def test_what_is_untold_keeps_the_conversation(stage: Stage) -> None:
    it = stage.process()
    async with ended(stage):
        await stage.tells(it, messages.text("你好"))
        first = stage.citizen.conversation_id
        await it.core.tell(first, Say("", "工单办好了"), speaker="bot", at=stage.now)
        stage.now += timedelta(hours=30)
        assert "工单办好了" in await stage.tells(it, messages.text("怎么样了"))
        assert stage.citizen.conversation_id == first


async def test_files_are_noted_and_a_voice_note_is_heard_when_recognised(anywhere: Stage) -> None:
    it = anywhere.process(times=replace(PATIENT, reply_s=0.05))
    async with ended(anywhere):
        await anywhere.tells(it, messages.image("photo-1", "https://mmbiz.test/1"))
        voice = anywhere.message(messages.voice("voice-1"))
        assert (await it.receive(voice)).body == b"success"
        await it.receive(voice)
        with reading(anywhere.engine) as session:
            rows = session.scalars(select(WechatMedia).order_by(WechatMedia.kind)).all()
            found = [(row.kind, row.media_id, row.state) for row in rows]
        assert found == [("photo", "photo-1", "waiting"), ("voice", "voice-1", "waiting")]
        assert it.fetched
        assert anywhere.turns() == [("event", "")]
        known = messages.voice("voice-2", recognition="公积金怎么取")
        await anywhere.tells(it, known)
        assert anywhere.turns()[-1] == ("speech", "公积金怎么取")


async def test_whoever_floods_is_told_so_politely_and_retries_are_no_flood(stage: Stage) -> None:
    it = stage.process(limiter=Limiter(Rate(burst=2, per_s=0)))
    async with ended(stage):
        kept = [stage.message(messages.text(text)) for text in ("一号", "二号")]
        for message in (*kept, *kept, *kept):
            assert stage.shown(message, await it.receive(message)).kind == "text"
        assert await stage.tells(it, messages.text("三号")) == it.city.prompts.slow_down
        assert [text for _, text in stage.turns()] == ["一号", "二号"]


async def test_a_handover_is_told_at_once_too(stage: Stage) -> None:
    it = stage.process()
    stage.dialogue.answers["转人工"] = replace(outcome("好的"), replies=(Handoff("", "asked"),))
    async with ended(stage):
        message = stage.message(messages.text("转人工"))
        text = stage.shown(message, await it.receive(message)).text
        assert "工单" in text
        nobody = it.city.prompts.waiting_nobody + it.city.prompts.waiting_choice_chat
        assert text.endswith(nobody)  # the page shows it, here it is told
        assert stage.shown(message, await it.receive(message)).text == text
        assert [said for _, said in stage.turns("bot")].count(nobody) == 1


def decision(body: str | None) -> Decision:
    known = Known("c", "wechat-1", "bot", Place(), NOON, body)
    return Decision(known, "wx:1", 1, NOON, Style())


def test_who_gives_up_gets_what_is_being_committed_or_nothing() -> None:
    early = decision(None)
    assert early.give_up() == ""
    assert not early.commit("too late")
    late = decision(None)
    assert late.commit("committed")
    assert late.give_up() == "committed"


async def test_answers_for_retries_are_forgotten(stage: Stage) -> None:
    it = stage.process()
    async with ended(stage):
        await stage.tells(it, messages.text("你好"))
    assert forget_replies(stage.engine, NOON) == 0
    assert forget_replies(stage.engine, NOON + timedelta(seconds=1)) == 1
