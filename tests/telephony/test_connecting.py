"""A caller joined with people: one call with a fake leg, line and core, commanded by a desk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from pathlib import Path

import pytest

from bot.errors import ConversationError
from config.city import City
from config.targets import Target, TargetsFile
from telephony import briefing
from telephony.call import Call
from telephony.line import DialError, Ended, Held, LineError, Resumed
from telephony.parts import CallParts
from telephony.tones import ringing
from tests.asr.listening import listening, silence, speech
from tests.fakes.leg import FakeLeg, FakeLine
from tests.fakes.recogniser import FakeRecogniser
from tests.telephony.test_call import CALL, FakeCore, Plain, Stage
from tts.speaker import Speaker
from turns.calls import CallCommand, CallEvent, CallInfo, Verb
from turns.orders import OrderBrief
from turns.replies import Connect, Say

AGENTS = "sip:agents@127.0.0.1:5070"
EIGHT = "sip:8001@127.0.0.1:5070"
GJJ = "sip:gjj@127.0.0.1:5071"
POLICE = "sip:110@127.0.0.1:5071"
BUSY = DialError("busy", "as told", 486)
BRIEF = OrderBrief("2026112000001", "投诉", "normal", "建业小区9号楼", "烧烤摊油烟", "13900139000")


class Desk:
    """Who watches and commands the call."""

    def __init__(self) -> None:
        self.events: list[CallEvent] = []
        self.infos: list[CallInfo] = []
        self.words: list[tuple[str, str]] = []
        self.over = False
        self._count = 0

    def opened(self, info: CallInfo, take: Callable[[CallCommand], None]) -> None:
        self.infos.append(info)
        self.take = take

    def changed(self, info: CallInfo) -> None:
        self.infos.append(info)

    def closed(self, call: str) -> None:
        self.over = True

    def told(self, event: CallEvent) -> None:
        self.events.append(event)

    def partial(self, call: str, speaker: str, text: str) -> None:
        self.words.append((speaker, text))

    def order(self, verb: Verb, target: str = "") -> str:
        self._count += 1
        self.take(CallCommand(f"k{self._count}", CALL, verb, target, "zhang"))
        return f"k{self._count}"

    def outcome(self, command: str) -> CallEvent | None:
        done = [event for event in self.events if event.command == command and event.done]
        assert len(done) <= 1
        return done[0] if done else None

    def story(self) -> list[tuple[str, str, str]]:
        return [(event.state, event.target, event.cause) for event in self.events]


class Scene(Stage):
    """A call with a desk."""

    desk: Desk
    recogniser: FakeRecogniser

    async def ordered(self, verb: Verb, target: str = "") -> CallEvent:
        command = self.desk.order(verb, target)
        await self.until(lambda: self.desk.outcome(command) is not None)
        event = self.desk.outcome(command)
        assert event is not None
        return event

    @property
    def together(self) -> set[str]:
        conference = self.line.conference
        return {leg.id for leg in conference.legs} if conference else set()

    async def bridged(self, *ids: str) -> None:
        await self.until(lambda: self.together == {"abc", *ids})

    def hears(self, leg: FakeLeg, sound: bytes) -> bool:
        """Whether that is the last thing it was played, and still plays."""
        return bool(leg.played) and leg.played[-1] == sound and not leg.playbacks[-1].stopped


Open = Callable[..., AbstractAsyncContextManager[Scene]]


@pytest.fixture
def scene(tmp_path: Path, city: City, now: datetime) -> Open:
    @asynccontextmanager
    async def run(
        *, prepare: Callable[[Scene], None] = lambda _: None, city: City = city, script: str = "好"
    ) -> AsyncIterator[Scene]:
        voice = Plain()
        actors = Scene(FakeCore(now), FakeLeg(), FakeLine(), voice)
        actors.desk = Desk()
        actors.core.greeting = [Say("g", "您好")]
        prepare(actors)
        with ThreadPoolExecutor(1) as pool:
            actors.recogniser = FakeRecogniser(script)
            async with listening(actors.recogniser) as address:
                speaker = Speaker(tmp_path / "speech", synthesiser=voice)
                parts = CallParts(
                    actors.line, actors.core, speaker, city, f"ws://{address}", None, pool,
                    lambda: now, office=actors.desk, node="n1",
                )  # fmt: skip
                call = asyncio.create_task(Call(actors.leg, parts).run())
                await actors.until(lambda: "您好" in actors.said() or bool(actors.line.dialled))
                yield actors
                await actors.leg.hang_up()
                async with asyncio.timeout(60):
                    await call
                await speaker.close()
        assert actors.desk.over
        assert all(leg.ended for leg in actors.line.given)

    return run


def answer(actors: Scene, uri: str, name: str) -> FakeLeg:
    leg = FakeLeg(name)
    actors.line.answers[uri] = leg
    return leg


async def test_the_desk_bridges_a_caller_with_an_agent(scene: Open) -> None:
    async with scene() as actors:
        agent = answer(actors, EIGHT, "agent")
        event = await actors.ordered("bridge", "8001")
        assert (event.state, event.leg, event.target) == ("bridged", "target", "8001")
        assert actors.together == {"abc", "agent"}
        assert actors.line.shown == ["13900139000"]
        await actors.until(lambda: actors.core.connections == [CALL])
        info = actors.desk.infos[-1]
        assert (info.state, info.parties, info.caller) == ("person", ("8001",), "139****9000")
        agent.end(Ended("bye"))
        await actors.until(lambda: actors.leg.ended is not None)
        assert "人工通话已经结束" in actors.said()
    assert [story[0] for story in actors.desk.story()] == ["ringing", "bridged", "ended", "ended"]


async def test_the_caller_hears_ringing_until_somebody_comes(scene: Open) -> None:
    async with scene() as actors:
        comes = asyncio.Event()
        actors.line.answers[EIGHT] = comes
        actors.desk.order("bridge", "8001")
        await actors.until(
            lambda: actors.hears(actors.leg, ringing()) or ringing() in actors.leg.played
        )
        assert actors.desk.infos[-1].state == "ringing"
        comes.set()
        await actors.bridged("target")


async def test_a_targets_own_ringing_is_heard_instead(scene: Open) -> None:
    async with scene() as actors:
        comes = asyncio.Event()
        actors.line.answers[EIGHT] = comes
        actors.line.rings = True
        actors.desk.order("bridge", "8001")
        await actors.until(lambda: ringing() in actors.leg.played)
        actors.line.target.frame(bytes(320), bytes(320))  # an open line is no sound
        assert "target" not in actors.together
        actors.line.target.frame(b"\x10\x27" * 160, bytes(320))
        assert actors.together == {"abc", "target"}
        comes.set()
        await actors.until(lambda: actors.desk.outcome("k1") is not None)


async def test_who_was_heard_early_must_still_take_the_caller(scene: Open) -> None:
    async with scene() as actors:
        gjj = answer(actors, GJJ, "gjj")
        gjj.at_once = False
        actors.line.rings = True
        actors.line.answers[GJJ] = comes = asyncio.Event()
        actors.line.target = gjj
        actors.desk.order("bridge", "gjj")
        await actors.until(lambda: bool(actors.line.dialled))
        gjj.frame(b"\x10\x27" * 160, bytes(320))
        assert actors.together == {"abc", "gjj"}
        comes.set()
        await actors.until(lambda: bool(gjj.played))
        assert actors.together == {"abc"}
        assert actors.leg.played[-1] == ringing()
        gjj.press("1")
        await actors.bridged("gjj")


async def test_a_handover_meanwhile_is_not_forgotten(scene: Open, city: City) -> None:
    """The desk's agent does not answer; the dialogue has handed the caller over by then."""
    async with scene() as actors:
        comes = asyncio.Event()
        actors.line.answers[EIGHT] = comes
        actors.desk.order("bridge", "8001")
        await actors.until(lambda: actors.line.dialled == [EIGHT])
        actors.core.tell([Say("s", "不会说的"), Connect("c", AGENTS)])
        await asyncio.sleep(0.05)
        nobody = FakeLeg("nobody")
        nobody.end(Ended("bye"))
        actors.line.target, agents = nobody, actors.line.target
        actors.line.answers[AGENTS] = agents
        comes.set()  # answered and gone in the same moment
        await actors.bridged("target")
        assert actors.line.dialled == [EIGHT, AGENTS]
        assert "不会说的" not in actors.said()


