"""Hand a conversation to a person: the order is written first, then the citizen is told."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from bot import history
from bot.triage import HandoverReason
from config.city import City
from handoff.order.journal import Journal
from handoff.orders import write_handoff
from handoff.prefill import Facts, Said, prefill
from turns.heard import Heard
from turns.orders import OrderDraft, OrderField, WrittenOrder
from turns.replies import QUEUE, Connect, Handoff, Reply, Say, Urgency

# Who asks whether this is a machine is told so before a person comes.
_MACHINE = re.compile(
    r"(?:是|算)[^，。？]{0,6}(?:机器|真人|AI|人工智能|智能|电脑|语音助手|录音)|机器人?(?:吗|吧|还是)|"
    r"真人(?:吗|还是)",
    re.IGNORECASE,
)
_WORDS = ("speech", "text")  # keys, choices and events are no words to quote
MatterFacts = Callable[[str], tuple[str, str]]
Extract = Callable[[tuple[Said, ...], datetime], tuple[OrderField, ...]]


def hand_over(
    engine: Engine,
    state: history.State,
    heard: Heard,
    reason: HandoverReason,
    *,
    matter_facts: MatterFacts,
    extract: Extract,
    now: datetime,
    city: City | None = None,
    danger: str = "",
    journal: Journal | None = None,
    queued: bool = True,
) -> WrittenOrder:
    """Write the order and the queue's entry of this hand-over, once for each conversation.

    ``matter_facts`` tells name and department of a matter code; ``extract`` finds fields in what
    was said; ``danger`` is its topic, where it is known. Synchronous: it writes to the database,
    or, where that is away, to the ``journal``: then the order has no number yet. Without
    ``queued`` a person has the citizen already.
    """
    said = tuple(
        _said(turn, known) for turn, known in history.citizen_turns(engine, heard.conversation)
    )
    name, department = matter_facts(state.context.matter)
    facts = Facts(
        conversation=state.conversation,
        channel=state.channel,
        line=state.line,
        caller=state.citizen if state.channel == "phone" else "",
        started_at=state.started_at,
        context=state.context,
        said=_mark(said, heard, reason),
        slots=state.slots,
        extracted=extract(said, now),
        matter_name=name,
        department=department,
    )
    draft = draft_of(facts, reason)
    if journal is not None and city is not None:
        return journal.write_handoff(
            engine, draft, handoff=draft.key, reason=reason, now=now, city=city, danger=danger,
            citizen=state.citizen,
        )  # fmt: skip
    return write_handoff(
        engine, draft, handoff=draft.key, reason=reason, now=now, city=city, danger=danger,
        queued=queued,
    )  # fmt: skip


def draft_of(facts: Facts, reason: HandoverReason) -> OrderDraft:
    """The order of a hand-over; its key is also the id of the citizen's entry in the queue."""
    key = f"handoff:{facts.conversation}"
    return prefill(facts, key=key, urgency=urgency(reason))


def urgency(reason: HandoverReason) -> Urgency:
    """How urgent an order is that a hand-over for ``reason`` makes."""
    return "danger" if reason == "danger" else "normal"


def _said(turn: Heard, known: Mapping[str, Any]) -> Said:
    return Said(
        id=turn.id,
        text=turn.text,
        at=turn.at,
        confidence=turn.confidence,
        act=str(known.get("act", "")),
        matter=str(known.get("matter", "")),
    )


def _mark(said: tuple[Said, ...], heard: Heard, reason: HandoverReason) -> tuple[Said, ...]:
    """Mark the turn that led here, which Rasa never saw: danger is content, a request is not."""
    act = {"danger": "danger", "asked": "handoff"}.get(reason)
    return tuple(
        Said(s.id, s.text, s.at, s.confidence, act, s.matter) if act and s.id == heard.id else s
        for s in said
    )


def handover_replies(
    city: City, state: history.State, heard: Heard, reason: HandoverReason, order: WrittenOrder,
    *, queued: bool = False,
) -> tuple[Reply, ...]:  # fmt: skip
    """What the citizen is told, and, on the phone, whom the caller is connected to.

    ``queued``: somebody at a desk may take them, so that they wait in the queue; else the line's
    hunt group is called.
    """
    voice = state.channel == "phone"
    prompt = {"danger": "danger", "failure": "apology"}.get(reason, "handoff")
    name = f"{prompt}_{'call' if voice else 'chat'}"
    text = (
        city.prompts.fill(name, number=order.number or city.prompts.number_follows)
        if prompt != "apology"
        else (city.prompts.fill(name))
    )
    if reason == "asked" and _MACHINE.search(heard.text):
        text = city.prompts.machine + text
    if reason == "misses":
        text = city.prompts.miss_again + text
    told: tuple[Reply, ...] = (
        Say(f"{heard.id}.say", text, interruptible=False),
        Handoff(f"{heard.id}.handoff", reason, urgency(reason), order.id, order.number),
    )
    target = QUEUE if queued else city.line(state.line).hunt_group
    return (*told, Connect(f"{heard.id}.connect", target)) if voice else told


def apology(city: City, heard: Heard) -> tuple[Reply, ...]:
    """What is told when not even an order could be written: a sentence, and a person by phone."""
    if heard.channel != "phone":
        return (Say(f"{heard.id}.say", city.prompts.apology_chat, interruptible=False),)
    return (
        Say(f"{heard.id}.say", city.prompts.apology_call, interruptible=False),
        Connect(f"{heard.id}.connect", city.line(heard.line).hunt_group),
    )
