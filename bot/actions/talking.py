"""A turn outside the form: what was offered, a question, small talk, or the begin of a form."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from bot.actions.answers import Knowledge, answered, besides, code_of, offer, option_of
from bot.actions.arbitration import CLEAR, SURE, chance, way
from bot.actions.calls import OPENS_FORM, Turn
from bot.actions.following import FORM, at_once, followed, missed
from bot.actions.looking import Looked, leaning, look, look_around, placed
from bot.actions.outcome import Decided, Memory, Story, ask, goodbye, person, say
from bot.actions.refusals import refused
from bot.actions.regions import noted, only_region, with_elsewhere
from bot.actions.words import meant, needs_nothing, opens_only, thanks
from bot.steering import steered
from config.city import City
from config.prompts import Prompts
from knowledge.published import KnowledgeError
from knowledge.search import Found
from language.cities import other_city
from language.questions import asks, asks_to_complain
from language.steering import Steering
from language.telling import hands_in
from turns.context import Context
from turns.replies import Ask, Option, Say

__all__ = ["SURE", "Talked", "repeated", "talk"]

INSULTS = 2
CHATTER = 0.8  # probability of chatter from which it is told what this place is for
_DOUBTLESS = 0.9  # chance of an answer from which it is said although the act is another
_BARE = 10  # characters; a shorter wish to complain tells nothing beside what was told before
_WAYS = re.compile("投诉|举报|维权|仲裁|监察|起诉")  # an answer that says how to complain
_KEEPS_OFFER = ("repeat", "slower")


@dataclass(frozen=True, slots=True)
class Talked:
    """What a turn outside the form led to; ``decided`` None opens the form."""

    decided: Decided | None
    memory: Memory


def talk(turn: Turn, memory: Memory, knowledge: Knowledge, city: City) -> Talked:
    """Decide: what was offered first, then what must not be done, then what was corrected, then
    complaint, policy and small talk as they stand in :mod:`bot.actions.arbitration`.
    """
    turn = replace(turn, context=placed(turn.context, turn.text, city))
    decided = _decided(turn, memory, knowledge, city)
    if decided is None:
        return Talked(None, Memory(story=memory.story if len(turn.text) <= _BARE else None))
    if decided.context is None:
        decided = replace(decided, context=turn.context)
    return Talked(decided, _remembered(decided, turn, memory))


def repeated(turn: Turn, prompts: Prompts, *, slower: bool = False) -> Decided:
    """What was told last, once more."""
    wish = Steering(("slower",), "sentence") if slower else Steering()
    return Decided(steered(turn.last_replies, wish, prompts), "talk")


def _decided(turn: Turn, memory: Memory, knowledge: Knowledge, city: City) -> Decided | None:
    """None opens the form."""
    if turn.act not in ("danger", "handoff") and code_of(turn.text) is None:
        no = refused(turn.text, city.prompts)
        if no is not None:
            return no
    chosen = followed(turn, memory, knowledge, city.prompts)
    if isinstance(chosen, Option):
        return None
    return (
        chosen
        or _opening(turn, city.prompts)
        or _placed(turn, knowledge, city)
        or _corrected(turn, knowledge, city)
        or _other_city(turn, knowledge, city)
        or _arbitrated(turn, memory, knowledge, city)
    )


def _opening(turn: Turn, prompts: Prompts) -> Decided | None:
    """我想咨询个事: the question is yet to come."""
    return Decided((say(prompts.greet),), "talk", act="greet") if opens_only(turn.text) else None


def _placed(turn: Turn, knowledge: Knowledge, city: City) -> Decided | None:
    """我在临江县 and nothing else: the talk's answer as it is there."""
    if not only_region(turn.text, city):
        return None
    return at_once(knowledge, turn, city.prompts) or noted(city)


def _corrected(turn: Turn, knowledge: Knowledge, city: City) -> Decided | None:
    """不对，我问的是买房: what is right instead; what was said just now is not said again."""
    said = meant(turn.text) if turn.act not in ("danger", "handoff", *OPENS_FORM) else ""
    if not said:
        return None
    looked = look(knowledge, said, turn.context, turn.at)
    answer = looked.found.answer
    told = [reply.answer for reply in turn.last_replies if isinstance(reply, Say)]
    if answer is not None and answer.id in told:
        return None
    return _answered(looked, turn, city)


