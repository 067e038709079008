"""A call of the stock telephone as a leg; everything here is on the event loop."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from typing import NoReturn

from telephony.line import (
    FRAME_MS,
    SILENCE,
    Digit,
    EndCause,
    Ended,
    Frame,
    FrameSink,
    Leg,
    LegEvent,
    LineError,
    Playback,
)
from telephony.pyvoip.eightbit import to_8_bit, to_16_bit
from telephony.pyvoip.stock import StockCall
from telephony.rtp.events import KEYS
from telephony.rtp.playback import PlaybackQueue
from telephony.rtp.sinks import Sinks
from telephony.sip.error import SipError
from telephony.sip.uri import parse_name_addr

_RELAY_FRAMES = 5


def unsupported(what: str) -> NoReturn:
    """Raise ``LineError("unsupported")``."""
    raise LineError("unsupported", f"the pyVoIP line cannot {what}")


class PyvoipLeg:
    """One call; ``forget`` is called at its end. Fulfils ``telephony.line.Leg``."""

    def __init__(
        self, call: StockCall, counters: Counter[str], forget: Callable[[PyvoipLeg], None]
    ) -> None:
        self._call = call
        self._counters = counters
        self._forget = forget
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[LegEvent] = asyncio.Queue()
        self._playing = PlaybackQueue()
        self._heard, self._sent = Sinks(), Sinks()
        self._relayed: deque[bytes] = deque(maxlen=_RELAY_FRAMES)
        self._ticks = 0
        self._ended: Ended | None = None
        self._answering: asyncio.Future[LineError | None] | None = None
        self.other: PyvoipLeg | None = None
        self.id = str(call.header("Call-ID"))
        party = call.header("From") or {}
        self.caller = _known(str(party.get("number", "")))
        self.display_name = str(party.get("caller", "")).strip('" ')
        self.dialled = str((call.header("To") or {}).get("number", ""))
        self.diverted_from = _user(call.header("Diversion"), self.dialled)
        call.heard = self

    # -- from the call's thread

    def on_tick(self, sound: bytes | None, keys: str) -> None:
        """20 ms of the call."""
        self._soon(lambda: self._tick(sound, keys))

    def on_over(self) -> None:
        """The other side is gone."""
        self._soon(self._over)

    def _over(self) -> None:
        if self._call.refused:
            self.end("rejected", self._call.refused)
        else:
            self.end("bye" if self._ticks else "cancel")

    def _soon(self, work: Callable[[], None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(work)

    # -- on the loop

    def _tick(self, sound: bytes | None, keys: str) -> None:
        if self._ended is not None:
            return
        at_ms = self.clock_ms
        self._ticks += 1
        for key in keys:
            self._events.put_nowait(Digit(key, at_ms))
        pcm = to_16_bit(sound) if sound is not None else SILENCE
        if self.other is not None:
            self.other.relay(pcm)
        ours = self._playing.take() or (self._relayed.popleft() if self._relayed else None)
        self._call.outlet.put(to_8_bit(ours) if ours is not None else None)
        self._heard.feed(Frame(pcm, at_ms, heard=sound is not None))
        self._sent.feed(Frame(ours or SILENCE, at_ms, heard=ours is not None))

    def relay(self, pcm: bytes) -> None:
        """What the other leg of a bridge hears."""
        self._relayed.append(pcm)

    def end(self, cause: EndCause, status: int = 0) -> None:
        """It is over. No effect the second time."""
        if self._ended is not None:
            return
        self._ended = Ended(cause, status)
        self.part()
        self._settle(LineError("ended", "the call is over"))
        self._playing.close()
        self._heard.clear()
        self._sent.clear()
        self._call.leave()
        self._events.put_nowait(self._ended)
        self._forget(self)

    def part(self) -> None:
        """Leave the bridge."""
        if self.other is not None:
            self.other.other, self.other = None, None

    @property
    def clock_ms(self) -> int:
        """ms since the answer, as the call's thread counts them."""
        return self._ticks * FRAME_MS

    @property
    def buffered_ms(self) -> int:
        """Sound that waits to be heard."""
        return self._call.inlet.waiting_ms

    @property
    def ended(self) -> Ended | None:
        """How it ended, if it has."""
        return self._ended

    @property
    def answered(self) -> bool:
        """Whether sound flows."""
        return self._call.answered and self._ended is None

    async def ring(self) -> None:
        """Nothing: pyVoIP has sent its 180 already."""
        if self._ended is not None:
            raise LineError("ended", "the call is over")

    async def answer(self) -> None:
        """200, by the call's thread."""
        await self.ring()
        if self._call.answered:
            return
        if self._answering is None:
            self._answering = self._loop.create_future()
            self._call.soon(self._answer_in_thread)
        failure = await asyncio.shield(self._answering)
        if failure is not None:
            self.end("rejected", 486)
            raise failure

    def _answer_in_thread(self) -> None:
        failure = None
        try:
            self._call.answer()
        except LineError as error:
            failure = error
        self._soon(lambda: self._settle(failure))

    def _settle(self, failure: LineError | None) -> None:
        if self._answering is not None and not self._answering.done():
            self._answering.set_result(failure)

    async def reject(self, status: int = 603, retry_after_s: int = 0) -> None:  # noqa: ARG002
        """Refuse; pyVoIP knows 486 only, whatever ``status`` says."""
        if not 300 <= status <= 699:
            raise LineError("bad_status", f"{status} refuses nothing: 300 to 699 do")
        if self.answered:
            raise LineError("answered", "the call is answered: hang up instead")
        self.end("rejected", 486)

    async def hang_up(self) -> None:
        """BYE, or 486 before the answer."""
        self.end("hung_up")

    async def hold(self) -> None:
        """Cannot."""
        unsupported("put a call on hold")

    async def resume(self) -> None:
        """Cannot."""
        unsupported("put a call on hold")

    async def refer(self, target: str, timeout_s: float = 30, replaces: Leg | None = None) -> int:  # noqa: ARG002  # the interface's
        """Cannot."""
        unsupported("transfer a call")

    def play(self, pcm: bytes) -> Playback:
        """Queue sound."""
        return self._playing.play(pcm)

    def send_digits(self, keys: str) -> None:
        """Nothing: pyVoIP cannot send keys. Raises ``ValueError`` on what is no key."""
        if any(key not in KEYS for key in keys):
            raise ValueError("not a key of a telephone")
        self._counters["pyvoip_digits_not_sent"] += len(keys)

    def on_audio(self, sink: FrameSink) -> None:
        """Frames received."""
        self._heard.add(sink)

    def on_sent(self, sink: FrameSink) -> None:
        """Frames sent."""
        self._sent.add(sink)

    async def events(self) -> AsyncIterator[LegEvent]:
        """What happens, up to and with ``Ended``."""
        while True:
            event = await self._events.get()
            yield event
            if isinstance(event, Ended):
                return


def _known(user: str) -> str:
    return "" if user.lower() in ("anonymous", "unknown", "restricted") else user


def _user(value: object, dialled: str) -> str:
    """The user in a Diversion header; pyVoIP keeps headers that it does not know as text."""
    try:
        user = parse_name_addr(str(value)).uri.user
    except SipError:
        return ""
    return "" if user == dialled else user


class PyvoipBridge:
    """Two legs joined."""

    def __init__(self, a: PyvoipLeg, b: PyvoipLeg) -> None:
        self._a, self._b = a, b
        for leg in (a, b):
            leg.part()
        a.other, b.other = b, a

    def stop(self) -> None:
        """Part them."""
        if self._a.other is self._b:
            self._a.part()
