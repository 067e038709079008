"""The desk's inbox: what could not be answered, grouped; added to a matter or put aside."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge import words
from knowledge.alike import grouped
from knowledge.learning import items, people, settle
from store.engine import reading, writing
from store.tables import Matter
from turns.understood import ASPECTS
from web.deps import EditsKnowledge, OwnForm, SeesKnowledge, SiteDep
from web.desk.answering import desk_act, desk_page, onward, wants_part
from web.errors import ProblemError

router = APIRouter(prefix="/knowledge/inbox", include_in_schema=False)

INBOX = "/knowledge/inbox"
_DAYS = (1, 7, 30, 90)
_SHOWN = 60
_DONE = {
    "added": "已经加进事项的改动里，批准并发布后生效。",
    "dismissed": "已经放到一边，不再列出。",
    "nothing": "这几条已经有人处理过了。",
}
_REASONS = {"miss": "没答上", "asked": "反问了", "thumbs_down": "被评没解决", "handoff": "转了人工"}
_AS = ("question", "alias")
_SEQS = re.compile(r"\d{1,10}(?:,\d{1,10}){0,1999}")

Seqs = Annotated[str, Form(max_length=22_000)]


@router.get("")
def inbox_page(
    request: Request,
    site: SiteDep,
    member: SeesKnowledge,  # noqa: ARG001  # asking for it is the check
    days: int = 7,
    done: str = "",
) -> Response:
    """What citizens asked in the last ``days`` days and did not get, most asked first."""
    days = days if days in _DAYS else 7
    now = site.now()
    with reading(site.engine) as session:
        found = items(session, now - timedelta(days=days), now + timedelta(minutes=1))
        matters = _matters(session)
    groups = grouped(found)
    values = {
        "groups": groups[:_SHOWN], "left": max(0, len(groups) - _SHOWN), "people": people(found),
        "days": days, "choices": _DAYS, "matters": matters, "aspects": ASPECTS,
        "names": dict(matters), "reasons": _REASONS, "done": _DONE.get(done, ""),
    }  # fmt: skip
    name = "knowledge_inbox_list.html" if wants_part(request) else "knowledge_inbox.html"
    return desk_page(request, name, values)


@router.post("/add", dependencies=[OwnForm])
def add(
    request: Request,
    site: SiteDep,
    member: EditsKnowledge,
    seqs: Seqs,
    matter: Annotated[str, Form(max_length=60)] = "",
    aspect: Annotated[str, Form(max_length=4)] = "",
    kind: Annotated[str, Form(max_length=10)] = "question",
    text: Annotated[list[str], Form(max_length=20)] = [],  # noqa: B006  # FastAPI copies it
) -> Response:
    """Stage the wordings as a way of asking for an aspect, or as names of the matter."""
    said = tuple(dict.fromkeys(one.strip() for one in text if one.strip()))
    turns = _numbers(seqs)
    if kind not in _AS or (kind == "question" and aspect not in ASPECTS) or not said:
        raise ProblemError(422, "inbox_incomplete")
    act = desk_act(site, member)
    with writing(site.engine) as session:
        if kind == "alias":
            words.add_words(session, act, matter, aliases=said)
        else:
            words.add_words(session, act, matter, questions={aspect: said})
        settle(session, act, turns, "added", matter=matter, aspect=aspect)
    return onward(request, f"{INBOX}?done=added")


@router.post("/dismiss", dependencies=[OwnForm])
def dismiss(request: Request, site: SiteDep, member: EditsKnowledge, seqs: Seqs) -> Response:
    """Nothing to learn from these."""
    with writing(site.engine) as session:
        settled = settle(session, desk_act(site, member), _numbers(seqs), "dismissed")
    return onward(request, f"{INBOX}?done={'dismissed' if settled else 'nothing'}")


def _numbers(seqs: str) -> tuple[int, ...]:
    if not _SEQS.fullmatch(seqs):
        raise ProblemError(422, "inbox_incomplete")
    return tuple(int(seq) for seq in seqs.split(","))


def _matters(session: Session) -> list[tuple[str, str]]:
    rows = session.execute(select(Matter.code, Matter.name).order_by(Matter.position, Matter.code))
    return [(code, name) for code, name in rows]