@pytest.mark.parametrize("text", ["sip:00852@evil.example", "9001", "", "x" * 5000])
@pytest.mark.parametrize("verb", ["bridge", "transfer", "three_way"])
async def test_nobody_else_is_dialled(scene: Open, text: str, verb: Verb) -> None:
    async with scene() as actors:
        event = await actors.ordered(verb, text)
        assert (event.state, event.cause) == ("failed", "target_unknown")
        assert actors.line.dialled == []


async def test_a_dialogue_that_names_a_stranger_gets_the_hunt_group(scene: Open) -> None:
    def prepare(actors: Scene) -> None:
        actors.core.greeting = [Connect("c", "sip:00852@evil.example")]

    async with scene(prepare=prepare) as actors:
        await actors.bridged("target")
        assert actors.line.dialled == [AGENTS]


async def test_busy_then_the_next_of_the_list(scene: Open, city: City) -> None:
    async with scene(prepare=lambda a: setattr(a.core, "order", BRIEF)) as actors:
        actors.line.answers[GJJ] = BUSY
        supervisor = answer(actors, "sip:supervisor@127.0.0.1:5070", "supervisor")
        event = await actors.ordered("bridge", "gjj")
        assert (event.state, event.target) == ("bridged", "supervisor")
        assert city.prompts.next_person[:9] in actors.said()
        assert supervisor.ended is None
    assert ("failed", "gjj", "busy") in actors.desk.story()


