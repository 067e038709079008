"""What each process measures of the queue it serves."""

from __future__ import annotations

from prometheus_client import Counter

offers = Counter(
    "qianmen_queue_offers",
    "Offers to agents: offered, and what came of it: accepted, declined, lapsed, vanished,"
    " phone_failed.",
    ("outcome",),
)
