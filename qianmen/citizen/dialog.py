"""One outgoing call's SIP dialog, without sockets and without a clock (RFC 3261 §8, 12, 13, 17).

Fed with messages and with the time; what is to be sent waits in ``take()``, what happened in
``events()``. Times are monotonic seconds.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from qianmen.citizen import sip

T1 = 0.5
T2 = 4.0

State = Literal["idle", "calling", "answered", "closing", "over"]
Cause = Literal["failed", "timeout", "bye", "hung_up"]


@dataclass(frozen=True, slots=True)
class Progress:
    """A provisional answer came: somebody is there; above 100 it rings."""

    status: int


@dataclass(frozen=True, slots=True)
class Answered:
    """The other side answered, with this SDP."""

    sdp: bytes


@dataclass(frozen=True, slots=True)
class Over:
    """The end, always the last event.

    ``cause``: failed (refused with ``status``), timeout (no reply), bye (they hung up), hung_up.
    """

    cause: Cause
    status: int = 0


DialogEvent = Progress | Answered | Over
Datagram = tuple[bytes, tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls: the number shown, the address that SIP is received at, the call's identifiers."""

    caller: str
    address: tuple[str, int]
    call_id: str
    tag: str

    @classmethod
    def new(cls, caller: str, address: tuple[str, int]) -> Identity:
        """A fresh call of ``caller`` from ``address``."""
        host, port = address
        return cls(caller, address, f"{secrets.token_hex(12)}@{host}:{port}", secrets.token_hex(5))

    @property
    def contact(self) -> str:
        """The Contact header."""
        return f"<sip:{self.caller}@{self.address[0]}:{self.address[1]}>"


@dataclass(slots=True)
class _Repeat:
    """A request that is sent again until something answers it."""

    message: sip.Message
    at: float
    gap: float
    until: float


