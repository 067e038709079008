"""One call as the caller lives it: a fake leg and core, the real recogniser server and client."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from pathlib import Path

import pytest
import soundfile

from bot.errors import ConversationError
from bot.people import AfterPerson
from config.city import City
from telephony import patience
from telephony.call import Call
from telephony.line import DialError, Ended
from telephony.parts import CallParts
from telephony.tones import melody, ringing
from tests.asr.listening import frames, listening, silence, speech
from tests.fakes.leg import FakeLeg, FakeLine
from tests.fakes.recogniser import FakeRecogniser
from tts.errors import TtsError
from tts.frames import Request
from tts.speaker import Speaker
from turns.heard import Heard
from turns.ids import conversation_of_call
from turns.orders import OrderBrief
from turns.overheard import Overheard
from turns.replies import Ask, Bye, Connect, Reply, Say, Told
from turns.standing import Standing

CALL = conversation_of_call("abc")


class Plain:
    """A synthesiser whose sound is the text itself, so that tests can read what was played."""

    def __init__(self) -> None:
        self.fails = False

    async def speak(self, request: Request) -> bytes:
        if self.fails:
            raise TtsError("tts_failed", "as told")
        pcm = request.text.encode("utf-16-le")
        return pcm.ljust(-(-len(pcm) // 320) * 320, b"\0")

    async def close(self) -> None:
        """Nothing to close."""


class FakeCore:
    """A conversation core that answers as it is told to."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.greeting: list[Reply] = [Say("g", "您好请问什么事", interruptible=False)]
        self.answers: dict[str, list[Reply]] = {}
        self.heard: list[Heard] = []
        self.timings: dict[str, dict[str, float]] = {}
        self.closed = asyncio.Event()
        self.connections: list[str] = []
        self.unreached: list[str] = []
        self.overheard: list[Overheard] = []
        self.order: OrderBrief | None = None
        self.recordings: dict[str, tuple[Path, int]] = {}
        self.broken: str = ""
        self.stands: Standing | None = None
        self.moved = asyncio.Event()
        self.informed: list[str] = []
        self.after_person: AfterPerson | None = None  # the city's own word
        self.surveyed: list[str] = []
        self.keeps = False
        self.on_heard: Callable[[Heard], None] = lambda _heard: None
        self._told: asyncio.Queue[Told] = asyncio.Queue()

    def tell(self, replies: list[Reply], to: str = "") -> None:
        for n, reply in enumerate(replies, 1):
            self._told.put_nowait(Told(0, "c", "bot", reply, self.now, to, last=n == len(replies)))

    @property
    def all_told(self) -> bool:
        """Whether the call has taken all that it was told."""
        return self._told.empty()

    async def open(
        self, conversation: str, *, channel: str, line: str, citizen: str, at: datetime
    ) -> None:
        if self.broken == "open":
            raise ConversationError("store_down", "as told")
        self.opened = (conversation, channel, line, citizen)
        self.tell(self.greeting)

    async def prepare(self, conversation: str, text: str) -> bool:
        return False

    async def hear(self, heard: Heard) -> None:
        if self.broken == "hear":
            raise ConversationError("store_down", "as told")
        self.heard.append(heard)
        self.on_heard(heard)
        self.tell(self.answers.get(heard.text or heard.kind, [Say("a", "听到了")]), heard.id)

    async def replies(self, conversation: str, cursor: int = 0) -> AsyncIterator[Told]:
        while True:
            yield await self._told.get()

    async def close(self, conversation: str, at: datetime) -> None:
        self.closed.set()

    async def connected(self, conversation: str, at: datetime) -> None:
        self.connections.append(conversation)

    async def not_connected(self, conversation: str, at: datetime, cause: str) -> None:
        self.unreached.append(cause)

    async def parted(self, conversation: str) -> None:
        self.connections.remove(conversation)

    async def keep(self, conversation: str, at: datetime) -> bool:
        return self.keeps

    async def person_left(self, conversation: str, at: datetime) -> AfterPerson:
        if self.after_person is None:
            raise ConversationError("store_down", "as told")
        return self.after_person

    async def ask_survey(self, conversation: str, at: datetime) -> bool:
        self.surveyed.append(conversation)
        self.tell([Say("sv", "请您评价")])
        return True

    async def overhear(self, words: Overheard) -> None:
        self.overheard.append(words)

    async def standings(self, conversation: str) -> AsyncIterator[Standing | None]:
        while True:
            if self.broken == "standings":
                raise ConversationError("store_down", "as told")
            yield self.stands
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.02):
                    await self.moved.wait()
            self.moved.clear()

    def stand(self, standing: Standing | None) -> None:
        self.stands = standing
        self.moved.set()

    async def inform(self, conversation: str, text: str, at: datetime) -> None:
        self.informed.append(text)
        self._told.put_nowait(Told(0, "c", "system", Say("i", text), at, "", last=True))

    async def order_brief(self, conversation: str) -> OrderBrief | None:
        return self.order

    async def note_timings(self, conversation: str, heard: str, timings: dict[str, float]) -> None:
        self.timings.setdefault(heard, {}).update(timings)

    async def begin_recording(
        self, recording: str, conversation: str, path: Path, at: datetime
    ) -> None:
        self.recordings[recording] = (path, 0)

    async def end_recording(self, recording: str, duration_ms: int) -> None:
        path, _ = self.recordings.get(recording, (Path(), 0))
        self.recordings[recording] = (path, duration_ms)


