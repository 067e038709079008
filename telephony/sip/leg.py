"""What inbound and dialled legs share: media, events, and requests within the dialog."""

from __future__ import annotations

import abc
import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from telephony.line import (
    Digit,
    EndCause,
    Ended,
    FrameSink,
    Held,
    Leg,
    LegEvent,
    Playback,
    Resumed,
)
from telephony.rtp.session import MediaSession
from telephony.sip.core import ALLOW, Core
from telephony.sip.dialog import Dialog
from telephony.sip.error import SipError
from telephony.sip.info import info_digit
from telephony.sip.message import Address, Header, Request
from telephony.sip.sdp import SDP_TYPE, Local, Remote, read_description, sdp_text
from telephony.sip.server import ServerTransaction

MAX_EVENTS = 256
SDP_HEADER: Header = ("Content-Type", SDP_TYPE)


class InConference(Protocol):
    """The conference that a leg is in."""

    def remove(self, leg: Leg) -> None:
        """The leg leaves it."""


class SipLeg(abc.ABC):
    """One call. ``forget`` is called when no message can belong to it any more."""

    def __init__(self, core: Core, peer: Address, forget: Callable[[SipLeg], None]) -> None:
        self.core = core
        self.peer = peer
        self.local_tag = secrets.token_hex(8)
        self.dialog: Dialog | None = None
        self.media = MediaSession(core.media, core.ports, core.counters, self._on_digit)
        self.conference: InConference | None = None
        self._forget = forget
        self._ended: Ended | None = None
        self._events: asyncio.Queue[LegEvent] = asyncio.Queue()
        self._unacknowledged: ServerTransaction | None = None
        self._offer_in_200 = False
        self._held = False
        self._sdp_session = secrets.randbelow(2**31)
        self._sdp_version = 0

    id = ""
    caller = ""
    display_name = ""
    dialled = ""
    diverted_from = ""

    @property
    def clock_ms(self) -> int:
        """The media clock, ms."""
        return self.media.clock_ms

    @property
    def ended(self) -> Ended | None:
        """How it ended, if it has."""
        return self._ended

    def play(self, pcm: bytes) -> Playback:
        """Queue sound."""
        return self.media.play(pcm)

    def send_digits(self, keys: str) -> None:
        """Send telephone-events."""
        if self.media.stream is not None:
            self.media.stream.send_digits(keys)

    def on_audio(self, sink: FrameSink) -> None:
        """Frames received."""
        self.media.heard.add(sink)

    def on_sent(self, sink: FrameSink) -> None:
        """Frames sent."""
        self.media.sent.add(sink)

    async def events(self) -> AsyncIterator[LegEvent]:
        """What happens, up to and with ``Ended``."""
        while True:
            event = await self._events.get()
            yield event
            if isinstance(event, Ended):
                return

    def _tell(self, event: LegEvent) -> None:
        if self._events.qsize() < MAX_EVENTS or isinstance(event, Ended):
            self._events.put_nowait(event)
        else:
            self.core.counters["leg_event_dropped"] += 1

    def _on_digit(self, key: str, at_ms: int) -> None:
        self._tell(Digit(key, at_ms))

    def end(self, cause: EndCause, status: int = 0) -> None:
        """The call is over: media stops now, the port is free. No effect the second time."""
        if self._ended is not None:
            return
        self._ended = Ended(cause, status)
        if self.conference is not None:
            self.conference.remove(self)
        self.media.close()
        self._tell(self._ended)
        if self._unacknowledged is None:
            self._forget(self)

    def bye(self, cause: EndCause, status: int = 0) -> None:
        """End an answered call from our side. The BYE waits for the ACK (RFC 3261 §15)."""
        waits = self._unacknowledged is not None
        self.end(cause, status)
        if not waits:
            self._send_bye()

    def _send_bye(self) -> None:
        if self.dialog is not None:
            self.core.transactions.request(
                self.dialog.request("BYE"), self.dialog.next_hop, lambda _: None, lambda: None
            )

    @abc.abstractmethod
    async def ring(self) -> None:
        """180, if there is something to ring."""

    @abc.abstractmethod
    async def answer(self) -> None:
        """200, and media."""

    @abc.abstractmethod
    async def reject(self, status: int = 603, retry_after_s: int = 0) -> None:
        """Refuse."""

    async def hang_up(self) -> None:
        """End it in whatever state it is."""
        self.shut("hung_up")

    @abc.abstractmethod
    def shut(self, cause: EndCause) -> None:
        """The same at once, for ``cause``. No effect once over."""

    # -- our 200 and its ACK

    def _local(self) -> Local:
        self._sdp_version += 1
        return Local(
            self.core.host_for(self.peer), self.media.open(), self._sdp_session, self._sdp_version
        )

    def _accept(self, invite: ServerTransaction, remote: Remote | None) -> None:
        """Answer an INVITE with 200: an answer to its offer, or our offer if it made none."""
        local = self._local()
        body = local.answer(remote) if remote else local.offer()
        self._unacknowledged = invite
        self._offer_in_200 = remote is None
        invite.on_no_ack = self._no_ack
        invite.respond(200, [*self._dialog_headers(invite.request), SDP_HEADER], body)
        if remote is not None:
            self._apply(remote)

    def _dialog_headers(self, request: Request) -> list[Header]:
        """Record-Route comes back as it came (RFC 3261 §12.1.1)."""
        routes = [("Record-Route", value) for value in request.headers.get("record-route", ())]
        return [*routes, self.core.contact(self.peer), ALLOW, self.core.agent]

    def _apply(self, remote: Remote) -> None:
        self.media.start(remote.plan, self.peer[0])
        if remote.held != self._held:
            self._held = remote.held
            self._tell((Held if self._held else Resumed)(self.clock_ms))

    def on_ack(self, ack: Request) -> None:
        """The ACK of a 200 of ours."""
        invite = self._unacknowledged
        if invite is None or ack.cseq != invite.request.cseq:
            self.core.counters["sip_stray_ack"] += 1
            return
        invite.acknowledge()
        self._unacknowledged = None
        if self._ended is not None:
            self._send_bye()
            self._forget(self)
        elif self._offer_in_200:
            self._apply_answer(ack)

    def _apply_answer(self, ack: Request) -> None:
        try:
            self._apply(read_description(sdp_text(ack)))
        except SipError as error:
            self.core.counters[f"sip_{error.code}"] += 1
            self.bye("error", 488)

    def _no_ack(self) -> None:
        self.core.counters["sip_ack_timeout"] += 1
        self._unacknowledged = None
        if self._ended is None:
            self.bye("ack_timeout")
        else:
            self._send_bye()
            self._forget(self)

    # -- requests of the other side within the dialog

    def on_request(self, transaction: ServerTransaction) -> None:
        """BYE, re-INVITE, INFO or OPTIONS for this dialog, its tags checked already."""
        assert self.dialog is not None  # noqa: S101  # without one the tags could not match
        if not self.dialog.in_order(transaction.request):
            transaction.respond(500, [("Retry-After", "5")])
            return
        if self._ended is not None and transaction.request.method != "BYE":
            transaction.respond(481)
            return
        handlers = {"BYE": self._on_bye, "INVITE": self._on_reinvite, "INFO": self._on_info}
        handlers.get(transaction.request.method, self._on_options)(transaction)

    def _on_bye(self, transaction: ServerTransaction) -> None:
        transaction.respond(200)
        unacknowledged, self._unacknowledged = self._unacknowledged, None
        if unacknowledged is not None:
            unacknowledged.acknowledge()
        if self._ended is None:
            self.end("bye")
        else:
            self._forget(self)

    def _on_reinvite(self, transaction: ServerTransaction) -> None:
        if self.media.stream is None:
            # The first INVITE is not settled yet (RFC 3261 §14.2).
            transaction.respond(500, [("Retry-After", "2")])
            return
        try:
            text = sdp_text(transaction.request)
            remote = read_description(text) if text else None
            assert self.dialog is not None  # noqa: S101  # see on_request
            self.dialog.moves_to(transaction.request)
        except SipError as error:
            transaction.respond(error.status)
            return
        if self._unacknowledged is not None:
            # A new request in order shows that our 200 arrived.
            self._unacknowledged.acknowledge()
        self._accept(transaction, remote)

    def _on_info(self, transaction: ServerTransaction) -> None:
        key = info_digit(transaction.request)
        if key is None and transaction.request.body:
            transaction.respond(415, [("Accept", "application/dtmf-relay, application/dtmf")])
            return
        transaction.respond(200)
        if key and self.media.stream is not None:
            self.media.stream.press(key)

    def _on_options(self, transaction: ServerTransaction) -> None:
        transaction.respond(200, [ALLOW, ("Accept", SDP_TYPE), self.core.agent])
