"""What can go wrong in a conversation, under stable codes."""

from __future__ import annotations


class ConversationError(Exception):
    """A turn could not be taken; ``code`` is ``store_down`` or ``conversation_unknown``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
