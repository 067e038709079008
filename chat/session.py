"""The anonymous session of a citizen's browser: a signed token that names the conversation."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from itsdangerous import BadData, TimestampSigner
from itsdangerous.url_safe import URLSafeTimedSerializer

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
        return str(self._serializer(now).dumps(payload))

    def read(self, token: str, now: datetime) -> ChatSession | None:
        """The session a token names; None if it is forged, broken, too old or ''."""
        try:
            payload = self._serializer(now).loads(token, max_age=int(MAX_AGE.total_seconds()))
        except BadData:
            return None
        match payload:
            case [str(citizen), str(conversation)]:
                return ChatSession(citizen, conversation)
        return None

    def _serializer(self, now: datetime) -> URLSafeTimedSerializer:
        seconds = int(now.timestamp())

        class _At(TimestampSigner):
            def get_timestamp(self) -> int:
                return seconds

        kwargs: dict[str, Any] = {"salt": _SALT, "signer": _At}
        return URLSafeTimedSerializer(self._key, **kwargs)
