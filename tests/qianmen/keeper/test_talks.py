"""Calls without an end: those that must be over get one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from bot.answered import commit_told
from bot.records import Opening, open_conversation
from config.city import City
from config.settings import Settings
from qianmen.keeper.duty import Keeping
from qianmen.keeper.talks import end_left_open
from store.engine import reading
from store.tables import Conversation
from turns.replies import Say

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


def talk(engine: Engine, name: str, channel: str, hours: float, last: float | None) -> None:
    began = NOW - timedelta(hours=hours)
    open_conversation(engine, Opening(name, channel, "12345", "", began))
    if last is not None:
        said = NOW - timedelta(hours=last)
        commit_told(engine, name, (Say("s", "您好"),), speaker="bot", at=said)


def test_only_calls_that_must_be_over_are_ended(engine: Engine, city: City, tmp_path: Path) -> None:
    talk(engine, "left", "phone", 30, 29.5)
    talk(engine, "silent", "phone", 20, None)
    talk(engine, "long", "phone", 13, 0.1)
    talk(engine, "young", "phone", 5, 5)
    talk(engine, "chat", "web", 400, 400)
    keeping = Keeping(Settings(data_dir=tmp_path), city, engine)
    assert end_left_open(keeping, NOW) == 2
    assert end_left_open(keeping, NOW) == 0
    with reading(engine) as session:
        ends = {row.id: row.ended_at for row in session.query(Conversation)}
        assert session.get_one(Conversation, "left").state == "ended"
    assert ends["left"] == NOW - timedelta(hours=29.5)
    assert ends["silent"] == NOW - timedelta(hours=20)
    assert {name for name, end in ends.items() if end is None} == {"long", "young", "chat"}
