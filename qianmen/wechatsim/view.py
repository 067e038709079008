"""What a citizen's phone shows of the conversation with the account, in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from qianmen.wechatsim.sending import Choice

FAULT = "该公众号提供的服务出现故障，请稍后再试"
"""What WeChat itself tells a citizen whose message got no proper answer."""
Who = Literal["citizen", "account", "platform"]
Via = Literal["", "passive", "custom", "template"]


@dataclass(frozen=True, slots=True)
class Seen:
    """One bubble; ``at`` in seconds of the epoch; ``choices`` can be tapped."""

    at: float
    who: Who
    kind: str
    text: str
    via: Via = ""
    choices: tuple[Choice, ...] = ()
    url: str = ""


def doubled(seen: Sequence[Seen]) -> list[str]:
    """Texts of the account that came more than once between two messages of the citizen's."""
    found: list[str] = []
    for stretch in _stretches(seen):
        counts = Counter(_shown(bubble) for bubble in stretch if bubble.who == "account")
        found += [text for text, count in counts.items() if count > 1]
    return found


def unanswered(seen: Sequence[Seen]) -> list[str]:
    """Messages of the citizen's that nothing of the account's followed."""
    return [
        stretch[0].text
        for stretch in _stretches(seen)
        if stretch[0].who == "citizen" and not any(b.who == "account" for b in stretch)
    ]


def _stretches(seen: Sequence[Seen]) -> list[list[Seen]]:
    """Each message of the citizen's with what came until the next; first what came before any."""
    stretches: list[list[Seen]] = []
    for bubble in seen:
        if bubble.who == "citizen" or not stretches:
            stretches.append([])
        stretches[-1].append(bubble)
    return stretches


def _shown(bubble: Seen) -> str:
    parts = [bubble.text, *(choice.content for choice in bubble.choices), bubble.url]
    return "\n".join(part for part in parts if part)