async def test_nobody_at_all_gives_a_commanded_caller_back_to_the_dialogue(
    scene: Open, city: City
) -> None:
    async with scene() as actors:
        actors.line.refuse = BUSY
        actors.core.connections = [CALL]
        event = await actors.ordered("bridge", "8001")
        assert (event.state, event.cause) == ("failed", "busy")
        await actors.until(lambda: actors.desk.infos[-1].state == "bot")
        assert city.prompts.back_to_bot[:9] in actors.said()
        actors.leg.press("0")
        await actors.until(lambda: bool(actors.core.heard))
        actors.line.refuse = None
        assert (await actors.ordered("bridge", "8001")).state == "bridged"


async def test_a_caller_handed_over_goes_on_to_the_hunt_group(scene: Open, city: City) -> None:
    """The desk takes a caller for whom the hunt group rings; its agent does not answer."""

    def prepare(actors: Scene) -> None:
        actors.core.greeting = [Connect("c", AGENTS)]
        actors.line.answers[AGENTS] = asyncio.Event()

    async with scene(prepare=prepare) as actors:
        await actors.until(lambda: actors.line.dialled == [AGENTS])
        actors.line.answers[EIGHT] = DialError("no_answer", "as told")
        event = await actors.ordered("bridge", "8001")
        assert event.cause == "no_answer"
        await actors.until(lambda: actors.line.dialled == [AGENTS, EIGHT, AGENTS])
        hunt_group = actors.line.answers[AGENTS]
        assert isinstance(hunt_group, asyncio.Event)
        hunt_group.set()
        await actors.bridged("target")


async def test_nobody_of_the_hunt_group_is_told_to_caller_and_conversation(
    scene: Open, city: City
) -> None:
    def prepare(actors: Scene) -> None:
        actors.core.greeting = [Connect("c", AGENTS)]
        actors.line.refuse = DialError("unreachable", "as told", 503)

    async with scene(prepare=prepare) as actors:
        await actors.until(lambda: actors.leg.ended is not None)
        assert city.prompts.nobody_answers[:10] in actors.said()
        assert actors.core.unreached == ["unreachable"]


def with_next(city: City, **file: object) -> City:
    line = city.lines[0].model_copy(update={"hunt_next": ("gjj",)})
    targets = city.targets.model_copy(update=file)
    return city.model_copy(update={"lines": (line, *city.lines[1:]), "targets": targets})


