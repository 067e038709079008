"""What a turn makes of what was offered before it: a choice, a yes, a no, none of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.actions.answers import (
    NONE,
    Knowledge,
    besides,
    by_words,
    chosen_code,
    code_of,
    named,
    offer,
    option_of,
)
from bot.actions.arbitration import CLEAR, chance
from bot.actions.calls import OPENS_FORM, Turn
from bot.actions.outcome import Decided, Memory, ask, person, say
from bot.actions.regions import PREFIX
from bot.actions.words import none_of_them, ordinal, wants, yes_no
from config.prompts import Prompts
from knowledge.search import Found
from language.questions import asks
from turns.replies import Option, Say

MISSES = 2  # in a row, then a person takes over (domain.md, People on the line)
FORM = "form"  # the value of the option that has a told story taken down
_OPTIONS = 3
_WORTH = 0.1  # chance from which an answer is offered to somebody not understood twice
_LIKELY = 0.4  # chance from which a question means the option offered that it finds first
_DOUBTFUL = 0.5
_SHORT = 10  # characters; a longer no says something else besides


def followed(
    turn: Turn, memory: Memory, knowledge: Knowledge, prompts: Prompts
) -> Decided | Option | None:
    """What the turn makes of the offer; the option itself where it opens the form; None where it
    is no answer to an offer.
    """
    if turn.text == NONE or _past_the_end(turn.text, memory):
        return refused_all(turn, memory, knowledge, prompts)
    option = _option(turn, memory, knowledge)
    if option is not None:
        return _taken(option, turn, memory, knowledge, prompts)
    if not memory.offered or turn.act in ("danger", "handoff", *OPENS_FORM) or asks(turn.text):
        return None
    if _declines(turn):
        if memory.soft:
            return _declined(memory, prompts)
        return refused_all(turn, memory, knowledge, prompts)
    if not memory.soft and wants(turn.text):
        return replace(offer(memory.offered, prompts), act="policy")
    return None


def _past_the_end(text: str, memory: Memory) -> bool:
    """Whether the place of 都不是, behind the last option, is chosen (key 4 of three)."""
    count = len(memory.offered)
    if not count or memory.soft or ordinal(text, count) is not None:
        return False
    return ordinal(text, count + 1) == count


def refused_all(turn: Turn, memory: Memory, knowledge: Knowledge, prompts: Prompts) -> Decided:
    """都不是: the next best options, once; then the turn was not understood."""
    options = _published(memory.later, knowledge, turn)
    if not options:
        return missed(turn, memory, None, knowledge, prompts)
    return replace(offer(options, prompts), act="deny", unsure=True)


def missed(
    turn: Turn, memory: Memory, found: Found | None, knowledge: Knowledge, prompts: Prompts
) -> Decided:
    """Nothing was understood: ask to say it in other words; the second time offer what comes
    nearest, if anything does; else a person.
    """
    if memory.misses + 1 < MISSES:
        context = found.context if found else None
        candidates = found.candidates if found else ()
        matter = found.context.matter if found and found.context.matter else ""
        return Decided(
            (say(prompts.miss),), "miss", context=context, matter=matter, candidates=candidates
        )
    if found is not None and memory.misses + 1 == MISSES:
        near = [f"{c.matter}:{c.aspect}" for c in found.candidates if c.score >= _WORTH]
        options = _published(near, knowledge, turn)
        if options:
            return replace(offer(options, prompts, found.context), act="policy", unsure=True)
    return person("misses")


def _option(turn: Turn, memory: Memory, knowledge: Knowledge) -> Option | None:
    """The option that is chosen, by its value, place, a yes, or its words."""
    if code_of(turn.text) is not None:
        return Option(turn.text, turn.text)
    offered = memory.offered
    if not offered:
        return None
    option = named(turn.text, offered)
    if option is not None:
        return option
    if (len(offered) == 1 or memory.soft) and wants(turn.text):
        return offered[0]
    if turn.act in ("danger", "handoff", *OPENS_FORM) or none_of_them(turn.text):
        return None
    if asks(turn.text):
        return _asked_for(turn, memory, knowledge)
    return by_words(turn.text, offered)


def _asked_for(turn: Turn, memory: Memory, knowledge: Knowledge) -> Option | None:
    """The option that a question means; None for a question of its own, though it may share words
    with an option.
    """
    found = knowledge.find(turn.text, turn.context, now=turn.at)
    best = found.candidates[0] if found.candidates else None
    if best is not None and not memory.soft and best.score >= _LIKELY:
        code = f"{best.matter}:{best.aspect}"
        meant = next((option for option in memory.offered if option.value == code), None)
        if meant is not None:
            return meant
    clear = found.decision == "answer" and chance(found) >= CLEAR
    return None if clear else by_words(turn.text, memory.offered)


def _taken(
    option: Option, turn: Turn, memory: Memory, knowledge: Knowledge, prompts: Prompts
) -> Decided | Option | None:
    if option.value == FORM:
        return option
    context = turn.context
    code = code_of(option.value)
    if option.value.startswith(PREFIX):
        context = replace(context, region=option.value.removeprefix(PREFIX))
        code = (context.matter, context.aspect)
    if code is None:
        return None
    decided = chosen_code(knowledge, code, context, turn.at)
    if decided is None:
        return missed(turn, memory, None, knowledge, prompts)
    decided = replace(decided, act="policy")
    return besides(decided, _rest(memory, option), prompts) if memory.soft else decided


def _rest(memory: Memory, taken: Option | None) -> tuple[Option, ...]:
    """Questions that were asked besides and are still unanswered."""
    return tuple(one for one in memory.offered if one != taken and _is_answer(one))


def _is_answer(option: Option) -> bool:
    return not option.value.startswith(PREFIX) and code_of(option.value) is not None


def _declines(turn: Turn) -> bool:
    if none_of_them(turn.text):
        return True
    if len(turn.text) > _SHORT:
        return False
    return yes_no(turn.text) is False or (turn.act == "deny" and turn.confidence >= _DOUBTFUL)


def _declined(memory: Memory, prompts: Prompts) -> Decided:
    """No to what was offered beside an answer: what else was asked, or nothing more."""
    regions = any(option.value.startswith(PREFIX) for option in memory.offered)
    rest = _rest(memory, None) if regions else ()
    if rest:
        return besides(Decided((), "talk", act="deny"), rest, prompts)
    return Decided((ask(prompts.anything_else),), "talk", act="deny")


def _published(codes: Sequence[str], knowledge: Knowledge, turn: Turn) -> tuple[Option, ...]:
    """The options for codes of answers that are published."""
    options: list[Option] = []
    for code in codes:
        pair = code_of(code)
        answer = knowledge.by_code(*pair, region=turn.context.region, now=turn.at) if pair else None
        if answer is not None:
            options.append(option_of(answer))
    return tuple(options[:_OPTIONS])


def at_once(knowledge: Knowledge, turn: Turn, prompts: Prompts) -> Decided | None:
    """The talk's own answer for the region just told; that it is the same, where it is."""
    context = turn.context
    if not (context.matter and context.aspect):
        return None
    decided = chosen_code(knowledge, (context.matter, context.aspect), context, turn.at)
    told = [reply.answer for reply in turn.last_replies if isinstance(reply, Say)]
    if decided is not None and decided.answer in told:
        return Decided((say(prompts.region_same),), "talk")
    return decided and replace(decided, act="policy")
