"""A turn that was taken for ended, and the one that goes on with it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import Engine, select

from bot import history
from bot.conversation import Conversations, DialogueError, Parts
from bot.rasa_client import RasaClient
from config.city import City
from store.engine import reading
from store.tables import Turn
from tests.bot.test_conversation import Talk
from tests.fakes.dialogue import DOWN, outcome
from tests.fakes.exchange import Canned
from turns.context import Context
from turns.heard import Heard
from turns.orders import OrderField, Provenance
from turns.understood import Understood

FIRST, WHOLE = "租房怎么", "租房怎么提取公积金"


@pytest.fixture
async def talk(engine: Engine, city: City, now: datetime) -> Talk:
    talk = Talk(engine, city, now, "phone")
    await talk.open()
    return talk


def goes_on(talk: Talk, text: str, first: str) -> Heard:
    return replace(talk.heard(text, "speech"), continues=first)


async def hear(talk: Talk, heard: Heard) -> None:
    await talk.core.hear(heard)
    await talk.core.settled()


def decisions(engine: Engine) -> list[str]:
    with reading(engine) as session:
        rows = session.scalars(
            select(Turn).where(Turn.speaker == "citizen").order_by(Turn.seq)
        ).all()
        return [row.decision for row in rows]


async def test_both_parts_are_one_turn_in_the_talk_as_it_stood(talk: Talk, engine: Engine) -> None:
    field = OrderField("what", "租房", Provenance("h1", "租房", talk.now, 0.9, "answer"))
    understood = Understood("complaint", "form", slots=(field,))
    told = outcome("哪里的租房？")
    talk.dialogue.answers[FIRST] = replace(told, understood=understood, context=Context("wrong"))
    first = talk.heard(FIRST, "speech")
    await hear(talk, first)
    await hear(talk, goes_on(talk, WHOLE, first.id))
    assert [text for _, text, _ in talk.dialogue.asked] == [FIRST, WHOLE]
    assert talk.dialogue.taken_back == ["c1"]
    context = talk.dialogue.asked[1][2]["context"]
    assert context["matter"] == ""
    state = history.read_state(engine, "c1")
    assert state is not None
    assert (state.context.matter, state.slots) == ("", ())
    assert decisions(engine) == ["continued", "talk"]
    turns = history.citizen_turns(engine, "c1")
    assert [heard.text for heard, _ in turns] == [WHOLE]


async def test_a_third_part_goes_on_with_the_second(talk: Talk, engine: Engine) -> None:
    first = talk.heard("租房", "speech")
    await hear(talk, first)
    second = goes_on(talk, FIRST, first.id)
    await hear(talk, second)
    await hear(talk, goes_on(talk, WHOLE, second.id))
    assert talk.dialogue.taken_back == ["c1", "c1"]
    assert decisions(engine) == ["continued", "continued", "talk"]


async def test_a_part_that_was_a_miss_is_none_and_asks_rasa_to_forget_nothing(
    talk: Talk, engine: Engine
) -> None:
    first = talk.heard("", "speech")
    await hear(talk, first)
    await hear(talk, goes_on(talk, WHOLE, first.id))
    assert talk.dialogue.taken_back == []
    state = history.read_state(engine, "c1")
    assert state is not None
    assert state.misses == 0


async def test_danger_stays_danger(talk: Talk, engine: Engine) -> None:
    first = talk.heard("着火了", "speech")
    await hear(talk, first)
    before = decisions(engine)
    await hear(talk, goes_on(talk, "着火了在三楼", first.id))
    assert decisions(engine)[0] == before[0] == "danger"
    assert talk.dialogue.taken_back == []


async def test_a_written_order_stays_written(talk: Talk, engine: Engine) -> None:
    done = outcome("登记好了", act="affirm", decision="form", order="20250101-1")
    talk.dialogue.answers["对"] = done
    first = talk.heard("对", "speech")
    await hear(talk, first)
    await hear(talk, goes_on(talk, "对谢谢", first.id))
    assert decisions(engine) == ["form", "talk"]
    assert talk.dialogue.taken_back == []


@pytest.mark.parametrize("continues", ["h99", "h1"])
async def test_what_goes_on_with_no_latest_turn_is_a_turn_of_its_own(
    talk: Talk, engine: Engine, continues: str
) -> None:
    await hear(talk, talk.heard("你好", "speech"))
    await hear(talk, talk.heard("租房", "speech"))
    await hear(talk, goes_on(talk, WHOLE, continues))
    assert decisions(engine) == ["talk", "talk", "talk"]


async def test_a_dialogue_that_cannot_forget_still_answers(talk: Talk) -> None:
    class Forgetless(type(talk.dialogue)):  # type: ignore[misc]  # the fake's own class
        async def take_back(self, sender: str) -> None:
            raise DOWN

    talk.dialogue.__class__ = Forgetless
    first = talk.heard(FIRST, "speech")
    await hear(talk, first)
    await hear(talk, goes_on(talk, WHOLE, first.id))
    assert talk.dialogue.asked[-1][1] == WHOLE


class Foresees:
    """Answers for what is given."""

    def __init__(self, answer: bool | DialogueError) -> None:
        self.answer = answer
        self.asked: list[str] = []

    async def close(self) -> None:
        """It has no connections."""

    async def answerable(self, text: str, context: Context, at: datetime) -> bool:
        self.asked.append(text)
        if isinstance(self.answer, DialogueError):
            raise self.answer
        return self.answer


def seeing(talk: Talk, foresight: Foresees) -> Conversations:
    parts: Parts = talk.core._parts
    return Conversations(replace(parts, foresight=foresight))


@pytest.mark.parametrize(("answer", "known"), [(True, True), (False, False), (DOWN, False)])
async def test_looking_ahead_leaves_no_trace(
    talk: Talk, engine: Engine, answer: bool | DialogueError, known: bool
) -> None:
    foresight = Foresees(answer)
    assert await seeing(talk, foresight).prepare("c1", WHOLE) is known
    assert foresight.asked == [WHOLE]
    assert history.citizen_turns(engine, "c1") == ()
    assert talk.dialogue.asked == []


async def test_danger_is_known_without_looking(talk: Talk) -> None:
    foresight = Foresees(False)
    assert await seeing(talk, foresight).prepare("c1", "楼下着火了")
    assert foresight.asked == []


async def test_nothing_is_foreseen_of_a_stranger_or_without_a_foresight(talk: Talk) -> None:
    assert not await seeing(talk, Foresees(True)).prepare("c2", WHOLE)
    assert not await talk.core.prepare("c1", WHOLE)


async def test_rasa_gets_back_its_events_of_before_the_latest_turn() -> None:
    first = [{"event": "action"}, {"event": "user", "text": "一"}, {"event": "slot"}]
    later = [{"event": "user", "text": "二"}, {"event": "slot"}]
    rasa = Canned(200, json.dumps({"events": first + later}).encode())
    await RasaClient("", 1.0, http=rasa).take_back("c1")
    (_, path, _), (method, put_at, events) = rasa.asked
    assert path == "/conversations/c1/tracker?include_events=ALL"
    assert (method, put_at) == ("PUT", "/conversations/c1/tracker/events?include_events=NONE")
    assert events == first


@pytest.mark.parametrize("answer", [[], {"events": None}, {}])
async def test_a_tracker_that_is_none_is_an_error(answer: object) -> None:
    client = RasaClient("", 1.0, http=Canned(200, json.dumps(answer).encode()))
    with pytest.raises(DialogueError) as caught:
        await client.take_back("c1")
    assert caught.value.code == "rasa_invalid"
