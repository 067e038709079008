"""What all processes logged of one order, out of the files of a log folder."""

from __future__ import annotations

import gzip
import json
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from qianmen.tracing import TraceError, as_text, follow
from store.engine import writing
from store.tables import Conversation, WorkOrder
from turns.ids import conversation_of_call
from turns.trace import trace_of

CALL = conversation_of_call("a call")
TRACE = trace_of(CALL, "h1")


def line(process: str, event: str, second: int, **fields: object) -> str:
    at = f"2026-11-20T04:00:{second:02}Z"
    return json.dumps({"process": process, "event": event, "timestamp": at, **fields}) + "\n"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "log"
    folder.mkdir()
    ours = {"conversation": CALL, "trace": TRACE}
    (folder / "phone.log").write_text(
        line("phone", "turn_heard", 1, **ours)
        + "Traceback (most recent call last):\n"
        + line("phone", "turn_done", 3, **ours)
        + line("phone", "turn_done", 4, conversation="call-other", trace="other")
        + line("phone", "note", 4, other=TRACE)
    )
    (folder / "actions.log").write_text(line("actions", "action_done", 2, **ours))
    with gzip.open(folder / "asr-20261119.log.gz", "wt", encoding="utf-8") as file:
        file.write(line("asr", "asr_stream_ended", 9, conversation=CALL))
    (folder / "web-20261119.log.gz").write_bytes(b"no gzip" + TRACE.encode())
    (folder / "rasa.log").write_bytes(b"\xff\xfe" + TRACE.encode())
    return folder


def test_a_trace_over_all_processes_in_order_of_time(engine: Engine, logs: Path) -> None:
    found = follow(engine, logs, TRACE)
    assert [entry["event"] for entry in found] == ["turn_heard", "action_done", "turn_done"]


def test_an_orders_number_leads_to_its_whole_conversation(
    engine: Engine, logs: Path, now: datetime
) -> None:
    with writing(engine) as session:
        session.add(Conversation(id=CALL, channel="phone", started_at=now))
        session.flush()
        session.add(
            WorkOrder(
                id="o", key="o", number="20261120000001", conversation_id=CALL, channel="phone",
                kind="投诉", urgency="normal", title="路灯", created_at=now,
            )
        )  # fmt: skip
    found = follow(engine, logs, "20261120000001")
    assert [entry["process"] for entry in found] == ["phone", "actions", "phone", "asr"]


@pytest.mark.parametrize("wanted", ["20261120009999", "", "nothing"])
def test_what_nobody_logged(engine: Engine, logs: Path, wanted: str) -> None:
    with pytest.raises(TraceError) as caught:
        follow(engine, logs, wanted)
    assert caught.value.code == "trace_unknown"


def test_a_line_for_people() -> None:
    text = as_text(json.loads(line("phone", "turn_done", 1, conversation=CALL, act="政策", ms=3)))
    assert text == '2026-11-20T04:00:01Z phone    turn_done act="政策" ms=3'
