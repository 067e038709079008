"""The strict run: our account before a platform that shares no code with it, in all three modes."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest
from sqlalchemy import select

from bot.join import extractor
from config.city import City
from qianmen.wechatsim import messages
from qianmen.wechatsim.account import Format, Mode
from qianmen.wechatsim.delivery import HttpWire, Wire
from qianmen.wechatsim.setup import PATH
from qianmen.wechatsim.view import doubled
from store.engine import open_engine, reading
from store.tables import Attachment, Conversation, WorkOrder, WorkOrderField
from tests.chat.test_uploads import photo
from tests.chat.voicenotes import note
from tests.chat.wechat.dying import Dying, dying
from tests.chat.wechat.stage import PATIENCE_S, Stage, recogniser, staged
from tests.conftest import LEARNED
from tests.fakes.dialogue import outcome
from turns.context import Context
from turns.replies import Ask, Option
from turns.understood import Outcome, Understood

MODES: tuple[Mode, ...] = ("plain", "compatible", "secure")
modes = pytest.mark.parametrize("mode", MODES)


class Open(Protocol):
    def __call__(self, mode: Mode = "secure", **more: Any) -> Stage: ...


@pytest.fixture
def stage(sqlite_template: Path, tmp_path: Path, city: City) -> Iterator[Open]:
    """Opens one. On SQLite: what PostgreSQL could do otherwise is tried in the parts' tests."""
    file = tmp_path / "test.sqlite3"
    shutil.copyfile(sqlite_template, file)
    engine = open_engine(f"sqlite:///{file}")
    with ExitStack() as stack:
        stack.callback(engine.dispose)

        def open_(mode: Mode = "secure", **more: Any) -> Stage:
            made: AbstractContextManager[Stage] = staged(tmp_path, engine, city, mode, **more)
            return stack.enter_context(made)

        yield open_


@pytest.mark.parametrize(
    ("mode", "written"),
    [("plain", "xml"), ("compatible", "xml"), ("secure", "xml"), ("plain", "json"),
     ("secure", "json")],
)  # fmt: skip
def test_a_conversation(stage: Open, mode: Mode, written: Format) -> None:
    it = stage(mode, format=written)
    it.delivery.check_server()
    it.send(messages.subscribe())
    it.sees("智能助手")
    it.send(messages.text("公积金怎么取"))
    it.sees("听到：公积金怎么取")
    assert it.texts("passive")[-1] == "听到：公积金怎么取"
    assert it.heard() == ["公积金怎么取"]
    it.is_clean()


@modes
def test_threefold_retries_get_the_same_answer_and_are_heard_once(stage: Open, mode: Mode) -> None:
    it = stage(mode)
    it.send(messages.subscribe(), lose=2)
    done = it.send(messages.text("公积金怎么取"), lose=2)
    assert len(done.attempts) == 3
    it.sees("听到：公积金怎么取")
    it.send(messages.text("那要带什么材料"), together=True)
    it.sees("听到：那要带什么材料")
    assert it.heard() == ["公积金怎么取", "那要带什么材料"]
    assert it.count("公积金怎么取") == it.count("那要带什么材料") == 1
    it.is_clean()


@modes
def test_a_stalled_bot_is_answered_for_in_time_and_its_answer_follows_once(
    stage: Open, mode: Mode
) -> None:
    it = stage(mode, wechat_reply_s=0.3)
    it.send(messages.subscribe())
    it.shut_gate()
    first = it.send(messages.text("公积金怎么取"), lose=2)
    second = it.send(messages.text("那要带什么材料"), together=True)
    for done in (first, second):
        assert [attempt.problem for attempt in done.attempts] == [""] * 3
        assert done.shown is not None
        assert not done.shown.kind
    it.open_gate()
    it.sees("听到：公积金怎么取")
    it.sees("听到：那要带什么材料")
    it.send(messages.text("再问一句"))
    it.sees("听到：再问一句")
    assert [it.count(words) for words in ("公积金怎么取", "那要带什么材料")] == [1, 1]
    it.is_clean()


@pytest.mark.parametrize("mode", MODES[1:])
def test_keys_are_rotated_without_a_message_lost(stage: Open, mode: Mode) -> None:
    it = stage(mode)
    it.send(messages.text("一"))
    it.rotate()
    it.send(messages.text("二"), lose=1)
    it.sees("听到：二")
    assert it.heard() == ["一", "二"]
    it.is_clean()


