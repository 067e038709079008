"""One server transaction: a request received and what we answer (RFC 3261 §17.2, RFC 6026)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Literal

from telephony.sip.message import (
    Address,
    Header,
    Request,
    render,
)
from telephony.sip.replies import reply_address, reply_headers, response_line
from telephony.sip.timers import GIVE_UP_S, T4_S, Cancellable, Clock, Resend

State = Literal["proceeding", "completed", "accepted", "confirmed", "terminated"]


class ServerTransaction:
    """Answers one request; repeats the answer as long as the other side needs it.

    A 2xx to an INVITE is repeated here too, until ``acknowledge``; if that never comes,
    ``on_no_ack`` is called after 64·T1.
    """

    def __init__(
        self,
        request: Request,
        source: Address,
        clock: Clock,
        send: Callable[[bytes, Address], None],
        forget: Callable[[], None],
    ) -> None:
        self.request = request
        self.source = source
        self.state: State = "proceeding"
        self.status = 0
        self.to_tag = request.to.tag or secrets.token_hex(8)
        self.on_no_ack: Callable[[], None] | None = None
        self._clock = clock
        self._send = send
        self._forget = forget
        self._destination = reply_address(request.headers, source)
        self._last: bytes | None = None
        self._resend: Resend | None = None
        self._end: Cancellable | None = None

    @property
    def final(self) -> bool:
        """Whether a final response was given."""
        return self.state != "proceeding"

    @property
    def accepted(self) -> bool:
        """Whether the final response was a 2xx to an INVITE."""
        return self.state == "accepted"

    def respond(
        self,
        status: int,
        headers: Sequence[Header] = (),
        body: bytes = b"",
        *,
        to_tag: str | None = None,
    ) -> None:
        """Send a response; no effect after a final one. A 100 carries no To-tag."""
        if self.final:
            return
        self.status = status
        tag = "" if status == 100 else to_tag or self.to_tag
        common = reply_headers(self.request.headers, self.source, tag)
        self._last = render(response_line(status), [*common, *headers], body)
        self._transmit()
        if status >= 200:
            self._complete(status)

    def _complete(self, status: int) -> None:
        if self.request.method != "INVITE":
            self.state = "completed"
            self._end = self._clock.call_later(GIVE_UP_S, self.terminate)
        elif status < 300:
            self.state = "accepted"
            self._resend = Resend(self._clock, self._transmit, self._no_ack)
        else:
            self.state = "completed"
            self._resend = Resend(self._clock, self._transmit, self.terminate)

    def _transmit(self) -> None:
        if self._last is not None:
            self._send(self._last, self._destination)

    def repeat(self) -> None:
        """The request came again: the same response again."""
        if self.state in ("proceeding", "completed", "accepted"):
            self._transmit()

    def acknowledge(self) -> None:
        """The ACK of the final response to this INVITE came."""
        if self._resend is not None:
            self._resend.stop()
            self._resend = None
        if self.state == "completed":
            self.state = "confirmed"
        if self._end is None:
            linger_s = GIVE_UP_S if self.accepted else T4_S
            self._end = self._clock.call_later(linger_s, self.terminate)

    def _no_ack(self) -> None:
        self.terminate()
        if self.on_no_ack is not None:
            self.on_no_ack()

    def terminate(self) -> None:
        """Forget the transaction."""
        self.state = "terminated"
        if self._resend is not None:
            self._resend.stop()
        if self._end is not None:
            self._end.cancel()
        self._forget()
