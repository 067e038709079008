"""From plain to sealed, from an old key to a new one; broken off, it goes on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, Text, cast, select, text

from config.city import City
from config.settings import Settings
from qianmen.keeper.duty import Keeping
from qianmen.personal import reseal as work
from qianmen.personal.find import PersonalError, find
from qianmen.personal.reseal import reseal, sealed_kinds
from sealing.files import SealedFile, key_of
from store.engine import open_store, reading, writing
from store.keys import check_keys, keys_in_use
from store.seal import SealError, seal_from, seal_of
from store.tables import Audit, Conversation, Turn, WorkOrderField
from tests.fakes.orders import CALL, PHONE
from tests.qianmen.personal.conftest import KEY, NOBODY, SM4, fill

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)


class House:
    """One installation on either database, opened with one key after another."""

    def __init__(self, folder: Path, database: str, city: City) -> None:
        self.folder, self.database, self.city = folder, database, city
        self.engines: list[Engine] = []

    def opened(self, key: str = "") -> Keeping:
        settings = Settings(
            data_dir=self.folder, data_key=key, database_url=self.database, redis_url=NOBODY,
            secret_key="a secret that only tests know",
        )  # fmt: skip
        self.engines.append(open_store(settings))
        return Keeping(settings, self.city, self.engines[-1])


@pytest.fixture
def house(tmp_path: Path, database: str, city: City) -> Iterator[House]:
    house = House(tmp_path / "data", database, city)
    yield house
    for engine in house.engines:
        engine.dispose()


def raw(engine: Engine) -> str:
    """Everything personal, as it stands in the database."""
    with reading(engine) as session:
        columns = [(kind, work._sealed_columns(kind)) for kind in sealed_kinds()]
        return "\n".join(
            str(row)
            for _, sealed in columns
            for row in session.execute(select(*(cast(column, Text) for column in sealed)))
        )


def read(engine: Engine) -> list[object]:
    with reading(engine) as session:
        talks = session.scalars(select(Conversation).order_by(Conversation.id)).all()
        turns = session.scalars(select(Turn).order_by(Turn.seq)).all()
        fields = session.scalars(select(WorkOrderField).order_by(WorkOrderField.id)).all()
        return [
            *((talk.citizen, talk.context, talk.slots) for talk in talks),
            *((turn.text, turn.reply, turn.understood) for turn in turns),
            *((field.value, field.quote, field.former) for field in fields),
        ]


def test_from_plain_to_sealed_to_another_key(house: House) -> None:
    plain = house.opened()
    fill(plain, NOW)
    before = read(plain.engine)
    assert PHONE in raw(plain.engine)
    check_keys(plain.engine, None)

    sealed = house.opened(KEY)
    assert read(sealed.engine) == before  # plain rows are read with a key as well
    done = reseal(sealed, NOW)
    assert done.rows > 30
    assert (done.broken, done.retired) == (0, ())
    assert PHONE not in raw(sealed.engine)
    assert "烧烤" not in raw(sealed.engine)
    assert read(sealed.engine) == before
    assert len(find(sealed.engine, PHONE)) == 1
    assert reseal(sealed, NOW).rows == 0

    both = house.opened(f"{SM4},{KEY}")
    assert len(find(both.engine, PHONE)) == 1  # the mark of the older key counts as well
    done = reseal(both, NOW)
    assert done.retired == (seal_from(KEY).ring.newest.id,)  # type: ignore[union-attr]  # a key
    newest = house.opened(SM4)
    check_keys(newest.engine, seal_of(newest.engine))
    assert read(newest.engine) == before
    assert len(find(newest.engine, PHONE)) == 1


def test_a_wrong_and_a_missing_key_are_named(house: House) -> None:
    sealed = house.opened(KEY)
    fill(sealed, NOW)
    reseal(sealed, NOW)
    for key, code in ((SM4, "data_key_wrong"), ("", "data_key_missing")):
        other = house.opened(key)
        with pytest.raises(SealError) as caught:
            check_keys(other.engine, seal_of(other.engine))
        assert caught.value.code == code
        assert keys_in_use(sealed.engine)[0] in str(caught.value)
        with pytest.raises(SealError) as reading_it:
            read(other.engine)
        assert reading_it.value.code == code
    with pytest.raises(PersonalError) as caught_too:
        reseal(house.opened(), NOW)
    assert caught_too.value.code == "data_key_missing"


def test_a_key_in_use_is_noticed_before_anybody_noted_it(house: House) -> None:
    fill(house.opened(KEY), NOW)
    plain = house.opened()
    with pytest.raises(SealError) as caught:
        check_keys(plain.engine, None)
    assert caught.value.code == "data_key_missing"


def test_a_citizen_cannot_make_us_believe_in_a_key(house: House) -> None:
    plain = house.opened()
    fill(plain, NOW)
    evil = "qs1.00000000.AAAA"
    with writing(plain.engine) as session:
        session.get_one(Conversation, CALL).citizen = evil
        for turn in session.scalars(select(Turn)):
            turn.text = evil
    check_keys(plain.engine, None)
    with reading(plain.engine) as session:
        assert session.get_one(Conversation, CALL).citizen == evil
        assert set(session.scalars(select(Turn.text))) == {evil}


def test_broken_off_it_goes_on(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(house.opened(), NOW)
    sealed = house.opened(KEY)
    before = read(sealed.engine)
    monkeypatch.setattr(work, "_PORTION", 3)
    real, calls = work._seal_again, iter(range(100))

    def dies(session: object, kind: object, portion: object) -> None:
        if next(calls) == 4:
            raise KeyboardInterrupt
        real(session, kind, portion)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(work, "_seal_again", dies)
    with pytest.raises(KeyboardInterrupt):
        reseal(sealed, NOW)
    assert PHONE in raw(sealed.engine)
    monkeypatch.setattr(work, "_seal_again", real)
    assert reseal(sealed, NOW).rows > 0
    assert PHONE not in raw(sealed.engine)
    assert read(sealed.engine) == before


def test_a_damaged_row_stays_and_is_counted(house: House) -> None:
    old = house.opened(KEY)
    fill(old, NOW)
    with old.engine.begin() as connection:
        connection.execute(
            text("UPDATE turn SET text = substr(text, 1, 40) WHERE seq = 3")  # cut off
        )
    both = house.opened(f"{SM4},{KEY}")
    done = reseal(both, NOW)
    assert (done.broken, done.retired) == (1, ())
    with reading(both.engine) as session, pytest.raises(SealError) as caught:
        session.get_one(Turn, 3)
    assert caught.value.code == "sealed_broken"
    with reading(both.engine) as session:
        assert session.get_one(Turn, 4).text


def test_recordings_follow(house: House) -> None:
    plain = house.opened()
    fill(plain, NOW)
    (wav,) = plain.settings.recordings_dir.rglob("*.wav")
    sound = wav.read_bytes()
    sealed = house.opened(KEY)
    later = datetime(2099, 1, 1, tzinfo=UTC)  # the call is long over
    assert reseal(sealed, later).recordings == 1
    (file,) = sealed.settings.recordings_dir.rglob("*.wav*")
    assert file.name.endswith(".wav.sealed")
    both = house.opened(f"{SM4} {KEY}")
    assert reseal(both, NOW).recordings == 1
    ring = seal_of(both.engine).ring  # type: ignore[union-attr]  # a key is set
    assert key_of(file) == ring.newest.id
    with SealedFile(file, ring) as opened:
        assert b"".join(opened.read(0, opened.size)) == sound


def test_a_call_that_just_ended_is_left_to_the_keeper(house: House) -> None:
    fill(house.opened(), NOW)
    sealed = house.opened(KEY)
    (wav,) = house.folder.rglob("*.wav")
    for minutes, waiting in ((5, 1), (15, 0)):
        at = (NOW - timedelta(minutes=minutes)).timestamp()
        os.utime(wav, (at, at))
        done = reseal(sealed, NOW)
        assert (done.waiting, done.recordings) == (waiting, 1 - waiting)
    with reading(sealed.engine) as session:
        (first, _) = session.scalars(select(Audit).order_by(Audit.id)).all()
    assert first.action == "data_resealed"
    assert first.data["waiting"] == 1
