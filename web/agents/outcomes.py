"""What became of the actions of late, so that one sent again is not done again."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any

REMEMBERED = 5000
Frame = dict[str, Any]


class Outcomes:
    """By login and id: an action under way, or the frame that answered it.

    A page that lost its socket sends what was not answered again; it gets the same answer, or waits
    for the one there will be.
    """

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._known: OrderedDict[tuple[str, str], asyncio.Future[Frame]] = OrderedDict()
        self._remembered = remembered

    async def once(self, login: str, id_: str, work: Callable[[], Awaitable[Frame]]) -> Frame:
        """The answer to the action; ``work`` makes it where there is none yet.

        An answer that says ``retry`` is not remembered: the page may try again.
        """
        key = (login, id_)
        known = self._known.get(key)
        if known is not None:
            return await asyncio.shield(known)
        future: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._known[key] = future
        try:
            frame = await work()
        except BaseException:
            self._forget(key, future)
            raise
        future.set_result(frame)
        if frame.get("retry"):
            del self._known[key]
        self._trim()
        return frame

    def _forget(self, key: tuple[str, str], future: asyncio.Future[Frame]) -> None:
        self._known.pop(key, None)
        future.cancel()

    def _trim(self) -> None:
        while len(self._known) > self._remembered:
            self._known.popitem(last=False)
