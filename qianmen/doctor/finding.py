"""One finding: what was seen, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Finding:
    """``code`` is stable; ``seen`` and ``do`` are Chinese, for the city's own technicians."""

    code: str
    level: Level
    subject: str
    seen: str
    do: str = ""


def ok(code: str, subject: str, seen: str) -> Finding:
    """As it should be."""
    return Finding(code, "ok", subject, seen)


def warning(code: str, subject: str, seen: str, do: str) -> Finding:
    """It works, but not for long, or not for everybody."""
    return Finding(code, "warning", subject, seen, do)


def error(code: str, subject: str, seen: str, do: str) -> Finding:
    """It does not work."""
    return Finding(code, "error", subject, seen, do)


def healthy(findings: Iterable[Finding]) -> bool:
    """Whether none of them is an error."""
    return all(finding.level != "error" for finding in findings)


def as_json(findings: Iterable[Finding]) -> dict[str, Any]:
    """The report of ``qianmen doctor --json``."""
    listed = tuple(findings)
    return {"healthy": healthy(listed), "findings": [asdict(finding) for finding in listed]}
