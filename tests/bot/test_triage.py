"""What comes before the dialogue."""

from __future__ import annotations

from datetime import datetime

import pytest

from bot.triage import Back, Finish, Prompt, Steer, ToDialogue, ToPerson, Way, triage
from bot.urgent import Urgent
from language.steering import Steering
from turns.heard import Heard, HeardKind


def quiet(_text: str) -> Urgent | None:
    return None


def always(_text: str) -> Urgent | None:
    return Urgent("person", "wish", "人工", "person")


@pytest.mark.parametrize(
    ("kind", "text", "way"),
    [
        ("ended", "", Finish()),
        ("keys", "0", ToPerson("asked")),
        ("keys", "*", Back()),
        ("speech", "慢点说", Steer(Steering(("slower",), "sentence"))),
        ("text", "慢点说", ToDialogue("慢点说")),
        ("keys", "138#", ToDialogue("138")),
        ("silence", "", Prompt("silence", 0, 1)),
        ("speech", "", Prompt("miss", 1, 0)),
        ("speech", "公积金", ToDialogue("公积金")),
        ("choice", "gjj.rent:条件", ToDialogue("gjj.rent:条件")),
        ("event", "recogniser_failed", ToPerson("failure")),
        ("event", "recogniser_slow", Prompt("hearing_slow", 0, 0)),
        ("event", "recogniser_back", Prompt("say_again", 0, 0)),
    ],
)
def test_where_a_turn_goes(kind: HeardKind, text: str, way: Way, now: datetime) -> None:
    heard = Heard("h", "c", "phone", "12345", kind, text, now)
    assert triage(heard, quiet, misses=0, silences=0) == way


def test_a_choice_is_no_cry_for_help(now: datetime) -> None:
    heard = Heard("h", "c", "web", "12345", "choice", "人工", now)
    assert triage(heard, always, misses=0, silences=0) == ToDialogue("人工")


@pytest.mark.parametrize(("kind", "reason"), [("silence", "silences"), ("speech", "misses")])
def test_the_second_in_a_row_is_a_person(kind: HeardKind, reason: str, now: datetime) -> None:
    heard = Heard("h", "c", "phone", "12345", kind, "", now)
    way = triage(heard, quiet, misses=int(kind == "speech"), silences=int(kind == "silence"))
    assert way == ToPerson(reason)  # type: ignore[arg-type]  # parametrised text