class Stage:
    """A call under way."""

    def __init__(self, core: FakeCore, leg: FakeLeg, line: FakeLine, voice: Plain) -> None:
        self.core, self.leg, self.line, self.voice = core, leg, line, voice

    def said(self) -> str:
        words = (pcm for pcm in self.leg.played if pcm not in (ringing(), melody()))
        return "".join(pcm.decode("utf-16-le").rstrip("\0") for pcm in words)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not condition():  # noqa: ASYNC110  # many parts move; none gives one event
                await asyncio.sleep(0.005)

    async def speak(self, pcm: bytes) -> None:
        for frame in frames(pcm):
            self.leg.frame(frame, bytes(320))
            await asyncio.sleep(0)


Open = Callable[..., AbstractAsyncContextManager[Stage]]


@pytest.fixture
def stage(tmp_path: Path, city: City, now: datetime) -> Open:
    @asynccontextmanager
    async def run(
        script: str = "租房提取公积金",
        *,
        recogniser: FakeRecogniser | None = None,
        asr: str = "",
        prepare: Callable[[Stage], None] = lambda _stage: None,
    ) -> AsyncIterator[Stage]:
        voice = Plain()
        actors = Stage(FakeCore(now), FakeLeg(), FakeLine(), voice)
        prepare(actors)
        with ThreadPoolExecutor(1) as pool:
            async with listening(recogniser or FakeRecogniser(script)) as address:
                speaker = Speaker(tmp_path / "speech", synthesiser=voice)
                parts = CallParts(
                    actors.line, actors.core, speaker, city, asr or f"ws://{address}",
                    tmp_path / "recordings", pool, lambda: now,
                )  # fmt: skip
                call = asyncio.create_task(Call(actors.leg, parts).run())
                yield actors
                await actors.leg.hang_up()
                await call
                await speaker.close()

    return run


async def test_the_caller_is_greeted_heard_and_answered(stage: Open) -> None:
    async with stage() as actors:
        await actors.until(lambda: "您好请问什么事" in actors.said())
        await actors.speak(speech() + silence(1.5))
        await actors.until(lambda: "听到了" in actors.said())
    (heard,) = actors.core.heard
    assert (heard.kind, heard.text, heard.line) == ("speech", "租房提取公积金", "12345")
    assert heard.audio is not None
    assert 0 <= heard.audio.start_ms < heard.audio.end_ms
    assert actors.core.opened == (CALL, "phone", "12345", "13900139000")
    assert {"endpoint_ms", "words_ms", "speech_ms"} <= set(actors.core.timings[heard.id])
    assert actors.leg.answered
    assert actors.core.closed.is_set()


async def test_keys_work_at_any_time(stage: Open) -> None:
    async with stage() as actors:
        actors.leg.press("0")
        await actors.until(lambda: bool(actors.core.heard))
    assert (actors.core.heard[0].kind, actors.core.heard[0].text) == ("keys", "0")


async def test_a_number_is_gathered_when_digits_are_expected(stage: Open) -> None:
    def prepare(actors: Stage) -> None:
        actors.core.greeting = [Ask("q", "电话号码是多少", expects="digits")]

    async with stage(prepare=prepare) as actors:
        await actors.until(lambda: "电话号码" in actors.said())
        for key in "0475#":
            actors.leg.press(key)
        await actors.until(lambda: bool(actors.core.heard))
    assert actors.core.heard[0].text == "0475"


async def test_the_caller_interrupts(stage: Open) -> None:
    def prepare(actors: Stage) -> None:
        actors.core.greeting = [Say("g", "说来话长。第二句。第三句。")]
        actors.leg.at_once = False

    async with stage(prepare=prepare) as actors:
        await actors.until(lambda: bool(actors.leg.playbacks))
        actors.leg.at_once = True
        await actors.speak(speech())
        await actors.until(lambda: actors.leg.playbacks[0].stopped)
        await actors.speak(silence(1.5))
        await actors.until(lambda: "听到了" in actors.said())
    assert "第三句" not in actors.said()


async def test_what_must_be_heard_is_not_cut(stage: Open) -> None:
    def prepare(actors: Stage) -> None:
        actors.leg.at_once = False

    async with stage(prepare=prepare) as actors:
        await actors.until(lambda: bool(actors.leg.playbacks))
        await actors.speak(speech() + silence(1.5))
        await actors.until(lambda: bool(actors.core.heard))
        assert not actors.leg.playbacks[0].stopped
        actors.leg.at_once = True
        actors.leg.playbacks[0].finish(1000)


