"""What the knowledge measures."""

from __future__ import annotations

from prometheus_client import Gauge, Histogram

from config.metrics import LATENCY_S

search_seconds = Histogram(
    "qianmen_knowledge_search_seconds",
    "What a search of the published knowledge took.",
    buckets=LATENCY_S,
)
answers = Gauge("qianmen_knowledge_answers", "Published answers that this process searches.")
