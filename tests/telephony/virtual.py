"""Virtual time, and a SIP peer that is nothing but text: what the line sends is kept and read."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from telephony.line import LineSettings
from telephony.rtp.engine import MediaEngine
from telephony.rtp.ports import PortPool
from telephony.sip.agent import Agent
from telephony.sip.core import Core
from telephony.sip.inbound import InboundLeg
from telephony.sip.message import Address, Request, Response, parse_message
from telephony.sip.transactions import Transactions

PEER: Address = ("127.0.0.1", 5070)
RTP_PORTS = (20000, 23999)
OFFER = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 8 0 96\r\na=rtpmap:96 telephone-event/8000\r\n"
)


@dataclass(order=True)
class Due:
    """One call to come."""

    at: float
    turn: int
    callback: Callable[[], object] = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        self.cancelled = True
        self.callback = int  # as asyncio's: what would have been called is let go


class VirtualClock:
    """Fulfils ``telephony.sip.timers.Clock``; time passes only by ``advance``."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[Due] = []
        self._turn = itertools.count()

    def call_later(self, delay: float, callback: Callable[[], object], /) -> Due:
        due = Due(self.now + delay, next(self._turn), callback)
        heapq.heappush(self._due, due)
        return due

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while self._due and self._due[0].at <= end:
            due = heapq.heappop(self._due)
            self.now = due.at
            if not due.cancelled:
                due.callback()
        self.now = end

    def pending(self) -> int:
        return sum(not due.cancelled for due in self._due)


class Exchange:
    """A whole user agent on a virtual clock, and the text peer beside it."""

    def __init__(self, settings: LineSettings | None = None) -> None:
        self.clock = VirtualClock()
        self.counters: Counter[str] = Counter()
        self.sent: list[tuple[float, Request | Response, Address]] = []
        self.wire: list[bytes] = []
        self.inbound: list[InboundLeg] = []
        settings = settings or LineSettings(host="127.0.0.1", rtp_ports=RTP_PORTS, dead_after_s=0)
        self.media = MediaEngine(self.counters)
        self.ports = PortPool("127.0.0.1", settings.rtp_ports)
        self.core = Core(settings, self.clock, self.media, self.ports, self.counters)
        self.agent = Agent(self.core, self.inbound.append)
        self.core.transactions = Transactions(
            self.clock, self._send, self.core.sent_by, self.agent, self.counters
        )

    def _send(self, data: bytes, destination: Address) -> None:
        self.wire.append(data)
        self.sent.append((self.clock.now, parse_message(data), destination))

    def close(self) -> None:
        for leg in self.agent.alive:
            leg.shut("shutdown")
        self.core.transactions.close()
        self.media.stop()

    def receive(self, text: str, source: Address = PEER) -> list[Request | Response]:
        """Give one message to the line; returns what it sent at once."""
        before = len(self.sent)
        self.core.transactions.receive(parse_message(text.encode()), source)
        return [message for _, message, _ in self.sent[before:]]

    def responses(self, status: int) -> list[Response]:
        return [m for _, m, _ in self.sent if isinstance(m, Response) and m.status == status]

    def requests(self, method: str) -> list[Request]:
        return [m for _, m, _ in self.sent if isinstance(m, Request) and m.method == method]

    def statuses(self) -> Iterator[int]:
        return (m.status for _, m, _ in self.sent if isinstance(m, Response))


def request(
    method: str,
    *,
    branch: str = "z9hG4bK1",
    to: str = "<sip:12345@127.0.0.1>",
    cseq: int = 1,
    call_id: str = "call-1",
    extra: str = "",
    body: str = "",
    kind: str = "application/sdp",
    target: str = "sip:12345@127.0.0.1",
    tag: str = "them",
    contact: str = "Contact: <sip:alice@127.0.0.1:5070>\r\n",
) -> str:
    """A request of the text peer."""
    content = f"Content-Type: {kind}\r\n" if body else ""
    return (
        f"{method} {target} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 127.0.0.1:5070;branch={branch};rport\r\n"
        f"From: <sip:13800000000@127.0.0.1>;tag={tag}\r\nTo: {to}\r\n"
        f"Call-ID: {call_id}\r\nCSeq: {cseq} {method}\r\nMax-Forwards: 70\r\n"
        f"{contact}{extra}{content}Content-Length: {len(body.encode())}\r\n\r\n{body}"
    )


def reply_to(
    sent: Request, status: int, *, tag: str = "callee", extra: str = "", body: str = ""
) -> str:
    """The text peer's response to a request that the line sent."""
    to = sent.to.text if sent.to.tag or status == 100 else f"{sent.to.text};tag={tag}"
    content = "Content-Type: application/sdp\r\n" if body else ""
    return (
        f"SIP/2.0 {status} Whatever\r\nVia: {sent.vias[0].text}\r\n"
        f"From: {sent.sender.text}\r\nTo: {to}\r\nCall-ID: {sent.call_id}\r\n"
        f"CSeq: {sent.cseq} {sent.cseq_method}\r\n{extra}{content}"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    )
