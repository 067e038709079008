"""Requests of ours within the dialog of one leg, awaited; all waiting ends with the leg."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from typing import Protocol

from telephony.line import EndCause, Ended, LineError
from telephony.sip.client import ClientTransaction
from telephony.sip.core import Core
from telephony.sip.dialog import Dialog
from telephony.sip.message import Header, Outgoing, Response
from telephony.sip.timers import GIVE_UP_S


class AskingLeg(Protocol):
    """What is needed of the leg."""

    core: Core
    dialog: Dialog | None

    @property
    def ended(self) -> Ended | None:
        """How it ended, if it has."""

    def offering_headers(self) -> Sequence[Header]:
        """What a re-INVITE or UPDATE of ours carries."""

    def bye(self, cause: EndCause, status: int = 0) -> None:
        """End the call."""


class Within:
    """Sends and waits; ``release`` lets everybody who waits go with ``LineError("ended")``."""

    def __init__(self, leg: AskingLeg) -> None:
        self.leg = leg
        self._waiting: set[asyncio.Future[None]] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def dialog(self) -> Dialog:
        """The dialog. Raises ``LineError``: ``not_answered``, ``ended``."""
        if self.leg.ended is not None:
            raise LineError("ended", f"the call is over ({self.leg.ended.cause})")
        if self.leg.dialog is None:
            raise LineError("not_answered", "the call is not answered yet")
        return self.leg.dialog

    def check_answered(self) -> None:
        """Raises ``LineError``: ``not_answered``, ``ended``."""
        _ = self.dialog

    async def ask(
        self, method: str, headers: Sequence[Header] = (), body: bytes = b""
    ) -> Response | None:
        """Send a request; its final response, ``None`` if there was none within 64·T1.

        Raises ``LineError``: ``not_answered``, ``ended``.
        """
        return await self.final(self.dialog.request(method, headers, body))

    async def final(
        self, outgoing: Outgoing, on_ok: Callable[[Response, Outgoing], None] | None = None
    ) -> Response | None:
        """The same for a request that is built already.

        ``on_ok`` gets every 2xx and the request as it went out last, with credentials maybe.
        """
        found: list[Response | None] = []
        sent: list[ClientTransaction] = []
        came = self._waiter()

        def settle(response: Response | None) -> None:
            if not came.done():
                found.append(response)
                came.set_result(None)

        def on_response(response: Response) -> None:
            if 200 <= response.status < 300 and on_ok is not None:
                on_ok(response, sent[-1].outgoing)
            if response.status >= 200:
                settle(response)

        sent.append(
            self.leg.core.transactions.request(
                outgoing, self.dialog.next_hop, on_response, lambda: settle(None), sent.append
            )
        )
        # A 1xx to a re-INVITE ends its timer B: without these nobody would answer ever.
        cancel = self.leg.core.clock.call_later(GIVE_UP_S, lambda: self._cancel(sent[-1]))
        give_up = self.leg.core.clock.call_later(2 * GIVE_UP_S, lambda: settle(None))
        try:
            await self._wait(came)
        finally:
            cancel.cancel()
            give_up.cancel()
        return found[0]

    def _cancel(self, transaction: ClientTransaction) -> None:
        if transaction.state == "proceeding" and transaction.outgoing.method == "INVITE":
            self.leg.core.transactions.cancel(transaction)

    async def pause(self, seconds: float) -> None:
        """Let ``seconds`` of the line's clock pass. Raises ``LineError("ended")``."""
        over = self._waiter()

        def pass_on() -> None:
            if not over.done():
                over.set_result(None)

        timer = self.leg.core.clock.call_later(seconds, pass_on)
        try:
            await self._wait(over)
        finally:
            timer.cancel()

    async def wait_among(self, waiting: list[asyncio.Future[None]]) -> None:
        """Wait until whoever keeps ``waiting`` tells those in it. Raises ``LineError("ended")``."""
        waiter = self._waiter()
        waiting.append(waiter)
        await self._wait(waiter)

    def _waiter(self) -> asyncio.Future[None]:
        if self.leg.ended is not None:
            raise LineError("ended", f"the call is over ({self.leg.ended.cause})")
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(waiter)
        return waiter

    async def _wait(self, waiter: asyncio.Future[None]) -> None:
        try:
            await waiter
        finally:
            self._waiting.discard(waiter)

    def spawn(self, work: Coroutine[object, object, object]) -> None:
        """Do ``work`` beside the call; it may end with ``LineError``."""

        async def run() -> None:
            with contextlib.suppress(LineError):
                await work

        task = asyncio.get_running_loop().create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def release(self) -> None:
        """The leg is over."""
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_exception(LineError("ended", "the call is over"))
