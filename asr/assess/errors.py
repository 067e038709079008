"""What is wrong with a recording or a list of them."""

from __future__ import annotations


class AssessError(Exception):
    """The message is for the operator, in Chinese.

    ``code``: ``audio_missing``, ``audio_format``, ``audio_truncated``, ``audio_empty``,
    ``audio_channel``; ``evaluation_missing``, ``evaluation_invalid``.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