async def test_a_lost_recogniser_is_told_to_the_dialogue(stage: Open) -> None:
    dying = FakeRecogniser("租房", fail_after_bytes=6400)
    async with stage(recogniser=dying) as actors:
        await actors.speak(speech())
        await actors.until(lambda: bool(actors.core.heard))
    assert (actors.core.heard[0].kind, actors.core.heard[0].text) == ("event", "recogniser_failed")


async def test_no_recogniser_at_all_is_told_too(stage: Open) -> None:
    async with stage(asr="ws://127.0.0.1:9") as actors:
        await actors.until(lambda: bool(actors.core.heard))
    assert actors.core.heard[0].text == "recogniser_failed"


@pytest.mark.parametrize(("where", "kept"), [("open", False), ("hear", False), ("hear", True)])
async def test_a_lost_database_is_a_sentence_and_a_person(
    stage: Open, city: City, where: str, kept: bool
) -> None:
    def prepare(actors: Stage) -> None:
        actors.core.broken = where
        actors.core.keeps = kept

    async with stage(prepare=prepare) as actors:
        if where == "hear":
            await actors.speak(speech() + silence(1.5))
        await actors.until(lambda: bool(actors.line.joined))
        assert "抱歉" in actors.said()
        assert ("工单号稍后告诉您" in actors.said()) == kept
        await actors.until(lambda: len(actors.core.connections) == 1)
        actors.line.target.end(Ended("bye"))
        await actors.until(lambda: actors.leg.ended is not None)
    assert actors.line.dialled == [city.lines[0].hunt_group]


async def test_a_silent_dialogue_is_a_sentence_and_a_person(
    stage: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "ANSWER_S", 0.2)

    def prepare(actors: Stage) -> None:
        actors.core.greeting = []

    async with stage(prepare=prepare) as actors:
        await actors.until(lambda: bool(actors.line.joined))
        assert "抱歉" in actors.said()


async def test_a_silent_caller_is_a_turn(stage: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "SILENCE_S", 0.2)
    async with stage() as actors:
        await actors.until(lambda: any(heard.kind == "silence" for heard in actors.core.heard))


async def test_connect_joins_and_hangs_up_when_the_person_does(
    stage: Open,
) -> None:
    def prepare(actors: Stage) -> None:
        actors.core.greeting = [Say("s", "请稍候"), Connect("c", "sip:a@127.0.0.1")]

    async with stage(prepare=prepare) as actors:
        await actors.until(lambda: bool(actors.line.joined))
        actors.line.target.end(Ended("bye"))
        await actors.until(lambda: actors.leg.ended is not None)


async def test_a_caller_who_hangs_up_frees_the_person(stage: Open) -> None:
    def prepare(actors: Stage) -> None:
        actors.core.greeting = [Connect("c", "sip:a@127.0.0.1")]

    async with stage(prepare=prepare) as actors:
        await actors.until(lambda: bool(actors.line.joined))
        actors.leg.end(Ended("bye"))
        await actors.until(lambda: actors.line.target.ended is not None)


async def test_nobody_answers_is_said(stage: Open, city: City) -> None:
    def prepare(actors: Stage) -> None:
        actors.core.greeting = [Connect("c", "sip:a@127.0.0.1")]
        actors.line.refuse = DialError("no_answer", "as told")

    async with stage(prepare=prepare) as actors:
        await actors.until(lambda: actors.leg.ended is not None)
    assert city.prompts.nobody_answers.startswith(actors.said()[:10])


async def test_bye_hangs_up_after_it_was_said(stage: Open) -> None:
    def prepare(actors: Stage) -> None:
        actors.core.greeting = [Say("s", "再见"), Bye("b")]

    async with stage(prepare=prepare) as actors:
        await actors.until(lambda: actors.leg.ended is not None)
    assert actors.said() == "再见"


async def test_a_sentence_that_cannot_be_spoken_does_not_end_the_call(
    stage: Open,
) -> None:
    def prepare(actors: Stage) -> None:
        actors.voice.fails = True

    async with stage(prepare=prepare) as actors:
        await actors.speak(speech() + silence(1.5))
        await actors.until(lambda: bool(actors.core.heard))
    assert actors.leg.ended == Ended("hung_up")


async def test_the_recording_holds_both_sides_on_one_clock(stage: Open) -> None:
    async with stage() as actors:
        await actors.until(lambda: bool(actors.core.recordings))
        for n in range(75):
            actors.leg.frame(n.to_bytes(2, "little") * 160, (1000 + n).to_bytes(2, "little") * 160)
    path, duration = actors.core.recordings[CALL]
    assert duration == 1500
    samples, rate = soundfile.read(path, dtype="int16")
    assert (samples.shape, rate) == ((12000, 2), 8000)
    assert samples[160 * 60].tolist() == [60, 1060]
