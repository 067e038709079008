"""Whether what is heard while we speak is the caller interrupting. Pure.

The caller's voice hushes us at once: whoever speaks should not speak against somebody. Whether it
was words decides what comes of it: words drop what we were saying, a cough lets us go on where we
stopped, and our own echo is no voice at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from language.normal import for_matching
from turns.replies import Ask, Say
from turns.voice import TurnEnded

NOISE_MS = 1500
"""Voice without words: shorter is a cough, longer was something that was not understood."""
_OWN_LEAST = 4
"""So many characters of our own, word for word, are our voice and not an answer."""

Step = Literal["", "hush", "drop", "resume", "forget"]
"""What to do: fall silent, leave the rest unsaid, go on, or have the recogniser forget an echo."""


def meant(turn: TurnEnded) -> bool:
    """Whether somebody wanted to say something: words, or more voice than a cough."""
    return bool(turn.text) or turn.end_ms - turn.start_ms >= NOISE_MS


@dataclass(slots=True)
class Interrupting:
    """One call's decisions; ``saying`` is what we say, and was last said."""

    saying: Say | Ask | None = None
    _hushed: bool = False

    def voice(self, *, speaking: bool, echo: bool) -> Step:
        """A voice began; ``speaking``: while we speak, ``echo``: it is like our own sound."""
        if not speaking:
            return ""
        if echo:
            return "forget"
        self._hushed = True
        return "hush"

    def words(self, text: str, *, speaking: bool) -> Step:
        """Words were heard, ``speaking``: while we speak or are hushed."""
        if not text or not speaking:
            return ""
        if self._is_own(text):
            return "forget"
        self._hushed = False
        return "drop"

    def ended(self, turn: TurnEnded) -> Step:
        """A turn is over."""
        hushed, self._hushed = self._hushed, False
        if meant(turn):
            return "drop"
        return "resume" if hushed else ""

    def forgotten(self) -> Step:
        """The recogniser has forgotten the echo, which had hushed us, it may be."""
        hushed, self._hushed = self._hushed, False
        return "resume" if hushed else ""

    def _is_own(self, text: str) -> bool:
        """Whether words are our own come back; a question's words may well be its answer."""
        if self.saying is None or isinstance(self.saying, Ask):
            return False
        words = for_matching(text)
        ours = for_matching(self.saying.speech or self.saying.text)
        return len(words) >= _OWN_LEAST and words in ours
