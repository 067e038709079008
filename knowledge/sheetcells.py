"""Cells as editors fill them: texts, dates in many spellings, yes and no. Pure."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any

_DATE = re.compile(
    r"(\d{4})\s*(?:[-/.年])\s*(\d{1,2})\s*(?:[-/.月])\s*(\d{1,2})\s*[日号]?(?:\s+0{1,2}:00(?::00)?)?"
)
_PACKED = re.compile(r"(\d{4})(\d{2})(\d{2})")
_NEVER = frozenset({"长期", "长期有效", "永久", "无", "不限", "-", "—", "/"})
_YES = frozenset({"是", "√", "✓", "✔", "y", "yes", "true", "1", "示例", "示例数据", "有"})
_NO = frozenset({"", "否", "×", "✗", "✘", "n", "no", "false", "0", "无", "不是"})
_SERIALS = range(30_000, 90_000)
"""Excel's day numbers from 1982 to 2146."""
SEPARATORS = r"[、；;，,]+"
"""Between texts that stand in one line."""
_ARTEFACT = re.compile(r"_x000[dDaA]_")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff]")


class CellError(Exception):
    """A cell that cannot be read; the message is Chinese, ``code`` stable."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def text(value: Any) -> str:
    """The cell as text: line breaks as ``\\n``, a whole number without ``.0``."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, datetime):
        value = value.date()
    said = _ARTEFACT.sub("\n", str(value)).replace("\r\n", "\n").replace("\r", "\n")
    lines = [line.strip() for line in _UNPRINTABLE.sub("", said).split("\n")]
    return "\n".join(line for line in lines if line)


def texts(value: Any) -> list[str]:
    """A cell with several texts: by lines; in one line, by Chinese enumeration marks."""
    by = r"\n" if isinstance(value, str) and "\n" in value else SEPARATORS
    return [one.strip() for one in re.split(by, text(value)) if one.strip()]


def day(value: Any) -> date | None:
    """The cell as a day, None where it is empty or says 长期; raises CellError ``date_invalid``."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and value in _SERIALS:
        return date(1899, 12, 30) + timedelta(days=int(value))
    said = text(value)
    if not said or said in _NEVER:
        return None
    match = _DATE.fullmatch(said) or _PACKED.fullmatch(said)
    try:
        return date(*map(int, match.groups())) if match else _no_day(said)
    except ValueError:
        return _no_day(said)


def flag(value: Any) -> bool:
    """Yes or no; raises CellError ``unreadable``."""
    said = text(value).lower()
    if said in _YES:
        return True
    if said in _NO:
        return False
    raise CellError("unreadable", f"这里写“是”或“否”，不是“{said[:20]}”")


def _no_day(said: str) -> date:
    raise CellError("date_invalid", f"“{said[:20]}”不是日期，写法如 2026-01-01")
