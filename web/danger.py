"""Danger in what another system writes: the same rules that hear it in a citizen's turn."""

from __future__ import annotations

from collections.abc import Callable

from bot.join import urgent_rule
from bot.urgent import Urgent
from config.city import City


class DangerTold:
    """The topic of the danger that a text tells, by the city's words; '' for none."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._rule: Callable[[str], Urgent | None] | None = None

    def __call__(self, text: str) -> str:
        """The rules are read when they are asked for first: half a second that most never pay."""
        if self._rule is None:
            self._rule = urgent_rule(self._city)
        found = self._rule(text)
        return found.topic if found is not None and found.kind == "danger" else ""
