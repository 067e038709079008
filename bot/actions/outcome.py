"""What an action decided, on its way to become Rasa's events and the one outcome of the turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.actions.calls import Event, Turn, follow_up, response
from turns.context import Context
from turns.orders import OrderField
from turns.replies import Ask, Bye, Expects, Handoff, Option, Reply, Say
from turns.understood import Act, Candidate, Decision, Outcome, Understood


@dataclass(frozen=True, slots=True)
class Decided:
    """What is told, and how the turn was understood; ``context`` None leaves the talk's as it is.

    ``offered`` are the options a policy question was answered with: the next turn may choose one.
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
class Memory:
    """What the talk outside the form remembers: options offered, misses and insults in a row."""

    offered: tuple[Option, ...] = ()
    misses: int = 0
    insults: int = 0

    def dump(self) -> dict[str, Any]:
        """As a slot's value."""
        return {
            "offered": [[option.label, option.value] for option in self.offered],
            "misses": self.misses,
            "insults": self.insults,
        }

    @classmethod
    def load(cls, slot: Mapping[str, Any]) -> Memory:
        """From a slot's value; what cannot be read is forgotten."""
        try:
            offered = tuple(Option(str(a), str(b)) for a, b in slot.get("offered", ()))
            return cls(offered, int(slot.get("misses", 0)), int(slot.get("insults", 0)))
        except (TypeError, ValueError):
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
