"""One look at the latest turns tells the same as a search of all of them."""

from __future__ import annotations

import random
from datetime import datetime

import pytest
from sqlalchemy import Engine

from bot import outset, records
from bot.history import PAUSED
from bot.outset import read_outset
from bot.rows import lately as latest
from store.engine import reading, writing
from store.tables import Turn

_KINDS = ("text", "speech", "silence", "silence", "keys")


def rows(chance: random.Random, talk: str, now: datetime) -> list[Turn]:
    """A conversation as it may have gone: silences, pauses, long answers, words of others."""
    made: list[Turn] = []

    def add(speaker: str, kind: str, **more: object) -> None:
        made.append(Turn(conversation_id=talk, speaker=speaker, kind=kind, at=now, **more))

    for number in range(chance.randint(0, 9)):
        heard, kind = f"h{number}", chance.choice(_KINDS)
        decision = chance.choice(("answer", "", PAUSED))
        add("citizen", kind, heard=heard, decision=decision)
        for part in range(chance.choice((0, 1, 1, 2, 5))):
            ask = chance.choice(("say", "ask", "bye"))
            reply = {"type": ask, "id": f"{heard}.{part}"}
            add("bot", ask, in_reply_to=chance.choice((heard, heard, "")), reply=reply)
        if chance.random() < 0.3:
            add(chance.choice(("system", "agent")), "say", reply={"type": "say", "id": "other"})
    return made


@pytest.mark.parametrize("seed", range(4))
def test_the_quick_way_and_the_long_one_agree(engine: Engine, now: datetime, seed: int) -> None:
    chance, quick = random.Random(seed), 0  # no secret
    for number in range(30):
        talk = f"c{seed}.{number}"
        records.open_conversation(engine, records.Opening(talk, "web", "12345", "web:1", now))
        with writing(engine) as session:
            for row in rows(chance, talk, now):
                session.add(row)
                session.flush()
        found = read_outset(engine, talk)
        assert found is not None
        with reading(engine) as session:
            lately, whole = latest(session, talk)
            quick += outset.last_in(lately, whole=whole) is not None
            assert found.question == outset._question(session, talk)
            assert found.last == outset._last(session, talk)
    assert quick > 5, "often enough the latest few turns tell"


def test_nobody_there_is_nothing(engine: Engine) -> None:
    assert read_outset(engine, "nobody") is None
