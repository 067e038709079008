"""The anonymous session of a citizen's browser: a signed token that names the conversation."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from itsdangerous import BadData

from chat.signing import serializer

MAX_AGE = timedelta(days=7)
_SALT = "qianmen.chat.session"


@dataclass(frozen=True, slots=True)
class ChatSession:
    """Who chats (an identity that says nothing about the person), and in which conversation."""

    citizen: str
    conversation: str


class Sessions:
    """Makes and reads the tokens; ``key`` is the installation's secret."""

    def __init__(self, key: str) -> None:
        self._key = key

    def begin(self) -> ChatSession:
        """A new citizen in a new conversation, neither to be guessed."""
        return ChatSession("web:" + secrets.token_hex(16), "web-" + secrets.token_hex(16))

    def token(self, session: ChatSession, now: datetime) -> str:
        """The token for ``session``, good for ``MAX_AGE`` from ``now``."""
        payload = [session.citizen, session.conversation]
        return str(serializer(self._key, _SALT, now).dumps(payload))

    def read(self, token: str, now: datetime) -> ChatSession | None:
        """The session a token names; None if it is forged, broken, too old or ''."""
        try:
            payload = serializer(self._key, _SALT, now).loads(
                token, max_age=int(MAX_AGE.total_seconds())
            )
        except BadData:
            return None
        match payload:
            case [str(citizen), str(conversation)]:
                return ChatSession(citizen, conversation)
        return None
