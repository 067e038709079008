"""What all who chat with one web process share, by socket or by HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Engine
from starlette.requests import HTTPConnection

from chat.core import Conversations
from chat.files import Files
from chat.limits import Limits
from chat.session import Sessions
from config.city import City


def _now() -> datetime:
    return datetime.now(UTC)


def _nowhere() -> Files:
    return Files(Path("recordings"))


@dataclass(frozen=True, slots=True)
class Door:
    """``origins`` beside the page's own may connect.

    ``files`` are what citizens send; ``asr`` is the recogniser of voice notes ('' for none).
    """

    conversations: Conversations
    engine: Engine
    sessions: Sessions
    city: City
    limits: Limits = field(default_factory=Limits)
    files: Files = field(default_factory=_nowhere)
    asr: str = ""
    origins: frozenset[str] = frozenset()
    now: Callable[[], datetime] = _now
    clock: Callable[[], float] = time.monotonic


def origin_allowed(connection: HTTPConnection, origins: frozenset[str]) -> bool:
    """Browsers always send Origin; programs that send none carry no citizen's cookies either."""
    origin = connection.headers.get("origin")
    if origin is None or origin in origins:
        return True
    return urlsplit(origin).netloc.lower() == connection.headers.get("host", "").lower()
