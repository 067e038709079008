"""What the front door knows and who works with it: answers and staff."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy import Engine, func, or_, select
from sqlalchemy.orm import Session

from config.city import City
from handoff.queue.model import OPEN
from qianmen.doctor.check import Patient, check
from qianmen.doctor.finding import Finding, error, ok, warning
from qianmen.doctor.stores import sqlite_file
from store.engine import open_store, reading
from store.tables import Answer, HandoffEntry, Staff

_SOON_DAYS = 30


@dataclass(frozen=True, slots=True)
class ContentFacts:
    """Counts of published answers (valid today, expired, made up), of staff by what matters.

    ``unlisted``: agents whose telephone is no target of the city's, so that it is never dialled.
    ``unknown``: the database could not be asked; its own check says why.
    """

    unknown: bool = False
    valid: int = 0
    expired: int = 0
    soon: int = 0
    sample: int = 0
    active: int = 0
    agents: int = 0
    administrators: int = 0
    must_change: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()
    waiting: int = 0


def collect_content(patient: Patient) -> ContentFacts:
    """Ask the database."""
    file: Path | None = sqlite_file(patient.settings)
    if file and not file.exists():
        return ContentFacts(unknown=True)
    zone = patient.city.zone if patient.city else UTC
    today = datetime.now(zone).date()
    try:
        engine = open_store(patient.settings)
    except Exception:  # noqa: BLE001  # the database's own check says what is wrong with it
        return ContentFacts(unknown=True)
    try:
        return _counted(engine, today, patient.city)
    except Exception:  # noqa: BLE001  # as above
        return ContentFacts(unknown=True)
    finally:
        engine.dispose()


def _counted(engine: Engine, today: date, city: City | None) -> ContentFacts:
    soon = date.fromordinal(today.toordinal() + _SOON_DAYS)
    published = Answer.state == "published"
    valid = or_(Answer.valid_to.is_(None), Answer.valid_to >= today)
    with reading(engine) as session:
        staff = session.execute(
            select(Staff.login, Staff.roles, Staff.must_change, Staff.phone_uri).where(Staff.active)
        ).all()
        return ContentFacts(
            valid=_count(session, published, valid, Answer.valid_from <= today),
            expired=_count(session, published, Answer.valid_to < today),
            soon=_count(session, published, Answer.valid_to >= today, Answer.valid_to < soon),
            sample=_count(session, published, valid, Answer.sample),
            active=len(staff),
            agents=sum("agent" in row.roles for row in staff),
            administrators=sum("administrator" in row.roles for row in staff),
            must_change=tuple(row.login for row in staff if row.must_change),
            unlisted=tuple(
                row.login for row in staff
                if city is not None and row.phone_uri and city.targets.find(row.phone_uri) is None
            ),
            waiting=session.scalar(
                select(func.count()).select_from(HandoffEntry).where(
                    HandoffEntry.state.in_(OPEN)
                )
            ) or 0,
        )  # fmt: skip


def _count(session: Session, *conditions: object) -> int:
    wanted = select(func.count()).select_from(Answer)
    for condition in conditions:
        wanted = wanted.where(condition)  # type: ignore[arg-type]  # columns' conditions, as built above
    return session.scalar(wanted) or 0


def judge_knowledge(facts: ContentFacts) -> Iterator[Finding]:
    """There is something to say, and none of it is made up."""
    subject = "政策知识"
    if facts.unknown:
        return
    if not facts.valid:
        yield error(
            "knowledge_empty", subject, "没有一条今天有效的答案",
            "看城市文件夹的 knowledge/；重新启动会载入。",
        )  # fmt: skip
        return
    if facts.expired:
        yield warning(
            "knowledge_expired", subject, f"{facts.expired} 条已经过期，不会再说",
            "请编辑核对新的政策文件，更新或下线。",
        )  # fmt: skip
    if facts.soon:
        yield warning(
            "knowledge_expires_soon", subject, f"{facts.soon} 条在 {_SOON_DAYS} 天内到期",
            "请编辑提前准备新的答案。",
        )  # fmt: skip
    if facts.sample:
        yield warning(
            "knowledge_sample", subject, f"{facts.sample} 条是示例数据（编造的本地数字）",
            "对市民开放之前，请编辑换成本市的。",
        )  # fmt: skip
    else:
        yield ok("knowledge_ok", subject, f"{facts.valid} 条今天有效")


def judge_staff(facts: ContentFacts) -> Iterator[Finding]:
    """Somebody can sign in, and somebody takes over."""
    subject = "工作人员"
    if facts.unknown:
        return
    fine = True
    if not facts.administrators:
        fine = False
        yield error(
            "staff_no_administrator", subject, "没有一个能用的管理员",
            "qianmen staff add 加一个管理员。",
        )  # fmt: skip
    if not facts.agents:
        fine = False
        yield warning(
            "staff_no_agent", subject, "没有坐席：转人工的人没有人在网页上接",
            "qianmen staff add 给坐席建账号（角色 agent）。",
        )  # fmt: skip
    if facts.must_change:
        fine = False
        yield warning(
            "staff_first_password", subject,
            f"还在用别人给的初始密码：{'、'.join(facts.must_change[:10])}",
            "请本人登录，改掉密码。",
        )  # fmt: skip
    if facts.unlisted:
        fine = False
        yield warning(
            "staff_phone_unlisted", subject,
            f"话机号码不在 targets.yaml 里，来电时不会响：{'、'.join(facts.unlisted[:10])}",
            "在 targets.yaml 里加上这些话机（或者一个分机段），或者改人员资料里的号码。",
        )  # fmt: skip
    if fine:
        yield ok("staff_ok", subject, f"{facts.active} 人，其中坐席 {facts.agents} 人")


CHECKS = (
    check("内容", collect_content, judge_knowledge),
    check("内容", collect_content, judge_staff),
)
