"""Whether a turn opens the form, is looked up, or is what its act says. Pure.

A complaint that is put as a question is answered where something published answers it; a story
that asks nothing is taken down although it names a matter; 你好，社保卡怎么补办 is no greeting.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal

from bot.actions.calls import OPENS_FORM, Turn
from bot.urgent_opinion import standard
from knowledge.search import Found
from language.normal import clean
from language.questions import asks, asks_plainly, asks_what_to_do, own_request

Way = Literal["form", "search", "act"]

SURE = 0.6  # an act's probability from which it goes before what the words were expected to be
GUESS = 0.37  # an act below this is a guess: looked up, or not understood (held-out sentences)
CLEAR = 0.8  # chance of an answer from which it goes before an act that is not sure
_TELLS = 0.42  # probability of all stories together from which a turn may be one
_ALWAYS = ("handoff", "danger")
_GOES_ON = ("bye", "status", "deny", "affirm", "praise", "greet", "insult", "cancel")
_ASKING = ("status", "cancel")  # acts that one's own question (能查到没) is easily taken for
_STEERS = ("repeat", "slower", "bye", "cancel", "insult")
_CASE = re.compile(r"[，,。！? ？]那[^，,。怎咋哪啥几谁多么]{1,8}呢\W*$")
_WORD = re.compile(r"\w")
_DENIED = {"handoff": -1.0, "danger": -1.5}
"""Log odds of the learned opinion below which that act alone is a mistake."""


def seconded(turn: Turn) -> Turn:
    """``turn``; where its act is danger or a wish for a person that the learned opinion plainly
    denies (人工湖几点关门), one of another act: a story as far as one is likely, else not known.
    """
    words = "".join(clean(turn.text).lower().split())
    if turn.act not in _DENIED or not _WORD.search(words):
        return turn
    score = standard().score(words)
    if (score.danger if turn.act == "danger" else score.person) >= _DENIED[turn.act]:
        return turn
    telling = min(1.0, turn.telling / max(1.0 - turn.confidence, turn.telling, 1e-9))
    return replace(turn, act="other", confidence=0.0, telling=telling)


def way(turn: Turn, found: Found, fresh: Found) -> Way:
    """Where a turn goes. ``found`` is what the search makes of it in this talk, ``fresh`` what it
    would make of the words alone.
    """
    asked = asks(turn.text)
    if turn.confidence < GUESS and turn.telling < GUESS:
        return "search"
    if turn.act in OPENS_FORM:
        return "form" if _opens_form(turn, found, asked=asked) else "search"
    if turn.act == "handoff" and asked and turn.confidence < SURE:
        return "search"
    if turn.act in _ALWAYS:
        return "search" if asked and turn.confidence < SURE and _clear(fresh) else "act"
    if turn.act in ("policy", "other"):
        untold = not asked and turn.telling >= _TELLS and found.decision != "answer"
        return "form" if untold else "search"
    return "search" if _hides_question(turn, found, fresh, asked=asked) else "act"


def chance(found: Found) -> float:
    """How likely the best answer is the one asked for."""
    return found.candidates[0].score if found.candidates else 0.0


def _clear(found: Found) -> bool:
    return found.decision == "answer" and chance(found) >= CLEAR


def _opens_form(turn: Turn, found: Found, *, asked: bool) -> bool:
    """Whether a turn that seems to tell of a matter does."""
    if found.decision == "miss":
        return turn.telling >= _TELLS
    if not asked:  # what was told just now is not what a story wants
        told = (turn.context.matter, turn.context.aspect)
        again = told == (found.context.matter, found.context.aspect)
        return turn.confidence >= SURE or again or not _clear(found)
    unclear = found.decision == "ask" and not found.context.matter
    if unclear or asks_what_to_do(turn.text):
        return turn.confidence >= SURE and not _clear(found)
    return False


def _hides_question(turn: Turn, found: Found, fresh: Found, *, asked: bool) -> bool:
    """Whether small talk holds a question besides: one that names a matter by itself, or, where
    the act is doubtful, one that goes on with the talk's.
    """
    if not asked:
        return False
    if turn.act in _STEERS:
        return found.decision == "answer" and (turn.confidence < SURE or _goes_on(turn, found))
    if turn.act == "status":
        return _clear(fresh) or _goes_on(turn, found)
    if turn.confidence >= SURE:
        return fresh.decision != "miss" or _goes_on(turn, found)
    return found.decision != "miss"


def _one_more(text: str) -> bool:
    """Whether the last clause only names another case: 好的谢谢，那临时的呢."""
    return bool(_CASE.search(clean(text)))


def _goes_on(turn: Turn, found: Found) -> bool:
    """Whether a turn asks more about the talk's matter: 好谢谢，那去哪办; 进度怎么查."""
    if turn.act not in _GOES_ON or not turn.context.matter or own_request(turn.text):
        return False
    same = found.context.matter == turn.context.matter
    if turn.act in _ASKING and same and _clear(found):
        return True
    return same and found.decision == "answer" and (asks_plainly(turn.text) or _one_more(turn.text))
