"""One client transaction: a request of ours and its responses (RFC 3261 §17.1, RFC 6026)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from telephony.sip.message import Address, Outgoing, Response
from telephony.sip.timers import GIVE_UP_S, T2_S, T4_S, Cancellable, Clock, Resend

State = Literal["calling", "proceeding", "completed", "accepted", "terminated"]
_COMPLETED_S = 32.0


class ClientTransaction:
    """Sends one request until it is answered. Built by ``Transactions.request``."""

    def __init__(
        self,
        outgoing: Outgoing,
        destination: Address,
        branch: str,
        via: str,
        clock: Clock,
        send: Callable[[bytes, Address], None],
        on_response: Callable[[Response], None],
        on_timeout: Callable[[], None],
        forget: Callable[[], None],
    ) -> None:
        self.outgoing = outgoing
        self.destination = destination
        self.branch = branch
        self.state: State = "calling"
        self._via = via
        self._clock = clock
        self._send = send
        self._on_response = on_response
        self._on_timeout = on_timeout
        self._forget = forget
        self._wire = outgoing.rendered(via)
        self._resend: Resend | None = None
        self._end: Cancellable | None = None
        self._ack: bytes | None = None

    @property
    def _is_invite(self) -> bool:
        return self.outgoing.method == "INVITE"

    def start(self) -> None:
        """Send for the first time."""
        self._transmit()
        cap_s = GIVE_UP_S if self._is_invite else T2_S
        self._resend = Resend(self._clock, self._transmit, self._timed_out, cap_s)

    def _transmit(self) -> None:
        self._send(self._wire, self.destination)

    def _timed_out(self) -> None:
        self.terminate()
        self._on_timeout()

    def receive(self, response: Response) -> None:
        """A response whose branch and method are ours."""
        if response.status < 200:
            self._provisional(response)
        elif self._is_invite:
            self._invite_final(response)
        else:
            self._other_final(response)

    def _provisional(self, response: Response) -> None:
        if self.state not in ("calling", "proceeding"):
            return
        self.state = "proceeding"
        if self._resend is not None and self._is_invite:
            self._stop_resending()
        elif self._resend is not None:
            self._resend.slow_down()
        self._on_response(response)

    def _invite_final(self, response: Response) -> None:
        if response.status < 300:
            if self.state in ("calling", "proceeding"):
                self._linger("accepted", GIVE_UP_S)
            if self.state == "accepted":
                self._on_response(response)
            return
        if self.state in ("calling", "proceeding"):
            self._linger("completed", _COMPLETED_S)
            self._ack = self._ack_of(response)
            self._send(self._ack, self.destination)
            self._on_response(response)
        elif self._ack is not None:
            self._send(self._ack, self.destination)

    def _other_final(self, response: Response) -> None:
        if self.state not in ("calling", "proceeding"):
            return
        self._linger("completed", T4_S)
        self._on_response(response)

    def _linger(self, state: State, seconds: float) -> None:
        self.state = state
        self._stop_resending()
        self._end = self._clock.call_later(seconds, self.terminate)

    def _ack_of(self, response: Response) -> bytes:
        """The ACK of a refusal goes by the INVITE's own branch (RFC 3261 §17.1.1.3)."""
        return self._sibling("ACK", response.to.text).rendered(self._via)

    def cancel_request(self) -> Outgoing:
        """The CANCEL of this INVITE; it goes by the same branch (RFC 3261 §9.1)."""
        return self._sibling("CANCEL", self.outgoing.all("To")[0][1])

    def _sibling(self, method: str, to: str) -> Outgoing:
        number = self.outgoing.all("CSeq")[0][1].partition(" ")[0]
        copied = [
            header
            for name in ("Route", "From", "Call-ID", "Max-Forwards")
            for header in self.outgoing.all(name)
        ]
        return Outgoing(
            method, self.outgoing.target, [*copied, ("To", to), ("CSeq", f"{number} {method}")]
        )

    def _stop_resending(self) -> None:
        if self._resend is not None:
            self._resend.stop()
            self._resend = None

    def terminate(self) -> None:
        """Forget the transaction."""
        self.state = "terminated"
        self._stop_resending()
        if self._end is not None:
            self._end.cancel()
        self._forget()
