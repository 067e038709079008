"""The keeper's duties towards orders: the table of deadlines, the journal, unknown holidays."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from structlog.testing import capture_logs

from config.city import City
from config.settings import Settings
from handoff.order.journal import journal_of, keep, waiting
from handoff.orders import write
from qianmen.keeper.duties import all_duties
from qianmen.keeper.duty import Keeping
from qianmen.keeper.orders import DUTIES
from store.engine import reading, writing
from store.tables import Alarm, Conversation, Turn, WorkOrder
from tests.handoff.order.test_journal import kept
from turns.orders import OrderDraft

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
KEY = "qk1.aes256.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"


@pytest.fixture
def keeping(tmp_path: Path, engine: Engine, city: City) -> Keeping:
    settings = Settings(data_dir=tmp_path / "data", secret_key="only tests know this", data_key=KEY)
    return Keeping(settings, city, engine)


def do(keeping: Keeping, name: str, now: datetime) -> None:
    (duty,) = (duty for duty in DUTIES if duty.name == name)
    duty.work(keeping, now)


def test_late_orders_are_hastened_once(keeping: Keeping) -> None:
    with writing(keeping.engine) as session:
        session.add(Conversation(id="c", channel="web", started_at=NOW))
    draft = OrderDraft("k", "c", "web", "", "投诉", "normal", "油烟")
    write(keeping.engine, draft, now=NOW, city=keeping.city)
    for _ in range(2):
        do(keeping, "order_deadlines", NOW + timedelta(days=30))
    with reading(keeping.engine) as session:
        order = session.scalars(select(WorkOrder)).one()
        kinds = session.scalars(select(Alarm.kind).order_by(Alarm.id)).all()
    assert (order.level, order.edition) == (1, 3)
    assert list(kinds) == ["order_late_dispatch", "order_late_answer", "order_late_answer"]


def test_what_waited_is_written(keeping: Keeping) -> None:
    book = journal_of(keeping.settings)
    keep(book.folder, kept(), book.keys)
    do(keeping, "order_journal", NOW)
    assert waiting(book.folder) == ()
    with reading(keeping.engine) as session:
        assert session.scalars(select(WorkOrder.number)).one() == "2026112000001"
    do(keeping, "order_journal", NOW)


@pytest.mark.parametrize(
    ("channel", "state", "minutes", "told"),
    [("web", "bot", 1, 1), ("web", "agent", 1, 0), ("web", "ended", 1, 0), ("web", "bot", 40, 0),
     ("phone", "bot", 1, 0)],
)  # fmt: skip
def test_the_number_follows_where_somebody_still_writes(
    keeping: Keeping, channel: str, state: str, minutes: int, told: int
) -> None:
    book, entry = journal_of(keeping.settings), kept()
    draft = replace(entry.draft, channel=channel)
    entry = replace(entry, draft=draft, at=NOW.astimezone(keeping.city.zone))
    with writing(keeping.engine) as session:
        session.add(
            Conversation(id=draft.conversation, channel=channel, state=state, started_at=NOW)
        )
    for _ in range(2):  # killed before the file was gone, it is read again
        keep(book.folder, entry, book.keys)
        do(keeping, "order_journal", NOW + timedelta(minutes=minutes))
    with reading(keeping.engine) as session:
        texts = session.scalars(select(Turn.text)).all()
    assert len(texts) == told
    assert all("2026112000001" in text for text in texts)


@pytest.mark.parametrize(("year", "told"), [(2026, []), (2039, ["holidays_unknown"])])
def test_a_year_without_a_calendar_is_told(keeping: Keeping, year: int, told: list[str]) -> None:
    with capture_logs() as logs:
        do(keeping, "holidays", NOW.replace(year=year, month=6))
    assert [line["code"] for line in logs] == told


def test_the_keeper_has_these_duties(keeping: Keeping) -> None:
    from prometheus_client import CollectorRegistry

    from qianmen.keeper.watch import Watch

    names = {duty.name for duty in all_duties(Watch(keeping.settings, CollectorRegistry()))}
    assert {duty.name for duty in DUTIES} <= names
