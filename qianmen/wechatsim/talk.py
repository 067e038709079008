"""A citizen's conversation with the account, message after message, and how it went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from qianmen.wechatsim.delivery import Delivered, Delivery
from qianmen.wechatsim.messages import Fields
from qianmen.wechatsim.platform import Platform
from qianmen.wechatsim.view import Seen, doubled, unanswered

ANSWER_S = 20.0
SETTLE_S = 1.0
_SAYS = {"citizen": "citizen", "account": "bot", "platform": "system"}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that the citizen does. ``lose``: answers lost on their way; ``before``: done first.

    ``quiet``: nothing need follow.
    """

    fields: Fields
    lose: int = 0
    quiet: bool = False
    before: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class Talk:
    """What the citizen saw, and what the platform found wrong."""

    seen: tuple[Seen, ...]
    breaches: tuple[str, ...]
    slowest_s: float
    calls: dict[str, int]

    @property
    def doubled(self) -> list[str]:
        """Texts that came twice to one message."""
        return doubled(self.seen)

    @property
    def unanswered(self) -> list[str]:
        """Messages that nothing followed."""
        return unanswered(self.seen)

    def worked(self, *, strict: bool) -> bool:
        """Every message answered, none of them by the platform's own excuse; strict: no breach."""
        excused = any(bubble.who == "platform" for bubble in self.seen)
        answered = not (excused or self.unanswered or self.doubled)
        return answered and not (strict and self.breaches)

    def as_json(self) -> dict[str, Any]:
        """JSON-ready values; ``turns`` as of ``qianmen chat --json``."""
        return {
            "turns": [_turn(bubble) for bubble in self.seen],
            "breaches": list(self.breaches), "doubled": self.doubled,
            "unanswered": self.unanswered, "slowest_s": round(self.slowest_s, 3),
            "calls": self.calls,
        }  # fmt: skip


def converse(
    delivery: Delivery, openid: str, steps: Sequence[Step], *,
    answer_s: float = ANSWER_S, settle_s: float = SETTLE_S,
    on_seen: Callable[[Seen], None] = lambda _: None,
) -> Talk:  # fmt: skip
    """Do each step when the one before is answered, and nothing came for ``settle_s``."""
    platform = delivery.platform
    citizen = platform.citizen(openid)
    slowest, told = 0.0, len(citizen.seen)
    for step in steps:
        if step.before is not None:
            step.before()
        done = delivery.send(openid, step.fields, lose=step.lose)
        slowest = max(slowest, done.slowest_s)
        if not step.quiet and not _answered(done):
            _await_answer(platform, openid, answer_s)
        _settle(platform, openid, settle_s)
        for bubble in citizen.seen[told:]:
            on_seen(bubble)
        told = len(citizen.seen)
    return talk_of(platform, openid, slowest)


def talk_of(platform: Platform, openid: str, slowest_s: float = 0.0) -> Talk:
    """How the citizen's conversation went until now."""
    with platform.lock:
        calls = Counter(call.path.rpartition("/cgi-bin/")[2] for call in platform.calls)
        breaches = tuple(found.code for found in platform.breaches)
        seen = tuple(platform.citizen(openid).seen)
    return Talk(seen, breaches, slowest_s, dict(calls))


def _answered(done: Delivered) -> bool:
    return done.shown is None or bool(done.shown.kind)


def _await_answer(platform: Platform, openid: str, seconds: float) -> None:
    citizen = platform.citizen(openid)
    platform.wait(lambda: citizen.seen[-1:] != [] and citizen.seen[-1].who != "citizen", seconds)


def _settle(platform: Platform, openid: str, seconds: float) -> None:
    """Wait until nothing more came for so long."""
    citizen = platform.citizen(openid)
    known = -1
    while known != len(citizen.seen):
        known = len(citizen.seen)
        platform.wait(lambda: len(citizen.seen) > known, seconds)  # noqa: B023  # called at once


def _turn(bubble: Seen) -> dict[str, Any]:
    text = "\n".join(part for part in (bubble.text, bubble.url) if part)
    at = datetime.fromtimestamp(bubble.at, UTC).isoformat()
    return {"who": _SAYS[bubble.who], "text": text, "at": at, "confidence": 1.0, "via": bubble.via}
