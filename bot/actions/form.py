"""The complaint form, pure: what is filled, what is asked next, how it is read back.

The questions come from the city's forms; what was said once is never asked again. The state lies
in one slot of Rasa's, the fields in theirs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from bot.actions.calls import OPENS_FORM, Turn
from bot.card import MENDED
from config.city import City, Form, Question
from handoff.extract import extract, extract_all
from handoff.kinds import kind_told
from handoff.said import Extracted
from handoff.when import refined_when
from handoff.where import amended_place, refined_where, with_house
from language.numbers import group_phone, phone, spoken_phone
from turns.orders import OrderField
from turns.understood import Act

CONFIRM = "confirmed"  # what is asked when everything is filled: is it right?
CORRECT = "correction"  # what is asked when it was not
PLACE_SENT = "place_sent"  # the rule of a place that was sent, not told
_SAID = 40  # how much of the story is read back, in characters

Fields = Mapping[str, OrderField]


@dataclass(frozen=True, slots=True)
class FormState:
    """Where the form stands.

    ``act`` opened it with turn ``first``; ``name`` is the city's form. ``asking`` is the field
    that is asked, CONFIRM or CORRECT. ``again``: asked twice; ``skipped``: left open.
    ``digits``: the words that told a part of the number asked for.
    """

    act: Act
    first: str
    name: str
    asking: str = ""
    again: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    digits: str = ""

    def dump(self) -> dict[str, Any]:
        """As a slot's value."""
        return asdict(self)

    @classmethod
    def load(cls, slot: Mapping[str, Any]) -> FormState:
        """From a slot's value, written by :meth:`dump`; raises ValueError for another's."""
        try:
            return cls(
                act=slot["act"],
                first=str(slot["first"]),
                name=str(slot["name"]),
                asking=str(slot.get("asking", "")),
                again=tuple(slot.get("again", ())),
                skipped=tuple(slot.get("skipped", ())),
                digits=str(slot.get("digits", "")),
            )
        except (KeyError, TypeError):
            raise ValueError("not a form's state") from None

    def asks(self, name: str) -> FormState:
        """The same, asking ``name`` now."""
        return replace(self, asking=name)


@dataclass(frozen=True, slots=True)
class Opened:
    """A form just begun, or one whose story became known."""

    state: FormState
    fields: Fields


def opened(turn: Turn, city: City, matter: str = "") -> Opened:
    """Begin with what the opening story already tells; the caller's number is not asked for."""
    found: dict[str, OrderField] = {}
    for name, item in extract_all(turn.text, now=turn.at, city=city).items():
        found[name] = _filled(turn, name, item)
    if turn.context.place and "where" not in found:
        sent = replace(turn.source(turn.context.place, PLACE_SENT), turn=turn.context.place_from)
        found["where"] = OrderField("where", turn.context.place, sent)
    mobile = phone(turn.caller) if turn.caller else None
    if mobile and "phone" not in found:
        found["phone"] = OrderField("phone", mobile, turn.source(turn.caller, "caller_id"))
    form = city.form(matter, turn.text)
    found["kind"] = _kind(turn, turn.act, form, city)
    if form.department and "department" not in found:
        source = turn.source(turn.text, f"form:{form.name}")
        found["department"] = OrderField("department", form.department, source)
    return Opened(FormState(turn.act, turn.heard, form.name), found)


def _kind(turn: Turn, act: Act, form: Form, city: City) -> OrderField:
    """What the citizen calls it, then what the words tell, then the form's for a complaint."""
    told = kind_told(act if act in OPENS_FORM else "complaint", turn.text)
    if told.rule.startswith("act.") and act == "complaint" and form != city.general_form:
        return OrderField("kind", form.kind, turn.source(turn.text, f"form:{form.name}"))
    return OrderField("kind", told.kind, turn.source(told.quote or turn.text, told.rule))


def form_of(state: FormState, city: City) -> Form:
    """The city's form that is being filled; the general one where its name is gone."""
    return next((form for form in city.forms if form.name == state.name), city.general_form)


