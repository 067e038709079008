"""A caller in the queue: music, where they stand, the bot meanwhile, and whoever comes."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from config.city import City
from config.queue import Announcements
from telephony.hold_sound import hold_sound
from telephony.line import DialError, Ended
from telephony.tones import melody, ringing
from tests.asr.listening import silence, speech
from tests.fakes.leg import FakeLeg
from tests.telephony.test_call import CALL
from tests.telephony.test_connecting import (
    BRIEF,
    EIGHT,
    Open,
    Scene,
    answer,
    scene,  # noqa: F401  # the fixture
)
from turns.replies import QUEUE, Bye, Connect, Handoff, Reply, Say
from turns.standing import Standing

SECOND = Standing("handoff:c", "waiting", position=2, estimate_s=100.0)
HANDED_OVER: list[Reply] = [
    Say("s", "您好马上转人工", interruptible=False), Handoff("h", "asked"), Connect("c", QUEUE),
]  # fmt: skip


@pytest.fixture
def hasty(city: City) -> City:
    """A city whose queue tells at once, and gives up within a second."""
    queue = city.queue.model_copy(
        update={"announcements": Announcements(first_s=0, every_s=1), "hunt_after_s": 1}
    )
    return city.model_copy(update={"queue": queue})


def waiting(standing: Standing = SECOND, **also: object) -> Callable[[Scene], None]:
    def prepare(actors: Scene) -> None:
        actors.core.greeting = list(HANDED_OVER)
        actors.core.stands = standing
        for name, value in also.items():
            setattr(actors.core, name, value)

    return prepare


def stages(actors: Scene) -> list[str]:
    found: list[str] = []
    for info in actors.desk.infos:
        if not found or found[-1] != info.state:
            found.append(info.state)
    return found


async def test_who_waits_hears_where_they_stand_and_music(scene: Open, hasty: City) -> None:  # noqa: F811
    async with scene(prepare=waiting(), city=hasty) as actors:
        await actors.until(lambda: "前面还有一位" in actors.said())
        await actors.until(lambda: "给您回电" in actors.said())
        await actors.until(lambda: melody() in actors.leg.played)
        assert stages(actors) == ["bot", "waiting"]
        assert not actors.line.dialled
        actors.core.stand(replace(SECOND, position=1))
        await actors.until(lambda: "排在最前面" in actors.said())


async def test_who_waits_goes_on_with_the_bot(scene: Open, hasty: City) -> None:  # noqa: F811
    async with scene(prepare=waiting(), city=hasty, script="公积金怎么取") as actors:
        await actors.until(lambda: "前面还有" in actors.said())
        await actors.speak(speech() + silence(1.5))
        await actors.until(lambda: "听到了" in actors.said())
        actors.leg.press("1")
        await actors.until(lambda: len(actors.core.heard) == 2)
        assert [heard.kind for heard in actors.core.heard] == ["speech", "keys"]


async def test_silence_in_the_queue_is_no_turn(
    scene: Open,  # noqa: F811
    hasty: City,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("telephony.patience.SILENCE_S", 0.05)
    async with scene(prepare=waiting(), city=hasty) as actors:
        await actors.until(lambda: "前面还有" in actors.said())
        await asyncio.sleep(0.4)
        assert actors.core.heard == []


async def test_who_would_be_called_back_is_told_goodbye(scene: Open, hasty: City) -> None:  # noqa: F811
    def prepare(actors: Scene) -> None:
        waiting()(actors)
        actors.core.answers["1"] = [Say("t", "给您回电", interruptible=False), Bye("b")]

    async with scene(prepare=prepare, city=hasty) as actors:
        await actors.until(lambda: "前面还有" in actors.said())
        actors.leg.press("1")
        await actors.until(lambda: actors.leg.ended is not None)
        assert "给您回电" in actors.said()


async def test_the_agent_hears_the_order_and_is_joined_without_a_key(
    scene: Open,  # noqa: F811
    hasty: City,
) -> None:
    async with scene(prepare=waiting(order=BRIEF), city=hasty) as actors:
        agent = answer(actors, EIGHT, "agent")
        await actors.until(lambda: melody() in actors.leg.played)
        event = await actors.ordered("bridge", "8001")
        assert event.state == "bridged"
        heard = b"".join(agent.played).decode("utf-16-le")
        assert "建业小区九号楼" in heard
        assert "请按" not in heard
        assert actors.together == {"abc", "agent"}
        assert stages(actors) == ["bot", "waiting", "ringing", "person"]
        assert not actors.hears(actors.leg, melody())
        agent.end(Ended("bye"))
        await actors.until(lambda: actors.leg.ended is not None)


async def test_any_key_ends_the_whisper(scene: Open, hasty: City) -> None:  # noqa: F811
    """The caller waits while the order is read to somebody who has it on a screen."""
    async with scene(prepare=waiting(order=BRIEF), city=hasty) as actors:
        agent = answer(actors, EIGHT, "agent")
        agent.at_once = False
        command = actors.desk.order("bridge", "8001")
        await actors.until(lambda: bool(agent.played))
        assert actors.desk.outcome(command) is None
        agent.press("5")
        await actors.bridged("agent")
        assert agent.playbacks[0].stopped


async def test_a_city_may_join_without_a_whisper(scene: Open, hasty: City) -> None:  # noqa: F811
    told = hasty.queue.announcements.model_copy(update={"whisper": False})
    queue = hasty.queue.model_copy(update={"announcements": told})
    quiet = hasty.model_copy(update={"queue": queue})
    async with scene(prepare=waiting(order=BRIEF), city=quiet) as actors:
        agent = answer(actors, EIGHT, "agent")
        await actors.ordered("bridge", "8001")
        assert agent.played == []


async def test_an_agent_whose_phone_does_not_answer_costs_no_place(
    scene: Open,  # noqa: F811
    hasty: City,
) -> None:
    async with scene(prepare=waiting(), city=hasty) as actors:
        await actors.until(lambda: melody() in actors.leg.played)
        actors.line.answers[EIGHT] = DialError("no_answer", "as told")
        event = await actors.ordered("bridge", "8001")
        assert (event.state, event.cause) == ("failed", "no_answer")
        await actors.until(lambda: stages(actors)[-1] == "waiting")
        await actors.until(lambda: "没有接通" in actors.said())
        await actors.until(lambda: actors.hears(actors.leg, melody()))
        assert actors.leg.ended is None
        assert actors.core.unreached == []
        next_one = answer(actors, EIGHT, "next")
        await actors.ordered("bridge", "8001")
        assert actors.together == {"abc", "next"}
        assert next_one.ended is None


async def test_the_next_agent_need_not_wait_for_the_apology(
    scene: Open,  # noqa: F811
    hasty: City,
) -> None:
    """They take the caller before "nobody came" is said to its end."""
    async with scene(prepare=waiting(), city=hasty) as actors:
        await actors.until(lambda: melody() in actors.leg.played)
        actors.line.answers[EIGHT] = DialError("no_answer", "as told")
        actors.leg.at_once = False
        assert (await actors.ordered("bridge", "8001")).state == "failed"
        answer(actors, EIGHT, "next")
        await actors.until(lambda: "没有接通" in actors.said())
        assert (await actors.ordered("bridge", "8001")).state == "bridged"
        assert actors.together == {"abc", "next"}


async def test_an_agent_who_accepts_during_the_sentence_is_rung_and_joined_after_it(
    scene: Open,  # noqa: F811
    hasty: City,
) -> None:
    def prepare(actors: Scene) -> None:
        waiting()(actors)
        actors.leg.at_once = False

    async with scene(prepare=prepare, city=hasty) as actors:
        await actors.until(lambda: bool(actors.leg.playbacks))
        agent = answer(actors, EIGHT, "agent")
        actors.desk.order("bridge", "8001")
        await actors.until(lambda: actors.line.dialled == [EIGHT])
        await actors.until(lambda: bool(agent.played))  # the whisper goes on meanwhile
        await asyncio.sleep(0.05)
        assert actors.together == set()
        assert ringing() not in actors.leg.played
        assert not actors.leg.playbacks[0].stopped
        actors.leg.at_once = True
        actors.leg.playbacks[0].finish(1000)
        await actors.bridged("agent")


async def test_a_desk_that_is_faster_than_our_words_leaves_no_music_in_the_talk(
    scene: Open,  # noqa: F811
    hasty: City,
) -> None:
    """Who presses 0 while the greeting is said is offered, and taken, before they are told so."""
    async with scene(city=hasty) as actors:
        answer(actors, EIGHT, "agent")
        await actors.ordered("bridge", "8001")
        actors.core.stands = SECOND
        before = len(actors.leg.played)
        actors.core.tell(HANDED_OVER, "c.1")
        await actors.until(lambda: actors.core.all_told)
        await asyncio.sleep(0.3)
        assert len(actors.leg.played) == before  # neither words nor music
        assert stages(actors)[-1] == "person"


async def test_who_hangs_up_during_the_sentence_leaves_no_agent_on_the_telephone(
    scene: Open,  # noqa: F811
    hasty: City,
) -> None:
    def prepare(actors: Scene) -> None:
        waiting()(actors)
        actors.leg.at_once = False

    async with scene(prepare=prepare, city=hasty) as actors:
        await actors.until(lambda: bool(actors.leg.playbacks))
        agent = answer(actors, EIGHT, "agent")
        actors.desk.order("bridge", "8001")
        await actors.until(lambda: bool(agent.played))
        await asyncio.sleep(0.05)  # answered, and behind the sentence
        actors.leg.end(Ended("bye"))
        await actors.until(lambda: actors.desk.over)
        await actors.until(lambda: agent.ended is not None)


async def test_with_nobody_at_a_desk_any_more_the_hunt_group_is_called(
    scene: Open,  # noqa: F811
    hasty: City,
) -> None:
    async with scene(prepare=waiting(replace(SECOND, staffed=False)), city=hasty) as actors:
        await actors.until(lambda: actors.core.connections == [CALL])
        assert actors.line.dialled == [hasty.lines[0].hunt_group]


async def test_where_the_queue_cannot_be_read_the_hunt_group_is_called(
    scene: Open,  # noqa: F811
    hasty: City,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("telephony.queueing._AGAIN_S", 0.05)
    async with scene(prepare=waiting(broken="standings"), city=hasty) as actors:
        await actors.until(lambda: actors.core.connections == [CALL])
        assert actors.line.dialled == [hasty.lines[0].hunt_group]


async def test_danger_tries_the_hunt_group_beside_the_queue(scene: Open, hasty: City) -> None:  # noqa: F811
    def prepare(actors: Scene) -> None:
        waiting(replace(SECOND, position=1, urgency="danger"))(actors)
        actors.line.refuse = DialError("busy", "as told", 486)

    async with scene(prepare=prepare, city=hasty) as actors:
        hunt_group = hasty.lines[0].hunt_group
        await actors.until(lambda: actors.line.dialled.count(hunt_group) == 2)
        assert actors.leg.ended is None
        assert actors.core.unreached == []
        actors.line.refuse = None
        answer(actors, EIGHT, "agent")
        await actors.until(lambda: stages(actors)[-1] == "waiting" or bool(actors.together))


async def test_given_back_to_the_bot_they_wait_no_more(
    scene: Open,  # noqa: F811
    hasty: City,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("telephony.queue_patience.ABSENT_S", 0.05)
    async with scene(prepare=waiting(), city=hasty) as actors:
        await actors.until(lambda: melody() in actors.leg.played)
        actors.core.stand(None)
        await actors.until(lambda: stages(actors) == ["bot", "waiting", "bot"])
        assert not actors.hears(actors.leg, melody())


async def test_who_hangs_up_in_the_queue_leaves_nothing_behind(scene: Open, hasty: City) -> None:  # noqa: F811
    async with scene(prepare=waiting(), city=hasty) as actors:
        await actors.until(lambda: melody() in actors.leg.played)
        before = asyncio.all_tasks()
        actors.leg.end(Ended("bye"))
        await actors.until(lambda: actors.desk.over)
    left = {task for task in before if not task.done()} & asyncio.all_tasks()
    assert not [task for task in left if "queueing" in repr(task.get_coro())]


async def test_the_hunt_group_is_called_while_the_sentence_is_said(scene: Open) -> None:  # noqa: F811
    """Nobody talks to a caller who has not heard what they must; nobody waits for it either."""

    def prepare(actors: Scene) -> None:
        actors.core.greeting = [
            Say("s", "您好请先离开危险的地方", interruptible=False), Handoff("h", "danger"),
            Connect("c", "sip:agents@127.0.0.1:5070"),
        ]  # fmt: skip
        actors.leg.at_once = False
        actors.line.rings = True

    async with scene(prepare=prepare) as actors:
        await actors.until(lambda: bool(actors.line.given))
        actors.line.target.frame(b"\x10\x27" * 160, bytes(320))  # its own ringing tone
        await asyncio.sleep(0.05)
        assert actors.together == set()
        assert len(actors.leg.played) == 1
        assert actors.core.connections == []
        actors.leg.at_once = True
        actors.leg.playbacks[0].finish(1000)
        await actors.bridged("target")
        await actors.until(lambda: actors.core.connections == [CALL])
        assert len(actors.line.dialled) == 1


async def test_a_hunt_group_that_refuses_meanwhile_is_told_after_the_sentence(scene: Open) -> None:  # noqa: F811
    def prepare(actors: Scene) -> None:
        actors.core.greeting = [
            Say("s", "您好请先离开危险的地方", interruptible=False),
            Connect("c", "sip:agents@127.0.0.1:5070"),
        ]
        actors.leg.at_once = False
        actors.line.refuse = DialError("busy", "as told", 486)

    async with scene(prepare=prepare) as actors:
        await actors.until(lambda: bool(actors.line.dialled))
        await asyncio.sleep(0.05)
        assert len(actors.leg.played) == 1
        actors.leg.at_once = True
        actors.leg.playbacks[0].finish(1000)
        await actors.until(lambda: actors.leg.ended is not None)
        assert actors.said().endswith("给您回电。")
        assert len(actors.line.dialled) == 1


@pytest.mark.parametrize(("rate", "fits"), [(8000, True), (16000, False)])
def test_a_city_may_bring_its_own_sound(city: City, tmp_path: Path, rate: int, fits: bool) -> None:
    def told(hold: str) -> City:
        announcements = Announcements(hold=hold)
        queue = city.queue.model_copy(update={"announcements": announcements})
        return city.model_copy(update={"queue": queue, "folder": tmp_path})

    sound = FakeLeg().id.encode() * 4000
    with wave.open(str(tmp_path / "ours.wav"), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(sound)
    assert hold_sound(told("ours.wav")) == (sound if fits else melody())
    assert hold_sound(told("missing.wav")) == melody()
    assert hold_sound(told("silence")) == b""
    assert hold_sound(told("music")) == melody()
