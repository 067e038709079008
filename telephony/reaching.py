"""Calling people for a caller, who hears what they must first, and then that somebody is called."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from config.targets import Destination
from telephony.announcing import Announcer
from telephony.company import Company
from telephony.dialling import Dialler
from telephony.gate import Gate
from telephony.line import Leg
from telephony.parts import CallParts
from telephony.party import Party
from telephony.plan import Plan
from telephony.reporting import Report
from turns.calls import CallState
from turns.calls import Leg as Role


class Reaching:
    """The calls made for one caller. ``on_ringing`` is called when the caller may hear of one;
    ``superseded`` tells whether somebody else is wanted by now. ``called``: who is being called.
    """

    def __init__(
        self,
        leg: Leg,
        parts: CallParts,
        company: Company,
        announcer: Announcer,
        gate: Gate,
        tell: Report,
        on_ringing: Callable[[], None],
        superseded: Callable[[], bool],
    ) -> None:
        self._leg = leg
        self._parts = parts
        self._company = company
        self._announcer = announcer
        self._gate = gate
        self._tell = tell
        self._on_ringing = on_ringing
        self._superseded = superseded
        self._dialling: asyncio.Task[Party | None] | None = None
        self._early: Leg | None = None
        self.called: tuple[str, ...] = ()

    def stop(self) -> None:
        """Somebody else is wanted: whoever is being called is called no more."""
        if self._dialling is not None:
            self._dialling.cancel()

    async def reach(self, plan: Plan, dialler: Dialler) -> Party | None:
        """The first who comes, not yet joined; None if nobody does, or somebody else is wanted.

        They are called at once, and come once the caller has heard what must be heard.
        """
        self._company.begin(await self._announcer.hold_sounds())
        if self._superseded():
            return None
        dialling = self._dialling = asyncio.create_task(
            dialler.reach(plan.destinations, self._leg.caller, self._on_early, self._on_next)
        )
        opening = asyncio.create_task(self._open())
        party: Party | None = None
        try:
            await asyncio.wait({dialling})
            party = None if dialling.cancelled() else dialling.result()
            if not self._superseded():
                await opening
        except BaseException:
            if party is not None:
                await asyncio.shield(party.leave())
            raise
        finally:
            for task in (dialling, opening):
                task.cancel()
            await asyncio.gather(dialling, opening, return_exceptions=True)
            self._dialling, self._early, self.called = None, None, ()
            self._announcer.silence()
            self._company.no_early()
        if party is not None and self._superseded():
            await party.leave()
            return None
        return party

    def dialler(self, role: Role, command: str, *, whisper: bool = False) -> Dialler:
        """What calls people for ``role``, as ``command`` wants."""

        def step(state: CallState, cause: str, destination: Destination) -> None:
            self.called = (destination.name,)
            if state == "answered" and not self._company.parties:
                self._not_yet_joined()
            self._tell(state, role, cause=cause, command=command, target=destination.name)

        on_event = self._company.on_event
        return Dialler(self._parts, role, step, on_event, self._sentence, whisper=whisper)

    async def _open(self) -> None:
        """Let the caller hear that somebody is called, once they have heard what they must."""
        await self._gate.opened()
        self._on_ringing()
        self._announcer.ring()
        if self._early is not None:
            self._on_early(self._early)

    def _on_early(self, leg: Leg) -> None:
        """Somebody's announcement or ringing tone, instead of ours."""
        if not self._gate.is_open:
            self._early = leg
        elif self._company.early(leg):
            self._announcer.silence()

    def _not_yet_joined(self) -> None:
        """Who was heard early has answered, and is read the order: the caller waits on."""
        self._early = None
        self._company.no_early()
        if self._gate.is_open:
            self._announcer.ring()

    async def _on_next(self) -> None:
        self._early = None
        self._company.no_early()
        await self._announcer.announce("next_person")
        self._announcer.ring()

    async def _sentence(self, destination: Destination) -> bytes:
        if destination.desk:
            return await self._announcer.order_for_desk()
        how = "brief_joining" if destination.accept == "answer" else "brief_accept"
        return await self._announcer.order(how)