def told(state: FormState, found: Fields, city: City, matter: str = "") -> Opened:
    """Once the story is known, the form for its topic: 我要投诉 alone names none."""
    story = found["what"].value if "what" in found else ""
    form = city.form(matter, story)
    added = _kind_by_story(state, found)
    if state.name != city.general_form.name or form == city.general_form:
        return Opened(state, added)
    if form.department and "department" not in found:
        source = replace(found["what"].provenance, rule=f"form:{form.name}")
        added["department"] = OrderField("department", form.department, source)
    return Opened(replace(state, name=form.name), added)


def _kind_by_story(state: FormState, found: Fields) -> dict[str, OrderField]:
    """The kind by a story that came after the opening, unless the citizen called it something."""
    kind, what = found.get("kind"), found.get("what")
    if kind is None or what is None or kind.provenance.rule == "kind.called":
        return dict(found)
    told = kind_told(state.act, what.provenance.quote)
    if told.rule.startswith("act."):
        return dict(found)
    source = replace(what.provenance, quote=told.quote or what.provenance.quote, rule=told.rule)
    return {**found, "kind": OrderField("kind", told.kind, source)}


def next_question(state: FormState, found: Fields, city: City) -> Question | None:
    """The first question that is neither answered nor left open."""
    closed = {*found, *state.skipped}
    asked = form_of(state, city).ask
    return next((question for question in asked if question.field not in closed), None)


def question_for(name: str, state: FormState, city: City) -> Question | None:
    """The form's question for a field."""
    asked = (*form_of(state, city).ask, *city.general_form.ask)
    return next((question for question in asked if question.field == name), None)


def taken(state: FormState, found: Fields, turn: Turn, city: City) -> dict[str, OrderField] | None:
    """The fields with what the answer fills; None when it does not answer what is asked."""
    if state.asking == "where" and turn.text == turn.context.place:
        item: Extracted | None = Extracted(turn.text, turn.text, PLACE_SENT)
    else:
        item = extract(state.asking, turn.text, now=turn.at, city=city, asked=True)
    if item is None:
        return None
    if state.asking == "where" and "what" in found:
        item = replace(item, value=with_house(item.value, found["what"].value))
    filled = {**found, state.asking: _filled(turn, state.asking, item)}
    return {**filled, **also_said(filled, turn, city)}


def also_said(found: Fields, turn: Turn, city: City) -> dict[str, OrderField]:
    """What else the turn tells: fields that are still empty, the story left aside, and the part
    of a time that was still open (半夜, later 昨天).
    """
    added = {
        name: _filled(turn, name, item)
        for name, item in extract_all(turn.text, now=turn.at, city=city).items()
        if name not in found and name not in ("what", "department")
    }
    if "amount" in found and _TOTAL.search(turn.text):
        total = extract("amount", turn.text, now=turn.at, city=city)
        if total is not None:
            added["amount"] = _filled(turn, "amount", total)
    if "where" in found and (refined := refined_where(found["where"].value, turn.text, city)):
        added["where"] = _instead(found["where"], _filled(turn, "where", refined))
    if "when" in found and not _CALL_ME.search(turn.text):
        joined = refined_when(found["when"].value, turn.text, now=turn.at)
        if joined is not None:
            added["when"] = _instead(found["when"], _filled(turn, "when", joined))
    return added


_TOTAL = re.compile("一共|总共|共计|合计|总计|加起来")
_CALL_ME = re.compile(
    "打(?:给我|我|过来|这个|电话)|联系我|接电话|回电"
)  # when to call, not when it was


def kept_as_said(state: FormState, found: Fields, turn: Turn) -> dict[str, OrderField]:
    """The words themselves, where a place or a time was asked twice: better than nothing."""
    item = OrderField(state.asking, turn.text, turn.source(turn.text, "as_said"))
    return {**found, state.asking: item}


