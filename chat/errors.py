"""What a chat client did wrong, under stable codes."""

from __future__ import annotations

from typing import Literal

ChatCode = Literal[
    "frame_binary",  # not text
    "frame_too_big",  # more than MAX_FRAME_BYTES
    "frame_malformed",  # not a JSON object of the agreed shape
    "frame_unknown",  # a type nobody agreed on
    "hello_first",  # something else before the hello
    "hello_again",  # one hello a socket
    "text_empty",
    "text_too_long",  # more than MAX_TEXT_CHARS
    "field_unknown",  # no field of the card
    "too_fast",  # over the rate limit of the session or of the address
]


class ChatError(Exception):
    """A frame that cannot be used; ``code`` is stable, ``id`` the message it was about or ''."""

    def __init__(self, code: ChatCode, message: str, id: str = "", wait_s: float = 0) -> None:  # noqa: A002  # the field's name on the wire
        """``wait_s``: when the same may come again, where it was too fast."""
        super().__init__(message)
        self.code: ChatCode = code
        self.id = id
        self.wait_s = wait_s
