"""A whole conversation with the city's key: nothing of the citizen stands in the database's files.

The core, the hand-over and the order are the real ones; the dialogue is scripted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from config.city import City
from config.settings import Settings
from sealing.keys import Algorithm, new_key
from store.engine import open_store, reading, upgrade
from store.marks import marks_of
from store.tables import Conversation, Turn, WorkOrder, WorkOrderField
from tests.bot.test_conversation import Talk
from tests.fakes.dialogue import outcome
from turns.orders import OrderField, Provenance

CALLER = "13900139000"
TOLD = "13812345678"
SAID = ("楼下烧烤摊油烟太大", "建业小区九号楼三单元", "我叫王小明电话幺三八幺二三四五六七八")
READ_BACK = "我复述一遍：建业小区9号楼，王小明，电话138 1234 5678。对吗？"
SECRETS = (*SAID, READ_BACK, CALLER, TOLD, "建业小区9号楼", "王小明")


@pytest.fixture(params=["aes256", "sm4"])
def sealed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Engine, Path]]:
    algorithm: Algorithm = request.param
    settings = Settings(data_dir=tmp_path, data_key=new_key(algorithm), database_url="")
    engine = open_store(settings)
    upgrade(engine)
    yield engine, tmp_path
    engine.dispose()


def slot(name: str, value: str, turn: int, now: datetime) -> OrderField:
    return OrderField(name, value, Provenance(f"h{turn}", SAID[turn - 1], now, 0.9, f"form.{name}"))


async def hold(talk: Talk, now: datetime) -> None:
    slots = (
        slot("what", SAID[0], 1, now),
        slot("where", "建业小区9号楼", 2, now),
        slot("name", "王小明", 3, now),
        slot("phone", TOLD, 3, now),
    )
    for number, said in enumerate(SAID, 1):
        talk.dialogue.answers[said] = outcome(
            READ_BACK, act="complaint", decision="form", slots=slots[: number + 1]
        )
        await talk.say(said, "speech")
    await talk.say("转人工", "speech")
    await talk.core.close("c1", now)


async def test_nothing_of_the_citizen_stands_in_the_files(
    sealed: tuple[Engine, Path], city: City, now: datetime
) -> None:
    engine, folder = sealed
    talk = Talk(engine, city, now.astimezone(city.zone), "phone")
    await talk.open()
    await hold(talk, now)
    await talk.bus.stop()
    with reading(engine) as session:
        row = session.get_one(Conversation, "c1")
        assert row.citizen == CALLER
        assert row.citizen_mark == marks_of(engine, f"+86 {CALLER}")[0]
        wanted = select(Turn.text).where(Turn.speaker == "citizen").order_by(Turn.seq)
        texts = session.scalars(wanted).all()
        assert texts == [*SAID, "转人工"]
        fields = {field.name: field for field in session.scalars(select(WorkOrderField))}
        assert fields["phone"].value == TOLD
        assert fields["phone"].mark in marks_of(engine, TOLD)
        assert fields["name"].mark == ""
        assert session.scalars(select(WorkOrder)).one().title
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "secret"]
    content = b"".join(path.read_bytes() for path in files)
    assert b"qs1." in content
    for secret in SECRETS:
        assert secret.encode() not in content
        assert json.dumps(secret).strip('"').encode() not in content
