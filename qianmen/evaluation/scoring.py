"""What an outcome is worth for a citizen who meant a label. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from qianmen.evaluation.fields import right_fields
from qianmen.evaluation.labels import Label

Verdict = Literal["exact", "offered", "wrong", "asked", "missed"]
VERDICTS: tuple[Verdict, ...] = ("exact", "offered", "wrong", "asked", "missed")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a turn was understood. ``options``: what was offered, as ``matter:aspect``."""

    act: str
    decision: str
    matter: str = ""
    aspect: str = ""
    options: tuple[str, ...] = ()
    slots: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Outcome:
        """From a document of ``qianmen ask``."""
        return cls(
            told["act"], told["decision"], told["matter"], told["aspect"],
            tuple(told.get("options", ())), told["slots"],
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Judged:
    """A label with what came of it."""

    label: Label
    outcome: Outcome

    @property
    def verdict(self) -> Verdict:
        """For a label in scope."""
        return verdict(self.label, self.outcome)


def verdict(label: Label, outcome: Outcome) -> Verdict:
    """What ``outcome`` is worth for somebody who asked for what ``label`` names.

    A matter without aspect, or a family (``gjj``), was only named: asking back is right, and so
    is an answer on it.
    """
    if not label.aspects:
        return _named(label, outcome)
    if outcome.decision == "answer":
        right = outcome.matter == label.matter and outcome.aspect in label.aspects
        return "exact" if right else "wrong"
    if outcome.decision == "ask":
        wanted = {f"{label.matter}:{aspect}" for aspect in label.aspects}
        return "offered" if wanted.intersection(outcome.options) else "asked"
    return "missed"


def _named(label: Label, outcome: Outcome) -> Verdict:
    if outcome.decision == "answer":
        about = f"{outcome.matter}.".startswith(f"{label.matter}.")
        return "exact" if about else "wrong"
    return "exact" if outcome.decision == "ask" else "missed"


def wilson(right: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % interval of a share (E. B. Wilson, JASA 22, 1927); (0, 1) where n is 0."""
    if not n:
        return 0.0, 1.0
    share, square = right / n, z * z
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = z / (1 + square / n) * (share * (1 - share) / n + square / (4 * n * n)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True)
class Goal:
    """``least``: at least ``value``, else at most."""

    value: float
    least: bool = True

    def met(self, value: float) -> bool:
        """Whether ``value`` reaches it."""
        return value >= self.value if self.least else value <= self.value

    def __str__(self) -> str:
        return f"{'≥' if self.least else '≤'} {self.value:g}"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table. ``unit`` '' is a share, 0 to 1; else ``value`` is in ms."""

    name: str
    value: float
    low: float | None
    high: float | None
    n: int
    goal: Goal | None = None
    unit: str = ""

    @property
    def met(self) -> bool | None:
        """None where there is no goal, or nothing to measure."""
        return self.goal.met(self.value) if self.goal and self.n else None

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "name": self.name, "value": round(self.value, 4),
            "low": None if self.low is None else round(self.low, 4),
            "high": None if self.high is None else round(self.high, 4),
            "n": self.n, "goal": str(self.goal) if self.goal else "", "met": self.met,
            "unit": self.unit,
        }  # fmt: skip


def share(name: str, right: int, n: int, goal: Goal | None = None) -> Row:
    """A share with its interval."""
    return Row(name, right / n if n else 0.0, *wilson(right, n), n, goal)


def counted(judged: Iterable[Judged]) -> Counter[Verdict]:
    """How many of those in scope got each verdict."""
    return Counter(one.verdict for one in judged if one.label.in_scope)


def by(key: str, judged: Sequence[Judged]) -> dict[str, dict[str, Any]]:
    """The verdicts in scope apart by ``matter`` or ``channel``."""
    parts: dict[str, list[Judged]] = {}
    for one in judged:
        if one.label.in_scope:
            parts.setdefault(getattr(one.label, key), []).append(one)
    return {name: _part(part) for name, part in sorted(parts.items())}


def _part(judged: Sequence[Judged]) -> dict[str, Any]:
    counts = counted(judged)
    low, high = wilson(counts["exact"], len(judged))
    return {
        "n": len(judged), "exact": round(counts["exact"] / len(judged), 4),
        "low": round(low, 4), "high": round(high, 4),
        **{name: counts[name] for name in VERDICTS[1:]},
    }  # fmt: skip


def field_counts(judged: Sequence[Judged]) -> dict[str, tuple[int, int]]:
    """Right and labelled, by field of a complaint; a talk's last filled form counts."""
    forms: dict[str, Mapping[str, Any]] = {}
    counts: dict[str, list[bool]] = {}
    for one in sorted(judged, key=lambda one: one.label.turn):
        talk = f"{one.label.file}:{one.label.conversation or one.label.line}"
        forms[talk] = one.outcome.slots or forms.get(talk, {})
        for name, right in right_fields(one.label.fields, forms[talk]).items():
            counts.setdefault(name, []).append(right)
    return {name: (sum(rights), len(rights)) for name, rights in counts.items()}
