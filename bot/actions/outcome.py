"""What an action decided, on its way to become Rasa's events and the one outcome of the turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from bot.actions.calls import OPENS_FORM, Event, Turn, follow_up, response
from turns.context import Context
from turns.orders import OrderField
from turns.replies import Ask, Bye, Expects, Handoff, Option, Reply, Say
from turns.understood import Act, Candidate, Decision, Outcome, Understood


@dataclass(frozen=True, slots=True)
class Decided:
    """What is told, and how the turn was understood; ``context`` None leaves the talk's as it is.

    ``offered`` are the options that the next turn may choose from; ``soft`` ones stand behind an
    answer, and need no choice. ``unsure``: nothing was understood, though something is offered.
    """

    replies: tuple[Reply, ...]
    decision: Decision
    act: Act | None = None
    context: Context | None = None
    matter: str = ""
    aspect: str = ""
    answer: str = ""
    candidates: tuple[Candidate, ...] = ()
    offered: tuple[Option, ...] = ()
    order: str = ""
    soft: bool = False
    unsure: bool = False

    def outcome(self, turn: Turn, fields: Mapping[str, OrderField]) -> Outcome:
        """The turn's outcome, its replies numbered."""
        return Outcome(
            replies=tuple(
                replace(reply, id=f"{turn.heard}.{n}") for n, reply in enumerate(self.replies)
            ),
            context=self.context or turn.context,
            understood=Understood(
                act=self.act or turn.act,
                decision=self.decision,
                matter=self.matter,
                aspect=self.aspect,
                answer=self.answer,
                candidates=self.candidates,
                slots=tuple(fields.values()),
                order=self.order,
            ),
        )


@dataclass(frozen=True, slots=True)
class Result:
    """What goes back to Rasa: events, at most one outcome, and the action that runs next."""

    events: tuple[Event, ...] = ()
    outcome: Outcome | None = None
    next_action: str = ""

    def dump(self) -> dict[str, Any]:
        """As Rasa's webhook wants it."""
        events = [*self.events, *([follow_up(self.next_action)] if self.next_action else [])]
        return {"events": events, "responses": [response(self.outcome)] if self.outcome else []}


@dataclass(frozen=True, slots=True)
class Story:
    """A turn that told of something to be dealt with while its question was answered first."""

    act: Act
    text: str
    heard: str
    at: str

    @classmethod
    def of(cls, turn: Turn) -> Story:
        """The turn's own; its act is one that opens the form."""
        act = turn.act if turn.act in OPENS_FORM else turn.story
        return cls(act, turn.text, turn.heard, turn.at.isoformat())

    @classmethod
    def load(cls, slot: Mapping[str, Any] | None) -> Story | None:
        """From a slot's value; raises KeyError, TypeError or ValueError for what is none."""
        if not slot:
            return None
        datetime.fromisoformat(slot["at"])
        return cls(slot["act"], str(slot["text"]), str(slot["heard"]), slot["at"])

    def told(self, turn: Turn) -> Turn:
        """``turn`` as if it told the story."""
        at = datetime.fromisoformat(self.at)
        return replace(turn, text=self.text, heard=self.heard, at=at, act=self.act)


@dataclass(frozen=True, slots=True)
class Memory:
    """What the talk outside the form remembers: options offered (``soft``: beside an answer), the
    codes of the next best ones, misses and insults in a row, a story that may yet be taken down.
    """

    offered: tuple[Option, ...] = ()
    misses: int = 0
    insults: int = 0
    soft: bool = False
    later: tuple[str, ...] = ()
    story: Story | None = None

    def dump(self) -> dict[str, Any]:
        """As a slot's value."""
        return {
            "offered": [[option.label, option.value] for option in self.offered],
            "misses": self.misses,
            "insults": self.insults,
            "soft": self.soft,
            "later": list(self.later),
            "story": asdict(self.story) if self.story else None,
        }

    @classmethod
    def load(cls, slot: Mapping[str, Any]) -> Memory:
        """From a slot's value; what cannot be read is forgotten."""
        try:
            return cls(
                offered=tuple(Option(str(a), str(b)) for a, b in slot.get("offered", ())),
                misses=int(slot.get("misses", 0)),
                insults=int(slot.get("insults", 0)),
                soft=bool(slot.get("soft", False)),
                later=tuple(str(code) for code in slot.get("later", ())),
                story=Story.load(slot.get("story")),
            )
        except (AttributeError, KeyError, TypeError, ValueError):
            return cls()


def say(text: str, *, speech: str = "", answer: str = "") -> Say:
    """A sentence; its id comes with the outcome."""
    return Say("", text, speech=speech, answer=answer)


def ask(
    text: str, expects: Expects = "open", *, options: tuple[Option, ...] = (), speech: str = ""
) -> Ask:
    """A question; its id comes with the outcome."""
    return Ask("", text, options, expects, speech)


def person(reason: str, act: Act | None = None) -> Decided:
    """A person takes over; the conversation core writes the order."""
    danger = reason == "danger"
    wish = Handoff("", reason, "danger" if danger else "normal")
    return Decided((wish,), "danger" if danger else "handoff", act)


def goodbye(text: str) -> Decided:
    """The last words."""
    return Decided((say(text), Bye("")), "talk")