async def test_a_busy_hunt_group_is_followed_by_the_next(
    scene: Open, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepare(actors: Scene) -> None:
        actors.core.order = BRIEF
        actors.core.greeting = [Connect("c", AGENTS)]
        actors.line.answers[AGENTS] = BUSY
        answer(actors, GJJ, "gjj").press("1")

    async with scene(prepare=prepare, city=with_next(city)) as actors:
        await actors.bridged("gjj")
        assert actors.line.dialled == [AGENTS, GJJ]


async def test_without_a_desk_the_order_is_read_and_key_1_takes_it(scene: Open, city: City) -> None:
    async with scene(prepare=lambda a: setattr(a.core, "order", BRIEF)) as actors:
        gjj = answer(actors, GJJ, "gjj")
        gjj.at_once = False
        command = actors.desk.order("bridge", "gjj")
        await actors.until(lambda: bool(gjj.played))
        told = gjj.played[0].decode("utf-16-le").replace("\0", "")
        assert told.startswith("示例市幺二三四五转来一件投诉，地点建业小区九号楼")
        assert "烧烤摊油烟，来电号码幺三九，零零幺三，九零零零。接听请按一" in told
        assert "gjj" not in actors.together
        gjj.press("1")
        await actors.bridged("gjj")
        assert gjj.playbacks[0].stopped
        assert actors.desk.outcome(command) is not None


@pytest.mark.parametrize("how", ["another key", "nothing", "hangs up"])
async def test_who_does_not_take_it_is_not_joined(
    scene: Open, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(briefing, "DECIDE_S", 0.1)
    async with scene() as actors:
        gjj = answer(actors, GJJ, "gjj")
        answer(actors, "sip:supervisor@127.0.0.1:5070", "supervisor")
        if how == "another key":
            gjj.press("2")
        elif how == "hangs up":
            gjj.end(Ended("bye"))
        event = await actors.ordered("bridge", "gjj")
        assert event.target == "supervisor"
        assert gjj.ended is not None
        assert ("failed", "gjj", "refused") in actors.desk.story()


async def test_an_emergency_hears_the_order_and_is_joined(scene: Open) -> None:
    danger = OrderBrief("1", "求助", "danger", "人民路", "煤气泄漏")
    async with scene(prepare=lambda a: setattr(a.core, "order", danger)) as actors:
        police = answer(actors, POLICE, "110")
        assert (await actors.ordered("bridge", "110")).state == "bridged"
        told = police.played[0].decode("utf-16-le").replace("\0", "")
        assert "紧急转来一件求助，地点人民路，煤气泄漏。现在接通。" in told


async def test_an_order_that_cannot_be_read_is_no_reason_not_to_call(scene: Open) -> None:
    class Broken(FakeCore):
        async def order_brief(self, conversation: str) -> OrderBrief | None:
            raise ConversationError("store_down", "as told")

        async def connected(self, conversation: str, at: datetime) -> None:
            raise ConversationError("store_down", "as told")

    def prepare(actors: Scene) -> None:
        actors.core.__class__ = Broken

    async with scene(prepare=prepare) as actors:
        police = answer(actors, POLICE, "110")
        assert (await actors.ordered("bridge", "110")).state == "bridged"
        assert "转来一件来电" in police.played[0].decode("utf-16-le")


async def test_three_talk_and_the_agent_leaves(scene: Open) -> None:
    async with scene() as actors:
        agent, police = answer(actors, EIGHT, "agent"), answer(actors, POLICE, "110")
        await actors.ordered("bridge", "8001")
        event = await actors.ordered("three_way", "110")
        assert (event.state, event.leg, event.target) == ("joined", "third", "110")
        assert actors.together == {"abc", "agent", "110"}
        assert actors.desk.infos[-1].parties == ("8001", "110")
        assert (await actors.ordered("three_way", "gjj")).cause == "in_progress"
        agent.end(Ended("bye"))
        await actors.bridged("110")
        assert actors.leg.ended is None
        police.end(Ended("bye"))
        await actors.until(lambda: actors.leg.ended is not None)
    assert ("left", "8001", "bye") in actors.desk.story()


async def test_who_is_left_alone_while_a_third_is_called_hears_ringing(scene: Open) -> None:
    async with scene() as actors:
        agent = answer(actors, EIGHT, "agent")
        comes = asyncio.Event()
        actors.line.answers["sip:supervisor@127.0.0.1:5070"] = comes
        await actors.ordered("bridge", "8001")
        command = actors.desk.order("three_way", "supervisor")
        await actors.until(lambda: len(actors.line.dialled) == 2)
        agent.end(Ended("bye"))
        await actors.until(lambda: actors.leg.played[-1] == ringing())
        comes.set()
        await actors.bridged("target")
        event = actors.desk.outcome(command)
        assert event is not None
        assert event.state == "joined"


async def test_a_third_who_does_not_come_changes_nothing(scene: Open) -> None:
    async with scene() as actors:
        answer(actors, EIGHT, "agent")
        actors.line.answers[POLICE] = DialError("rejected", "as told", 603)
        await actors.ordered("bridge", "8001")
        event = await actors.ordered("three_way", "110")
        assert (event.state, event.cause) == ("failed", "rejected")
        assert actors.together == {"abc", "agent"}
        assert (await actors.ordered("three_way", "8002")).cause == "target_refused"


async def test_the_desk_holds_and_resumes_the_caller(scene: Open, city: City) -> None:
    async with scene() as actors:
        answer(actors, EIGHT, "agent")
        assert (await actors.ordered("hold")).cause == "not_connected"
        await actors.ordered("bridge", "8001")
        actors.leg.at_once = False
        event = await actors.ordered("hold")
        assert (event.state, event.leg) == ("held", "caller")
        assert actors.together == {"agent"}
        assert [*actors.desk.infos[-1].held] == ["caller"]
        await actors.until(lambda: city.prompts.on_hold[:6] in actors.said())
        await asyncio.sleep(0)
        actors.leg.playbacks[-1].finish(1)
        assert (await actors.ordered("resume")).state == "resumed"
        assert actors.together == {"abc", "agent"}
        assert not actors.desk.infos[-1].held


async def test_an_agents_telephone_that_holds_leaves_no_silence(scene: Open) -> None:
    async with scene() as actors:
        agent = answer(actors, EIGHT, "agent")
        await actors.ordered("bridge", "8001")
        actors.leg.at_once = False
        before = len(actors.leg.played)
        agent.tell(Held(100))
        await actors.until(lambda: len(actors.leg.played) > before)
        assert actors.line.conference is not None
        assert [leg.id for leg in actors.line.conference.muted] == ["agent"]
        agent.tell(Resumed(200))
        await actors.until(lambda: actors.leg.playbacks[-1].stopped)
        assert actors.line.conference.muted == []
        actors.leg.tell(Held(300))
        await actors.until(lambda: actors.desk.infos[-1].held == ("caller",))
    states = [(event.state, event.leg) for event in actors.desk.events]
    assert states[2:5] == [("held", "target"), ("resumed", "target"), ("held", "caller")]


async def test_a_caller_on_hold_while_it_rings_is_still_connected(scene: Open) -> None:
    async with scene() as actors:
        comes = asyncio.Event()
        actors.line.answers[EIGHT] = comes
        actors.desk.order("bridge", "8001")
        await actors.until(lambda: bool(actors.line.dialled))
        actors.leg.tell(Held(1))
        actors.leg.tell(Resumed(2))
        await asyncio.sleep(0.05)
        comes.set()
        await actors.bridged("target")
        await asyncio.sleep(0.05)
        assert actors.together == {"abc", "target"}


async def test_mute_and_whisper_are_for_the_agent(scene: Open) -> None:
    async with scene(prepare=lambda a: setattr(a.core, "order", BRIEF)) as actors:
        answer(actors, EIGHT, "agent")
        for verb in ("mute", "unmute", "whisper"):
            assert (await actors.ordered(verb)).cause == "not_connected"
        await actors.ordered("bridge", "8001")
        assert (await actors.ordered("mute")).state == "muted"
        conference = actors.line.conference
        assert conference is not None
        assert [leg.id for leg in conference.muted] == ["agent"]
        assert (await actors.ordered("unmute", "target")).state == "unmuted"
        assert conference.muted == []
        assert (await actors.ordered("mute", "third")).cause == "not_connected"
        assert (await actors.ordered("mute", "nonsense")).cause == "not_connected"
        assert (await actors.ordered("whisper")).state == "whispered"
        ((leg, pcm),) = conference.whispered
        assert leg.id == "agent"
        assert "投诉" in pcm.decode("utf-16-le")


async def test_hangup_of_one_or_of_all(scene: Open) -> None:
    async with scene() as actors:
        answer(actors, EIGHT, "agent")
        police = answer(actors, POLICE, "110")
        assert (await actors.ordered("hangup", "target")).cause == "not_connected"
        await actors.ordered("bridge", "8001")
        await actors.ordered("three_way", "110")
        assert (await actors.ordered("hangup", "third")).state == "left"
        await actors.until(lambda: police.ended is not None)
        await actors.bridged("agent")
        assert (await actors.ordered("hangup")).state == "ended"
        await actors.until(lambda: actors.leg.ended is not None)


async def test_one_command_to_call_somebody_at_a_time(scene: Open) -> None:
    async with scene() as actors:
        comes = asyncio.Event()
        actors.line.answers[EIGHT] = comes
        first = actors.desk.order("bridge", "8001")
        await actors.until(lambda: bool(actors.line.dialled))
        assert (await actors.ordered("bridge", "8002")).cause == "in_progress"
        comes.set()
        await actors.until(lambda: actors.desk.outcome(first) is not None)
        assert (await actors.ordered("bridge", "8002")).cause == "in_progress"


async def test_a_transfer_replaces_the_agent(scene: Open) -> None:
    async with scene() as actors:
        agent = answer(actors, EIGHT, "agent")
        answer(actors, POLICE, "110")
        await actors.ordered("bridge", "8001")
        event = await actors.ordered("transfer", "110")
        assert (event.state, event.target) == ("bridged", "110")
        assert agent.ended is not None
        assert actors.together == {"abc", "110"}


async def test_a_caller_on_hold_who_is_transferred_waits_no_longer(scene: Open) -> None:
    async with scene() as actors:
        answer(actors, EIGHT, "agent")
        answer(actors, POLICE, "110")
        await actors.ordered("bridge", "8001")
        await actors.ordered("hold")
        assert (await actors.ordered("transfer", "110")).state == "bridged"
        assert actors.together == {"abc", "110"}
        assert not actors.desk.infos[-1].held


async def test_a_line_that_cannot_dial_is_a_target_out_of_reach(scene: Open) -> None:
    class Stopped(FakeLine):
        async def dial(self, *_: object, **__: object) -> FakeLeg:
            raise LineError("not_started", "as told")

    async with scene() as actors:
        answer(actors, EIGHT, "agent")
        await actors.ordered("bridge", "8001")
        actors.line.__class__ = Stopped
        event = await actors.ordered("three_way", "110")
        assert (event.state, event.cause) == ("failed", "unreachable")


def referring(city: City) -> City:
    trunk = Target(
        name="branch", label="分中心", kind="department", uri="sip:branch@127.0.0.1", refer=True,
        desk=True,
    )  # fmt: skip
    return city.model_copy(update={"targets": TargetsFile(targets=(trunk,))})


async def test_a_trunk_that_takes_a_transfer_has_the_caller(scene: Open, city: City) -> None:
    async with scene(city=referring(city)) as actors:
        command = actors.desk.order("transfer", "branch")
        await actors.until(lambda: actors.leg.ended is not None)
        await actors.until(lambda: actors.desk.outcome(command) is not None)
        event = actors.desk.outcome(command)
        assert event is not None
        assert (event.state, event.leg) == ("transferred", "caller")
        assert actors.leg.referred == ["sip:branch@127.0.0.1"]
        assert actors.line.dialled == []


@pytest.mark.parametrize("how", [LineError("refer_refused", "as told"), 486])
async def test_a_refused_transfer_becomes_a_bridge(
    scene: Open, city: City, how: LineError | int
) -> None:
    async with scene(city=referring(city)) as actors:
        actors.leg.refers = how
        event = await actors.ordered("transfer", "branch")
        assert (event.state, event.target) == ("bridged", "branch")
        assert actors.together == {"abc", "target"}
    cause = how.code if isinstance(how, LineError) else str(how)
    assert ("failed", "branch", cause) in actors.desk.story()


async def test_what_an_agent_says_is_recognised_and_kept(scene: Open) -> None:
    async with scene(script="您好我是坐席") as actors:
        agent = answer(actors, EIGHT, "agent")
        await actors.ordered("bridge", "8001")
        actors.leg.clock_ms = 60_000
        await actors.until(lambda: len(actors.recogniser.streams) == 2)
        for _ in range(50):  # rounds of the loop, for the word that the agent's stream is open
            await asyncio.sleep(0.002)
        for sound in (speech(), silence(1.5)):
            for start in range(0, len(sound), 320):
                agent.frame(sound[start : start + 320], bytes(320))
                await asyncio.sleep(0)
        await actors.until(lambda: bool(actors.core.overheard))
        (words,) = actors.core.overheard
        assert words.conversation == CALL
        assert words.text == "您好我是坐席"
        assert words.audio is not None
        assert 60_000 <= words.audio.start_ms < words.audio.end_ms
        assert ("agent", "您好我是坐席") in actors.desk.words
        await actors.speak(speech() + silence(1.5))
        await actors.until(lambda: bool(actors.core.heard))
        assert actors.core.heard[0].kind == "speech"
        assert any(speaker == "citizen" for speaker, _ in actors.desk.words)
        assert "听到了" not in actors.said()


async def test_after_the_person_the_bot_where_a_city_wants_it(scene: Open, city: City) -> None:
    async with scene(city=with_next(city, after_person="bot")) as actors:
        agent = answer(actors, EIGHT, "agent")
        await actors.ordered("bridge", "8001")
        await actors.until(lambda: actors.core.connections == [CALL])
        agent.end(Ended("bye"))
        await actors.until(lambda: actors.desk.infos[-1].state == "bot")
        assert actors.core.connections == []
        assert "可以接着跟我说" in actors.said()
        await actors.speak(speech() + silence(1.5))
        await actors.until(lambda: "听到了" in actors.said())
    assert ("back", "", "") in actors.desk.story()


async def test_people_talk_on_when_the_dialogue_breaks(scene: Open) -> None:
    async with scene() as actors:
        answer(actors, EIGHT, "agent")
        await actors.ordered("bridge", "8001")
        actors.core.broken = "hear"
        await actors.speak(speech() + silence(1.5))
        await asyncio.sleep(0.3)
        assert actors.together == {"abc", "agent"}
        assert actors.leg.ended is None


async def test_a_caller_who_hangs_up_while_it_rings_frees_everybody(scene: Open) -> None:
    async with scene() as actors:
        actors.line.answers[EIGHT] = asyncio.Event()
        command = actors.desk.order("bridge", "8001")
        await actors.until(lambda: bool(actors.line.dialled))
        actors.leg.end(Ended("bye"))
        await actors.until(lambda: actors.desk.over)
    event = actors.desk.outcome(command)
    assert event is not None
    assert (event.state, event.cause) == ("failed", "caller_gone")


async def test_no_port_for_sound_is_somebody_elses_call(
    city: City, now: datetime, tmp_path: Path
) -> None:
    class Full(FakeLeg):
        async def answer(self) -> None:
            raise LineError("no_media_port", "as told")

    leg = Full()
    with ThreadPoolExecutor(1) as pool:
        speaker = Speaker(tmp_path, synthesiser=Plain())
        parts = CallParts(FakeLine(), FakeCore(now), speaker, city, "", None, pool, lambda: now)
        await Call(leg, parts).run()
        await speaker.close()
    assert leg.ended == Ended("rejected", 503)
