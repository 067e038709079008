"""An order's fields from a conversation's turns: what was told, and what follows from it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from handoff.classify import Classified, Rules, classify
from handoff.kinds import called, kind_told
from handoff.order.departments import BETWEEN, apart
from handoff.titles import UNSAID, summary, title
from handoff.told import Spoken, fields_told
from handoff.wishes import NO, YES
from turns.orders import OrderDraft, OrderField, Provenance
from turns.replies import Urgency

CLASSED = "class."
"""What the rules of fields begin with that follow from the class: anything told goes before."""
# Heaviest first: a complaint after a question makes the order a complaint.
_ACTS = ("complaint", "report", "suggestion", "praise", "help", "danger", "policy")
_LEAST_STORY = 6  # characters of a turn nobody understood that may still tell something


def fields_filled(turns: Sequence[Spoken], rules: Rules) -> tuple[OrderField, ...]:
    """All that ``turns`` tell and what follows: kind, class, urgency, departments.

    Not the content, the title and the summary: these depend on what else fills the order.
    """
    told = fields_told(turns, city=rules.city)
    stories = content_turns(turns)
    if not stories:
        return tuple(told.values())
    kind = kind_field(stories)
    values = {name: field.value for name, field in told.items()}
    values |= {"kind": kind.value} if kind else {}
    text = "。".join(dict.fromkeys(turn.text for turn in stories))
    classified = classify(text, {**values, "what": text}, rules)
    return (
        *told.values(), *((kind,) if kind else ()), *class_fields(classified, stories),
    )  # fmt: skip


def content_turns(turns: Sequence[Spoken]) -> tuple[Spoken, ...]:
    """The citizen's turns that tell of something, by their acts; else what nobody took in."""
    mine = [turn for turn in turns if turn.speaker == "citizen"]
    known = tuple(turn for turn in mine if turn.act in _ACTS)
    return known or tuple(turn for turn in mine if not turn.act and len(turn.text) >= _LEAST_STORY)


def kind_field(stories: Sequence[Spoken]) -> OrderField | None:
    """The weightiest kind told; what the citizen calls it goes before."""
    for turn in stories:
        named = called(turn.text) if turn.act != "policy" else None
        if named is not None:
            return OrderField("kind", named.kind, _source(turn, named.quote, named.rule))
    for act in _ACTS:
        for turn in stories:
            if turn.act == act:
                told = kind_told(act, turn.text)
                source = _source(turn, told.quote or turn.text, told.rule)
                return OrderField("kind", told.kind, source)
    return None


def class_fields(classified: Classified, stories: Sequence[Spoken]) -> tuple[OrderField, ...]:
    """Class, departments and urgency as fields, each with the words that told it."""
    named = {
        "code": classified.code,
        "department": classified.department,
        "departments": BETWEEN.join(classified.departments),
    }
    rule = f"{CLASSED}{classified.rule}"
    source = _of(stories, classified.quote, rule, classified.confidence)
    fields = [OrderField(name, value, source) for name, value in named.items() if value]
    if classified.urgency != "normal":
        why = _of(stories, classified.urgency_quote, f"{CLASSED}urgency", 1.0)
        fields.append(OrderField("urgency", classified.urgency, why))
    return tuple(fields)


def titled(fields: Mapping[str, OrderField], default: str = UNSAID) -> tuple[str, str]:
    """Title and summary of an order with ``fields``; ``default`` where nothing was said."""
    values = {name: field.value for name, field in fields.items()}
    code = fields.get("code")
    words = (code.provenance.quote,) if code and code.provenance.quote else ()
    where = fields.get("where")
    said = where.provenance.quote if where else ""
    return title(values, words, default=default, said=said), summary(values)


def assembled(fields: Mapping[str, OrderField]) -> tuple[OrderField, ...]:
    """Title and summary as fields that quote the content; () where nothing was said."""
    about = fields.get("what") or fields.get("matter")
    if about is None:
        return ()
    made = zip(("title", "summary"), titled(fields), strict=True)
    return tuple(
        OrderField(
            name, value, replace(about.provenance, rule=f"{name}.assembled", confirmed_by="")
        )
        for name, value in made
        if value
    )


def completed(draft: OrderDraft, found: Iterable[OrderField]) -> OrderDraft:
    """``draft`` with what it lacks of ``found``, and all that follows from its fields."""
    fields = {field.name: field for field in found} | {field.name: field for field in draft.fields}
    for field in assembled(fields):
        fields[field.name] = field

    def value(name: str) -> str:
        return fields[name].value if name in fields else ""

    urgency: Urgency = "urgent" if value("urgency") == "urgent" else draft.urgency
    if "danger" in (draft.urgency, value("urgency")):
        urgency = "danger"
    made = replace(
        draft,
        kind=value("kind") or draft.kind,
        urgency=urgency,
        title=value("title") or draft.title,
        summary=value("summary"),
        code=value("code"),
        department=value("department") or draft.department,
        departments=tuple(value("departments").split(BETWEEN)),
        secret=value("secret") == YES,
        visit=value("visit") != NO,
        fields=tuple(fields.values()),
    )
    return apart(made)


def _source(turn: Spoken, quote: str, rule: str) -> Provenance:
    return Provenance(turn.id, quote, turn.at, turn.confidence, rule)


def _of(stories: Sequence[Spoken], quote: str, rule: str, confidence: float) -> Provenance:
    """The turn that holds ``quote``, else the first."""
    turn = next((turn for turn in stories if quote and quote in turn.text), stories[0])
    sure = round(min(turn.confidence, confidence), 3)
    return Provenance(turn.id, quote or turn.text, turn.at, sure, rule)
