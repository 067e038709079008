"""What can go wrong between words and sound."""

from __future__ import annotations


class TtsError(RuntimeError):
    """Nothing could be spoken.

    ``code``: ``tts_failed``, ``tts_timeout``, ``tts_command`` for the city's own synthesiser, or
    ``tts_voice`` for a voice that does not exist.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