def _other_city(turn: Turn, knowledge: Knowledge, city: City) -> Decided | None:
    """Another city's rule: not told, ours offered instead."""
    own = {name for region in city.regions for name in (region.name, *region.aliases)}
    other = other_city(turn.text, own) if turn.act not in OPENS_FORM else ""
    if not other:
        return None
    prompts = city.prompts
    no = say(prompts.fill("other_city", city=city.name, other=other))
    found = knowledge.find(turn.text.replace(other, "", 1), turn.context, now=turn.at)
    if found.answer is None:
        return Decided((no,), "talk")
    ours = (option_of(found.answer),)
    question = ask(prompts.fill("ours_instead", city=city.name), "yes_no", options=ours)
    return Decided((no, question), "talk", offered=ours, soft=True)


def _arbitrated(turn: Turn, memory: Memory, knowledge: Knowledge, city: City) -> Decided | None:
    """None opens the form."""
    if turn.act not in ("danger", "handoff") and hands_in(turn.text):
        return None
    if (
        turn.act not in ("policy", "other", *OPENS_FORM)
        and not asks(turn.text)
        and turn.confidence >= SURE
    ):
        return _by_act(turn, memory, city.prompts)
    try:
        looked = look_around(knowledge, turn.text, turn.context, turn.at, city)
        went = way(turn, looked.found, _alone(turn, memory, looked.found, knowledge))
    except KnowledgeError:
        if turn.act in ("policy", "other"):
            raise
        return None if turn.act in OPENS_FORM else _by_act(turn, memory, city.prompts)
    if went == "form":
        return None
    if went == "act":
        return _by_act(turn, memory, city.prompts)
    return (
        _complaining(looked, turn, city.prompts)
        or _answered(looked, turn, city)
        or _not_found(turn, memory, looked, knowledge, city)
    )


def _complaining(looked: Looked, turn: Turn, prompts: Prompts) -> Decided | None:
    """暖气不热怎么投诉: the form is offered, unless something published says how."""
    answer = looked.found.answer
    told = f"{answer.matter_name}{answer.text}" if answer else ""
    if not asks_to_complain(turn.text) or _WAYS.search(told) or looked.found.options:
        return None
    options = (Option(prompts.take_down, FORM),)
    question = ask(prompts.take_down_too, "yes_no", options=options)
    return Decided((question,), "ask", act="complaint", offered=options, soft=True)


def _alone(turn: Turn, memory: Memory, found: Found, knowledge: Knowledge) -> Found:
    """What the words find outside the talk, unless it has just asked for them."""
    if not turn.context.matter or (memory.offered and not memory.soft):
        return found
    return knowledge.find(turn.text, Context(region=turn.context.region), now=turn.at)


def _answered(looked: Looked, turn: Turn, city: City) -> Decided | None:
    """The answer or the options, with what is asked back beside them; None for a miss."""
    found = leaning(looked.found)
    if _strange(turn, found) and found.answer is not None:
        asked = offer((option_of(found.answer),), city.prompts, found.context)
        return replace(asked, act="policy", candidates=found.candidates)
    decided = answered(found, city.prompts)
    story = turn.act in OPENS_FORM and turn.confidence >= SURE
    if decided is None or decided.decision != "answer":
        return _offered_too(decided, city.prompts) if decided and story else decided
    placed = with_elsewhere(decided, found, city)
    if placed is not decided:
        return replace(placed, offered=(*placed.offered, *looked.also))
    if looked.also:
        return besides(decided, looked.also, city.prompts)
    return _with_form(decided, city.prompts) if story else decided


def _strange(turn: Turn, found: Found) -> bool:
    """Whether a turn whose act is none of asking about policy starts a talk with a doubtful
    answer; the surer the act, the less may be doubtful.
    """
    if turn.context.matter or turn.act == "policy":
        return False
    sure = turn.act == "other" and turn.confidence >= SURE
    return chance(found) < (_DOUBTLESS if sure else CLEAR)


