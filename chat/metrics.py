"""What the web chat measures."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

connections = Gauge("qianmen_chat_connections", "Browsers that are connected now.")
messages = Counter("qianmen_chat_messages", "Messages that citizens sent, by kind.", ("kind",))
refused = Counter(
    "qianmen_chat_refused", "Messages and sessions that were refused, by code.", ("code",)
)
ratings = Counter(
    "qianmen_chat_ratings", "Thumbs on answers, by value; unknown: no such answer.", ("value",)
)
