"""The audit: whole, in order, and none of its end cut off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from config.secret import secret_key
from qianmen.doctor.check import Patient, check
from qianmen.doctor.finding import Finding, error, ok
from qianmen.doctor.stores import sqlite_file
from store.audit import verify
from store.audit_anchor import FILE, AuditError, read_anchor
from store.engine import open_store, reading


@dataclass(frozen=True, slots=True)
class AuditFacts:
    """The first broken line's code and id; ``unread``: the database could not be read."""

    code: str = ""
    line: int | None = None
    unread: bool = False


def collect_audit(patient: Patient) -> AuditFacts:
    """Walk the whole audit, and look for the end that the keeper noted."""
    settings = patient.settings
    file = sqlite_file(settings)
    keyless = not settings.secret_key and not (settings.data_dir / "secret").exists()
    if keyless or (file and not file.exists()):
        return AuditFacts(unread=True)
    try:
        engine = open_store(settings)
        try:
            with reading(engine) as session:
                anchor = read_anchor(settings.data_dir / FILE)
                broken = verify(session, secret_key(settings), anchor)
        finally:
            engine.dispose()
    except AuditError as unreadable:
        return AuditFacts(unreadable.code)
    except Exception:  # noqa: BLE001  # the database's own check says what is wrong with it
        return AuditFacts(unread=True)
    return AuditFacts(broken.code, broken.id) if broken else AuditFacts()


def judge_audit(facts: AuditFacts) -> Iterator[Finding]:
    """Nobody has changed it."""
    if facts.code:
        yield error(
            "audit_broken", "审计记录", f"第 {facts.line or '?'} 行起对不上（{facts.code}）",
            "有人绕过系统改过审计表，或者 secret 换过（把原来的放回去）："
            "保留现场，和备份比对，报告主管。",
        )  # fmt: skip
    elif not facts.unread:
        yield ok("audit_ok", "审计记录", "前后相连，没有被改过")


CHECKS = (check("存储", collect_audit, judge_audit, within_s=60),)
