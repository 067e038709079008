"""What a citizen's words and order wish of the person who takes them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from config.queue import QueueRules


@dataclass(frozen=True, slots=True)
class Wish:
    """Skills wanted, and points for the order of serving."""

    skills: tuple[str, ...]
    priority: int


def wish(
    said: Iterable[str],
    *,
    matter: str,
    department: str,
    urgency: str,
    repeats: int,
    rules: QueueRules,
) -> Wish:
    """From what the citizen said, the order's matter (code) and department (name).

    ``repeats``: how often the same citizen came before, within the rules' time.
    """
    told = "".join("".join(text.split()) for text in said)
    skills = tuple(
        skill.name
        for skill in rules.skills
        if (matter and matter in skill.matters)
        or (department and department in skill.departments)
        or any(word in told for word in skill.words)
    )
    points = rules.priorities
    priority = (
        points.urgent * (urgency == "urgent")
        + points.old_age * any(word in told for word in points.old_age_words)
        + points.repeat * (repeats > 0)
    )
    return Wish(skills, priority)
