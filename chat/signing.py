"""Signed, dated tokens with the moment passed in, so that their age can be tested."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from itsdangerous import TimestampSigner
from itsdangerous.url_safe import URLSafeTimedSerializer


def serializer(key: str, salt: str, now: datetime) -> URLSafeTimedSerializer:
    """Dumps and loads as if it were ``now``; ``salt`` keeps one kind of token from another."""
    seconds = int(now.timestamp())

    class _At(TimestampSigner):
        def get_timestamp(self) -> int:
            return seconds

    kwargs: dict[str, Any] = {"salt": salt, "signer": _At}
    return URLSafeTimedSerializer(key, **kwargs)
