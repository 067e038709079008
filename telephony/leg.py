"""One call on a phone line: what is heard and said on it, and what happens to it.

All audio here is 16-bit signed little-endian linear PCM, 8000 Hz, mono.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
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
