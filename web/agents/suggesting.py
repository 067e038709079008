"""Published answers to what a citizen says to an agent.

The words are looked up where the dialogue looks up its own (the actions process): the web process
holds no search of its own for it. Where that gives nothing, nothing is suggested.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import httpx
import structlog
from sqlalchemy import Engine, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from knowledge.matters import CITY, answer_id
from knowledge.published import published_of
from store.engine import reading
from store.faults import fault_of
from store.tables import Answer, Conversation, Matter
from turns import wire
from turns.context import Context
from turns.understood import Finding
from web.agents.parts import DeskParts

SHOWN = 3
TIMEOUT_S = 2.0
LEAST_SPOKEN = 4
"""Characters of a partial below which it asks for nothing yet."""
_OK = 200
_log = structlog.get_logger(__name__)
Found = list[dict[str, Any]]


class ActionsLookup:
    """Asks the actions process; ``parts.Lookup``."""

    def __init__(self, address: str) -> None:
        self._http = httpx.AsyncClient(base_url=address, timeout=TIMEOUT_S, trust_env=False)

    async def find(self, text: str, context: Context, at: datetime) -> Finding | None:
        """What is found; None where the actions do not answer."""
        asked = {"text": text[:1000], "at": at.isoformat(), "context": wire.dump(context)}
        try:
            answer = await self._http.post("/search", json=asked)
            if answer.status_code != _OK:
                return None
            return wire.load(Finding, answer.json())
        except (httpx.HTTPError, ValueError, wire.WireError):
            return None

    async def __aenter__(self) -> ActionsLookup:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()


class Suggesting:
    """Looks up one talk's words, the latest only; ``tell`` gets the answers."""

    def __init__(
        self, parts: DeskParts, conversation: str, tell: Callable[[Found], Awaitable[None]]
    ) -> None:
        self._parts = parts
        self._conversation = conversation
        self._tell = tell
        self._context: Context | None = None
        self._region = ""
        self._told: Found = []
        self._task: asyncio.Task[None] | None = None
        self._spoken: tuple[str, datetime] | None = None

    def look_up(self, text: str, at: datetime) -> None:
        """Look up ``text``; what was being looked up before is of no interest any more."""
        if self._parts.joints.lookup is None:
            return
        self.close()
        self._task = asyncio.create_task(self._look_up(text, at))

    def overhear(self, text: str, at: datetime) -> None:
        """Look up words that are still being said: the newest, when the look before is over."""
        if self._parts.joints.lookup is None or len(text) < LEAST_SPOKEN:
            return
        self._spoken = (text, at)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._keep_up())

    async def _keep_up(self) -> None:
        while (spoken := self._spoken) is not None:
            self._spoken = None
            await self._look_up(*spoken, whole=False)

    def close(self) -> None:
        """Nobody wants to know."""
        self._spoken = None
        if self._task is not None:
            self._task.cancel()

    async def _look_up(self, text: str, at: datetime, *, whole: bool = True) -> None:
        """Words that are not ``whole`` may still become others: they change no context, and what
        they do not tell takes no answer away.
        """
        lookup = self._parts.joints.lookup
        if lookup is None:
            return
        try:
            if self._context is None:
                self._context = await asyncio.to_thread(
                    read_context, self._parts.engine, self._conversation
                )
                self._region = self._context.region
            finding = await lookup.find(text, self._context, at)
            if finding is None:
                return
            if whole:
                self._context = finding.context
            answers = await asyncio.to_thread(
                answers_of, self._parts.engine, finding, self._region or finding.context.region,
                at.astimezone(self._parts.city.zone).date(),
            )  # fmt: skip
        except SQLAlchemyError as error:
            _log.error("suggest_failed", code="store_down", fault=fault_of(error))
            return
        if answers != self._told and (answers or whole):
            self._told = answers
            await self._tell(answers)


