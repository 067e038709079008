"""Keeps what citizens say out of Rasa's logs: it logs a failed message with its text."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import structlog

# The keys of Rasa's own events that name something harmless; all others are dropped.
_HARMLESS = frozenset(
    {"event", "level", "timestamp", "exc_info", "exception", "logger", "action_name", "event_info"}
)


def drop_personal(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A structlog processor: only what is known to be harmless is written."""
    return {key: value for key, value in event.items() if key in _HARMLESS}


def install() -> None:
    """Put it before Rasa's own processors; doing it twice changes nothing."""
    processors = structlog.get_config()["processors"]
    if drop_personal not in processors:
        structlog.configure(processors=[drop_personal, *processors])