def _with_form(decided: Decided, prompts: Prompts) -> Decided:
    """A story whose question was answered may be taken down as well."""
    options = (Option(prompts.take_down, FORM),)
    question = ask(prompts.take_down_too, "yes_no", options=options)
    replies = (*decided.replies, question)
    return replace(decided, replies=replies, offered=options, soft=True)


def _offered_too(decided: Decided, prompts: Prompts) -> Decided:
    """Options for a story's question, and the form as the last of them."""
    options = (*decided.offered[:2], Option(prompts.take_down, FORM))
    asked = offer(options, prompts)
    return replace(decided, replies=asked.replies, offered=options)


def _not_found(
    turn: Turn, memory: Memory, looked: Looked, knowledge: Knowledge, city: City
) -> Decided:
    if turn.act == "other" and turn.confidence >= CHATTER and not memory.misses:
        return Decided((say(city.prompts.other),), "talk", unsure=True)
    heard = replace(turn, act="other") if turn.act == "handoff" else turn
    decided = missed(heard, memory, looked.found, knowledge, city.prompts)
    return replace(decided, act=decided.act or heard.act)


def _by_act(turn: Turn, memory: Memory, prompts: Prompts) -> Decided:
    match turn.act:
        case "handoff" | "danger":
            return person("asked" if turn.act == "handoff" else "danger")
        case "repeat" | "slower":
            return repeated(turn, prompts, slower=turn.act == "slower")
        case "bye":
            return _taking_leave(turn, prompts)
        case "insult":
            if memory.insults + 1 >= INSULTS:
                return person("anger")
            return Decided((say(prompts.insult),), "talk")
        case "greet" | "status" | "praise":
            return Decided((say(getattr(prompts, turn.act)),), "talk")
        case _:
            return _loose_end(turn, memory, prompts)


def _taking_leave(turn: Turn, prompts: Prompts) -> Decided:
    """Goodbye; thanks alone end no talk, unless it was asked whether there is anything else."""
    if thanks(turn.text) and prompts.anything_else not in _told(turn):
        return Decided((ask(prompts.anything_else),), "talk")
    return goodbye(prompts.bye)


def _told(turn: Turn) -> str:
    return " ".join(reply.text for reply in turn.last_replies if isinstance(reply, Say | Ask))


def _loose_end(turn: Turn, memory: Memory, prompts: Prompts) -> Decided:
    """对, 没有 or 算了 where nothing was asked but, perhaps, whether there is anything else."""
    if turn.act == "deny":
        if prompts.anything_else in _told(turn):
            return goodbye(prompts.bye)
        if needs_nothing(turn.text):
            return Decided((ask(prompts.anything_else),), "talk")
        return Decided((say(prompts.miss),), "miss") if not memory.misses else person("misses")
    return Decided(
        (ask(prompts.anything_else if turn.act == "cancel" else prompts.silence),), "talk"
    )


def _remembered(decided: Decided, turn: Turn, memory: Memory) -> Memory:
    """Misses and insults count in a row; what was offered may still be chosen after 再说一遍."""
    if turn.act in _KEEPS_OFFER and decided.decision == "talk":
        return replace(memory, insults=0)
    missed_again = decided.decision == "miss" or decided.unsure
    kept = memory.misses if decided.decision == "ask" else 0
    story = any(option.value == FORM for option in decided.offered)
    return Memory(
        offered=decided.offered,
        misses=memory.misses + 1 if missed_again else kept,
        insults=memory.insults + 1 if turn.act == "insult" else 0,
        soft=decided.soft,
        later=_later(decided),
        story=Story.of(turn) if story else None,
    )


def _later(decided: Decided) -> tuple[str, ...]:
    """The next best answers behind those offered, for 都不是."""
    if decided.decision != "ask" or decided.unsure:
        return ()
    shown = {option.value for option in decided.offered}
    codes = (f"{candidate.matter}:{candidate.aspect}" for candidate in decided.candidates)
    return tuple(code for code in codes if code not in shown)
