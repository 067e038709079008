from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from qianmen.citizen.record import read_record
from store.engine import open_engine, writing
from store.tables import Conversation, OrderEvent, Turn, WorkOrder

NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


def turn(speaker: str, kind: str, text: str, second: int, **more: object) -> Turn:
    return Turn(
        conversation_id="call-abc", speaker=speaker, kind=kind, text=text, heard=None,
        at=NOW + timedelta(seconds=second), audio_start_ms=None, audio_end_ms=None, **more,
    )  # fmt: skip


@pytest.fixture
def recorded(database: str) -> str:
    engine = open_engine(database)
    with writing(engine) as session:
        session.add(
            Conversation(
                id="call-abc", channel="phone", started_at=NOW, ended_at=NOW, state="waiting"
            )
        )
        session.flush()
        session.add_all(
            [
                turn("bot", "ask", "您好，请讲。", 0),
                turn("citizen", "speech", "转人工", 2, confidence=0.8, timings={"words_ms": 4.0}),
                turn("bot", "handoff", "", 3),
                turn("bot", "say", "正在为您转接。", 3),
                turn("bot", "connect", "", 3),
            ]
        )
        session.add(
            WorkOrder(id="o", key="k", number="GD1", conversation_id="call-abc", channel="phone",
                      kind="咨询", urgency="normal", title="转人工", created_at=NOW)
        )  # fmt: skip
    engine.dispose()
    return database


def test_a_calls_record_has_both_sides_the_order_and_the_timings(recorded: str) -> None:
    record = read_record(recorded, "call-abc", wait_s=0)
    assert record is not None
    assert [(t.who, t.text, t.confidence) for t in record.turns] == [
        ("bot", "您好，请讲。", 1.0), ("citizen", "转人工", 0.8), ("bot", "正在为您转接。", 1.0),
    ]  # fmt: skip
    assert record.turns[1].at == "2026-05-04T03:02:03+00:00"
    assert (record.ended, record.connecting, record.order) == (True, False, "GD1")
    assert record.timings == ({"words_ms": 4.0},)


def test_a_tone_that_rings_is_no_person(recorded: str) -> None:
    engine = open_engine(recorded)
    with writing(engine) as session:
        session.add(OrderEvent(order_id="o", at=NOW, actor="system", event="connected"))
    engine.dispose()
    record = read_record(recorded, "call-abc", wait_s=0)
    assert record is not None
    assert record.connecting


def test_no_database_no_tables_no_conversation_no_record(recorded: str, tmp_path: Path) -> None:
    assert read_record(recorded, "call-other", wait_s=0) is None
    assert read_record("", "call-abc", wait_s=0) is None
    assert read_record("nonsense", "call-abc", wait_s=0) is None
    missing = tmp_path / "no" / "such.sqlite3"
    assert read_record(f"sqlite:///{missing}", "call-abc", wait_s=0) is None
    assert not missing.parent.exists()
    (tmp_path / "bad.sqlite3").write_bytes(b"this is no database" * 100)
    assert read_record(f"sqlite:///{tmp_path / 'bad.sqlite3'}", "call-abc", wait_s=0) is None
