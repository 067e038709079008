"""The link to 110 and to departments: an interface, and its HTTP implementation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from config.links import Links, Party
from handoff.links.http import Letter, Post
from handoff.links.keys import Keys
from handoff.links.outcome import Failed, Outcome, Sent, of_reply


@dataclass(frozen=True, slots=True)
class Danger:
    """An order that must reach a party; ``id`` is the same in every try, ``body`` the message."""

    id: str
    party: Party
    body: bytes


class EmergencyLink(Protocol):
    """Tells a party of danger, once; never raises for what the far side does.

    :class:`Acknowledged` is to be returned only where the far side itself has said that it has
    this very order: a citizen is told so.
    """

    async def send(self, danger: Danger) -> Outcome:
        """Send it, and say what came of it."""
        ...


class HttpLink:
    """The link by signed HTTP; a reply counts only where the party has signed it."""

    def __init__(
        self, post: Post, links: Links, keys: Mapping[str, Keys],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:  # fmt: skip
        self._post = post
        self._links = links
        self._keys = keys
        self._now = now

    async def send(self, danger: Danger) -> Outcome:
        """Post it to the party's URL."""
        party = danger.party
        keys = self._keys.get(party.name, ())
        letter = Letter(danger.id, party.url, danger.body, keys, party.allow_private)
        reply = await self._post.send(letter, self._now())
        if isinstance(reply, Failed):
            return reply
        outcome = of_reply(
            reply, keys, danger.id, now=self._now(), window_s=self._links.window_s
        )  # fmt: skip
        if party.acknowledges == "callback" and isinstance(outcome, Sent):
            return Sent(outcome.status)  # it need not sign what it only takes
        return outcome
