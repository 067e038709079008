"""Fill a work order from what was already said, so that nobody asks for it again. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from handoff.filled import CLASSED, completed, kind_field, titled
from handoff.order.retold import DANGER
from handoff.told import Spoken
from turns.context import Context
from turns.orders import OrderDraft, OrderField, Provenance
from turns.replies import Urgency

_KINDS = ("complaint", "report", "suggestion", "praise", "help", "danger", "policy")
# Acts that carry content; 转人工, 你好 or 再说一遍 tell an agent nothing.
_CONTENT = set(_KINDS)
_WORTH_READING = 4  # characters: 喂 and 你好 tell nobody anything


@dataclass(frozen=True, slots=True)
class Said:
    """One turn of the citizen, as the record has it."""

    id: str
    text: str
    at: datetime
    confidence: float
    act: str
    matter: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a conversation when it is handed over.

    ``slots`` is the form as it stands; ``caller`` the calling number or ''; ``matter_name`` and
    ``department`` belong to ``context.matter``.
    """

    conversation: str
    channel: str
    line: str
    caller: str
    started_at: datetime
    context: Context
    said: tuple[Said, ...] = ()
    slots: tuple[OrderField, ...] = ()
    extracted: tuple[OrderField, ...] = ()
    matter_name: str = ""
    department: str = ""


def prefill(facts: Facts, *, key: str, urgency: Urgency = "normal") -> OrderDraft:
    """The order that ``facts`` already fill, every field with its provenance.

    The form's slots win; what was only extracted from the turns comes next; then the caller's
    number. A call of which nothing is known still makes an order: the agent sees who called.
    """
    told = {f.name: f for f in facts.extracted if not f.provenance.rule.startswith(CLASSED)}
    fields = told | {field.name: field for field in facts.slots}
    _default(fields, "what", _content(facts))
    _put_danger_first(fields, facts)
    _default(fields, "phone", _caller(facts))
    _default(fields, "kind", _kind(facts))
    matter = _own_matter(facts)
    _default(fields, "matter", _matter(facts) if matter else None)
    _default(fields, "department", _department(facts) if matter else None)
    _default(fields, "department", _scanned(facts))
    draft = OrderDraft(
        key=key,
        conversation=facts.conversation,
        channel=facts.channel,
        line=facts.line,
        kind="其他",
        urgency=urgency,
        title=titled(fields)[0],
        matter=matter,
        fields=tuple(fields.values()),
    )
    return completed(draft, facts.extracted)


def _own_matter(facts: Facts) -> str:
    """The matter the order is about: a complaint told after a question is not about that one."""
    return "" if any(slot.name == "what" for slot in facts.slots) else facts.context.matter


def _default(fields: dict[str, OrderField], name: str, field: OrderField | None) -> None:
    if field is not None:
        fields.setdefault(name, field)


def _put_danger_first(fields: dict[str, OrderField], facts: Facts) -> None:
    """Danger told in the middle of a form is what the order is about, the form's words follow."""
    danger = next((said for said in reversed(facts.said) if said.act == "danger"), None)
    if danger is None:
        return
    before = [fields["what"].value] if "what" in fields else []
    told = [part for value in before for part in value.split("；") if part != danger.text]
    source = Provenance(danger.id, danger.text, danger.at, danger.confidence, DANGER)
    fields["what"] = OrderField("what", "；".join((danger.text, *told)), source)


def _content(facts: Facts) -> OrderField | None:
    """Everything told that has content, joined; the first of it is quoted as the source."""
    told = [said for said in facts.said if said.act in _CONTENT] or _not_understood(facts)
    if not told:
        return None
    first = told[0]
    value = "；".join(dict.fromkeys(said.text for said in told))
    confidence = min(said.confidence for said in told)
    return OrderField(
        "what", value, Provenance(first.id, first.text, first.at, confidence, "said.content")
    )


def _not_understood(facts: Facts) -> list[Said]:
    """What was said and no dialogue took in, because it had failed: better than nothing."""
    return [said for said in facts.said if not said.act and len(said.text) >= _WORTH_READING]


def _caller(facts: Facts) -> OrderField | None:
    if not facts.caller:
        return None
    source = Provenance("", "", facts.started_at, 1.0, "caller_id")
    return OrderField("phone", facts.caller, source)


def _kind(facts: Facts) -> OrderField | None:
    """The weightiest kind told: a complaint after a question makes the order a complaint."""
    turns = [Spoken(one.id, one.text, one.at, one.confidence, "citizen", one.act)
             for one in facts.said if one.act in _CONTENT]  # fmt: skip
    return kind_field(turns)


def _matter(facts: Facts) -> OrderField | None:
    said = _matter_turn(facts)
    if said is None or not facts.matter_name:
        return None
    source = Provenance(said.id, said.text, said.at, said.confidence, "knowledge.matter")
    return OrderField("matter", facts.matter_name, source)


def _department(facts: Facts) -> OrderField | None:
    said = _matter_turn(facts)
    if said is None or not facts.department:
        return None
    source = Provenance(said.id, said.text, said.at, said.confidence, "matter.department")
    return OrderField("department", facts.department, source)


def _scanned(facts: Facts) -> OrderField | None:
    """The department in whose house they scanned a code, where nothing they said names another."""
    if not facts.context.department or not facts.said:
        return None
    said = facts.said[0]
    source = Provenance(said.id, "", said.at, 1.0, "scene.department")
    return OrderField("department", facts.context.department, source)


def _matter_turn(facts: Facts) -> Said | None:
    """The turn that named the matter first: the follow-ups only lean on it."""
    wanted = facts.context.matter
    return next((said for said in facts.said if wanted and said.matter == wanted), None)
