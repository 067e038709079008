"""Re-INVITEs of ours (RFC 3261 §14.1): hold, resume, and the refresh of a session."""

from __future__ import annotations

import asyncio
import random

from telephony.line import LineError
from telephony.sip.authenticator import credentials
from telephony.sip.dialog import Dialog
from telephony.sip.error import SipError
from telephony.sip.message import Outgoing, Response
from telephony.sip.offers import SDP_HEADER, Offers
from telephony.sip.sdp import read_description, sdp_text
from telephony.sip.within import Within

MAX_TRIES = 5
DEAD = (408, 481)
"""With these the other side says that the dialog is gone (RFC 3261 §12.2.1.2)."""


class Reinvites:
    """Sends them one at a time. ``owner``: whether the Call-ID is ours, which decides a glare."""

    def __init__(self, within: Within, offers: Offers, *, owner: bool) -> None:
        self._within = within
        self._leg = within.leg
        self._offers = offers
        self._owner = owner
        self._turn = asyncio.Lock()

    async def hold(self, on_hold: bool) -> None:
        """Put the other side on hold, or take it back. No effect if it is so already.

        Raises ``LineError``: ``ended``, ``not_answered``, ``refused``.
        """
        async with self._turn:
            if self._offers.on_hold != on_hold or self._leg.ended is not None:
                await self._agree(on_hold)

    async def refresh(self) -> Response:
        """The same again, to show that both are there (RFC 4028). Raises ``LineError``."""
        async with self._turn:
            return await self._agree(self._offers.on_hold)

    async def _agree(self, on_hold: bool) -> Response:
        for _ in range(MAX_TRIES):
            await self._until_quiet()
            response = await self._invite(self._offers.offer(on_hold=on_hold))
            if response is not None and response.status < 300:
                self._offers.on_hold = on_hold
                self._take(response)
                return response
            if response is None or response.status in DEAD:
                self._leg.bye("error", response.status if response else 0)
                raise LineError("ended", "the other side does not know the call any more")
            if response.status != 491:
                raise LineError("refused", f"the other side refused with {response.status}")
            await self._within.pause(self._glare_s())
        raise LineError("refused", "the other side is always busy with an offer of its own")

    async def _until_quiet(self) -> None:
        """Wait until no INVITE of theirs is under way. Raises ``LineError``."""
        while self._offers.unacknowledged:
            await self._within.wait_among(self._offers.waiting)
        self._within.check_answered()
        if self._offers.remote is None:
            raise LineError("not_answered", "the call is not answered yet")

    def _glare_s(self) -> float:
        """RFC 3261 §14.1: who owns the Call-ID waits longer. Chance, but no secret."""
        low, high = (210, 400) if self._owner else (0, 200)
        return random.randint(low, high) / 100  # noqa: S311  # see above

    async def _invite(self, offer: bytes) -> Response | None:
        """The final response; ``None`` if there was none."""
        dialog = self._within.dialog
        headers = [*self._leg.offering_headers(), SDP_HEADER]
        outgoing = dialog.request("INVITE", headers, offer)
        self._offers.pending = True
        try:
            return await self._within.final(
                outgoing, on_ok=lambda response, sent: self._acknowledge(dialog, response, sent)
            )
        finally:
            self._offers.pending = False

    def _acknowledge(self, dialog: Dialog, ok: Response, sent: Outgoing) -> None:
        """Every 2xx gets its ACK, the repeated ones too, and after the end of the call."""
        try:
            dialog.moves_to(ok)
        except SipError as error:
            self._leg.core.counters[f"sip_{error.code}"] += 1
        ack = dialog.request("ACK", credentials(sent), cseq=ok.cseq)
        self._leg.core.transactions.send_ack(ack, dialog.next_hop)

    def _take(self, ok: Response) -> None:
        """The answer to our offer. One that cannot be used changes nothing."""
        if self._leg.ended is not None:
            return
        try:
            self._offers.agree(read_description(sdp_text(ok)))
        except SipError as error:
            self._leg.core.counters[f"sip_{error.code}"] += 1
            self._leg.bye("error", 488)
            raise LineError("ended", "the answer was a session that we cannot take") from error
