"""The user agent: which requests we take, and to which leg they belong (RFC 3261 §8.2)."""

from __future__ import annotations

from collections.abc import Callable

from telephony.sip.core import ALLOW, Core
from telephony.sip.error import SipError
from telephony.sip.inbound import InboundLeg
from telephony.sip.leg import SipLeg, explaining
from telephony.sip.message import Header, Request
from telephony.sip.server import ServerTransaction

_TAKEN = frozenset({"INVITE", "BYE", "OPTIONS", "INFO", "UPDATE", "NOTIFY"})
_KNOWN = frozenset({"REGISTER", "SUBSCRIBE", "MESSAGE", "PUBLISH", "REFER", "PRACK"})
_UNDERSTOOD = ("timer",)
_SCHEMES = ("sip", "sips", "tel")
RETRY_AFTER: Header = ("Retry-After", "5")


class Agent:
    """Holds the legs; ``on_leg`` is told each new inbound one. Fulfils ``transactions.User``."""

    def __init__(self, core: Core, on_leg: Callable[[InboundLeg], None]) -> None:
        self._core = core
        self._on_leg = on_leg
        self._legs: dict[tuple[str, str], SipLeg] = {}
        self._setups = 0
        self.draining = False

    @property
    def alive(self) -> tuple[SipLeg, ...]:
        """Legs that are not over."""
        return tuple(leg for leg in self._legs.values() if leg.ended is None)

    def in_call(self, host: str) -> bool:
        """Whether a leg has its other side at ``host``, past the PBX that set the call up."""
        return any(
            host == leg.peer[0] or (leg.dialog is not None and host in leg.dialog.target)
            for leg in self._legs.values()
        )

    def add(self, leg: SipLeg) -> None:
        """From now on requests find ``leg``."""
        self._legs[leg.id, leg.local_tag] = leg

    def forget(self, leg: SipLeg) -> None:
        """No request belongs to ``leg`` any more."""
        self._legs.pop((leg.id, leg.local_tag), None)

    def on_request(self, transaction: ServerTransaction) -> None:
        """A new request."""
        request = transaction.request
        refusal = _refusal(request)
        if refusal is not None:
            transaction.respond(refusal[0], [*refusal[1], self._core.agent])
        elif request.to.tag:
            self._within_dialog(transaction)
        elif request.method == "INVITE":
            self._on_invite(transaction)
        elif request.method == "OPTIONS":
            self._on_options(transaction)
        else:
            transaction.respond(481, [self._core.agent])

    def _within_dialog(self, transaction: ServerTransaction) -> None:
        leg = self._leg_of(transaction.request, transaction.request.to.tag)
        if leg is None:
            self._core.counters["sip_unknown_dialog"] += 1
            transaction.respond(481, [self._core.agent])
        else:
            leg.on_request(transaction)

    def _leg_of(self, request: Request, local_tag: str) -> SipLeg | None:
        leg = self._legs.get((request.call_id, local_tag))
        if leg is None or leg.dialog_of(request.sender.tag) is None:
            return None
        return leg

    def _on_options(self, transaction: ServerTransaction) -> None:
        if self.draining:
            transaction.respond(503, [RETRY_AFTER, self._core.agent])
        else:
            transaction.respond(200, self._core.capabilities)

    def _on_invite(self, transaction: ServerTransaction) -> None:
        self._core.counters["calls_offered"] += 1
        status = self._no_room(transaction.request)
        if status:
            self._core.counters[f"calls_refused_{status}"] += 1
            transaction.respond(status, [RETRY_AFTER, self._core.agent])
            return
        try:
            leg = InboundLeg(self._core, transaction, self.forget)
        except SipError as error:
            self._core.counters[f"sip_{error.code}"] += 1
            self._core.counters[f"calls_refused_{error.status}"] += 1
            transaction.respond(error.status, [*explaining(error), self._core.agent])
            return
        transaction.respond(100)
        self.add(leg)
        self._on_leg(leg)

    def _no_room(self, request: Request) -> int:
        """The status that a new call is refused with, 0 if it is welcome."""
        if self._is_merged(request):
            return 482
        if self.draining:
            return 503
        if len(self.alive) >= self._core.settings.max_calls:
            self._core.counters["calls_full"] += 1
            return self._core.settings.full_status
        if self._too_fast():
            self._core.counters["calls_too_fast"] += 1
            return 503
        return 0

    def _too_fast(self) -> bool:
        """Whether this second's set-ups are used up; counts the one that is asked about."""
        bound = self._core.settings.max_setups_per_s
        if not bound:
            return False
        if not self._setups:
            self._core.clock.call_later(1.0, self._next_second)
        self._setups += 1
        return self._setups > bound

    def _next_second(self) -> None:
        self._setups = 0

    def _is_merged(self, request: Request) -> bool:
        """The same INVITE by another way (RFC 3261 §8.2.2.2)."""
        return any(
            isinstance(leg, InboundLeg) and leg.same_invite(request)
            for leg in self._legs.values()
            if leg.id == request.call_id
        )

    def on_ack(self, request: Request, local_tag: str) -> None:
        """The ACK of a 2xx."""
        leg = self._leg_of(request, local_tag)
        if leg is None:
            self._core.counters["sip_stray_ack"] += 1
        else:
            leg.on_ack(request)

    def on_cancel(self, transaction: ServerTransaction) -> None:
        """The caller of this INVITE gave up."""
        leg = self._legs.get((transaction.request.call_id, transaction.to_tag))
        if isinstance(leg, InboundLeg):
            leg.on_cancel()


def _refusal(request: Request) -> tuple[int, list[Header]] | None:
    """Status and headers for what no dialog and no state is needed to refuse."""
    if request.method not in _TAKEN:
        return (405 if request.method in _KNOWN else 501), [ALLOW]
    if request.target.scheme not in _SCHEMES:
        return 416, []
    # Proxy-Require is for proxies (RFC 3261 §8.2.2.3).
    strange = [tag for tag in request.all("require") if tag.lower() not in _UNDERSTOOD]
    if strange:
        return 420, [("Unsupported", ", ".join(strange))]
    return None
