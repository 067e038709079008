"""A turn outside the form: a choice, a question, small talk, or the begin of a form."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.actions.answers import Knowledge, answered, choice, chosen_code, code_of
from bot.actions.calls import OPENS_FORM, Turn
from bot.actions.outcome import Decided, Memory, ask, goodbye, person, say
from bot.actions.words import none_of_them, question, yes_no
from config.prompts import Prompts
from turns.replies import Ask, Say

MISSES = 2  # in a row, then a person takes over (domain.md, People on the line)
INSULTS = 2
SURE = 0.6  # an act's probability from which it goes before what the words were expected to be
_DOUBTFUL = 0.5
_GUESS = 0.37  # an act below this is a guess: looked up, or not understood (held-out sentences)


@dataclass(frozen=True, slots=True)
class Talked:
    """What a turn outside the form led to; ``decided`` None opens the form."""

    decided: Decided | None
    memory: Memory


def talk(turn: Turn, memory: Memory, knowledge: Knowledge, prompts: Prompts) -> Talked:
    """Decide: an option that was offered, then a complaint, then policy, then small talk."""
    decided = _chosen(turn, memory, knowledge, prompts)
    if decided is None:
        if _opens_form(turn, knowledge):
            return Talked(None, Memory())
        decided = _by_act(turn, memory, knowledge, prompts)
    return Talked(decided, _remembered(decided, turn, memory))


def repeated(turn: Turn, prompts: Prompts, *, slower: bool = False) -> Decided:
    """What was told last, once more."""
    last = tuple(reply for reply in turn.last_replies if isinstance(reply, Say | Ask))
    if slower:
        return Decided((say(prompts.slower), *last), "talk")
    return Decided(last or (say(prompts.repeat_nothing),), "talk")


def _chosen(turn: Turn, memory: Memory, knowledge: Knowledge, prompts: Prompts) -> Decided | None:
    """The answer to an option, whether its button was pressed or its words were said."""
    code = code_of(turn.text)
    if code is None and memory.offered and turn.act not in ("danger", "handoff", *OPENS_FORM):
        if none_of_them(turn.text) or (turn.act == "deny" and turn.confidence >= _DOUBTFUL):
            return _missed(memory, prompts)
        if len(memory.offered) == 1 and yes_no(turn.text):
            code = code_of(memory.offered[0].value)
        else:
            option = choice(turn.text, memory.offered)
            code = code_of(option.value) if option else None
    if code is None:
        return _missed(memory, prompts) if turn.text == "none" else None
    decided = chosen_code(knowledge, code, turn.context, turn.at)
    return decided and replace(decided, act="policy")


def _opens_form(turn: Turn, knowledge: Knowledge) -> bool:
    """Whether the turn tells of a matter to be dealt with; a doubtful one that is put as a
    question, and that something published may answer, does not.
    """
    if turn.act not in OPENS_FORM or turn.confidence < _GUESS:
        return False
    if turn.confidence >= SURE or not question(turn.text):
        return True
    return knowledge.find(turn.text, turn.context, now=turn.at).decision == "miss"


def _by_act(turn: Turn, memory: Memory, knowledge: Knowledge, prompts: Prompts) -> Decided:
    if turn.confidence < _GUESS:
        return _policy(turn, memory, knowledge, prompts)
    match turn.act:
        case "handoff":
            return person("asked")
        case "danger":
            return person("danger")
        case "repeat" | "slower":
            return repeated(turn, prompts, slower=turn.act == "slower")
        case "bye":
            return goodbye(prompts.bye)
        case "insult":
            if memory.insults + 1 >= INSULTS:
                return person("anger")
            return Decided((say(prompts.insult),), "talk")
        case "greet" | "status" | "praise":
            return Decided((say(getattr(prompts, turn.act)),), "talk")
        case "affirm" | "deny" | "cancel":
            return _loose_end(turn, memory, prompts)
        case _:
            return _policy(turn, memory, knowledge, prompts)


def _loose_end(turn: Turn, memory: Memory, prompts: Prompts) -> Decided:
    """对, 没有 or 算了 where nothing was asked but, perhaps, whether there is anything else."""
    told = " ".join(reply.text for reply in turn.last_replies if isinstance(reply, Say | Ask))
    if turn.act == "deny":
        done = prompts.anything_else in told
        return goodbye(prompts.bye) if done else _missed(memory, prompts)
    return Decided(
        (ask(prompts.anything_else if turn.act == "cancel" else prompts.silence),), "talk"
    )


def _policy(turn: Turn, memory: Memory, knowledge: Knowledge, prompts: Prompts) -> Decided:
    """Look it up, also what counts as chatter: the search knows its matters better."""
    found = answered(knowledge.find(turn.text, turn.context, now=turn.at), prompts)
    if found is not None:
        return found
    if turn.act == "other" and turn.confidence >= SURE:
        return Decided((say(prompts.other),), "talk")
    return _missed(memory, prompts)


def _missed(memory: Memory, prompts: Prompts) -> Decided:
    if memory.misses + 1 >= MISSES:
        return person("misses")
    return Decided((say(prompts.miss),), "miss")


def _remembered(decided: Decided, turn: Turn, memory: Memory) -> Memory:
    """Misses and insults count in a row; what was offered may still be chosen after 再说一遍."""
    again = turn.act in ("repeat", "slower")
    return Memory(
        offered=memory.offered if again else decided.offered,
        misses=memory.misses + 1 if decided.decision == "miss" else memory.misses * again,
        insults=memory.insults + 1 if turn.act == "insult" else 0,
    )
