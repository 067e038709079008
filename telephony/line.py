"""The narrow interface of a phone line: what the call as the caller lives it is built on.

A ``Line`` takes and makes calls; each is a ``Leg`` (`telephony.leg`, whose names are here too).
All audio here is 16-bit signed little-endian linear PCM, 8000 Hz, mono. Everything is called on the
event loop that ran ``Line.start``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from telephony.leg import (
    FRAME_BYTES,
    FRAME_MS,
    FRAME_SAMPLES,
    SAMPLE_RATE_HZ,
    SILENCE,
    Digit,
    EndCause,
    Ended,
    Frame,
    FrameSink,
    Held,
    Leg,
    LegEvent,
    Playback,
    Referred,
    Resumed,
)

__all__ = [
    "FRAME_BYTES",
    "FRAME_MS",
    "FRAME_SAMPLES",
    "SAMPLE_RATE_HZ",
    "SILENCE",
    "Bridge",
    "Conference",
    "DialCode",
    "DialError",
    "Digit",
    "EndCause",
    "Ended",
    "Frame",
    "FrameSink",
    "Held",
    "Leg",
    "LegEvent",
    "Line",
    "LineError",
    "LineSettings",
    "OnCall",
    "Playback",
    "Referred",
    "RegistrationState",
    "Resumed",
]

RegistrationState = Literal["none", "registering", "registered", "failed", "stopped"]

DialCode = Literal["busy", "no_answer", "rejected", "unreachable"]


class LineError(Exception):
    """Something the line cannot do. ``code`` is stable, the text is for people.

    Codes: ``port_in_use``, ``bad_settings``, ``no_media_port``, ``not_started``, ``ended`` (the
    leg is over already), ``answered``, ``not_answered``, ``bad_status``, ``unsupported`` (this
    engine cannot), ``bad_target``, ``refer_refused``, ``refer_timeout``, ``refer_pending``,
    ``refused`` (the other side did not agree to be held or taken back).
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class DialError(LineError):
    """Our own call was not answered.

    ``code``: ``busy`` (486, 600), ``no_answer`` (time-out, 408, 480, 487), ``rejected`` (any other
    refusal) or ``unreachable`` (no reply at all, 5xx, an address that cannot be called).
    ``status`` is the SIP status, 0 where there was none.
    """

    def __init__(self, code: DialCode, message: str, status: int = 0) -> None:
        super().__init__(code, message)
        self.status = status


@dataclass(frozen=True, slots=True)
class LineSettings:
    """How a line is set up. Checked by ``Line.start``, which raises ``LineError``.

    ``port`` 0 lets the system choose (``Line.address`` tells). ``public_host`` is the IP literal
    put into Contact and SDP; empty means the address of this machine that the peer is reached
    from. ``rtp_ports`` is an inclusive range; each call takes two of it: sound even, RTCP next.
    ``allowed_peers`` are IP literals or networks (``10.1.0.0/16``); empty allows everybody, else
    what others send is ignored and counted. Above ``max_calls`` a new call gets ``full_status``.
    ``proxy`` (``host`` or ``host:port``) takes calls to tel: URIs and to host names, which the
    engine itself never looks up while it runs; a name given here is looked up once, at start.

    ``dead_after_s``: after so long without any sound on a call that is not on hold the other side
    is asked by an in-dialog OPTIONS whether it is still there; 0 never asks.
    ``session_expires_s``: the session timer (RFC 4028) asked for, 90 s at least; 0 asks for none,
    one that the other side asks for is kept all the same.
    ``max_setups_per_s``: above it new calls get 503; 0 for no bound.

    ``registrar`` (``host`` or ``host:port``, looked up once at start) makes the line the extension
    ``user`` of a PBX: registered there every ``register_s``, calls come from there, from ``proxy``
    and from ``allowed_peers`` only, and calls to tel: URIs and host names go there. Without it the
    line is the end of a trunk. ``user`` and ``password`` answer challenges (digest) of the
    registrar, the proxy and ``allowed_peers``, limited to ``realm`` unless that is empty.
    """

    host: str = "0.0.0.0"  # noqa: S104  # a trunk endpoint is there to be reached
    port: int = 5060
    public_host: str = ""
    rtp_ports: tuple[int, int] = (20000, 20999)
    user_agent: str = "Qianmen"
    allowed_peers: tuple[str, ...] = ()
    max_calls: int = 150
    full_status: Literal[486, 503] = 486
    proxy: str = ""
    dead_after_s: float = 30.0
    session_expires_s: int = 1800
    max_setups_per_s: int = 0
    registrar: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    realm: str = ""
    register_s: int = 300


