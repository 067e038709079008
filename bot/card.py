"""The read-back of a complaint as a card: its fields by name, and the words that mend one.

Who mends a field on a page sends what they could also have said: 地点改成：建业小区12号楼.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from turns.orders import OrderField
from turns.replies import Card, CardField

LABELS = {
    "what": "什么事", "employer": "单位", "where": "地点", "when": "时间", "period": "欠薪月份",
    "amount": "金额", "people": "人数", "name": "姓名", "phone": "联系电话",
}  # fmt: skip
"""The fields that a citizen may mend, in the card's order."""
MENDED = "corrected:card"
"""The rule of a field that the citizen set on the card."""
LONGEST_VALUE = 500
_ALWAYS = ("what", "where", "when", "name", "phone")
_MENDS = re.compile(f"({'|'.join(LABELS.values())})改(?:成|为)[：:，, ]{{0,2}}(.+)")


def mending(name: str, value: str) -> str:
    """What a citizen says who sets the field ``name`` to ``value``."""
    return f"{LABELS[name]}改成：{value}"


def mended(text: str) -> tuple[str, str] | None:
    """The field, and its value as told, that ``text`` mends; None for other words."""
    found = _MENDS.fullmatch(text.strip())
    if found is None:
        return None
    name = next(name for name, label in LABELS.items() if label == found[1])
    value = found[2].strip("，。！,.! ")
    return (name, value) if value else None


def card_of(fields: Mapping[str, OrderField]) -> Card:
    """The form as the citizen sees it before it becomes an order."""
    names = [name for name in LABELS if name in fields or name in _ALWAYS]
    kind = fields["kind"].value if "kind" in fields else ""
    return Card(kind, tuple(_field(name, fields.get(name)) for name in names))


def _field(name: str, item: OrderField | None) -> CardField:
    if item is None:
        return CardField(name, LABELS[name], "")
    return CardField(name, LABELS[name], item.value, item.provenance.rule == MENDED)
