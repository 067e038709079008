"""What the recogniser process measures: its streams, and whether it keeps up with them."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from prometheus_client import Counter, Gauge, Histogram

from asr.recogniser import SAMPLE_RATE
from config.metrics import LATENCY_S

ready = Gauge("qianmen_recogniser_ready", "1 once the model is loaded and warm, else 0.")
streams = Gauge("qianmen_recogniser_streams", "Callers that are listened to now.")
audio = Counter("qianmen_recogniser_audio_seconds", "Sound that was heard.")
busy = Counter(
    "qianmen_recogniser_busy_seconds",
    "Time it took to hear that sound, waiting for a processor included: a stream's real-time "
    "factor is this by the sound's.",
)
words = Histogram(
    "qianmen_recogniser_words_seconds",
    "From the decision that a turn is over to its final words.",
    buckets=LATENCY_S,
)
_lag = Gauge(
    "qianmen_recogniser_lag_seconds_max",
    "How far the stream that is furthest behind lies behind its live sound.",
)


class Lag:
    """How far one stream lies behind: of its sound, and of the clock, the slower one.

    Sound comes live, so whenever less of it was heard than time has passed since the stream was at
    its best, the rest waits somewhere. A client that pauses looks as if it lagged, until it goes
    on; a telephone never pauses.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._heard_s = 0.0
        self._best = clock()
        self._seconds = 0.0

    @property
    def seconds(self) -> float:
        """The lag when sound was heard last."""
        return self._seconds

    def heard(self, size: int) -> None:
        """``size`` bytes (s16le, 8 kHz) were heard just now."""
        self._heard_s += size / (2 * SAMPLE_RATE)
        offset = self._clock() - self._heard_s
        self._best = min(self._best, offset)
        self._seconds = offset - self._best


_lags: set[Lag] = set()
_lag.set_function(lambda: max((lag.seconds for lag in tuple(_lags)), default=0.0))


class StreamMeasure:
    """Measures one stream while inside."""

    def __init__(self) -> None:
        self._lag = Lag()

    def __enter__(self) -> StreamMeasure:
        streams.inc()
        _lags.add(self._lag)
        return self

    def __exit__(self, *_error: object) -> None:
        streams.dec()
        _lags.discard(self._lag)

    def heard(self, size: int, seconds: float) -> None:
        """``size`` bytes of sound (s16le, 8 kHz) were heard in ``seconds``."""
        audio.inc(size / (2 * SAMPLE_RATE))
        busy.inc(seconds)
        self._lag.heard(size)