async def answer_to(parts: DeskParts, conversation: str, text: str) -> dict[str, Any] | None:
    """The one published answer that ``text`` surely asks for; None where there is none."""
    lookup = parts.joints.lookup
    if lookup is None:
        return None
    context = await asyncio.to_thread(read_context, parts.engine, conversation)
    finding = await lookup.find(text, context, parts.now())
    if finding is None or finding.decision != "answer":
        return None
    day = parts.now().astimezone(parts.city.zone).date()
    found = await asyncio.to_thread(answers_of, parts.engine, finding, context.region, day)
    return next((one for one in found if one["answer"] == finding.answer), None)


def read_context(engine: Engine, conversation: str) -> Context:
    """What the talk is about, and where its citizen is."""
    with reading(engine) as session:
        row = session.get(Conversation, conversation)
        if row is None:
            return Context()
        try:
            context = wire.load(Context, row.context)
        except wire.WireError:
            context = Context()
        return context if context.region else replace(context, region=row.region)


def answers_of(engine: Engine, finding: Finding, region: str, day: date) -> Found:
    """The texts of what was found, the likeliest first; the region's own before the city's.

    Nothing for what is none of our matters: a miss suggests nothing.
    """
    wanted = _pairs(finding)
    with reading(engine) as session:
        found = [_published(session, *pair, region, day) for pair in wanted]
    return [
        {**answer, "score": round(score, 2)}
        for answer, score in zip(found, _scores(finding, wanted), strict=True)
        if answer is not None
    ][:SHOWN]


def _pairs(finding: Finding) -> list[tuple[str, str]]:
    """Matter and aspect of each answer worth showing."""
    if finding.decision == "answer":
        first = [tuple(finding.answer.split(":")[:2])]
    elif finding.decision == "ask":
        first = [tuple(option.value.split(":")[:2]) for option in finding.options]
    else:
        return []
    others = [(one.matter, one.aspect) for one in finding.candidates if one.score >= _LIKELY]
    pairs = [(pair[0], pair[1]) for pair in (*first, *others) if len(pair) == 2]
    return list(dict.fromkeys(pairs))


_LIKELY = 0.15


def _scores(finding: Finding, pairs: Sequence[tuple[str, str]]) -> list[float]:
    known = {(one.matter, one.aspect): one.score for one in finding.candidates}
    return [known.get(pair, 0.0) for pair in pairs]


def _published(
    session: Session, matter: str, aspect: str, region: str, day: date
) -> dict[str, Any] | None:
    row = session.get(Matter, matter)
    if row is None:
        return None
    valid = session.scalars(
        select(Answer)
        .where(Answer.matter_code == matter, Answer.aspect == aspect, Answer.state == "published")
        .where(Answer.region.in_((region, CITY)), Answer.valid_from <= day)
        .where(or_(Answer.valid_to.is_(None), Answer.valid_to >= day))
        .order_by(Answer.valid_from.desc(), Answer.version.desc())
    ).all()
    best = next((one for one in valid if one.region == region), None) or next(iter(valid), None)
    return shown(best, row.name) if best else None


def shown(row: Answer, matter: str) -> dict[str, Any]:
    """A published answer for its frame."""
    answer = published_of(row, matter)
    return {
        "answer": answer_id(row.matter_code, row.aspect, row.region),
        "matter": matter,
        "aspect": row.aspect,
        "title": f"{matter}的{row.aspect}",
        "text": answer.text,
        "speech": answer.speech,
        "source": answer.source,
        "region": row.region,
    }


def published(engine: Engine, answer: str, day: date) -> dict[str, Any] | None:
    """The published answer of that id as it stands; None where it is not said (any more)."""
    parts = answer.split(":")
    if len(parts) != len(("matter", "aspect", "region")):
        return None
    matter, aspect, region = parts
    with reading(engine) as session:
        found = _published(session, matter, aspect, region, day)
    return found if found is not None and found["answer"] == answer else None
