"""What the doctor says of orders: the calendar, and what waits on disk."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.settings import Settings
from handoff.order.journal import FOLDER, keep
from qianmen.doctor.check import Patient
from qianmen.doctor.examination import checks
from qianmen.doctor.orders import CHECKS, OrderFacts, collect_orders, judge_calendar, judge_journal
from tests.handoff.order.test_journal import kept


@pytest.mark.parametrize(
    ("facts", "codes"),
    [
        (OrderFacts(2026, known=True), ["holidays_known", "journal_empty"]),
        (OrderFacts(2039, known=False), ["holidays_unknown", "journal_empty"]),
        (OrderFacts(2026, known=True, waiting=2), ["holidays_known", "journal_waiting"]),
        (OrderFacts(2026, known=True, waiting=1, broken=1),
         ["holidays_known", "journal_broken", "journal_waiting"]),
        (OrderFacts(2026, known=True, unreadable=True), ["holidays_known", "journal_unreadable"]),
    ],
)  # fmt: skip
def test_findings(facts: OrderFacts, codes: list[str]) -> None:
    found = [*judge_calendar(facts), *judge_journal(facts)]
    assert [finding.code for finding in found] == codes
    assert all(finding.do for finding in found if finding.level != "ok")


def test_the_journal_is_looked_into(tmp_path: Path) -> None:
    patient = Patient(Settings(data_dir=tmp_path), None, None, up=False)
    assert collect_orders(patient).waiting == 0
    folder = tmp_path / FOLDER
    keep(folder, kept())
    (folder / "0000000002.json.broken").write_text("?")
    facts = collect_orders(patient)
    assert (facts.waiting, facts.broken) == (1, 1)
    assert facts.year >= datetime.now(UTC).year
    assert set(CHECKS) <= set(checks())
