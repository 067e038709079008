"""A turn inside the form: the answer to its question, or something that comes in between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from bot.actions.answers import Knowledge, answered, chosen_code, code_of, matter_of
from bot.actions.calls import Turn
from bot.actions.form import (
    CONFIRM,
    CORRECT,
    FormState,
    also_said,
    corrected,
    kept_as_said,
    named_field,
    next_question,
    opened,
    question_for,
    set_by_card,
    summary,
    taken,
    told,
)
from bot.actions.outcome import Decided, ask, person, say
from bot.actions.talking import SURE, repeated
from bot.actions.telling_numbers import begun, not_whole, with_ending
from bot.actions.words import behind_correction, digits_tried, put_right, question, unknown, yes_no
from bot.card import LABELS, card_of, mended
from config.city import City, Question
from handoff.extract import extract
from language.telephone import phone, phone_part
from turns.orders import OrderField
from turns.replies import Ask, Expects, Option, Reply

Fields = Mapping[str, OrderField]
Closing = Literal["", "write", "cancel", "bye", "asked", "danger", "digits", "misses"]

_EXPECTS: dict[str, Expects] = {"phone": "digits", "where": "address", CONFIRM: "yes_no"}
YES_NO = (Option("对", "对"), Option("不对", "不对"))
_STEER = 12  # characters; longer is a sentence that only begins with 算了 or 再说一遍
_SAID_ANYHOW = ("where", "when", "employer", "period")
_SMALL = ("greet", "praise", "insult", "status")


@dataclass(frozen=True, slots=True)
class Filled:
    """The form after a turn. ``closing`` ends it (the next action tells how), else ``decided``."""

    state: FormState
    fields: Fields
    decided: Decided | None = None
    closing: Closing = ""


def begin(turn: Turn, city: City, knowledge: Knowledge) -> Filled:
    """Open the form with the turn that calls for it."""
    start = opened(turn, city, matter_of(knowledge, turn.text, turn.at))
    return _onward(start.state, start.fields, city, say(city.prompts.complaint_start))


def fill(state: FormState, fields: Fields, turn: Turn, city: City, knowledge: Knowledge) -> Filled:
    """Take a turn: steering words, then the expected answer, then what comes in between."""
    return (
        _by_card(state, fields, turn, city)
        or _steered(state, fields, turn, city)
        or _confirming(state, fields, turn, city, knowledge)
        or _dictated(state, fields, turn, city)
        or _mended(state, fields, turn, city)
        or _expected(state, fields, turn, city, knowledge)
        or _between(state, fields, turn, city, knowledge)
        or _not_understood(state, fields, turn, city)
    )


def _by_card(state: FormState, fields: Fields, turn: Turn, city: City) -> Filled | None:
    """地点改成：建业小区12号楼, at the read-back: that field and no other."""
    wish = mended(turn.text) if state.asking in (CONFIRM, CORRECT) else None
    if wish is None:
        return None
    name, told_as = wish
    item = set_by_card(fields, name, told_as, turn, city)
    if item is None:
        no = say(city.prompts.fill("mend_not_understood", field=LABELS[name]))
        again = Decided((no, _read_back(fields, city)), "form")
        return Filled(state.asks(CONFIRM), fields, again)
    return _onward(_fresh(state, name), {**fields, name: item}, city)


def _steered(state: FormState, fields: Fields, turn: Turn, city: City) -> Filled | None:
    sure, short = turn.confidence >= SURE, len(turn.text) <= _STEER
    if sure and turn.act in ("danger", "handoff"):
        return Filled(state, fields, closing="danger" if turn.act == "danger" else "asked")
    number = extract("phone", turn.text, now=turn.at, city=city) is not None
    answers = (
        number
        or _part(state, turn)
        or (state.asking in ("phone", "where", "when") and _answers(state, turn, city))
    )
    if not (sure and short) or answers:
        return None
    if turn.act in ("repeat", "slower"):
        again = repeated(turn, city.prompts, slower=turn.act == "slower")
        return Filled(state, fields, replace(again, decision="form"))
    if turn.act == "cancel" and state.asking != CORRECT:
        return Filled(state, fields, closing="cancel")
    if turn.act == "bye" and not unknown(turn.text) and yes_no(turn.text) is None:
        return Filled(state, fields, closing="bye" if "what" in fields else "cancel")
    return None


def _answers(state: FormState, turn: Turn, city: City) -> bool:
    """Whether the words fill what is asked: bare digits or an address are no goodbye."""
    item = extract(state.asking, turn.text, now=turn.at, city=city, asked=True)
    return item is not None and item.rule != "name_answered"


def _dictated(state: FormState, fields: Fields, turn: Turn, city: City) -> Filled | None:
    """A number told in several turns: its parts are one, and what is put right is put right."""
    if not _part(state, turn) or phone(turn.text):
        return None
    words = f"{state.digits}，{turn.text}" if state.digits else turn.text
    number = phone(words)
    if number:
        told_in_all = OrderField("phone", number, turn.source(words, "phone"))
        return _onward(replace(state, digits=""), {**fields, "phone": told_in_all}, city)
    if not begun(phone_part(words), put_right=bool(put_right(words)[1])):
        return None
    go_on = ask(city.prompts.digits_go_on, "digits")
    return Filled(replace(state, digits=words), fields, Decided((go_on,), "form"))


def _part(state: FormState, turn: Turn) -> bool:
    """Whether the turn tells a part of the number that is asked for."""
    return state.asking == "phone" and bool(phone_part(turn.text))


def _mended(state: FormState, fields: Fields, turn: Turn, city: City) -> Filled | None:
    """不对，是12号楼 while something else is asked puts right what was told before."""
    before, later = put_right(turn.text)
    if not later or len(before) > _STEER or state.asking in (CONFIRM, CORRECT, "what"):
        return None
    changed = corrected(fields, turn, later, city)
    return _onward(state, {**fields, **changed}, city) if changed else None


def _expected(
    state: FormState, fields: Fields, turn: Turn, city: City, knowledge: Knowledge
) -> Filled | None:
    """The answer to the open question goes before a complaint and before policy, unless it is
    plainly a question that something published answers.
    """
    if state.asking in (CONFIRM, CORRECT):
        return None
    asks = question(turn.text) and turn.act == "policy"
    if asks and (state.asking == "what" or turn.confidence >= SURE):
        return None
    after = taken(state, fields, turn, city)
    if after is None:
        return None
    if state.asking != "what":
        return _onward(state, after, city)
    begun = told(state, after, city, matter_of(knowledge, turn.text, turn.at))
    return _onward(begun.state, begun.fields, city)


def _confirming(
    state: FormState, fields: Fields, turn: Turn, city: City, knowledge: Knowledge
) -> Filled | None:
    """The answer to the read-back: yes, no, or what is right instead."""
    if state.asking not in (CONFIRM, CORRECT):
        return None
    says = yes_no(turn.text)
    if says and state.asking == CONFIRM:
        return Filled(state, fields, closing="write")
    later = behind_correction(turn.text)
    changed = corrected(fields, turn, later, city) or _ending(fields, turn, later)
    if not changed and (short := _short_number(state, fields, later, city)):
        return short
    if changed:
        return _onward(state, {**fields, **changed}, city)
    if question(turn.text) and (between := _between(state, fields, turn, city, knowledge)):
        return between
    wrong = named_field(turn.text, fields)
    asked = question_for(wrong, state, city) if wrong else None
    if asked is not None:
        rest = {name: item for name, item in fields.items() if name != wrong}
        return _asked(_fresh(state, wrong), rest, asked, first=True)
    if says is False or (says is None and turn.act == "deny"):
        text = city.prompts.correct_what
        return Filled(state.asks(CORRECT), fields, Decided((ask(text),), "form"))
    if state.asking == CONFIRM and turn.act == "affirm" and turn.confidence >= SURE:
        return Filled(state, fields, closing="write")
    return None


def _ending(fields: Fields, turn: Turn, later: str) -> dict[str, OrderField]:
    """最后四位是8001: the number read back with its last digits put right."""
    mended = with_ending(fields["phone"].value, later) if "phone" in fields else ""
    source = turn.source(turn.text, "corrected:phone")
    return {"phone": OrderField("phone", mended, source)} if mended else {}


def _short_number(state: FormState, fields: Fields, later: str, city: City) -> Filled | None:
    """A number told at the read-back that is not whole: said so, and its rest is asked for."""
    part = not_whole(later)
    if part is None:
        return None
    rest = {name: item for name, item in fields.items() if name != "phone"}
    text = city.prompts.fill("digits_short", count=str(len(part.digits)))
    waiting = replace(_fresh(state, "phone").asks("phone"), digits=part.words)
    return Filled(waiting, rest, Decided((ask(text, "digits"),), "form"))


def _between(
    state: FormState, fields: Fields, turn: Turn, city: City, knowledge: Knowledge
) -> Filled | None:
    """A question of policy, a piece of the story, small talk: then the open question again."""
    code = code_of(turn.text)
    if code or (turn.act in ("policy", "other") and question(turn.text)):
        found = (
            chosen_code(knowledge, code, turn.context, turn.at)
            if code
            else answered(knowledge.find(turn.text, turn.context, now=turn.at), city.prompts)
        )
        if found is not None:
            decided = replace(found, replies=(*found.replies, _open_question(state, fields, city)))
            return Filled(state, fields, decided)
    if state.asking not in (CONFIRM, CORRECT) and not question(turn.text):
        more = also_said(fields, turn, city)
        if more:
            return _onward(state, {**fields, **more}, city)
    if turn.act in _SMALL and turn.confidence >= SURE:
        first = say(getattr(city.prompts, turn.act))
        return Filled(state, fields, Decided((first, _open_question(state, fields, city)), "form"))
    return None


def _not_understood(state: FormState, fields: Fields, turn: Turn, city: City) -> Filled:
    """Ask once more, then leave it open and go on; digits that fail twice on the phone, and a
    read-back that nobody answers, go to a person.
    """
    name = state.asking
    state = replace(state, digits="")
    if name in (CONFIRM, CORRECT):
        if name in state.again:
            return Filled(state, fields, closing="misses")
        return _onward(replace(state, again=(*state.again, CONFIRM, CORRECT)), fields, city)
    if unknown(turn.text) or turn.act == "deny":
        return _onward(replace(state, skipped=(*state.skipped, name)), fields, city)
    if name not in state.again:
        asked = question_for(name, state, city)
        if asked is not None:
            return _asked(replace(state, again=(*state.again, name)), fields, asked, first=False)
    if name == "phone" and turn.channel == "phone" and digits_tried(turn.text):
        return Filled(state, fields, closing="digits")
    if name in _SAID_ANYHOW and not question(turn.text):
        return _onward(state, kept_as_said(state, fields, turn), city)
    return _onward(replace(state, skipped=(*state.skipped, name)), fields, city)


def _onward(state: FormState, fields: Fields, city: City, *before: Reply) -> Filled:
    """The next question, or the read-back when there is none."""
    asked = next_question(state, fields, city)
    if asked is None and "what" not in fields:
        return Filled(state, fields, closing="misses")  # an order that says nothing helps nobody
    if asked is None:
        decided = Decided((*before, _read_back(fields, city)), "form")
        return Filled(state.asks(CONFIRM), fields, decided)
    return _asked(state, fields, asked, *before, first=True)


def _asked(
    state: FormState, fields: Fields, asked: Question, *before: Reply, first: bool
) -> Filled:
    text = asked.say if first else asked.again or asked.say
    question = ask(text, _EXPECTS.get(asked.field, "open"))
    return Filled(state.asks(asked.field), fields, Decided((*before, question), "form"))


def _open_question(state: FormState, fields: Fields, city: City) -> Ask:
    if state.asking == CONFIRM:
        return _read_back(fields, city)
    asked = None if state.asking == CORRECT else question_for(state.asking, state, city)
    if asked is None:
        return ask(city.prompts.correct_what)
    return ask(asked.say, _EXPECTS.get(asked.field, "open"))


def _read_back(fields: Fields, city: City) -> Ask:
    prompts = city.prompts
    text = prompts.fill("read_back", summary=summary(fields, aloud=False))
    asked = ask(
        text, "yes_no", options=YES_NO,
        speech=prompts.fill("read_back", summary=summary(fields, aloud=True)),
    )  # fmt: skip
    return replace(asked, card=card_of(fields))


def _fresh(state: FormState, name: str) -> FormState:
    """``name`` may be asked, and asked again, as if for the first time."""
    return replace(
        state,
        digits="",
        again=tuple(asked for asked in state.again if asked != name),
        skipped=tuple(left for left in state.skipped if left != name),
    )


def left_by(closing: Closing) -> Decided | None:
    """How a form ends that a person takes over; None where it ends otherwise."""
    return person(closing) if closing in ("asked", "danger", "digits", "misses") else None
