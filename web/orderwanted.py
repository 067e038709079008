"""What a form, a link or a program wants of the list: read, and what there is to choose. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from config.city import City
from config.orders import STATES
from web import labels
from web.orderlist import MAX_SEARCH_CHARS, SORTS, Wanted

_LONGEST = 60
_NAMES = ("urgency", "kind", "state", "view", "department", "code", "channel")
VIEW_NAMES = {"": "全部", "mine": "我的", "soon": "24 小时内到期", "overdue": "已超期",
              "repeats": "重复诉求", "secret": "保密"}  # fmt: skip
SORT_NAMES = {"newest": "最新受理", "oldest": "最早受理", "due": "先到期的", "urgency": "先紧急的"}


def wanted_of(given: Mapping[str, str]) -> Wanted:
    """What is wanted; whatever is too long or cannot be printed is nobody's value."""
    read = {name: _plain(given.get(name, "")) for name in _NAMES}
    sort = given.get("sort", "")
    number = given.get("page", "1")
    page = int(number) if number.isascii() and number.isdecimal() and len(number) < 8 else 1
    search = "".join(c for c in given.get("search", "") if c.isprintable())
    return Wanted(
        search=search[: 2 * MAX_SEARCH_CHARS], page=page, sort=sort if sort in SORTS else SORTS[0],
        urgency=read["urgency"], kind=read["kind"], state=read["state"], view=read["view"],
        department=read["department"], code=read["code"], channel=read["channel"],
    )  # fmt: skip


def _plain(value: str) -> str:
    value = value.strip()
    return value if value.isprintable() and len(value) <= _LONGEST else "?"


def choices(city: City) -> dict[str, Any]:
    """What the list's form lets one choose."""
    return {
        "pairs": lambda names: [(name, name) for name in names],
        "kinds": labels.KINDS,
        "urgencies": labels.URGENCIES,
        "states": STATES,
        "channels": labels.CHANNELS,
        "departments": tuple(department.name for department in city.departments),
        "codes": tuple((leaf.code, leaf.name) for leaf in city.classes.leaves()),
        "view_names": VIEW_NAMES,
        "sort_names": SORT_NAMES,
    }
