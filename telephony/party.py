"""A person's leg in a call, and the one reader of what happens on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from config.targets import Destination
from telephony.line import Digit, Ended, Leg, LegEvent
from turns.calls import Leg as Role

GONE = "gone"
"""What ``key`` gives once the leg has ended."""


class Party:
    """Somebody whom we called: who, on which leg, in which role.

    ``on_event`` is told of everything that happens on the leg, ``Ended`` last.
    """

    def __init__(
        self,
        leg: Leg,
        destination: Destination,
        role: Role,
        on_event: Callable[[Party, LegEvent], None],
    ) -> None:
        self.leg = leg
        self.destination = destination
        self.role = role
        self._on_event = on_event
        self._keys: asyncio.Queue[str] = asyncio.Queue()
        self._reading = asyncio.create_task(self._read())

    async def key(self) -> str:
        """The next key pressed; ``GONE`` once the leg has ended."""
        return await self._keys.get()

    async def leave(self) -> None:
        """Hang up, and stop reading."""
        await self.leg.hang_up()
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> None:
        async for event in self.leg.events():
            if isinstance(event, Digit):
                self._keys.put_nowait(event.key)
            elif isinstance(event, Ended):
                self._keys.put_nowait(GONE)
            self._on_event(self, event)
