"""How far the last answer was heard, so that it can go on, and so that it is known. Pure."""

from __future__ import annotations

from telephony.mouth import Place
from turns.replies import Ask, Say
from turns.voice import Played

_BEGIN = Place()


class Progress:
    """Follows one call's replies, each noted when it was said, cut off, or left out."""

    def __init__(self) -> None:
        self._turn = ""
        self._heard: set[str] = set()
        self._cut: dict[str, Place] = {}
        self._ms = 0
        self._said = 0.0
        self._all = 0

    def begin(self, turn: str, reply: Say | Ask) -> None:
        """``reply`` in answer to ``turn`` comes next: what is new makes the old forgotten."""
        if turn == self._turn and turn:
            return
        self._turn, self._ms, self._said, self._all = turn, 0, 0.0, 0
        if not reply.again and not _adjusts(reply):
            self._heard, self._cut = set(), {}

    def start(self, reply: Say | Ask) -> Place | None:
        """Where to begin with ``reply``; None: it was heard to its end before, and is left out."""
        if not reply.again or not self._cut:
            return Place()
        if _words(reply) in self._heard:
            return None
        place = self._cut.get(_words(reply), Place())
        return Place(place.part) if reply.again == "sentence" else place

    def note(self, reply: Say | Ask, played: Played | None, place: Place = _BEGIN) -> None:
        """``reply`` was ``played`` up to ``place``; None: left out, since the caller spoke."""
        words = _words(reply)
        self._all += len(words)
        self._said += len(words) * (played.share if played else 0.0)
        self._ms += played.heard_ms if played else 0
        if _adjusts(reply):
            return
        if played is not None and played.complete:
            self._heard.add(words)
            self._cut.pop(words, None)
        else:
            self._cut[words] = place

    @property
    def figures(self) -> dict[str, float]:
        """What the caller heard of the turn's answer: ms of sound, and the share of its words."""
        share = self._said / self._all if self._all else 1.0
        return {"heard_ms": float(self._ms), "heard_share": round(share, 3)}


def _adjusts(reply: Say | Ask) -> bool:
    return isinstance(reply, Say) and bool(reply.adjust)


def _words(reply: Say | Ask) -> str:
    return reply.speech or reply.text
