"""One agent's view of the board, and the ``desk`` frame made of it. Pure.

A view holds moments, never spans: two views are alike as long as nothing has happened, however much
time went by, so that a frame is sent only where it tells something.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from web import labels
from web.agents.board import AlarmNote, Board, Case, Colleague, Offer, Passed, ToCall, Waiting
from web.agents.callview import CallView
from web.agents.tally import Tally


@dataclass(frozen=True, slots=True)
class Card:
    """One citizen of the agent's; ``unread``: turns of the citizen that nobody has looked at."""

    case: Case
    unread: int
    call: CallView
    gone: bool = False


@dataclass(frozen=True, slots=True)
class DeskView:
    """What one agent's desk shows of the queue."""

    me: Colleague
    offer: Offer | None
    mine: tuple[Card, ...]
    waiting: Waiting
    alarms: tuple[AlarmNote, ...]
    colleagues: tuple[Colleague, ...]
    callbacks: tuple[ToCall, ...]
    today: Tally
    phones: bool


def view_of(
    board: Board,
    login: str,
    read: Mapping[str, int],
    calls: Mapping[str, CallView],
    *,
    phones: bool = True,
) -> DeskView:
    """The board as ``login`` sees it.

    ``read``: how many of the citizen's turns they have seen, by handoff; ``calls``: how calls
    stand, by conversation; ``phones``: whether any can be commanded. A call-back's number is
    theirs who took it.
    """
    return DeskView(
        me=board.colleague(login),
        offer=board.offers.get(login),
        mine=tuple(_card(case, read, calls) for case in board.cases.get(login, ())),
        waiting=board.waiting,
        alarms=board.alarms,
        colleagues=board.listed,
        callbacks=tuple(one for one in board.callbacks if one.agent in ("", login)),
        today=board.tallies.get(login, Tally()),
        phones=phones,
    )


def _card(case: Case, read: Mapping[str, int], calls: Mapping[str, CallView]) -> Card:
    unread = max(0, case.mark.heard - read.get(case.handoff, 0))
    call = calls.get(case.conversation, CallView())
    return Card(case, unread, call, call.stage == "ended" or case.ended)


def desk_frame(view: DeskView, edition: int, now: datetime) -> dict[str, Any]:
    """The frame, without the colleagues; spans of time are as of ``now``."""
    return {
        "type": "desk",
        "edition": edition,
        "status": view.me.status,
        "since": _moment(view.me.since),
        "reason": view.me.reason,
        "today": {"taken": view.today.taken, "mean_s": view.today.mean_s},
        "phones": view.phones,
        "wrap_until": _moment(view.me.wrap_until) if view.me.status == "wrapup" else None,
        "now": now.isoformat(),
        "offer": _offer(view.offer, now) if view.offer else None,
        "mine": [_shown_card(card) for card in view.mine],
        "waiting": {
            "calls": view.waiting.calls,
            "chats": view.waiting.chats,
            "longest_s": _span(view.waiting.oldest, now),
            "since": _moment(view.waiting.oldest),
        },
        "alarms": [
            {"id": one.id, "kind": one.kind, "text": one.text, "at": one.at.isoformat(),
             "object": one.object}
            for one in view.alarms
        ],
        "callbacks": [_callback(one) for one in view.callbacks],
    }  # fmt: skip


def colleagues_json(listed: tuple[Colleague, ...]) -> str:
    """The list of colleagues in JSON."""
    return json.dumps([colleague(one) for one in listed], ensure_ascii=False)


def colleague(one: Colleague) -> dict[str, str]:
    """Somebody whom a citizen may be given to."""
    return {"login": one.login, "name": one.name, "status": one.status, "reason": one.reason}


def _offer(offer: Offer, now: datetime) -> dict[str, Any]:
    return {
        "offer": offer.offer,
        "handoff": offer.handoff,
        "channel": offer.channel,
        "reason": offer.reason,
        "reason_label": labels.REASONS.get(offer.reason, offer.reason),
        "urgency": offer.urgency,
        "title": offer.title,
        "summary": offer.summary,
        "kind": offer.kind,
        "where": offer.where,
        "waited_s": _span(offer.since, now),
        "since": offer.since.isoformat(),
        "until": _moment(offer.until),
        "earlier": offer.earlier,
        "skills": list(offer.skills),
        "passed": _passed(offer.passed),
    }


def _shown_card(card: Card) -> dict[str, Any]:
    case = card.case
    return {
        "handoff": case.handoff,
        "conversation": case.conversation,
        "channel": case.channel,
        "state": case.state,
        "number": case.number,
        "title": case.title,
        "urgency": case.urgency,
        "since": case.since.isoformat(),
        "unread": card.unread,
        "held": list(card.call.held),
        "parties": list(card.call.parties),
        "calling": list(card.call.calling),
        "muted": card.call.muted,
        "stage": card.call.stage,
        "gone": card.gone,
        "passed": _passed(case.passed),
    }


def _passed(passed: Passed | None) -> dict[str, str] | None:
    return {"by": passed.by, "note": passed.note} if passed else None


def _callback(one: ToCall) -> dict[str, Any]:
    return {
        "callback": one.id,
        "mine": bool(one.agent),
        "reason": one.reason,
        "number": one.number,
        "title": one.title,
        "phone": one.phone,
        "calls": one.calls,
        "tries": one.tries,
        "since": one.since.isoformat(),
        "due": _moment(one.due),
    }


def _moment(value: datetime | None) -> str | None:
    return value.isoformat() if value else None


def _span(since: datetime | None, now: datetime) -> int:
    return max(0, int((now - since).total_seconds())) if since else 0
