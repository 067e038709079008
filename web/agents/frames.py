"""Builders of what the desk's page is sent; ``web.agents.protocol`` parses what comes back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from config.city import City
from web.agents.board import Board
from web.agents.callview import CallView
from web.agents.errors import DeskError, text_of
from web.agents.views import colleague
from web.transcript import TurnView


@dataclass(frozen=True, slots=True)
class Me:
    """Whose desk it is; ``phone`` is the telephone that rings; ``supervisor``: sees everybody's."""

    login: str
    name: str
    phone: str
    skills: tuple[str, ...]
    rights: tuple[str, ...]
    supervisor: bool


def welcome(me: Me, city: City, board: Board, now: datetime) -> dict[str, Any]:
    """The desk is open; what it offers to choose from."""
    rules = city.queue
    return {
        "type": "welcome",
        "me": {"login": me.login, "name": me.name, "phone": me.phone, "skills": list(me.skills),
               "rights": list(me.rights), "supervisor": me.supervisor,
               "party": _party(me, city)},
        "status": board.colleague(me.login).status,
        "now": now.isoformat(),
        "results": [{"code": one.code, "label": one.label} for one in rules.results],
        "canned": [{"label": one.label, "text": one.text} for one in rules.canned],
        "reasons": {status: list(texts) for status, texts in rules.reasons.items()},
        "skills": [{"name": one.name, "label": one.label or one.name} for one in rules.skills],
        "agents": [colleague(one) for one in board.colleagues],
        "targets": [
            {"name": one.name, "label": one.label, "kind": one.kind, "three_way": one.three_way}
            for one in city.targets.targets
            if not one.extension
        ],
    }  # fmt: skip


def _party(me: Me, city: City) -> str:
    """What the agent's own telephone is called among those who talk together."""
    found = city.targets.find(me.phone)
    return found.name if found is not None else me.phone


def turns(handoff: str, cursor: int, views: Iterable[TurnView]) -> dict[str, Any]:
    """What was said since the page's cursor, in order; a turn known already looks otherwise now."""
    return {
        "type": "turns",
        "handoff": handoff,
        "cursor": cursor,
        "turns": [_turn(view) for view in views],
    }


def _turn(view: TurnView) -> dict[str, Any]:
    return {
        "seq": view.seq,
        "id": view.anchor,
        "speaker": view.speaker,
        "kind": view.kind,
        "text": view.text,
        "note": view.is_note,
        "options": list(view.options),
        "at": view.at.isoformat(),
        "confidence": view.confidence,
        "doubtful": view.doubtful,
        "start_ms": view.start_ms,
        "end_ms": view.end_ms,
        "recording": view.recording,
        "attachments": [one.dumped() for one in view.attachments],
    }


def partial(handoff: str, speaker: str, text: str) -> dict[str, Any]:
    """Words that are being said; the turn follows."""
    return {"type": "partial", "handoff": handoff, "speaker": speaker, "text": text}


def order(handoff: str, shown: Mapping[str, Any]) -> dict[str, Any]:
    """The order as it stands."""
    return {"type": "order", "handoff": handoff, "order": shown}


def suggest(handoff: str, answers: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Published answers to what the citizen said last; an empty list takes them away."""
    return {"type": "suggest", "handoff": handoff, "answers": list(answers)}


def call(handoff: str, state: str, leg: str, cause: str, view: CallView) -> dict[str, Any]:
    """Something happened to the call; ``cause`` is a stable code, ``text`` says it."""
    return {
        "type": "call",
        "handoff": handoff,
        "state": state,
        "leg": leg,
        "cause": cause,
        "text": text_of(cause) if state == "failed" else "",
        "held": list(view.held),
        "parties": list(view.parties),
        "calling": list(view.calling),
        "muted": view.muted,
        "stage": view.stage,
    }


def citizen(handoff: str, *, typing: bool, connected: bool) -> dict[str, Any]:
    """Whether the citizen writes, and whether they are there at all."""
    return {"type": "citizen", "handoff": handoff, "typing": typing, "connected": connected}


def done(id_: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """The action ``id_`` is done."""
    return {"type": "done", "id": id_, "data": dict(data)}


def refused(error: DeskError, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The action was not done; ``more`` is what the page should show instead."""
    return {"type": "refused", "id": error.id, "code": error.code, "text": error.text,
            **(more or {})}  # fmt: skip


def pong() -> dict[str, Any]:
    """I am here."""
    return {"type": "pong"}


def alive(ticket: str) -> dict[str, Any]:
    """The page may renew its cookie with this: its agent did something."""
    return {"type": "alive", "ticket": ticket}


def closing(code: str, text: str) -> dict[str, Any]:
    """The socket closes, and why; the page does not come back by itself."""
    return {"type": "closing", "code": code, "text": text}
