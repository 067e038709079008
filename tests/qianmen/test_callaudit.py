"""Who commanded what of a call stands in the audit."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, select

from qianmen.callaudit import call_audit
from store.audit import verify
from store.engine import reading
from store.tables import Audit
from turns.calls import CallCommand, CallEvent

KEY = "k" * 40


def test_a_command_is_one_line_with_its_outcome(engine: Engine, now: datetime) -> None:
    write = call_audit(engine, KEY)
    write(
        CallCommand("k1", "call-1", "bridge", "110", "zhang"),
        CallEvent("call-1", "bridged", "target", now, "", "k1", "110", done=True),
    )
    write(
        CallCommand("k2", "call-1", "hangup", "x" * 500),
        CallEvent("call-1", "failed", "caller", now, "not_connected", "k2", done=True),
    )
    with reading(engine) as session:
        lines = session.scalars(select(Audit).order_by(Audit.id)).all()
        assert verify(session, KEY) is None
    assert [(line.actor, line.action, line.object, line.data) for line in lines] == [
        ("zhang", "call_bridge", "call-1", {"target": "110", "result": "bridged"}),
        ("system", "call_hangup", "call-1", {"target": "x" * 64, "result": "not_connected"}),
    ]
