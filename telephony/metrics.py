"""What the phone measures: its calls, and what its line counts, read when Prometheus asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from prometheus_client import Counter, Histogram
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from telephony.line import Ended, Leg, RegistrationState

_REFUSED = "calls_refused_"
_PACKETS = "rtp_packets_"

answered = Counter("qianmen_calls_answered", "Inbound calls that were answered.")
ended = Counter(
    "qianmen_calls_ended",
    "Inbound calls that are over, by whose doing (caller, us, network) and cause.",
    ("by", "cause"),
)
duration = Histogram(
    "qianmen_call_duration_seconds",
    "How long answered calls lasted.",
    buckets=(10, 30, 60, 120, 180, 300, 600, 1200, 1800, 3600),
)
bridges = Counter(
    "qianmen_bridges",
    "Callers connected to a person's telephone: connected, or how that failed.",
    ("outcome",),
)
commands = Counter(
    "qianmen_call_commands",
    "What the desk commanded of calls, by verb and outcome.",
    ("verb", "outcome"),
)
peer_loss = Histogram(
    "qianmen_rtp_peer_loss_ratio",
    "Share of a call's packets that the other side did not receive, as it told by RTCP.",
    buckets=(0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3),
)
round_trip = Histogram(
    "qianmen_rtp_round_trip_seconds",
    "Time to the other side and back by its last RTCP report of a call.",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8),
)

_BY = {
    "bye": "caller",
    "cancel": "caller",
    "hung_up": "us",
    "rejected": "us",
    "shutdown": "us",
    "transferred": "us",
}


def call_over(how: Ended, seconds: float) -> None:
    """A call that was answered ``seconds`` ago ended."""
    ended.labels(_BY.get(how.cause, "network"), how.cause).inc()
    duration.observe(seconds)


def media_over(loss_ratio: float | None, round_trip_ms: float | None) -> None:
    """A call's sound ended; ``None``: the other side sent no report that tells."""
    if loss_ratio is not None:
        peer_loss.observe(loss_ratio)
    if round_trip_ms is not None:
        round_trip.observe(round_trip_ms / 1000)


class MeasuredLine(Protocol):
    """What is read of a line."""

    def legs(self) -> tuple[Leg, ...]:
        """The legs alive now."""

    def counters(self) -> Mapping[str, int]:
        """What was counted since the start."""

    @property
    def registration(self) -> RegistrationState:
        """Whether the PBX knows us."""

    def buffered_ms(self) -> tuple[int, ...]:
        """How much sound each call's jitter buffer holds."""


class LineCollector(Collector):
    """Reads a line at scrape time: calls and packets cost nothing to measure."""

    def __init__(self, line: MeasuredLine) -> None:
        self._line = line

    def describe(self) -> Iterable[Metric]:
        """The names, without asking the line."""
        return self._families({}, 0, (), "none")

    def collect(self) -> Iterable[Metric]:
        """What the line counted."""
        line = self._line
        return self._families(
            line.counters(), len(line.legs()), line.buffered_ms(), line.registration
        )

    def _families(
        self,
        counters: Mapping[str, int],
        legs: int,
        buffered_ms: tuple[int, ...],
        registration: RegistrationState,
    ) -> Iterable[Metric]:
        offered = CounterMetricFamily(
            "qianmen_calls_offered", "Inbound calls (INVITEs outside a dialog), welcome or not."
        )
        offered.add_metric((), counters.get("calls_offered", 0))
        refused = CounterMetricFamily(
            "qianmen_calls_refused", "Inbound calls refused, by SIP status.", labels=("status",)
        )
        packets = CounterMetricFamily(
            "qianmen_rtp_packets",
            "Packets of callers' sound: received, late, lost, dropped to catch up.",
            labels=("outcome",),
        )
        events = CounterMetricFamily(
            "qianmen_line_events",
            "What the line ignored, could not read or sent again, by stable name.",
            labels=("event",),
        )
        for name, count in counters.items():
            if name.startswith(_REFUSED):
                refused.add_metric((name.removeprefix(_REFUSED),), count)
            elif name.startswith(_PACKETS):
                packets.add_metric((name.removeprefix(_PACKETS),), count)
            elif name != "calls_offered":
                events.add_metric((name,), count)
        yield from (offered, refused, packets, events)
        if registration != "none":
            yield GaugeMetricFamily(
                "qianmen_sip_registered",
                "Whether the PBX has us registered (1) or not (0).",
                registration == "registered",
            )
        yield GaugeMetricFamily("qianmen_legs_active", "Call legs alive now, both ways.", legs)
        yield GaugeMetricFamily(
            "qianmen_rtp_buffer_seconds_max",
            "Sound in the fullest jitter buffer: how unsteady the worst caller's network is.",
            max(buffered_ms, default=0) / 1000,
        )
