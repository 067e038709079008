"""The narrow interface of a phone line: what the call as the caller lives it is built on.

A ``Line`` takes and makes calls; each is a ``Leg``. All audio here is 16-bit signed little-endian
linear PCM, 8000 Hz, mono. Everything is called on the event loop that ran ``Line.start``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

SAMPLE_RATE_HZ = 8000
FRAME_MS = 20
FRAME_SAMPLES = 160
FRAME_BYTES = 320
SILENCE = bytes(FRAME_BYTES)

EndCause = Literal[
    "bye",  # the other side hung up after the answer
    "cancel",  # the caller gave up before the answer
    "hung_up",  # our side hung up
    "rejected",  # our side refused the call; status says with what
    "ack_timeout",  # our 200 was never acknowledged (RFC 3261 §13.3.1.4)
    "media_timeout",  # the other side sent no sound for too long
    "error",  # the dialog broke: the other side answered 481 or 408, or nothing at all
    "shutdown",  # the line stopped
    "transferred",  # the other side calls somebody else now (``Leg.refer``)
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


@dataclass(frozen=True, slots=True)
class Frame:
    """20 ms of sound: ``FRAME_BYTES`` of s16le PCM that begin at ``at_ms`` of the leg's clock.

    The clock starts at 0 when the leg's media starts and is the same for both directions.
    ``heard`` is false where nothing was received or sent for this frame: the sound is then
    concealment or silence.
    """

    pcm: bytes
    at_ms: int
    heard: bool = True


@dataclass(frozen=True, slots=True)
class Digit:
    """A key was pressed: ``key`` is one of ``0123456789*#ABCD``; once per press."""

    key: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Held:
    """The other side put us on hold: it hears nothing from us until ``Resumed``.

    What plays pauses meanwhile.
    """

    at_ms: int


@dataclass(frozen=True, slots=True)
class Resumed:
    """The other side took us back from hold."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class Referred:
    """News of a transfer (``Leg.refer``): the SIP ``status`` of the other side's new call.

    100 or 180 while it rings; the last one, 200 and above, is the outcome.
    """

    status: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The leg is over; always the last event, and there is always one. ``status``: SIP, or 0."""

    cause: EndCause
    status: int = 0


LegEvent = Digit | Held | Resumed | Referred | Ended


class Playback(Protocol):
    """Sound handed to ``Leg.play``."""

    @property
    def done(self) -> asyncio.Future[int]:
        """Resolves to the ms sent: all of them, or fewer after ``stop`` or the leg's end."""

    @property
    def heard_ms(self) -> int:
        """How much has been sent so far, ms, in whole frames."""

    def stop(self) -> int:
        """Stop now, queued or playing; nothing of it is sent after. Returns ``heard_ms``."""


FrameSink = Callable[[Frame], None]


class Leg(Protocol):
    """One call between this line and one other side, inbound or dialled by us."""

    @property
    def id(self) -> str:
        """The SIP Call-ID. Given by the other side on inbound calls: treat as foreign text."""

    @property
    def caller(self) -> str:
        """The calling number or user part (From); empty if withheld."""

    @property
    def display_name(self) -> str:
        """The caller's display name; empty if none."""

    @property
    def dialled(self) -> str:
        """The number or user part that was called (Request-URI)."""

    @property
    def diverted_from(self) -> str:
        """The number first dialled, if forwarded to us (Diversion RFC 5806, History-Info 7044)."""

    @property
    def clock_ms(self) -> int:
        """The leg's media clock now, ms; 0 before media starts."""

    @property
    def ended(self) -> Ended | None:
        """How the leg ended, or ``None`` while it lives."""

    async def ring(self) -> None:
        """Send 180 Ringing. No effect once answered. Raises ``LineError("ended")``."""

    async def answer(self) -> None:
        """Send the 200, start media, return. Does not wait for the ACK.

        Where the caller made no offer, media starts when their ACK brings the answer; sound played
        before is queued. Raises ``LineError``: ``ended`` if the caller gave up meanwhile,
        ``no_media_port``.
        """

    async def reject(self, status: int = 603, retry_after_s: int = 0) -> None:
        """Refuse an unanswered inbound call with ``status`` (300 to 699). No effect once over.

        Raises ``LineError("bad_status")`` outside that range, ``LineError("answered")`` after
        ``answer``.
        """

    async def hold(self) -> None:
        """Put the other side on hold (re-INVITE, sendonly): from now on it sends no sound.

        What plays is still heard there: music, an announcement. Returns once it has agreed; waits
        while an offer of its own is under way. No effect if it is on hold already. Raises
        ``LineError``: ``not_answered``, ``ended``, ``refused`` (the call goes on as it was).
        """

    async def resume(self) -> None:
        """Take the other side back from ``hold``. Raises as ``hold``."""

    async def hang_up(self) -> None:
        """End the leg in whatever state it is (BYE, CANCEL or 480). No effect once over.

        Returns at once; the engine repeats the BYE until it is answered.
        """

    async def refer(self, target: str, timeout_s: float = 30, replaces: Leg | None = None) -> int:
        """Ask the other side to call ``target`` instead of us (REFER); return how that went.

        The final SIP status of its call, as its NOTIFY told it: 200, and this leg is hung up
        (``Ended("transferred")``); 300 and above, and the call with us goes on. 202 where the
        other side takes the transfer and says that it will tell nothing; the call goes on.
        ``Referred`` events tell of the progress. With ``replaces``, an answered leg of this line
        to ``target``, the new call takes that leg's place (attended transfer).
        Raises ``LineError``: ``refer_refused``, ``refer_timeout`` (no outcome within
        ``timeout_s``, or it stopped telling), ``refer_pending``, ``bad_target``,
        ``not_answered``, ``ended`` (also if the other side hangs up meanwhile), ``unsupported``.
        """

    def play(self, pcm: bytes) -> Playback:
        """Queue s16le 8 kHz PCM after what plays. The last frame is filled up with silence.

        On an ended leg the playback is done at once with 0 ms. While joined, what plays is heard
        instead of the other side.
        """

    def send_digits(self, keys: str) -> None:
        """Send ``keys`` (``0-9*#A-D``) as telephone-events (RFC 4733), 100 ms each, 60 ms apart.

        No effect if the other side did not agree to them. Raises ``ValueError`` on other keys.
        """

    def on_audio(self, sink: FrameSink) -> None:
        """Add a sink for what the other side says: exactly one frame for every 20 ms of the clock.

        In order, after the jitter buffer, losses concealed, silence where nothing came. Called on
        the loop: must be quick and must not raise (one that raises is removed and logged).
        """

    def on_sent(self, sink: FrameSink) -> None:
        """Add a sink for what we send: one frame for every 20 ms, on the same clock."""

    def events(self) -> AsyncIterator[LegEvent]:
        """Everything that happens from the leg's start on, ``Ended`` last. For one reader."""


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
