"""A call that we make, as user agent client (RFC 3261 §13.2)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable

from telephony.line import DialCode, DialError, EndCause, Leg, LineError
from telephony.sip.authenticator import credentials
from telephony.sip.client import ClientTransaction
from telephony.sip.core import ALLOW, Core
from telephony.sip.dialog import MAX_FORWARDS, Dialog
from telephony.sip.early import EarlyDialogs
from telephony.sip.error import SipError
from telephony.sip.leg import SipLeg
from telephony.sip.message import Address, Outgoing, Response
from telephony.sip.offers import SDP_HEADER
from telephony.sip.sdp import Remote, read_description, sdp_text

_BUSY = (486, 600)
_NO_ANSWER = (408, 480, 487)


class OutboundLeg(SipLeg):
    """Calls ``target``, a SIP URI, by way of ``peer``. Lives from the first INVITE on."""

    def __init__(
        self,
        core: Core,
        peer: Address,
        target: str,
        caller: str,
        forget: Callable[[SipLeg], None],
        on_early: Callable[[Leg], None] | None = None,
    ) -> None:
        super().__init__(core, peer, forget, owner=True)
        self.id = f"{secrets.token_hex(12)}@{core.host_for(peer)}"
        self.caller = caller
        self.dialled = target.partition(":")[2].partition("@")[0]
        self._target = target
        self._outcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # Read here: whoever called may have been cancelled by the time it is set.
        self._outcome.add_done_callback(lambda outcome: outcome.exception())
        self._invite: ClientTransaction | None = None
        self._ringing = False
        self._given_up = False
        self._cancelled = False
        self._acks: dict[str, tuple[Outgoing, Address]] = {}
        self._early = EarlyDialogs(self, lambda: on_early(self) if on_early else None)
        self._cseq = 0

    async def call(self, timeout_s: float) -> None:
        """Send the INVITE; returns once it is answered. Raises ``DialError``."""
        self._send_invite()
        try:
            # Not wait_for: before Python 3.12 it may swallow a cancellation.
            async with asyncio.timeout(timeout_s):
                await asyncio.shield(self._outcome)
        except TimeoutError:
            self._give_up()
            raise DialError("no_answer", f"no answer within {timeout_s:g} s") from None
        except asyncio.CancelledError:
            self._give_up()
            raise

    def _send_invite(self) -> None:
        self._ringing = False
        self.offers.pending = True
        self._invite = self.core.transactions.request(
            self._invitation(),
            self.peer,
            self._on_response,
            self._on_timeout,
            self._on_again,
            lambda: not self._given_up,
        )

    def _next_cseq(self) -> int:
        self._cseq += 1
        return self._cseq

    def _invitation(self) -> Outgoing:
        sender, wish = self.core.calling(self.peer, self.caller)
        return Outgoing(
            "INVITE",
            self._target,
            [
                MAX_FORWARDS,
                ("From", f"{sender};tag={self.local_tag}"),
                ("To", f"<{self._target}>"),
                ("Call-ID", self.id),
                ("CSeq", f"{self._next_cseq()} INVITE"),
                self.core.contact(self.peer),
                ("User-Agent", self.core.settings.user_agent),
                ALLOW,
                *wish,
                *self.session.invitation(),
                SDP_HEADER,
            ],
            self.offers.offer(),
            self._next_cseq,
        )

    def _on_again(self, invite: ClientTransaction) -> None:
        """The INVITE went out once more, with credentials."""
        self._invite = invite
        self._ringing = False

    def _on_response(self, response: Response) -> None:
        if response.status < 200:
            self._ringing = True
            if self._given_up:
                self._cancel()
            else:
                self._early.on_provisional(response)
        elif response.status < 300:
            self._on_ok(response)
        elif response.status == 422 and not self._given_up and self.session.retries(response):
            self._send_invite()
        else:
            self._fail(response.status)

    def _on_timeout(self) -> None:
        self._fail(0)

    def _fail(self, status: int) -> None:
        self.end("rejected", status)
        reason = f"refused with {status}" if status else "no reply"
        self._settle(DialError(_dial_code(status), reason, status))

    def _settle(self, error: DialError | None) -> None:
        """Tell ``call``, unless nobody waits there any more."""
        if self._outcome.done() or self._given_up:
            return
        if error is None:
            self._outcome.set_result(None)
        else:
            self._outcome.set_exception(error)

    def _on_ok(self, response: Response) -> None:
        """A 2xx: the first answers; more may be repeats, or other branches of a fork."""
        known = self._acks.get(response.to.tag)
        if known is not None:
            self.core.transactions.send_ack(*known)
            return
        dialog = self._acknowledged(response)
        if dialog is None:
            return
        if self.dialog is not None or self._given_up or self._ended is not None:
            self._bye_to(dialog)
            return
        described = self._early.confirmed(dialog)
        try:
            text = sdp_text(response)
            remote = described if described and not text else read_description(text)
        except SipError:
            self._bye_to(dialog)
            self._fail(488)
            return
        self.session.learn(response)
        self.session.accepted(response)
        self._established(dialog, remote)

    def _acknowledged(self, response: Response) -> Dialog | None:
        assert self._invite is not None  # noqa: S101  # it is what was answered
        try:
            dialog = self.dialog_from(response)
            hop = dialog.next_hop
        except SipError as error:
            self.core.counters[f"sip_{error.code}"] += 1
            self._fail(500)
            return None
        ack = dialog.request("ACK", credentials(self._invite.outgoing), cseq=response.cseq)
        self._acks[response.to.tag] = (ack, hop)
        self.core.transactions.send_ack(ack, hop)
        return dialog

    def dialog_from(self, response: Response) -> Dialog:
        """The dialog that a response to our INVITE makes. Raises ``SipError``."""
        assert self._invite is not None  # noqa: S101  # it is what was answered
        dialog = Dialog.established(self._invite.outgoing, self.local_tag, response, self.peer)
        dialog.extra = (("User-Agent", self.core.settings.user_agent),)
        return dialog

    def dialog_of(self, remote_tag: str) -> Dialog | None:
        """The dialog, or before the answer one of the early ones."""
        return super().dialog_of(remote_tag) or self._early.dialog_of(remote_tag)

    def _bye_to(self, dialog: Dialog) -> None:
        self.core.transactions.request(
            dialog.request("BYE"), dialog.next_hop, lambda _: None, lambda: None
        )

    def _established(self, dialog: Dialog, remote: Remote) -> None:
        self.dialog = dialog
        self.offers.agree(remote)
        self._settle(None)

    def _give_up(self) -> None:
        """Nobody waits any more: CANCEL, or BYE if the answer has just come."""
        if self.dialog is not None:
            self.bye("hung_up")
            return
        self._given_up = True
        self.end("hung_up")
        if self._ringing:
            self._cancel()

    def _cancel(self) -> None:
        if self._invite is None or self._cancelled or self._invite.state != "proceeding":
            return
        self._cancelled = True
        self.core.transactions.cancel(self._invite)

    async def ring(self) -> None:
        """Nothing: it is the other side that rings."""

    async def answer(self) -> None:
        """Nothing: it is answered."""

    async def reject(self, status: int = 603, retry_after_s: int = 0) -> None:  # noqa: ARG002
        """A call of our own cannot be refused."""
        raise LineError("answered", "the call is our own: hang up instead")

    def shut(self, cause: EndCause) -> None:
        """BYE; or CANCEL, if it is not answered yet."""
        if self.dialog is not None:
            if self._ended is None:
                self.bye(cause)
            return
        self._settle(DialError("unreachable", "hung up before the answer"))
        self._give_up()


def _dial_code(status: int) -> DialCode:
    if status in _BUSY:
        return "busy"
    if status in _NO_ANSWER:
        return "no_answer"
    return "unreachable" if status == 0 or 500 <= status < 600 else "rejected"
