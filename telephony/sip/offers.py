"""Offer and answer of one call: what is agreed, and what the other side asks to change."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from typing import Protocol

from telephony.line import EndCause, Ended
from telephony.rtp.session import MediaSession
from telephony.sip.core import Core
from telephony.sip.dialog import Dialog
from telephony.sip.error import SipError
from telephony.sip.message import Address, Header, Request
from telephony.sip.sdp import SDP_TYPE, Direction, Local, Remote, read_description, sdp_text
from telephony.sip.server import ServerTransaction

SDP_HEADER: Header = ("Content-Type", SDP_TYPE)
RETRY_SOON: Header = ("Retry-After", "2")


class OfferingLeg(Protocol):
    """What is needed of the leg."""

    core: Core
    peer: Address
    dialog: Dialog | None
    media: MediaSession

    @property
    def ended(self) -> Ended | None:
        """How it ended, if it has."""

    def accepting_headers(self, request: Request) -> Sequence[Header]:
        """What a 2xx of ours to ``request`` carries. Raises ``SipError``."""

    def on_agreed(self, remote: Remote) -> None:
        """The session is, or has changed to, ``remote``."""

    def on_settled(self) -> None:
        """Our 2xx was acknowledged although the leg is over: now the BYE may go."""

    def bye(self, cause: EndCause, status: int = 0) -> None:
        """End the call."""


class Offers:
    """Who has offered what (RFC 3264), and whose turn it is.

    ``remote`` is what the other side described last; ``on_hold`` whether we hold it;
    ``pending`` whether an offer of ours, in an INVITE, awaits its answer.
    ``waiting`` are told once no INVITE of the other side awaits its ACK any more.
    """

    def __init__(self, leg: OfferingLeg) -> None:
        self.remote: Remote | None = None
        self.on_hold = False
        self.pending = False
        self.waiting: list[asyncio.Future[None]] = []
        self._leg = leg
        self._unacknowledged: ServerTransaction | None = None
        self._offer_in_200 = False
        self._session = secrets.randbelow(2**31)
        self._version = 0
        self._described = b""

    @property
    def unacknowledged(self) -> bool:
        """Whether a 200 of ours awaits its ACK."""
        return self._unacknowledged is not None

    # -- what we describe

    def describe(self, build: Callable[[Local], bytes]) -> bytes:
        """Our description; its version goes up only if it differs (RFC 3264 §8, 4028 §7.4)."""
        core, peer = self._leg.core, self._leg.peer
        host, port = core.host_for(peer), self._leg.media.open()
        if build(Local(host, port, self._session, self._version)) != self._described:
            self._version += 1
            self._described = build(Local(host, port, self._session, self._version))
        return self._described

    def offer(self, *, on_hold: bool = False) -> bytes:
        """Our offer: everything we can if nothing is agreed yet, else a change of that."""
        remote = self.remote
        if remote is None:
            return self.describe(lambda local: local.offer())
        direction: Direction = "sendrecv"
        if on_hold:
            direction = "inactive" if remote.held else "sendonly"
        return self.describe(lambda local: local.offer_again(remote, direction))

    def agree(self, remote: Remote) -> None:
        """Offer and answer are complete."""
        self.remote = remote
        self.pending = False
        self._leg.media.start(remote.plan, self._leg.peer[0])
        self._leg.on_agreed(remote)

    # -- what the other side offers

    def accept(self, invite: ServerTransaction, remote: Remote | None) -> None:
        """Answer an INVITE with 200: an answer to its offer, or our offer if it made none.

        Raises ``SipError`` if its session timer cannot be taken.
        """
        headers = self._leg.accepting_headers(invite.request)
        body = self._answer(remote) if remote else self.offer(on_hold=self.on_hold)
        self._unacknowledged = invite
        self._offer_in_200 = remote is None
        invite.on_no_ack = self._no_ack
        invite.respond(200, [*headers, SDP_HEADER], body)
        if remote is not None:
            self.agree(remote)

    def _answer(self, remote: Remote) -> bytes:
        return self.describe(lambda local: local.answer(remote, on_hold=self.on_hold))

    def on_reinvite(self, transaction: ServerTransaction) -> None:
        """A re-INVITE (RFC 3261 §14.2). Raises ``SipError`` to be answered with its status."""
        if self.pending or (self.unacknowledged and self._offer_in_200):
            transaction.respond(491)
            return
        if self.remote is None:
            # The first INVITE is not settled yet.
            transaction.respond(500, [RETRY_SOON])
            return
        text = sdp_text(transaction.request)
        remote = read_description(text) if text else None
        self._refresh_target(transaction.request)
        if self._unacknowledged is not None:
            # A new request in order shows that our 200 arrived.
            self._unacknowledged.acknowledge()
        self.accept(transaction, remote)

    def on_update(self, transaction: ServerTransaction) -> None:
        """An UPDATE (RFC 3311 §5.2). Raises ``SipError`` to be answered with its status."""
        request = transaction.request
        text = sdp_text(request)
        if not text:
            self._refresh_target(request)
            transaction.respond(200, self._leg.accepting_headers(request))
        elif self.pending or (self.unacknowledged and self._offer_in_200):
            transaction.respond(491)
        elif self.remote is None:
            transaction.respond(500, [RETRY_SOON])
        else:
            remote = read_description(text)
            headers = self._leg.accepting_headers(request)
            self._refresh_target(request)
            transaction.respond(200, [*headers, SDP_HEADER], self._answer(remote))
            self.agree(remote)

    def _refresh_target(self, request: Request) -> None:
        if self._leg.dialog is not None:
            self._leg.dialog.moves_to(request)

    # -- the ACK of our 200

    def on_ack(self, ack: Request) -> None:
        """The ACK of a 200 of ours."""
        invite = self._unacknowledged
        if invite is None or ack.cseq != invite.request.cseq:
            self._leg.core.counters["sip_stray_ack"] += 1
            return
        self.settle()
        if self._leg.ended is not None:
            self._leg.on_settled()
        elif self._offer_in_200:
            self._offer_in_200 = False
            self._take_answer(ack)

    def _take_answer(self, ack: Request) -> None:
        try:
            self.agree(read_description(sdp_text(ack)))
        except SipError as error:
            self._leg.core.counters[f"sip_{error.code}"] += 1
            self._leg.bye("error", 488)

    def settle(self) -> None:
        """Whatever 200 of ours awaits its ACK is not repeated any more."""
        invite, self._unacknowledged = self._unacknowledged, None
        if invite is not None:
            invite.acknowledge()
        self._tell_waiting()

    def _tell_waiting(self) -> None:
        for waiter in self.waiting:
            if not waiter.done():
                waiter.set_result(None)
        self.waiting.clear()

    def _no_ack(self) -> None:
        self._leg.core.counters["sip_ack_timeout"] += 1
        self._unacknowledged = None
        self._tell_waiting()
        if self._leg.ended is None:
            self._leg.bye("ack_timeout")
        else:
            self._leg.on_settled()