def confirmed(found: Fields) -> dict[str, OrderField]:
    """The fields as the citizen confirmed them."""
    return {
        name: replace(item, provenance=replace(item.provenance, confirmed_by="citizen"))
        for name, item in found.items()
    }


_NAMES = {
    "where": ("地址", "地点", "地方", "位置", "小区", "楼号", "单元"),
    "when": ("时间", "日子", "日期"),
    "phone": ("电话", "号码", "手机", "联系方式"),
    "amount": ("金额", "钱数", "多少钱"),
    "people": ("人数", "几个人"),
    "employer": ("单位", "老板", "公司"),
    "period": ("月份", "几个月"),
    "what": ("内容", "事情", "情况"),
}


def named_field(text: str, found: Fields) -> str:
    """The filled field that ``text`` calls wrong (电话错了), else ''."""
    return next(
        (
            name
            for name, words in _NAMES.items()
            if name in found and any(word in text for word in words)
        ),
        "",
    )


def corrected(found: Fields, turn: Turn, later: str, city: City) -> dict[str, OrderField]:
    """What ``later`` (the words behind 不对) puts right; empty when it names nothing new."""
    changed: dict[str, OrderField] = {}
    for name in ("phone", "where", "when", "period", "amount", "people", "employer"):
        if name not in found:
            continue
        item = extract(name, later, now=turn.at, city=city, asked=name == "where")
        if item is None or item.rule == "name_answered":
            continue
        if name in ("when", "period") and "where" in changed:
            continue
        value = amended_place(found[name].value, item.value) if name == "where" else item.value
        if value != found[name].value:
            source = turn.source(item.quote, f"corrected:{item.rule}")
            changed[name] = OrderField(name, value, source)
    return changed


_FREE = {"what": 500, "where": 100, "when": 60, "employer": 60, "period": 60, "name": 20}
"""Fields that are taken as they were written on the card, up to so many characters."""


def set_by_card(found: Fields, name: str, told: str, turn: Turn, city: City) -> OrderField | None:
    """The field as the citizen set it; None where ``told`` cannot be its value."""
    asked = name not in ("what", "name")
    item = extract(name, told, now=turn.at, city=city, asked=True) if asked else None
    value = item.value if item is not None else told if len(told) <= _FREE.get(name, 0) else ""
    if not value:
        return None
    source = replace(turn.source(told, MENDED), confirmed_by="citizen")
    field = OrderField(name, value, source)
    return _instead(found[name], field) if name in found else field


def summary(found: Fields, *, aloud: bool) -> str:
    """What was noted, in one sentence; ``aloud`` reads the number in groups with 幺."""
    parts = [_short(found["what"].value)] if "what" in found else []
    for name, label in _LABELS.items():
        if name in found and not (name == "when" and "period" in found):
            parts.append(label + _shown(name, found[name].value, aloud=aloud))
    return "，".join(parts)


_LABELS = {
    "employer": "单位是",
    "where": "地点",
    "when": "时间",
    "period": "欠的是",
    "amount": "金额",
    "people": "人数",
    "phone": "联系电话",
}


_DAYS = re.compile(r"（[^（）]*）$")  # the days that were worked out, for the eye only


def _shown(name: str, value: str, *, aloud: bool) -> str:
    if name == "phone":
        return spoken_phone(value) if aloud else group_phone(value).replace("-", " ")
    if name == "when" and aloud:
        return _DAYS.sub("", value)
    return f"{value}元" if name == "amount" else f"{value}人" if name == "people" else value


def _short(text: str) -> str:
    text = text.rstrip("。，！？,.!? ")
    return text if len(text) <= _SAID else f"{text[:_SAID]}……"


def _instead(before: OrderField, item: OrderField) -> OrderField:
    """``item`` with the value that it takes the place of."""
    return replace(item, former=(*before.former, before.value))


def _filled(turn: Turn, name: str, item: Extracted) -> OrderField:
    return OrderField(name, item.value, turn.source(item.quote, item.rule))
