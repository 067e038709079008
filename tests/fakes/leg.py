"""A call leg and a line without a network: what is played is heard at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable

from telephony.line import (
    FRAME_BYTES,
    FRAME_MS,
    Bridge,
    Conference,
    DialError,
    Digit,
    Ended,
    Frame,
    FrameSink,
    Leg,
    LegEvent,
    LineError,
    OnCall,
    Playback,
    RegistrationState,
)


class FakePlayback:
    """Sound that is heard whole at once, or as far as ``stop`` lets it."""

    def __init__(self, milliseconds: int, *, at_once: bool) -> None:
        self.done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.heard_ms = milliseconds if at_once else 0
        self.stopped = False
        if at_once:
            self.done.set_result(milliseconds)

    def stop(self) -> int:
        """Stop it."""
        self.stopped = True
        if not self.done.done():
            self.done.set_result(self.heard_ms)
        return self.heard_ms

    def finish(self, milliseconds: int) -> None:
        """It was heard to the end."""
        self.heard_ms = milliseconds
        if not self.done.done():
            self.done.set_result(milliseconds)


class FakeLeg:
    """One side of a call, driven by a test."""

    def __init__(self, call_id: str = "abc", dialled: str = "12345") -> None:
        self.id = call_id
        self.caller = "13900139000"
        self.display_name = ""
        self.dialled = dialled
        self.diverted_from = ""
        self.clock_ms = 0
        self.ended: Ended | None = None
        self.answered = False
        self.on_hold = False
        self.at_once = True
        self.played: list[bytes] = []
        self.referred: list[str] = []
        self.refers: int | LineError = 200
        self.playbacks: list[FakePlayback] = []
        self._sinks: list[FrameSink] = []
        self._sent: list[FrameSink] = []
        self._events: asyncio.Queue[LegEvent] = asyncio.Queue()

    async def ring(self) -> None:
        """Nothing rings."""

    async def answer(self) -> None:
        """Answered."""
        self.answered = True

    async def reject(self, status: int = 603, retry_after_s: int = 0) -> None:
        """Refused."""
        self.end(Ended("rejected", status))

    async def hold(self) -> None:
        """The other side is on hold."""
        self.on_hold = True

    async def resume(self) -> None:
        """The other side is back."""
        self.on_hold = False

    async def hang_up(self) -> None:
        """Over."""
        self.end(Ended("hung_up"))

    async def refer(self, target: str, timeout_s: float = 30, replaces: Leg | None = None) -> int:
        """The other side takes it, unless the test says otherwise."""
        self.referred.append(target)
        if isinstance(self.refers, LineError):
            raise self.refers
        if self.refers == 200:
            self.end(Ended("transferred"))
        return self.refers

    def play(self, pcm: bytes) -> Playback:
        """Keep what was played."""
        self.played.append(pcm)
        playback = FakePlayback(len(pcm) // FRAME_BYTES * FRAME_MS, at_once=self.at_once)
        self.playbacks.append(playback)
        return playback

    def send_digits(self, keys: str) -> None:
        """Nobody listens for them."""

    def on_audio(self, sink: FrameSink) -> None:
        """What the caller says."""
        self._sinks.append(sink)

    def on_sent(self, sink: FrameSink) -> None:
        """What we say."""
        self._sent.append(sink)

    async def events(self) -> AsyncIterator[LegEvent]:
        """What the test makes happen."""
        while True:
            event = await self._events.get()
            yield event
            if isinstance(event, Ended):
                return

    def frame(self, caller: bytes, ours: bytes) -> None:
        """20 ms pass, with this sound on both sides."""
        for sinks, pcm in ((self._sinks, caller), (self._sent, ours)):
            for sink in sinks:
                sink(Frame(pcm, self.clock_ms))
        self.clock_ms += FRAME_MS

    def tell(self, event: LegEvent) -> None:
        """Something happens."""
        self._events.put_nowait(event)

    def press(self, key: str) -> None:
        """A key is pressed."""
        self._events.put_nowait(Digit(key, self.clock_ms))

    def end(self, how: Ended) -> None:
        """The call is over."""
        if self.ended is None:
            self.ended = how
            self._events.put_nowait(how)


class FakeConference:
    """Legs joined: who takes part, who is muted, what is whispered to whom."""

    def __init__(
        self, legs: Iterable[Leg] = (), joined: list[tuple[object, object]] | None = None
    ) -> None:
        self.legs: tuple[Leg, ...] = tuple(legs)
        self._joined = [] if joined is None else joined
        self.muted: list[Leg] = []
        self.whispered: list[tuple[Leg, bytes]] = []

    def add(self, leg: Leg) -> None:
        """One more."""
        if leg.ended:
            raise LineError("not_answered", "over")
        if leg not in self.legs:
            self._joined.extend((other, leg) for other in self.legs)
            self.legs = (*self.legs, leg)

    def remove(self, leg: Leg) -> None:
        """One less."""
        self.legs = tuple(each for each in self.legs if each is not leg)

    def mute(self, leg: Leg, muted: bool = True) -> None:
        """Nobody hears it."""
        self.muted = [each for each in self.muted if each is not leg] + [leg] * muted

    def whisper(self, leg: Leg, pcm: bytes) -> Playback:
        """One hears it."""
        self.whispered.append((leg, pcm))
        return FakePlayback(len(pcm) // FRAME_BYTES * FRAME_MS, at_once=True)

    def stop(self) -> None:
        """Part them."""
        self.legs = ()


class FakeLine:
    """A line on which every target answers, unless ``refuse`` says how it does not.

    ``answers`` says it for single targets: a leg, a failure, or an event to wait for before
    ``target`` answers.
    """

    def __init__(self) -> None:
        self.address = ("127.0.0.1", 5060)
        self.dialled: list[str] = []
        self.joined: list[tuple[object, object]] = []
        self.target = FakeLeg("target")
        self.rings = False
        self.refuse: DialError | None = None
        self.answers: dict[str, FakeLeg | DialError | asyncio.Event] = {}
        self.shown: list[str] = []
        self.given: list[FakeLeg] = []
        self.on_dial: Callable[[], None] = lambda: None
        self.conference: FakeConference | None = None
        self.registration: RegistrationState = "none"

    async def start(self, on_call: OnCall) -> None:
        """Nothing to open."""

    async def stop(self, drain_s: float = 0) -> None:
        """Nothing to close."""

    async def dial(
        self,
        target: str,
        caller: str = "",
        timeout_s: float = 20,
        on_early: Callable[[Leg], None] | None = None,
    ) -> FakeLeg:
        """The target answers, after a tone of its own if ``rings``."""
        self.dialled.append(target)
        self.shown.append(caller)
        self.on_dial()
        if self.rings and on_early is not None:
            on_early(self.target)
        if self.refuse:
            raise self.refuse
        answer = self.answers.get(target, self.target)
        if isinstance(answer, asyncio.Event):
            await answer.wait()
            answer = self.target
        if isinstance(answer, DialError):
            raise answer
        self.given.append(answer)
        return answer

    def join(self, a: object, b: object) -> Bridge:
        """Join them."""
        self.joined.append((a, b))
        return FakeConference()

    def confer(self, legs: Iterable[Leg]) -> Conference:
        """Join them."""
        self.conference = FakeConference(legs, self.joined)
        return self.conference

    def legs(self) -> tuple[FakeLeg, ...]:
        """None are kept."""
        return ()

    def counters(self) -> dict[str, int]:
        """Nothing is counted."""
        return {}
