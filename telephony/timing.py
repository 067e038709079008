"""What a caller waited for each answer. Pure: times of the leg's media clock are passed in."""

from __future__ import annotations


class TurnTimes:
    """The turns of one call from the end of the caller's voice to the first sound told."""

    def __init__(self) -> None:
        self._voice_ended_ms: dict[str, int] = {}
        self._told = ""

    def heard(self, turn: str, voice_ended_ms: int) -> None:
        """The voice of ``turn`` ended then, on the leg's clock."""
        self._voice_ended_ms[turn] = voice_ended_ms

    def told(self, turn: str, began_ms: int, first_sound_ms: float) -> dict[str, float]:
        """The timings to note where ``turn`` is answered; {} if it was answered before.

        ``began_ms``: when speaking began, on the leg's clock; ``first_sound_ms``: how long after
        that the first sound went out, 0 if none did. ``gap_ms`` is what the caller waited.
        """
        if not turn or turn == self._told:
            return {}
        self._told = turn
        ended_ms = self._voice_ended_ms.pop(turn, None)
        timings = {"speech_ms": round(first_sound_ms, 1), "told_at_ms": float(began_ms)}
        if ended_ms is not None and first_sound_ms:
            timings["gap_ms"] = round(began_ms + first_sound_ms - ended_ms, 1)
        return timings
