"""End of turn: when the caller has said what they wanted to say.

A pure machine. It knows no clock and does no I/O: it is told how much audio passed and how likely
it held a voice, what the words are so far and what the dialogue expects, and says when speech
starts, stops, and when the turn is over. Times are seconds of the stream.

Silence alone ends a turn, but how much depends: less where the words are at rest and already
answer the question, more where people pause by nature (digits, addresses), where the last words
ask for more, and as this caller's own pace asks for. Speech right after a turn's end goes on with
that turn: it was cut off, which the machine tells (``continues``) and remembers.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from asr.pace import LONGEST_S, Pace
from asr.patience import Answering, patience
from turns.replies import Expects

VOICE_ON = 0.5
VOICE_OFF = 0.35
"""Silero's own hysteresis: a voice begins above the one and lasts until below the other."""
GOES_ON = 0.15
"""The same behind a pause inside a turn, where a voice is likely and its first syllables weak."""
ONSET_S = 0.09
"""So much voice within `ONSET_WINDOW_S` is speech; less is a click."""
ONSET_WINDOW_S = 0.25
STOP_S = 0.2
"""Silence after which speech counts as stopped; the turn may go on."""
LONGEST_TURN_S = 60.0
"""A turn is cut here even in unbroken voice: a television in the room never pauses."""
CUT_OFF_PAUSE_S = 1.6
"""Speech so soon after the last voice goes on with that turn, though it was taken for ended: what
we have told by then is a word or two, which nobody answers."""
CUT_OFF_DECIDED_S = 0.6
"""The same, after the decision: a caller who was waited for longer may still go on."""
MOVING_S = 0.2
"""Words that changed so lately still move: speech too faint for the voice activity goes on."""
MOVING_MOST_S = 0.5
"""Silence that moving words can add at most: in noise they never rest."""


@dataclass(frozen=True, slots=True)
class Started:
    """Speech began at ``at``; ``continues``: it goes on with a turn that was taken for ended."""

    at: float
    continues: bool = False


@dataclass(frozen=True, slots=True)
class Stopped:
    """Speech ended at ``at``; the turn may go on."""

    at: float


@dataclass(frozen=True, slots=True)
class Ended:
    """The turn from ``start`` to ``end`` is over, decided at ``decided``.

    ``continues``: it went on with the turn before, which had been cut off.
    """

    start: float
    end: float
    decided: float
    continues: bool = False


Signal = Started | Stopped | Ended


@dataclass(slots=True)
class Endpoint:
    """The machine of one stream; ``pace`` is what it has learned of the caller."""

    expects: Expects = "open"
    phrases: frozenset[str] = frozenset()
    now: float = 0.0
    pace: Pace = field(default_factory=Pace)
    _text: str = ""
    _text_changed: float = 0.0
    _complete: str = ""
    _voiced: bool = False
    _recent: list[tuple[float, float]] = field(default_factory=list)
    """Voiced stretches of the last `ONSET_WINDOW_S`: (start, end)."""
    _turn_start: float | None = None
    _last_voice: float = 0.0
    _stopped: bool = False
    _continues: bool = False
    _previous_end: tuple[float, float] | None = None
    """The last turn's (end of voice, decision)."""

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

    def complete(self, text: str) -> None:
        """These words, if they stay as they are, say all that is needed: the dialogue knows."""
        self._complete = text.replace(" ", "")

    def forget(self) -> None:
        """Drop the turn in progress, as if nothing had been heard: it was not the caller."""
        if self._turn_start is not None and self._continues:
            self.pace.take_back()
        self._begin_anew()

    def hear(self, seconds: float, voice: float) -> list[Signal]:
        """``seconds`` more of audio passed, a voice in it with probability ``voice`` (0 to 1)."""
        if not seconds > 0:
            raise ValueError("time passes forward")
        start, self.now = self.now, self.now + seconds
        onset = GOES_ON if self._stopped else VOICE_ON
        self._voiced = voice >= (min(VOICE_OFF, onset) if self._voiced else onset)
        if self._voiced:
            self._recent.append((start, self.now))
        horizon = self.now - ONSET_WINDOW_S
        self._recent = [stretch for stretch in self._recent if stretch[1] > horizon]
        return self._quiet() if self._turn_start is None else self._in_turn(self._turn_start)

    def _quiet(self) -> list[Signal]:
        if not self._is_speech():
            return []
        onset = self._recent[0][0]
        self._continues = self._goes_on(onset)
        self._turn_start, self._last_voice, self._stopped = onset, self._recent[-1][1], False
        return [Started(onset, self._continues)]

    def _in_turn(self, turn_start: float) -> list[Signal]:
        signals: list[Signal] = []
        if self._is_speech():
            if self._stopped:
                self._stopped = False
                self.pace.paused(self._recent[0][0] - self._last_voice)
                signals.append(Started(self._recent[0][0], self._continues))
            self._last_voice = max(self._last_voice, self._recent[-1][1])
        silence = self.now - self._last_voice
        if not self._stopped and silence >= STOP_S:
            self._stopped = True
            signals.append(Stopped(self._last_voice))
        if self._is_over(silence) or self.now - turn_start >= LONGEST_TURN_S:
            if not self._stopped:
                signals.append(Stopped(self._last_voice))
            signals.append(Ended(turn_start, self._last_voice, self.now, self._continues))
            self._previous_end = (self._last_voice, self.now)
            self.pace.turn_ended()
            self._begin_anew()
        return signals

    def _is_speech(self) -> bool:
        return self._voiced and sum(end - start for start, end in self._recent) >= ONSET_S

    def _is_over(self, silence: float) -> bool:
        if self._voiced:  # a voice that may be about to go on: the next windows tell
            return False
        at_rest = self.now - self._text_changed
        words = self._text.replace(" ", "")
        complete = bool(words) and words == self._complete
        answering = Answering(self.expects, words, at_rest, self.phrases, complete)
        wanted = patience(answering, pace_s=self.pace.patience, cut_off_s=self.pace.cut_off_s)
        if words and at_rest < MOVING_S:
            wanted += MOVING_MOST_S
        return silence >= min(wanted, LONGEST_S)

    def _goes_on(self, onset: float) -> bool:
        """Whether a turn that begins at ``onset`` shows that the last one was cut off."""
        if self._previous_end is None:
            return False
        end, decided = self._previous_end
        if onset - end > CUT_OFF_PAUSE_S and onset - decided > CUT_OFF_DECIDED_S:
            return False
        self.pace.cut_off(onset - end)
        return True

    def _begin_anew(self) -> None:
        self._turn_start, self._stopped, self._continues = None, False, False
        self._text, self._text_changed, self._complete = "", self.now, ""
        self._recent.clear()
