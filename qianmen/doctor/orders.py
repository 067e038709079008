"""Work orders: whether the calendar knows the days off, and whether orders wait on disk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from config.workdays import announced
from handoff.order.journal import FOLDER
from handoff.order.journalfiles import BROKEN, waiting
from qianmen.doctor.check import Patient, check
from qianmen.doctor.finding import Finding, error, ok, warning

_AHEAD = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """``year``: the year in a month; ``waiting`` orders in the journal, ``broken`` ones aside."""

    year: int
    known: bool
    waiting: int = 0
    broken: int = 0
    unreadable: bool = False


def collect_orders(patient: Patient) -> OrderFacts:
    """Look at the calendar and into the journal's folder."""
    zone = patient.city.zone if patient.city else UTC
    year = (datetime.now(zone) + _AHEAD).year
    folder = patient.settings.data_dir / FOLDER
    try:
        broken = len(list(folder.glob(f"*{BROKEN}")))
        return OrderFacts(year, year in announced(), len(waiting(folder)), broken)
    except OSError:
        return OrderFacts(year, year in announced(), unreadable=True)


def judge_calendar(facts: OrderFacts) -> Iterator[Finding]:
    """Deadlines in working days need the State Council's days off."""
    subject = "工作日历"
    if facts.known:
        yield ok("holidays_known", subject, f"知道 {facts.year} 年的放假安排")
        return
    yield warning(
        "holidays_unknown", subject,
        f"还不知道 {facts.year} 年的放假安排，办理期限和人工服务时间暂按周一到周五算",
        "国务院公布后升级 chinesecalendar，或先在 orders.yaml 的 calendar 里写上放假和补班的日子。",
    )  # fmt: skip


def judge_journal(facts: OrderFacts) -> Iterator[Finding]:
    """What waits there is written within seconds while the database is there."""
    subject = "待写的工单"
    if facts.unreadable:
        yield error(
            "journal_unreadable", subject, f"数据文件夹里的 {FOLDER} 打不开",
            "请改权限，让前门的用户能读写。",
        )  # fmt: skip
        return
    if facts.broken:
        yield error(
            "journal_broken", subject, f"{facts.broken} 件用不了，已放在一边（{BROKEN}）",
            f"看数据文件夹的 {FOLDER} 和 keeper 的日志，人工补登后再删。",
        )  # fmt: skip
    if facts.waiting:
        yield warning(
            "journal_waiting", subject, f"{facts.waiting} 件在等数据库",
            "数据库恢复后 keeper 会自动补写；一直不减少就看它在不在运行。",
        )  # fmt: skip
    if not facts.broken and not facts.waiting:
        yield ok("journal_empty", subject, "没有")


CHECKS = (
    check("工单", collect_orders, judge_calendar),
    check("工单", collect_orders, judge_journal),
)