@modes
def test_a_used_up_quota_holds_back_what_is_told_when_the_citizen_writes_again(
    stage: Open, mode: Mode
) -> None:
    it = stage(mode)
    it.send(messages.text("你好"))
    it.sees("听到：你好")
    for n in range(1, 10):
        it.bot_says(f"第{n}条")
    it.sees("第5条")
    it.send(messages.text("还有呢"))
    it.sees("第9条")
    it.sees("听到：还有呢")
    said = "\n".join(it.texts())
    assert [said.count(f"第{n}条") for n in range(1, 10)] == [1] * 9
    assert said.index("第9条") < said.index("听到：还有呢")
    it.is_clean()


def test_the_platforms_own_count_is_believed(stage: Open) -> None:
    """45047 where we thought that more were left: nothing is lost, nobody insists."""
    it = stage()
    it.send(messages.text("你好"))
    it.platform.faults.errors.append(45047)
    it.bot_says("工单办好了")
    it.wait(lambda: any(call.errcode == 45047 for call in it.platform.calls), "no call at all")
    it.send(messages.text("怎么样了"))
    it.sees("工单办好了")
    it.sees("听到：怎么样了")
    assert it.count("工单办好了") == 1
    it.is_clean()


def test_nothing_is_sent_when_the_window_is_over_and_nothing_lost(stage: Open) -> None:
    it = stage()
    it.send(messages.text("你好"))
    it.sees("听到：你好")
    it.clock.advance(hours=49)
    it.agent_says("我是坐席小李")
    sent = len(it.platform.calls)
    it.send(messages.text("在吗"))
    it.sees("我是坐席小李")
    assert it.heard() == ["你好", "在吗"]
    assert all(call.errcode == 0 for call in it.platform.calls[sent:])
    it.is_clean()


def test_a_token_that_is_made_worthless_is_fetched_anew(stage: Open) -> None:
    it = stage()
    it.send(messages.text("你好"))
    it.bot_says("第一条")
    it.sees("第一条")
    it.platform.tokens.kill()
    it.bot_says("第二条")
    it.sees("第二条")
    assert it.count("第一条") == it.count("第二条") == 1
    assert 40001 in [call.errcode for call in it.platform.calls]
    it.is_clean()


def test_what_is_told_while_the_api_is_down_follows_when_it_is_back(stage: Open) -> None:
    it = stage()
    it.send(messages.text("你好"))
    it.bot_says("第一条")
    it.sees("第一条")
    it.platform.faults.server_errors = 1
    it.bot_says("第二条")
    it.sees("第二条")
    assert it.count("第一条") == 1
    it.is_clean()


def test_an_agents_words_reach_the_citizen(stage: Open) -> None:
    it = stage()
    it.send(messages.text("你好"))
    it.agent_says("我是坐席小李，马上给您登记。")
    it.sees("我是坐席小李")
    assert it.texts("custom")[-1] == "我是坐席小李，马上给您登记。"
    it.is_clean()


def test_options_are_a_menu_and_a_tap_is_the_choice(stage: Open) -> None:
    it = stage(wechat_reply_s=0.0)
    options = (Option("是", "/affirm"), Option("不是", "/deny"))
    ask = Outcome((Ask("", "是这个地方吗？", options, expects="yes_no"),), Context(),
                  Understood(act="other", decision="ask"))  # fmt: skip
    it.office.dialogue.answers["我要投诉"] = ask
    it.office.dialogue.answers["/affirm"] = outcome("好的，记下了。")
    it.send(messages.text("我要投诉"))
    it.sees("是这个地方吗")
    shown = it.seen[-1]
    assert [choice.content for choice in shown.choices] == ["是", "不是"]
    it.send(messages.menu_click(shown.choices[0].content, shown.choices[0].id))
    it.sees("好的，记下了")
    it.is_clean()