class Bridge(Protocol):
    """Two legs joined."""

    def stop(self) -> None:
        """Part them; both live on. No effect if parted already."""


class Conference(Bridge, Protocol):
    """Legs that hear each other: each the sum of the others; two are a plain relay.

    Sinks and events of every leg go on being fed; keys pressed on one are sent to the others. A
    leg that ends leaves by itself; a leg is in one conference at a time.
    """

    @property
    def legs(self) -> tuple[Leg, ...]:
        """Who takes part now."""

    def add(self, leg: Leg) -> None:
        """``leg`` joins, and leaves the conference or bridge that it was in.

        No effect if it is here already. Raises ``LineError("not_answered")``.
        """

    def remove(self, leg: Leg) -> None:
        """``leg`` leaves and lives on, the others too. No effect if it takes no part."""

    def mute(self, leg: Leg, muted: bool = True) -> None:
        """Whether the others hear nothing of ``leg`` (its keys neither); it still hears them."""

    def whisper(self, leg: Leg, pcm: bytes) -> Playback:
        """Let ``leg`` alone hear s16le 8 kHz PCM, over the others, who are softer meanwhile.

        Raises ``LineError("not_answered")`` if it takes no part.
        """


OnCall = Callable[[Leg], Awaitable[None]]


class Line(Protocol):
    """A way in and out of the telephone network."""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that SIP is bound to, once started."""

    @property
    def registration(self) -> RegistrationState:
        """Whether the PBX knows us; ``none`` where the line is no extension."""

    async def start(self, on_call: OnCall) -> None:
        """Open the port and take calls; ``on_call`` runs as a task for each new inbound leg.

        When ``on_call`` returns or raises, a leg that it left alive is rejected or hung up.
        Raises ``LineError``: ``port_in_use``, ``bad_settings``.
        """

    async def stop(self, drain_s: float = 0) -> None:
        """Refuse new calls (503), wait up to ``drain_s`` for the others, hang up, close."""

    async def dial(
        self,
        target: str,
        caller: str = "",
        timeout_s: float = 20,
        on_early: Callable[[Leg], None] | None = None,
    ) -> Leg:
        """Call ``target`` (a sip: or tel: URI) and return the answered leg.

        ``caller`` is the number shown. ``on_early`` is called, once at most, when the other side
        sends sound before it answers (18x with SDP): a ringing tone, an announcement. The leg can
        be joined from then on; it is the one returned later. If the call fails it ends, and what
        it was joined to is parted from it. Cancelling this coroutine cancels the call.
        Raises ``DialError``; ``LineError("not_started")``.
        """

    def join(self, a: Leg, b: Leg) -> Bridge:
        """Relay sound and digits both ways; sinks and events of both go on being fed.

        Ends by itself when either leg ends. Raises ``LineError("not_answered")``.
        """

    def confer(self, legs: Iterable[Leg]) -> Conference:
        """Let ``legs`` hear each other; more can be added. Raises ``LineError("not_answered")``."""

    def legs(self) -> tuple[Leg, ...]:
        """The legs alive now."""

    def counters(self) -> Mapping[str, int]:
        """What was ignored, malformed or retransmitted since the start, by stable name."""
