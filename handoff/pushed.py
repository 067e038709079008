"""An order that another system wrote out itself, with what a conversation's order gets. Pure.

What the system gave stands; class, departments, urgency, parts of the place, title and summary are
added by the rules that read what a citizen tells.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from handoff.classify import Rules, classify
from handoff.filled import class_fields, completed
from handoff.told import Spoken, regions_of
from turns.orders import OrderDraft, OrderField, Provenance

_COLUMNS = ("title", "kind", "code", "department", "urgency")
_RISING = ("normal", "urgent", "danger")


def filled(
    draft: OrderDraft, source: Provenance, now: datetime, rules: Rules, *, most: str = "danger"
) -> OrderDraft:
    """``draft`` with what follows from its words; ``source`` is of what the system gave.

    The words make it more urgent than the system said, up to ``most``, never less.
    """
    given = {field.name: field for field in draft.fields} | _columns(draft, source)
    values = {name: field.value for name, field in given.items()}
    told = values.get("what", "")
    story = (Spoken("", told, now),)
    found = {one.name: one for one in class_fields(classify(told, values, rules), story)}
    for name, value in regions_of(values.get("where", ""), rules.city).items():
        found[name] = OrderField(name, value, replace(source, rule="place_part"))
    urged = found.pop("urgency", None)
    if urged is not None:
        level = min(urged.value, most, key=_RISING.index)
        if _RISING.index(level) > _RISING.index(draft.urgency):
            given["urgency"] = replace(urged, value=level)
    made = completed(replace(draft, fields=tuple(given.values())), found.values())
    title = given.get("title")
    fields = tuple(title if title and one.name == "title" else one for one in made.fields)
    return replace(made, fields=fields, title=draft.title or made.title, secret=draft.secret,
                   visit=draft.visit)  # fmt: skip


def _columns(draft: OrderDraft, source: Provenance) -> dict[str, OrderField]:
    """The order's own columns as fields: what the system decided has its name."""
    values = {name: str(getattr(draft, name)) for name in _COLUMNS}
    values |= {"departments": "、".join(draft.departments)}
    if draft.urgency == "normal":  # said by nobody: it is what an order is that says nothing
        del values["urgency"]
    return {name: OrderField(name, value, source) for name, value in values.items() if value}
