"""How many fields of told complaints are found right, through the form as the actions run it.

A row is a story (turns parted by ' / ') and the fields it tells: where, phone, amount, people,
department, and when as FROM~TO (days or hours of 2026; '' open, '?' told without a day; with @
compared by days). A place is judged as the evaluation judges it.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from config.city import City
from knowledge.search import Search
from language.dates import period
from qianmen.evaluation.fields import same_place
from tests.bot.calling import Conversation, published, values

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)  # a Friday, 12:00 in the sample city
FIELDS = ("where", "when", "phone", "amount", "people", "department")
ALWAYS = frozenset(FIELDS[:4])  # the others count only where a row tells them


@dataclass(frozen=True, slots=True)
class Row:
    """One dialogue and what it tells."""

    turns: tuple[str, ...]
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class Miss:
    """A field that came out otherwise."""

    row: Row
    field: str
    got: str


def read(path: Path) -> tuple[Row, ...]:
    """The rows of a file with the columns story and fields."""
    with path.open(encoding="utf-8") as lines:
        rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        return tuple(
            Row(
                tuple(row["story"].split(" / ")),
                dict(pair.split("=", 1) for pair in (row["fields"] or "").split(";") if pair),
            )
            for row in rows
        )


async def heard(row: Row, city: City, search: Search) -> dict[str, str]:
    """The form's fields after the last turn."""
    talk = Conversation(city, search, NOW.astimezone(city.zone))
    found: dict[str, str] = {}
    for number, turn in enumerate(row.turns):
        outcome = await talk.say(turn, "other" if number else "complaint")
        found = values(outcome) or found
    return found


def right(field: str, wanted: str | None, got: str | None, now: datetime) -> bool:
    """Whether ``got`` is what the row wants; a field that is not told must stay empty."""
    if field == "when" and wanted is not None and wanted.startswith("@") and got is not None:
        return _same_days(wanted[1:], got, now)
    if field == "where" and wanted is not None and got is not None:
        return same_place(wanted, got)
    if field == "when" and wanted is not None and got is not None:
        return wanted == "?" or _times(wanted, now) == _ends(got, now)
    return wanted == got


def _same_days(wanted: str, got: str, now: datetime) -> bool:
    """Day by day; ``wanted`` that stays open leaves the end of ``got`` free."""
    first, tilde, last = wanted.partition("~")
    begins, ends = _ends(got, now)
    if begins is None or f"{begins:%m-%d}" != first or (tilde and not last):
        return begins is not None and f"{begins:%m-%d}" == first
    return ends is not None and max(_last_day(ends), first) == (last or first)


def _last_day(ends: datetime) -> str:
    """The day that ends there; a night belongs to its evening."""
    night = timedelta(hours=6) if 0 < ends.hour < 6 else timedelta(seconds=1)
    return f"{ends - night:%m-%d}"


def _ends(value: str, now: datetime) -> tuple[datetime | None, datetime | None]:
    found = period(value, now)
    return (found.from_, found.to) if found else (None, None)


def _times(wanted: str, now: datetime) -> tuple[datetime | None, datetime | None]:
    first, tilde, last = wanted.partition("~")
    return _time(first, now), _time(last if tilde else first, now, last=bool(last or not tilde))


def _time(text: str, now: datetime, *, last: bool = False) -> datetime | None:
    found = re.fullmatch(r"(?:(\d{4})-)?(\d\d)-(\d\d)(?:T(\d\d)(?::(\d\d))?)?", text)
    if found is None:
        return None
    year, month, day, hour, minute = (int(part or 0) for part in found.groups())
    at = now.replace(year or now.year, month, day, hour, minute, 0, 0)
    return at + timedelta(days=1) if last and found[4] is None else at


async def score(
    rows: Iterable[Row], city: City, search: Search | None = None
) -> tuple[Counter[str], Counter[str], list[Miss]]:
    """Per field: how many were right, how many there were, and the misses."""
    search = search or published()
    now = NOW.astimezone(city.zone)
    good: Counter[str] = Counter()
    total: Counter[str] = Counter()
    misses = []
    for row in rows:
        got = await heard(row, city, search)
        for field in FIELDS:
            if field not in ALWAYS and field not in row.fields:
                continue
            if field not in row.fields and field not in got:
                continue  # rightly empty: not counted, it would only flatter the rate
            total[field] += 1
            if right(field, row.fields.get(field), got.get(field), now):
                good[field] += 1
            else:
                misses.append(Miss(row, field, got.get(field, "")))
    return good, total, misses
