"""End of turn: when the caller has said what they wanted to say.

A pure machine. It knows no clock and does no I/O: it is told how much audio passed and how likely
it held a voice, what the words are so far and what the dialogue expects, and says when speech
starts, stops, and when the turn is over. Times are seconds of the stream.

Silence alone ends a turn, but how much depends: less where the words are at rest and already
answer the question, more where people pause by nature (digits, addresses), where the last words
ask for more, and after this caller was once cut off.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from asr.patience import patience
from turns.replies import Expects

VOICE_ON = 0.5
VOICE_OFF = 0.35
"""Silero's own hysteresis: a voice begins above the one and lasts until below the other."""
ONSET_S = 0.09
"""So much voice within `ONSET_WINDOW_S` is speech; less is a click."""
ONSET_WINDOW_S = 0.25
STOP_S = 0.2
"""Silence after which speech counts as stopped; the turn may go on."""
LONGEST_TURN_S = 60.0
"""A turn is cut here even in unbroken voice: a television in the room never pauses."""
CUT_OFF_S = 0.8
"""Speech so soon after a turn's end went on with that turn: nobody answers a prompt so fast."""
CUT_OFF_MARGIN_S = 0.15
LONGEST_PATIENCE_S = 1.5


@dataclass(frozen=True, slots=True)
class Started:
    """Speech began at ``at``."""

    at: float


@dataclass(frozen=True, slots=True)
class Stopped:
    """Speech ended at ``at``; the turn may go on."""

    at: float


@dataclass(frozen=True, slots=True)
class Ended:
    """The turn from ``start`` to ``end`` is over, decided at ``decided``."""

    start: float
    end: float
    decided: float


Signal = Started | Stopped | Ended


@dataclass(slots=True)
class Endpoint:
    """The machine of one stream."""

    expects: Expects = "open"
    phrases: frozenset[str] = frozenset()
    now: float = 0.0
    _text: str = ""
    _text_changed: float = 0.0
    _voiced: bool = False
    _recent: list[tuple[float, float]] = field(default_factory=list)
    """Voiced stretches of the last `ONSET_WINDOW_S`: (start, end)."""
    _turn_start: float | None = None
    _last_voice: float = 0.0
    _stopped: bool = False
    _previous_end: tuple[float, float] | None = None
    """The last turn's (end of voice, decision), while a cut-off may still show."""
    _caller_pause: float = 0.0
    """The longest pause known to lie inside this caller's turns."""

    @property
    def speaking(self) -> bool:
        """Whether a turn is in progress."""
        return self._turn_start is not None

    def expect(self, expects: Expects, phrases: frozenset[str] = frozenset()) -> None:
        """What the dialogue expects from now on; ``phrases`` are whole answers."""
        self.expects, self.phrases = expects, phrases

    def partial(self, text: str) -> None:
        """The turn's words so far."""
        if text != self._text:
            self._text, self._text_changed = text, self.now

    def forget(self) -> None:
        """Drop the turn in progress, as if nothing had been said."""
        self._begin_anew()
        self._previous_end = None

    def hear(self, seconds: float, voice: float) -> list[Signal]:
        """``seconds`` more of audio passed, a voice in it with probability ``voice`` (0 to 1)."""
        if not seconds > 0:
            raise ValueError("time passes forward")
        start, self.now = self.now, self.now + seconds
        self._voiced = voice >= (VOICE_OFF if self._voiced else VOICE_ON)
        if self._voiced:
            self._recent.append((start, self.now))
        horizon = self.now - ONSET_WINDOW_S
        self._recent = [stretch for stretch in self._recent if stretch[1] > horizon]
        return self._quiet() if self._turn_start is None else self._in_turn(self._turn_start)

    def _quiet(self) -> list[Signal]:
        if not self._is_speech():
            return []
        onset = self._recent[0][0]
        self._learn_from_cut_off(onset)
        self._turn_start, self._last_voice, self._stopped = onset, self._recent[-1][1], False
        return [Started(onset)]

    def _in_turn(self, turn_start: float) -> list[Signal]:
        signals: list[Signal] = []
        if self._is_speech():
            if self._stopped:
                self._stopped = False
                signals.append(Started(self._recent[0][0]))
            self._last_voice = max(self._last_voice, self._recent[-1][1])
        silence = self.now - self._last_voice
        if not self._stopped and silence >= STOP_S:
            self._stopped = True
            signals.append(Stopped(self._last_voice))
        if silence >= self._patience() or self.now - turn_start >= LONGEST_TURN_S:
            if not self._stopped:
                signals.append(Stopped(self._last_voice))
            signals.append(Ended(turn_start, self._last_voice, self.now))
            self._previous_end = (self._last_voice, self.now)
            self._begin_anew()
        return signals

    def _is_speech(self) -> bool:
        return self._voiced and sum(end - start for start, end in self._recent) >= ONSET_S

    def _patience(self) -> float:
        at_rest = self.now - self._text_changed
        wanted = patience(self.expects, self._text, at_rest, self.phrases)
        return min(max(wanted, self._caller_pause), LONGEST_PATIENCE_S)

    def _learn_from_cut_off(self, onset: float) -> None:
        if self._previous_end is None:
            return
        end, decided = self._previous_end
        self._previous_end = None
        if onset - decided <= CUT_OFF_S:
            pause = onset - end + CUT_OFF_MARGIN_S
            self._caller_pause = min(max(self._caller_pause, pause), LONGEST_PATIENCE_S)

    def _begin_anew(self) -> None:
        self._turn_start, self._stopped = None, False
        self._text, self._text_changed = "", self.now
        self._recent.clear()
