"""What comes before the dialogue: danger, a wish for a person, silence, keys. Pure.

Precedence (design): danger > person > the expected answer of a form > complaint > policy > small
talk. The first two are decided here, without Rasa; the rest is Rasa's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bot.clarity import clarity
from bot.urgent import Urgent
from language.steering import Steering, steering
from turns.heard import Heard

MAX_IN_A_ROW = 2  # misses or silences before a person takes over (domain.md, People on the line)
TEXT_LIMIT = 1000
RECOGNISER_PROMPTS = {"recogniser_slow": "hearing_slow", "recogniser_back": "say_again"}
"""What a caller is told when the recogniser lies behind, and when it is back after a loss."""

STICKER = "sticker"
"""What is heard of an emoji or a sticker without a word, and told: nothing was missed."""
EVENT_PROMPTS = {**RECOGNISER_PROMPTS, STICKER: STICKER}
FILE_KEPT = "file_kept"
"""What a citizen is told who sends a picture and no word with it: no miss, nothing was missed."""
VOICE_UNCLEAR = "voice_unclear"
"""What a citizen is told whose voice note cannot be read, or has no words."""

HandoverReason = Literal["asked", "danger", "misses", "silences", "failure", "digits", "anger"]


@dataclass(frozen=True, slots=True)
class ToPerson:
    """A person takes over, for ``reason``."""

    reason: HandoverReason


@dataclass(frozen=True, slots=True)
class ToDialogue:
    """Rasa decides on ``text``."""

    text: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """A fixed sentence answers; ``misses`` and ``silences`` are the new counts in a row."""

    name: str
    misses: int
    silences: int


@dataclass(frozen=True, slots=True)
class Finish:
    """The citizen is gone."""


@dataclass(frozen=True, slots=True)
class Steer:
    """The caller wants to hear the last answer again, or slower, or louder (``wish``)."""

    wish: Steering


@dataclass(frozen=True, slots=True)
class Back:
    """One step back: the form's previous question; elsewhere the last answer again."""


Way = ToPerson | ToDialogue | Prompt | Finish | Steer | Back
UrgentRule = Callable[[str], Urgent | None]


def triage(heard: Heard, urgent: UrgentRule, *, misses: int, silences: int) -> Way:
    """Where this turn goes; ``misses`` and ``silences`` are the counts before it."""
    if heard.kind == "ended":
        return Finish()
    if heard.kind == "silence":
        return _again("silence", "silences", misses, silences)
    if heard.kind == "event" and heard.text == "recogniser_failed":
        return ToPerson("failure")
    if heard.kind == "event" and heard.text in EVENT_PROMPTS:
        return Prompt(EVENT_PROMPTS[heard.text], misses, silences)
    if heard.kind == "keys":
        return _keys(heard.text)
    if heard.attachments and not heard.text:
        if any(item.kind == "voice" for item in heard.attachments):
            return _again(VOICE_UNCLEAR, "misses", misses, silences)
        return Prompt(FILE_KEPT, misses, silences)
    found = urgent(heard.text) if heard.kind in ("speech", "text") else None
    if found is not None:
        return ToPerson("danger" if found.kind == "danger" else "asked")
    if not heard.text or clarity(heard) == "unclear":
        return _again("miss", "misses", misses, silences)
    wish = steering(heard.text) if heard.kind == "speech" and heard.channel == "phone" else None
    return ToDialogue(heard.text) if wish is None else Steer(wish)


def _again(prompt: str, reason: HandoverReason, misses: int, silences: int) -> Way:
    misses += reason == "misses"
    silences += reason == "silences"
    if max(misses, silences) >= MAX_IN_A_ROW:
        return ToPerson(reason)
    return Prompt(prompt, misses, silences)


def _keys(keys: str) -> Way:
    """0 a person, * one step back; other digits answer what was asked."""
    if keys == "0":
        return ToPerson("asked")
    if keys == "*":
        return Back()
    return ToDialogue(keys.rstrip("#"))
