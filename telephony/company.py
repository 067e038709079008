"""The people a caller is with: who comes, who is overheard, who leaves."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import structlog

from telephony.line import Ended, Held, Leg, LegEvent, LineError, Resumed
from telephony.overhearing import Overhearing
from telephony.parties import CALLER
from telephony.parts import CallParts
from telephony.party import Party
from telephony.reporting import Report
from telephony.talk import Talk
from turns.calls import CallState
from turns.calls import Leg as Role

_log = structlog.get_logger(__name__)


class Company:
    """Up to two people beside the caller. ``on_change`` is called whenever somebody came or went,
    ``tell`` beside it for those who watch.
    """

    def __init__(
        self, leg: Leg, parts: CallParts, conversation: str, tell: Report,
        on_change: Callable[[], None],
    ) -> None:  # fmt: skip
        self._leg = leg
        self._parts = parts
        self._id = conversation
        self._tell = tell
        self._on_change = on_change
        self._numbers = itertools.count(1)
        self._listening: dict[Role, asyncio.Task[None]] = {}
        self._leaving: set[asyncio.Task[Any]] = set()
        self.parties: dict[Role, Party] = {}
        self.talk: Talk | None = None

    @property
    def free_role(self) -> Role | None:
        """The role of one more, None where there are two already."""
        roles: tuple[Role, ...] = ("target", "third")
        return next((role for role in roles if role not in self.parties), None)

    @property
    def held(self) -> tuple[Role, ...]:
        """Who is on hold."""
        return self.talk.held if self.talk is not None else ()

    def begin(self, sounds: Mapping[str, bytes]) -> None:
        """The caller waits for company. ``sounds``: see ``Talk``."""
        if self.talk is None:
            self.talk = Talk(self._parts.line, self._leg, sounds)

    def early(self, leg: Leg) -> bool:
        """Let the caller hear what ``leg`` sends before it answers; False if they talk already."""
        if self.talk is None or self.parties:
            return False
        try:
            self.talk.add("target", leg)
        except LineError:
            return False
        return True

    def no_early(self) -> None:
        """Nothing more of that."""
        if self.talk is not None and "target" not in self.parties:
            self.talk.remove("target")

    def join(self, party: Party) -> bool:
        """``party`` comes in; False if they are gone again."""
        if self.talk is None:
            return False
        try:
            self.talk.add(party.role, party.leg)
        except LineError:
            self._later(party.leave())
            return False
        self.parties[party.role] = party
        overhearing = Overhearing(party.leg, self._leg, self._parts, self._id, self._numbers)
        self._listening[party.role] = asyncio.create_task(overhearing.listen())
        return True

    def part(self, role: Role) -> bool:
        """Hang up on the party; what follows comes by its leg's events. False if not there."""
        party = self.parties.get(role)
        if party is not None:
            self._later(party.leg.hang_up())
        return party is not None

    def part_all(self) -> None:
        """Everybody but the caller leaves."""
        for role in tuple(self.parties):
            self.part(role)

    def end(self) -> None:
        """Nobody is left; the caller's leg is free for whatever comes."""
        for role in tuple(self.parties):
            self._forget(role)
        if self.talk is not None:
            self.talk.stop()
            self.talk = None

    async def gone(self) -> None:
        """Return when everybody who leaves has left."""
        await asyncio.gather(*self._leaving, return_exceptions=True)

    def on_event(self, party: Party, event: LegEvent) -> None:
        """Something happened on a party's leg."""
        if self.parties.get(party.role) is not party:
            return
        if isinstance(event, Ended):
            _log.info("party_left", cause=event.cause)
            self._forget(party.role)
            state: CallState = "left" if self.parties else "ended"
            self._tell(state, party.role, cause=event.cause, target=party.destination.name)
            self._on_change()
        else:
            self._on_hold(party.role, event)

    def caller_event(self, event: LegEvent) -> None:
        """Something happened on the caller's leg."""
        self._on_hold(CALLER, event)

    def _on_hold(self, role: Role, event: LegEvent) -> None:
        if self.talk is None or not isinstance(event, Held | Resumed):
            return
        if self.talk.away(role, isinstance(event, Held)):
            self._tell("held" if isinstance(event, Held) else "resumed", role)
            self._on_change()

    def _forget(self, role: Role) -> None:
        party = self.parties.pop(role)
        self._listening.pop(role).cancel()
        if self.talk is not None:
            self.talk.remove(role)
            if not self.parties:  # whoever comes next did not put the caller on hold
                self.talk.park(CALLER, False)
        self._later(party.leave())

    def _later(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work)
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)
