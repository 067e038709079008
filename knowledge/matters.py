"""What the room deals in: matters, their answers, and an answer as it may be said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

CITY = "city"
"""The region whose texts hold wherever a district has none of its own."""


@dataclass(frozen=True, slots=True)
class MatterEntry:
    """A matter (事项), how citizens name it, and what they say to ask for each aspect.

    ``questions``: aspect → what the search learns from; ``golden``: aspect → what must get this
    very answer, and what nothing learns from.
    """

    code: str
    name: str
    department: str
    merged_line: str = ""
    aliases: tuple[str, ...] = ()
    phrasings: tuple[str, ...] = ()
    questions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    golden: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that names it, the official name first."""
        return (self.name, *self.aliases, *self.phrasings)


@dataclass(frozen=True, slots=True)
class AnswerEntry:
    """What may be said on one aspect of a matter in one region.

    ``text`` is for reading, ``speech`` for the ear. ``valid_from`` and ``valid_to`` are days of
    the city, both inclusive. ``sample`` marks a text with made-up local figures.
    """

    matter: str
    aspect: str
    region: str
    text: str
    speech: str
    document: str
    article: str
    valid_from: date
    valid_to: date | None = None
    sample: bool = False


@dataclass(frozen=True, slots=True)
class PublishedAnswer:
    """A published answer; ``id`` stays the same from version to version."""

    id: str
    matter: str
    matter_name: str
    aspect: str
    region: str
    text: str
    speech: str
    source: str
    valid_from: date
    valid_to: date | None
    version: int
    sample: bool

    def valid_on(self, day: date) -> bool:
        """Whether it may be said on ``day``, a day of the city."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


def answer_id(matter: str, aspect: str, region: str) -> str:
    """The stable name of an answer: ``gjj.rent:条件:city``."""
    return f"{matter}:{aspect}:{region}"
