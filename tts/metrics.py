"""What speaking measures."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

from config.metrics import LATENCY_S

renderings = Counter(
    "qianmen_speech_renderings",
    "Sentences asked for: recorded, from the cache, synthesised, joined to one under way, failed.",
    ("source",),
)
synthesis_seconds = Histogram(
    "qianmen_speech_synthesis_seconds",
    "What the synthesiser took for a sentence.",
    buckets=LATENCY_S,
)