def test_a_scene_and_an_unsubscription_are_heard_of(stage: Open) -> None:
    it = stage()
    it.send(messages.subscribe("153"))
    it.sees("智能助手")
    it.send(messages.sticker())
    it.send(messages.view("https://example.org"))
    it.send(messages.where(43.6, 122.2, 30.0))
    it.send(messages.template_sent(1))
    it.send(messages.unsubscribe())
    with reading(it.office.engine) as session:
        (talk,) = session.scalars(select(Conversation))
        assert talk.channel == "wechat"
    it.is_clean()


def test_a_voice_note_is_heard_as_the_platform_recognised_it(stage: Open) -> None:
    it = stage()
    known = it.platform.media.keep(note("amr", "libopencore_amrnb", 8000), "amr", 0.0)
    it.send(messages.voice(known, "amr", "公积金怎么取"), lose=2)
    it.sees("听到：公积金怎么取")
    it.is_clean()


def test_a_voice_note_without_recognition_is_fetched_and_recognised(stage: Open) -> None:
    with recogniser("公积金", "怎么", "取", "出来") as url:
        it = stage(asr_server=url)
        known = it.platform.media.keep(
            note("amr", "libopencore_amrnb", 8000), "amr", it.clock.seconds()
        )
        it.send(messages.voice(known, "amr"), lose=1)
        it.sees("听到：公积金怎么取出来")
        assert it.count("听到") == 1
        assert it.heard() == ["公积金怎么取出来"]
        it.is_clean()


def test_a_photo_and_a_place_are_kept_with_the_order(stage: Open, city: City) -> None:
    it = stage("compatible", extract=extractor(city, LEARNED))
    known = it.platform.media.keep(photo(), "jpg", it.clock.seconds())
    it.send(messages.text("楼下烧烤摊油烟特别呛人，我要投诉"))
    it.send(messages.image(known, f"{it.platform.address}/pic"))
    it.send(messages.location(43.6521, 122.2433, "建业小区9号楼3单元"))
    it.send(messages.text("转人工"))
    it.wait(lambda: "/cgi-bin/media/get" in [c.path for c in it.platform.calls], "not fetched")
    it.sees("人工")
    with reading(it.office.engine) as session:
        order = session.scalars(select(WorkOrder)).one()
        fields = session.scalars(
            select(WorkOrderField).where(WorkOrderField.order_id == order.id)
        ).all()
        filled = {field.name: field.value for field in fields}
        assert order.conversation_id == it.conversation
    assert "建业小区9号楼3单元" in filled["where"]
    until(lambda: kept(it) == [("photo", it.conversation)])
    assert doubled(it.seen) == []


def kept(it: Stage) -> list[tuple[str, str]]:
    """Kind and conversation of every file of citizens'."""
    with reading(it.office.engine) as session:
        return [(row.kind, row.conversation_id) for row in session.scalars(select(Attachment))]


def until(true: Callable[[], bool]) -> None:
    """For what no call of the platform's tells of."""
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


class Failing:
    """The way to a process that is killed once the bot was asked; then to the one that is left."""

    def __init__(self, first: Wire, after: Wire, process: Dying) -> None:
        self._ways, self._process = [first, after], process

    def __call__(
        self, method: str, query: Mapping[str, str], body: bytes, content_type: str
    ) -> tuple[int, bytes]:
        if len(self._ways) == 1:
            return self._ways[0](method, query, body, content_type)
        killer = threading.Thread(target=self._process.kill_once_asked)
        killer.start()
        try:
            return self._ways.pop(0)(method, query, body, content_type)
        finally:
            killer.join()


@pytest.fixture
def doomed(tmp_path: Path, city: City) -> Iterator[Dying]:
    with dying(tmp_path / "test.sqlite3", city) as process:
        yield process


def test_a_process_killed_between_hearing_and_answering_costs_nothing(
    doomed: Dying, stage: Open
) -> None:
    it = stage()
    it.send(messages.subscribe())
    first = HttpWire(doomed.start(dict(it.office.more)) + PATH, 2 * PATIENCE_S)
    it.delivery.wire = Failing(first, it.delivery.wire, doomed)
    done = it.send(messages.text("公积金怎么取"))
    first.close()
    assert [attempt.problem for attempt in done.attempts] == ["connection", ""]
    it.sees("听到：公积金怎么取")
    it.delivery.again(done.message)
    assert it.heard() == ["公积金怎么取"]
    assert [breach.code for breach in it.platform.breaches] == ["connection"]
