"""Questions of policy: what is published is said, two or three things it may be are offered."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from bot.actions.outcome import Decided, ask, say
from bot.actions.words import ordinal
from config.prompts import Prompts
from knowledge.matters import PublishedAnswer
from knowledge.published import KnowledgeError
from knowledge.search import Found
from language.normal import for_matching
from language.pinyin import fuzzy_syllables, ngrams
from turns.context import Context
from turns.replies import Expects, Option

NONE = "none"  # the value of the option 都不是
_CODE = re.compile(r"([a-z]+(?:\.[a-z]+)*):(\w+)")
_ABOUT = 0.5  # the chance from which a story is taken to be about a matter
_PLACES = "一二三四五六七八九"
_ALIKE = 0.34  # the share of an option's own syllable pairs that its choice in words must name


class Unavailable:
    """Knowledge while nothing can be looked up: whoever needs it gets the error."""

    def __init__(self, error: KnowledgeError) -> None:
        self._error = error

    def find(self, *_: object, **__: object) -> Found:
        """Raises :class:`KnowledgeError`."""
        raise self._error

    def by_code(self, *_: object, **__: object) -> PublishedAnswer | None:
        """Raises :class:`KnowledgeError`."""
        raise self._error


class Knowledge(Protocol):
    """What is published now: :class:`knowledge.search.Search`, or a fake."""

    def find(
        self, text: str, context: Context | None = None, *, region: str = "", now: datetime
    ) -> Found:
        """What a text asks for."""

    def by_code(
        self, matter: str, aspect: str, *, region: str = "", now: datetime
    ) -> PublishedAnswer | None:
        """The answer that a chosen option stands for."""


def answered(found: Found, prompts: Prompts) -> Decided | None:
    """What is told for ``found``; None for a miss."""
    if found.decision == "answer" and found.answer is not None:
        said = _said(found.answer, found.context)
        return replace(said, act="policy", candidates=found.candidates)
    if found.decision == "ask" and found.options:
        return replace(_offered(found, prompts), act="policy")
    return None


def matter_of(knowledge: Knowledge, text: str, now: datetime) -> str:
    """The matter that a story is about (its form may ask more than the general one); '' if unsure,
    or while nothing can be looked up: a complaint is taken all the same.
    """
    try:
        ranked = knowledge.find(text, now=now).candidates
    except KnowledgeError:
        return ""
    best = ranked[0].matter if ranked else ""
    return best if sum(c.score for c in ranked if c.matter == best) >= _ABOUT else ""


def code_of(text: str) -> tuple[str, str] | None:
    """Matter and aspect of an option's value (``gjj.rent:条件``)."""
    match = _CODE.fullmatch(text.strip())
    return (match[1], match[2]) if match else None


def chosen_code(
    knowledge: Knowledge, code: tuple[str, str], context: Context, now: datetime
) -> Decided | None:
    """The answer behind an option's value; None when it is no longer published."""
    matter, aspect = code
    answer = knowledge.by_code(matter, aspect, region=context.region, now=now)
    if answer is None:
        return None
    return _said(answer, replace(context, matter=matter, aspect=aspect))


def choice(text: str, offered: Sequence[Option]) -> Option | None:
    """The offered option that ``text`` means: its value, its place (第二个), or its words."""
    return named(text, offered) or by_words(text, offered)


def named(text: str, offered: Sequence[Option]) -> Option | None:
    """The offered option whose value or place (第二个, key 2) is all that ``text`` says."""
    for option in offered:
        if text.strip() == option.value:
            return option
    place = ordinal(text, len(offered))
    return offered[place] if place is not None else None


def by_words(text: str, offered: Sequence[Option]) -> Option | None:
    """The option whose own syllables, those that no other option has, the text names best."""
    said = set(ngrams(fuzzy_syllables(for_matching(text)), 2, 2, "-"))
    pairs = [set(ngrams(fuzzy_syllables(option.label), 2, 2, "-")) for option in offered]
    scores = []
    for i, own in enumerate(pairs):
        others = set().union(*(p for j, p in enumerate(pairs) if j != i))
        telling = own - others
        scores.append(len(telling & said) / len(telling) if telling else 0.0)
    best = max(range(len(offered)), key=scores.__getitem__, default=-1)
    if best < 0 or scores[best] < _ALIKE or scores.count(scores[best]) > 1:
        return None
    return offered[best]


def _said(answer: PublishedAnswer, context: Context) -> Decided:
    text = f"{answer.text}\n来源：{answer.source}" if answer.source else answer.text
    return Decided(
        (say(text, speech=answer.speech or answer.text, answer=answer.id),),
        "answer",
        context=context,
        matter=answer.matter,
        aspect=answer.aspect,
        answer=answer.id,
    )


def offer(options: Sequence[Option], prompts: Prompts, context: Context | None = None) -> Decided:
    """Ask which of ``options`` is meant; the ear hears them numbered."""
    labels = [option.label for option in options]
    text = prompts.fill("offer", options="，还是".join(labels))
    speech = ""
    if len(labels) > 1:
        listed = "；".join(f"第{_PLACES[n]}个，{label}" for n, label in enumerate(labels))
        speech = prompts.fill("offer_spoken", options=listed)
    shown = (*options, Option(prompts.none_of_these, NONE))
    question = ask(text, "choice", options=shown, speech=speech)
    return Decided((question,), "ask", context=context, offered=tuple(options))


def besides(decided: Decided, options: Sequence[Option], prompts: Prompts) -> Decided:
    """``decided``, and the question whether what else was asked should be answered too."""
    if not options:
        return decided
    listed = "，还有".join(option.label for option in options)
    expects: Expects = "yes_no" if len(options) == 1 else "choice"
    question = ask(prompts.fill("more_asked", options=listed), expects, options=tuple(options))
    offered = (*decided.offered, *options)
    return replace(decided, replies=(*decided.replies, question), offered=offered, soft=True)


def option_of(answer: PublishedAnswer) -> Option:
    """The option that stands for an answer."""
    return Option(f"{answer.matter_name}的{answer.aspect}", f"{answer.matter}:{answer.aspect}")


def _offered(found: Found, prompts: Prompts) -> Decided:
    return replace(
        offer(found.options, prompts, found.context),
        matter=found.context.matter,
        aspect=found.context.aspect,
        candidates=found.candidates,
    )
