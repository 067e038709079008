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
    LineError,
    Playback,
    Resumed,
)
from telephony.rtp.session import MediaSession
from telephony.sip.core import ALLOW, Core
from telephony.sip.dialog import Dialog
from telephony.sip.error import SipError
from telephony.sip.info import info_digit
from telephony.sip.message import Address, Header, Request
from telephony.sip.offers import Offers
from telephony.sip.probe import DeadCallWatch
from telephony.sip.refer import Referral
from telephony.sip.refresh import SessionRefresh
from telephony.sip.reinvite import Reinvites
from telephony.sip.sdp import SDP_TYPE, Remote
from telephony.sip.server import ServerTransaction
from telephony.sip.session_timer import MIN_SE_S
from telephony.sip.within import Within

MAX_EVENTS = 256
Handler = Callable[[ServerTransaction], None]


class InConference(Protocol):
    """The conference that a leg is in."""

    def remove(self, leg: Leg) -> None:
        """The leg leaves it."""


class SipLeg(abc.ABC):
    """One call. ``forget`` is called when no message can belong to it any more.

    ``owner``: whether the Call-ID is ours. ``handlers``: who takes which request of the other
    side within the dialog, by method; others are added there.
    """

    def __init__(
        self, core: Core, peer: Address, forget: Callable[[SipLeg], None], *, owner: bool
    ) -> None:
        self.core = core
        self.peer = peer
        self.local_tag = secrets.token_hex(8)
        self.dialog: Dialog | None = None
        self.media = MediaSession(core.media, core.ports, core.counters, self._on_digit)
        self.conference: InConference | None = None
        self.referral = Referral(self, self._tell)
        self._forget = forget
        self._ended: Ended | None = None
        self._events: asyncio.Queue[LegEvent] = asyncio.Queue()
        self._held = False
        self.within = Within(self)
        self.offers = Offers(self)
        self.reinvites = Reinvites(self.within, self.offers, owner=owner)
        self.session = SessionRefresh(self.within, self.reinvites)
        self.watch = DeadCallWatch(self.within, self.media, core.settings.dead_after_s)
        self.handlers: dict[str, Handler] = {
            "BYE": self._on_bye,
            "INVITE": self.offers.on_reinvite,
            "UPDATE": self.offers.on_update,
            "INFO": self._on_info,
            "NOTIFY": self.referral.on_notify,
            "OPTIONS": self._on_options,
        }

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
        self.session.stop()
        self.watch.stop()
        self.within.release()
        self.media.close()
        self.referral.release()
        self._tell(self._ended)
        if not self.offers.unacknowledged:
            self._forget(self)

    def bye(self, cause: EndCause, status: int = 0) -> None:
        """End an answered call from our side. The BYE waits for the ACK (RFC 3261 §15)."""
        waits = self.offers.unacknowledged
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

    async def refer(self, target: str, timeout_s: float = 30, replaces: Leg | None = None) -> int:
        """Blind or attended transfer."""
        if self.media.stream is None and self._ended is None:
            raise LineError("not_answered", "the call is not answered yet")
        if replaces is not None and (not isinstance(replaces, SipLeg) or replaces.dialog is None):
            raise LineError("not_answered", "the leg to be replaced is not answered")
        return await self.referral.refer(
            target, timeout_s, replaces.dialog if isinstance(replaces, SipLeg) else None
        )

    @abc.abstractmethod
    def shut(self, cause: EndCause) -> None:
        """The same at once, for ``cause``. No effect once over."""

    async def hold(self) -> None:
        """Put the other side on hold."""
        await self.reinvites.hold(True)

    async def resume(self) -> None:
        """Take it back."""
        await self.reinvites.hold(False)

    async def probe(self) -> bool:
        """Whether the other side still knows the call: asked by an OPTIONS within the dialog."""
        return await self.watch.probe()

    # -- what our requests and responses within the dialog carry, and what comes of them

    def dialog_headers(self, request: Request) -> list[Header]:
        """Record-Route comes back as it came (RFC 3261 §12.1.1)."""
        routes = [("Record-Route", value) for value in request.headers.get("record-route", ())]
        return [*routes, self.core.contact(self.peer), ALLOW, self.core.agent]

    def accepting_headers(self, request: Request) -> list[Header]:
        """Of a 2xx to an INVITE or UPDATE; its session timer runs from now on."""
        timer = self.session.accept(request) if self._answers(request) else []
        return [*self.dialog_headers(request), *timer]

    def _answers(self, request: Request) -> bool:
        """An UPDATE before the answer refreshes nothing yet."""
        return request.method == "INVITE" or self.offers.remote is not None

    def offering_headers(self) -> list[Header]:
        """Of a re-INVITE or UPDATE of ours."""
        return [self.core.contact(self.peer), ALLOW, *self.session.headers()]

    def on_agreed(self, remote: Remote) -> None:
        """The session has changed."""
        self.watch.restart(expects_sound=remote.direction == "sendrecv" and not self.offers.on_hold)
        if remote.held != self._held:
            self._held = remote.held
            self._tell((Held if self._held else Resumed)(self.clock_ms))

    def on_settled(self) -> None:
        """Our 200 was acknowledged after the end."""
        self._send_bye()
        self._forget(self)

    def on_ack(self, ack: Request) -> None:
        """The ACK of a 200 of ours."""
        self.offers.on_ack(ack)

    # -- requests of the other side within the dialog

    def dialog_of(self, remote_tag: str) -> Dialog | None:
        """The dialog with the other side that calls itself ``remote_tag``."""
        dialog = self.dialog
        return dialog if dialog is not None and dialog.remote_tag == remote_tag else None

    def on_request(self, transaction: ServerTransaction) -> None:
        """A request for this dialog, its tags checked already."""
        request = transaction.request
        dialog = self.dialog_of(request.sender.tag)
        assert dialog is not None  # noqa: S101  # without one the tags could not match
        if not dialog.in_order(request):
            transaction.respond(500, [("Retry-After", "5")])
        elif self._ended is not None and request.method != "BYE":
            transaction.respond(481)
        else:
            self._handle(transaction)

    def _handle(self, transaction: ServerTransaction) -> None:
        handler = self.handlers.get(transaction.request.method)
        if handler is None:
            transaction.respond(405, [ALLOW, self.core.agent])
            return
        try:
            handler(transaction)
        except SipError as error:
            self.core.counters[f"sip_{error.code}"] += 1
            transaction.respond(error.status, [*explaining(error), self.core.agent])

    def _on_bye(self, transaction: ServerTransaction) -> None:
        transaction.respond(200)
        self.offers.settle()
        if self._ended is None:
            self.end("bye")
        else:
            self._forget(self)

    def _on_info(self, transaction: ServerTransaction) -> None:
        key = info_digit(transaction.request)
        if key is None and transaction.request.body:
            transaction.respond(415, [("Accept", "application/dtmf-relay, application/dtmf")])
            return
        transaction.respond(200)
        if key and self.media.stream is not None:
            self.media.stream.press(key)

    def _on_options(self, transaction: ServerTransaction) -> None:
        transaction.respond(200, self.core.capabilities)


def explaining(error: SipError) -> list[Header]:
    """What a refusal must carry beside its status."""
    if error.status == 415:
        return [("Accept", SDP_TYPE)]
    return [("Min-SE", str(MIN_SE_S))] if error.status == 422 else []
