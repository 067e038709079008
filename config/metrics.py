"""Measurements: what every process counts, and the page that Prometheus reads.

Each room defines its own beside its code (``telephony/metrics.py``, ``bot/metrics.py`` …), all
named ``qianmen_…`` in base units. Labels are codes and names from a bounded set: never a number, an
id or words of a citizen's.
"""

from __future__ import annotations

import re
import threading

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    disable_created_metrics,
)
from prometheus_client.exposition import generate_latest

disable_created_metrics()  # type: ignore[no-untyped-call]  # theirs; a second series for each

OTHER = "other"
"""What stands for a label's value that is not of its set."""
LATENCY_S = (0.005, 0.01, 0.03, 0.06, 0.1, 0.2, 0.4, 0.8, 1.5, 3.0, 10.0)
"""Bucket bounds for requests and steps, seconds; 30 ms is the dialogue's budget."""
GAP_S = (0.005, 0.01, 0.03, 0.06, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.2, 1.5, 2.0, 4.0)
"""Bucket bounds for what a caller waits: the budgets of each part, and 1.2 s, the alert's."""

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,60}")
_MOST = 300
_failures = Counter(
    "qianmen_failures",
    "Warnings and errors that were logged, by process, event and code.",
    ("process", "event", "code"),
)


class Bounded:
    """Keeps the values of a label few: a value that is no code, or one too many, is ``other``."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._known: set[tuple[str, ...]] = set()
        self._lock = threading.Lock()

    def __call__(self, *values: str) -> tuple[str, ...]:
        """``values`` as they may stand in labels."""
        plain = tuple(value if _CODE.fullmatch(value) else OTHER for value in values)
        with self._lock:
            if plain not in self._known:
                if len(self._known) >= self._most:
                    return (OTHER,) * len(plain)
                self._known.add(plain)
        return plain


_bounded = Bounded()


def count_failure(process: str, event: str, code: str) -> None:
    """Count one logged failure. ``config.logs`` does it for every warning and error."""
    _failures.labels(process, *_bounded(event, code)).inc()


def exposition(registry: CollectorRegistry = REGISTRY) -> tuple[bytes, str]:
    """All that this process measures, in Prometheus' text format, and its content type."""
    return generate_latest(registry), CONTENT_TYPE_LATEST