class Dialog:
    """The caller's half of one call."""

    def __init__(self, me: Identity, target: sip.Uri, sdp: bytes, *, patience_s: float = 32.0):
        self.state: State = "idle"
        self.me = me
        self._to = f"<{target}>"
        self._target = str(target)
        self._address = target.address
        self._routes: tuple[str, ...] = ()
        self._sdp = sdp
        self._patience = patience_s
        self._cseq = 1
        self._invite: sip.Message | None = None
        self._ack: sip.Message | None = None
        self._repeats: dict[str, _Repeat] = {}
        self._provisional = self._cancelled = False
        self._out: list[Datagram] = []
        self._events: list[DialogEvent] = []

    def take(self) -> list[Datagram]:
        """What is to be sent, and whereto; each once."""
        out, self._out = self._out, []
        return out

    def events(self) -> list[DialogEvent]:
        """What happened since the last time."""
        events, self._events = self._events, []
        return events

    @property
    def wake_at(self) -> float | None:
        """When ``tick`` has something to do."""
        return min((repeat.at for repeat in self._repeats.values()), default=None)

    def invite(self, now: float) -> None:
        """Call."""
        self.state = "calling"
        extra = (("contact", self.me.contact), ("content-type", "application/sdp"))
        self._invite = self._request("INVITE", extra, self._sdp)
        self._send_until(self._invite, now, self._patience)

    def hang_up(self, now: float) -> None:
        """End the call in whatever state it is: CANCEL before the answer, BYE after."""
        if self.state == "calling":
            self._cancelled = True
            self._cancel(now)
        elif self.state == "answered":
            self.state = "closing"
            self._cseq += 1
            self._send_until(self._request("BYE", ()), now, 8.0)

    def tick(self, now: float) -> None:
        """Send again what was not answered; give up on what never will be."""
        for method, repeat in list(self._repeats.items()):
            if now >= repeat.until:
                del self._repeats[method]
                self._finish("hung_up" if method != "INVITE" else "timeout")
            elif now >= repeat.at:
                self._out.append((sip.render(repeat.message), self._address))
                repeat.gap = min(2 * repeat.gap, T2)
                repeat.at = now + repeat.gap

    def receive(self, message: sip.Message, now: float) -> None:
        """A message with this call's Call-ID came."""
        if message.status:
            self._response(message, now)
        elif message.method != "ACK":
            self._asked(message)

    def _response(self, message: sip.Message, now: float) -> None:
        method = message.cseq[1]
        if method == "INVITE":
            self._invite_response(message, now)
        elif message.status >= 200 and method in self._repeats:
            del self._repeats[method]
            if method == "BYE":
                self._finish("hung_up")

    def _invite_response(self, message: sip.Message, now: float) -> None:
        if message.status < 200:
            self._provisional_response(message, now)
        elif message.status >= 300:
            self._refused(message)
        elif self._ack is not None:  # our ACK was lost: again
            self._out.append((sip.render(self._ack), self._address))
        else:
            self._answered(message, now)

    def _provisional_response(self, message: sip.Message, now: float) -> None:
        if self.state != "calling":
            return
        self._provisional = True
        repeat = self._repeats.get("INVITE")
        if repeat is not None:  # no more retransmissions, but patience has an end
            repeat.at = repeat.until
        if self._cancelled:
            self._cancel(now)
        self._events.append(Progress(message.status))

    def _answered(self, message: sip.Message, now: float) -> None:
        self._repeats.pop("INVITE", None)
        self._to = message.get("to")
        self._routes = tuple(reversed(message.all("record-route")))
        self._learn_target(message)
        self._ack = self._request("ACK", ())
        self._out.append((sip.render(self._ack), self._address))
        self.state = "answered"
        if self._cancelled:  # their 200 crossed our CANCEL (RFC 3261 §9.1)
            self._repeats.pop("CANCEL", None)
            self.hang_up(now)
        else:
            self._events.append(Answered(message.body))

    def _learn_target(self, message: sip.Message) -> None:
        try:
            target = sip.parse_uri(message.get("contact"))
            hop = sip.parse_uri(self._routes[0]) if self._routes else target
        except sip.SipError:
            return  # no usable Contact: go on where the INVITE went
        self._target, self._address = str(target), hop.address

    def _refused(self, message: sip.Message) -> None:
        """An ACK on the INVITE's own branch (RFC 3261 §17.1.1.3)."""
        if self._invite is None or self.state == "answered":
            return
        headers = tuple(
            (name, message.get("to") if name == "to" else value)
            for name, value in self._invite.headers
            if name in {"via", "max-forwards", "from", "to", "call-id"}
        )
        cseq = ("cseq", f"{self._invite.cseq[0]} ACK")
        ack = sip.Message(method="ACK", uri=self._invite.uri, headers=(*headers, cseq))
        self._out.append((sip.render(ack), self._address))
        self._repeats.clear()
        if self._cancelled and message.status == 487:
            self._finish("hung_up")
        else:
            self._finish("failed", message.status)

    def _cancel(self, now: float) -> None:
        if not self._provisional or self._invite is None or "CANCEL" in self._repeats:
            return  # §9.1: not before a provisional response
        headers = tuple(
            (name, value)
            for name, value in self._invite.headers
            if name in {"via", "max-forwards", "from", "to", "call-id"}
        )
        cseq = ("cseq", f"{self._invite.cseq[0]} CANCEL")
        cancel = sip.Message(method="CANCEL", uri=self._invite.uri, headers=(*headers, cseq))
        self._send_until(cancel, now, 8.0)

    def _asked(self, request: sip.Message) -> None:
        """A request inside the dialog; only BYE changes anything."""
        status, reason = {
            "BYE": (200, "OK"), "OPTIONS": (200, "OK"), "INFO": (200, "OK"),
            "NOTIFY": (200, "OK"), "INVITE": (488, "Not Acceptable Here"),
        }.get(request.method, (405, "Method Not Allowed"))  # fmt: skip
        answer = sip.reply(request, status, reason, contact=self.me.contact)
        self._out.append((sip.render(answer), self._address))
        if request.method == "BYE":
            self._repeats.clear()
            self._finish("bye")

    def _finish(self, cause: Cause, status: int = 0) -> None:
        if self.state != "over":
            self.state = "over"
            self._repeats.clear()
            self._events.append(Over(cause, status))

    def _send_until(self, message: sip.Message, now: float, patience_s: float) -> None:
        self._out.append((sip.render(message), self._address))
        self._repeats[message.method] = _Repeat(message, now + T1, T1, now + patience_s)

    def _request(
        self, method: str, extra: Iterable[tuple[str, str]], body: bytes = b""
    ) -> sip.Message:
        host, port = self.me.address
        headers = (
            ("via", f"SIP/2.0/UDP {host}:{port};branch=z9hG4bK{secrets.token_hex(9)};rport"),
            ("max-forwards", "70"),
            *(("route", route) for route in self._routes),
            ("from", f"<sip:{self.me.caller}@{host}>;tag={self.me.tag}"),
            ("to", self._to),
            ("call-id", self.me.call_id),
            ("cseq", f"{self._cseq} {method}"),
            *extra,
        )
        return sip.Message(method=method, uri=self._target, headers=headers, body=body)


def busy(status: int) -> bool:
    """Whether a refusal means that somebody talks already."""
    return status in {486, 600}
