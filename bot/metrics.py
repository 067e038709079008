"""What the conversation core measures: turns, what they cost by part, Rasa, hand-overs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from prometheus_client import Counter, Histogram

from config.metrics import GAP_S, LATENCY_S, Bounded

turns = Counter(
    "qianmen_turns", "Citizens' turns that were answered.", ("channel", "act", "decision")
)
turn_dialogue = Histogram(
    "qianmen_turn_dialogue_seconds",
    "From a turn's place in line to its answer in the database.",
    ("channel",),
    buckets=LATENCY_S,
)
handovers = Counter(
    "qianmen_handovers", "Conversations given to a person, by channel and reason.",
    ("channel", "reason"),
)  # fmt: skip
rasa_seconds = Histogram(
    "qianmen_rasa_request_seconds",
    "What Rasa took to decide on a turn, or to parse a text; those that failed too.",
    ("request",),
    buckets=LATENCY_S,
)
rasa_failures = Counter(
    "qianmen_rasa_failures", "Requests that Rasa did not answer, by code.", ("request", "code")
)
action_seconds = Histogram(
    "qianmen_action_seconds",
    "What our actions took, by name; those that failed too.",
    ("action",),
    buckets=LATENCY_S,
)
_gap = Histogram(
    "qianmen_voice_gap_seconds",
    "From the end of a caller's voice to the first sound of the answer.",
    buckets=GAP_S,
)
_parts = Histogram(
    "qianmen_voice_gap_part_seconds",
    "What that wait consists of: end of turn, words, dialogue, speech, elsewhere.",
    ("part",),
    buckets=GAP_S,
)
_channels = Bounded(20)
_PARTS = {
    "endpoint_ms": "endpoint",
    "words_ms": "words",
    "dialogue_ms": "dialogue",
    "speech_ms": "speech",
}
_ALL = frozenset({*_PARTS, "gap_ms"})


def channel_label(channel: str) -> str:
    """A channel as a label: whoever brings new channels cannot bring them without end."""
    return _channels(channel)[0]


def turn_answered(channel: str, act: str, decision: str, seconds: float) -> None:
    """A turn was answered, ``seconds`` after its turn in line came."""
    name = channel_label(channel)
    turns.labels(name, act or "none", decision).inc()
    turn_dialogue.labels(name).observe(seconds)


def gap_known(before: Mapping[str, object], after: Mapping[str, object]) -> None:
    """Observe a spoken turn's wait once: when the last part of its timings (ms) has come in."""
    if not after.keys() >= _ALL or before.keys() >= _ALL:
        return
    seconds = {name: _number(after[name]) / 1000 for name in _ALL}
    gap = seconds.pop("gap_ms")
    _gap.observe(max(0.0, gap))
    for name, part in _PARTS.items():
        _parts.labels(part).observe(seconds[name])
    _parts.labels("elsewhere").observe(max(0.0, gap - sum(seconds.values())))


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


@contextmanager
def asking_rasa(request: str) -> Iterator[None]:
    """Measure one request to Rasa; a failure (with a ``code``) is counted and goes on."""
    with rasa_seconds.labels(request).time():
        try:
            yield
        except Exception as error:
            rasa_failures.labels(request, str(getattr(error, "code", "bug"))).inc()
            raise
