"""Blind and attended transfer: the other side is asked to call somebody else instead of us.

REFER and its implicit subscription (RFC 3515), Referred-By (RFC 3892), Replaces (RFC 3891). One
transfer at a time for a leg. Requests to transfer *us* are refused by ``Agent``: who may have us
dial a number could have us pay for it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Protocol
from urllib.parse import quote

from telephony.line import EndCause, Ended, LegEvent, LineError, Referred
from telephony.sip.core import Core
from telephony.sip.dialog import Dialog
from telephony.sip.error import SipError
from telephony.sip.message import Header, Message, Request, Response
from telephony.sip.server import ServerTransaction
from telephony.sip.uri import parse_name_addr, parse_uri

_STATUS = re.compile(rb"\s*SIP/2\.0 +([1-6][0-9]{2})(?: [^\r\n]*)?(?:\r?\n|$)", re.IGNORECASE)
_FRAGMENTS = ("message/sipfrag", "message/sip")


class ReferringLeg(Protocol):
    """What is needed of the leg."""

    core: Core
    dialog: Dialog | None

    @property
    def ended(self) -> Ended | None:
        """How it ended, if it has."""

    @property
    def clock_ms(self) -> int:
        """The leg's clock."""

    def bye(self, cause: EndCause, status: int = 0) -> None:
        """End the call."""


class Referral:
    """The transfers of one leg; ``tell`` gets ``Referred`` for what is told of them."""

    def __init__(self, leg: ReferringLeg, tell: Callable[[LegEvent], None]) -> None:
        self._leg = leg
        self._tell = tell
        self._pending: _Transfer | None = None

    async def refer(self, target: str, timeout_s: float, replaces: Dialog | None = None) -> int:
        """Ask for the transfer to ``target`` and wait for its outcome.

        Fulfils ``telephony.line.Leg.refer``.
        """
        dialog = self._ready()
        refer_to = referred_to(target, replaces)
        transfer = _Transfer(dialog.local_cseq + 1, self._progress)
        self._pending = transfer
        counters = self._leg.core.counters
        counters["transfers_asked"] += 1
        request = dialog.request("REFER", self._headers(dialog, refer_to))
        self._leg.core.transactions.request(
            request, dialog.next_hop, transfer.on_response, transfer.on_no_reply
        )
        timer = self._leg.core.clock.call_later(timeout_s, transfer.on_no_news)
        try:
            status = await transfer.outcome
        except LineError as error:
            counters[f"transfers_{error.code}"] += 1
            raise
        finally:
            timer.cancel()
            self._pending = None
        if status == 200 and self._leg.ended is None:
            self._leg.bye("transferred")
        counters["transfers_done" if status < 300 else "transfers_failed"] += 1
        return status

    def _ready(self) -> Dialog:
        if self._leg.ended is not None:
            raise LineError("ended", f"the call is over ({self._leg.ended.cause})")
        if self._leg.dialog is None or not self._leg.dialog.remote_tag:
            raise LineError("not_answered", "the call is not answered yet")
        if self._pending is not None:
            raise LineError("refer_pending", "a transfer of this call is under way already")
        return self._leg.dialog

    def _headers(self, dialog: Dialog, refer_to: str) -> list[Header]:
        ours = parse_name_addr(dialog.local).uri.text
        return [
            ("Refer-To", f"<{refer_to}>"),
            ("Referred-By", f"<{ours}>"),
            self._leg.core.contact(dialog.peer),
            ("Accept", "message/sipfrag"),
        ]

    def _progress(self, status: int) -> None:
        self._tell(Referred(status, self._leg.clock_ms))

    def on_notify(self, transaction: ServerTransaction) -> None:
        """A NOTIFY within the dialog: 481 unless it is about a transfer that we asked for."""
        transfer = self._pending
        if transfer is None or not transfer.concerns(transaction.request):
            self._leg.core.counters["sip_stray_notify"] += 1
            transaction.respond(481)
            return
        transaction.respond(200)
        transfer.on_notify(transaction.request)

    def release(self) -> None:
        """The leg is over: whoever waits gets ``LineError("ended")``."""
        if self._pending is not None:
            self._pending.fail("ended", "the call ended before the transfer's outcome was told")


class _Transfer:
    """One REFER and what is told of it."""

    def __init__(self, cseq: int, progress: Callable[[int], None]) -> None:
        self._cseq = cseq
        self._progress = progress
        self._last = 0
        self.outcome: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def fail(self, code: str, message: str) -> None:
        """No outcome will come."""
        if not self.outcome.done():
            self.outcome.set_exception(LineError(code, message))

    def _settle(self, status: int) -> None:
        if not self.outcome.done():
            self.outcome.set_result(status)

    def on_response(self, response: Response) -> None:
        """To the REFER itself."""
        if response.status >= 300:
            self.fail("refer_refused", f"the transfer was refused with {response.status}")
        elif response.status >= 200 and response.first("refer-sub").lower().startswith("false"):
            # It will tell nothing (RFC 4488 §4), although we did not ask for that.
            self._settle(response.status)

    def on_no_reply(self) -> None:
        """The REFER was never answered."""
        self.fail("refer_refused", "no reply to the request for a transfer")

    def on_no_news(self) -> None:
        """The time that was given is over."""
        self.fail("refer_timeout", "the transfer's outcome was not told in time")

    def concerns(self, notify: Request) -> bool:
        """Whether a NOTIFY is about this transfer (RFC 3515 §2.4.6: ``id`` is REFER's CSeq)."""
        name, *params = (part.strip() for part in notify.first("event").split(";"))
        ids = [param[3:] for param in params if param.lower().startswith("id=")]
        # With credentials the REFER went out a second time, under the next number.
        number = re.fullmatch("[0-9]{1,10}", ids[0]) if ids else None
        fits = not ids or (number is not None and int(number[0]) >= self._cseq)
        return name.lower() == "refer" and fits and not self.outcome.done()

    def on_notify(self, notify: Request) -> None:
        """Progress, or the outcome."""
        status = sipfrag_status(notify)
        if status and status != self._last:
            self._last = status
            self._progress(status)
        if status >= 200:
            self._settle(status)
        elif notify.first("subscription-state").lower().startswith("terminated"):
            self.fail("refer_timeout", "the other side tells no more of the transfer")


def sipfrag_status(message: Message) -> int:
    """The status in the first line of a message/sipfrag (RFC 3420); 0 if there is none."""
    kind = message.first("content-type").partition(";")[0].strip().lower()
    match = _STATUS.match(message.body) if kind in _FRAGMENTS else None
    return int(match[1]) if match else 0


def referred_to(target: str, replaces: Dialog | None = None) -> str:
    """The URI for Refer-To: ``target``, with the dialog that the new call takes the place of.

    Raises ``LineError("bad_target")`` for what is no sip:, sips: or tel: URI, or has headers.
    """
    try:
        uri = parse_uri(target)
    except SipError as error:
        raise LineError("bad_target", "not a URI that can be called") from error
    if uri.scheme not in ("sip", "sips", "tel") or "?" in uri.text or not uri.text.isascii():
        raise LineError("bad_target", "a transfer needs a sip: or tel: URI without headers")
    if uri.scheme == "tel" or replaces is None:
        return uri.text
    tags = f"{replaces.call_id};to-tag={replaces.remote_tag};from-tag={replaces.local_tag}"
    return f"{uri.text}?Replaces={quote(tags, safe='')}"
