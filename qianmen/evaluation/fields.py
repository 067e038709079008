"""Whether a filled field of a complaint says what its label says. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

_MARKS = re.compile(r"[\W_]")
_NUMBERS = re.compile(r"\d+")
_ENOUGH = 0.6
"""Share of a labelled place that a shorter one must hold."""


def right_fields(labelled: Mapping[str, str], slots: Mapping[str, Any]) -> dict[str, bool]:
    """For each labelled field (``when`` for its two days) whether the form has it right."""
    right = {}
    if "kind" in labelled:
        right["kind"] = slots.get("kind") == labelled["kind"]
    if "where" in labelled:
        right["where"] = same_place(labelled["where"], str(slots.get("where", "")))
    if "when_from" in labelled:
        right["when"] = _same_days(labelled, slots.get("when"))
    if "phone" in labelled:
        right["phone"] = re.sub(r"\D", "", str(slots.get("phone", ""))) == labelled["phone"]
    if "amount" in labelled:
        right["amount"] = _same_amount(labelled["amount"], str(slots.get("amount", "")))
    return right


def same_place(wanted: str, filled: str) -> bool:
    """One holds the other, with every number; the shorter holds most of the label."""
    wanted, filled = _MARKS.sub("", wanted), _MARKS.sub("", filled)
    if not filled:
        return False
    if wanted in filled:
        return True
    whole = _NUMBERS.findall(wanted) == _NUMBERS.findall(filled)
    return filled in wanted and whole and len(filled) >= _ENOUGH * len(wanted)


def _same_days(labelled: Mapping[str, str], when: Any) -> bool:
    begins, ends = _moments(when)
    if begins is None or begins.date() != date.fromisoformat(labelled["when_from"]):
        return False
    if "when_to" not in labelled:
        return True
    last = date.fromisoformat(labelled["when_to"])
    if ends is None:
        return False
    # A night belongs to the evening it began; an end is the first moment that is out.
    return ends.date() >= last and ends - timedelta(hours=12, seconds=1) < _midnight(last, ends)


def _midnight(day: date, like: datetime) -> datetime:
    """The end of ``day`` in the zone of ``like``."""
    return datetime(day.year, day.month, day.day, tzinfo=like.tzinfo) + timedelta(days=1)


def _moments(when: Any) -> tuple[datetime | None, datetime | None]:
    if not isinstance(when, Mapping):
        return None, None
    begins, ends = (str(when.get(name) or "") for name in ("from", "to"))
    return (
        datetime.fromisoformat(begins) if begins else None,
        datetime.fromisoformat(ends) if ends else None,
    )


def _same_amount(wanted: str, filled: str) -> bool:
    try:
        return float(wanted) == float(filled.removesuffix("元"))
    except ValueError:
        return False
