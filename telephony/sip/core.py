"""What all legs of one line share."""

from __future__ import annotations

import functools
import socket
from collections import Counter

from telephony.line import LineSettings
from telephony.rtp.engine import MediaEngine
from telephony.rtp.ports import PortPool
from telephony.sip.message import Address, Header
from telephony.sip.timers import Clock
from telephony.sip.transactions import Transactions

ALLOW = ("Allow", "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE, NOTIFY")


class Core:
    """The line's parts, and how it names itself to a peer. ``transactions`` is set at start."""

    transactions: Transactions

    def __init__(
        self,
        settings: LineSettings,
        clock: Clock,
        media: MediaEngine,
        ports: PortPool,
        counters: Counter[str],
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.media = media
        self.ports = ports
        self.counters = counters
        self.port = settings.port
        self.proxy: Address | None = None
        self.domain = ""
        self.learned: Address | None = None

    def host_for(self, peer: Address) -> str:
        """Our IP as ``peer`` knows it."""
        settings = self.settings
        if settings.public_host:
            return settings.public_host
        if settings.host != "0.0.0.0":  # noqa: S104  # compared, not bound
            return settings.host
        return route_source(peer[0])

    def sent_by(self, peer: Address) -> str:
        """``host:port`` for Via."""
        return f"{self.host_for(peer)}:{self.port}"

    def contact_uri(self, peer: Address) -> str:
        """Where we are to be called: as the registrar sees us, where a NAT is between."""
        host, port = self.learned or (self.host_for(peer), self.port)
        return f"sip:{self.settings.user or 'qianmen'}@{host}:{port}"

    def contact(self, peer: Address) -> Header:
        """Our Contact."""
        return "Contact", f"<{self.contact_uri(peer)}>"

    def calling(self, peer: Address, caller: str) -> tuple[str, list[Header]]:
        """From, without its tag, of a call that we make, and what goes with it.

        A PBX wants its extension there; the number to be shown is then a wish (RFC 3325 §9.2).
        """
        user = caller or "anonymous"
        if not self.domain:
            return f"<sip:{user}@{self.sent_by(peer)}>", []
        wish: list[Header] = [("P-Preferred-Identity", f"<sip:{user}@{self.domain}>")]
        return f"<sip:{self.settings.user}@{self.domain}>", wish if caller else []

    @property
    def capabilities(self) -> list[Header]:
        """What we can, in the answer to OPTIONS (RFC 3261 §11.2)."""
        accept = ("Accept", "application/sdp")
        return [ALLOW, accept, ("Accept-Encoding", "identity"), ("Supported", "timer"), self.agent]

    @property
    def agent(self) -> Header:
        """Who we are, in responses."""
        return "Server", self.settings.user_agent


@functools.lru_cache(maxsize=1024)
def route_source(host: str) -> str:
    """The address that the kernel would send from to ``host``: connecting UDP sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((host, 9))
        except OSError:
            return "127.0.0.1"
        address: str = probe.getsockname()[0]
        return address
