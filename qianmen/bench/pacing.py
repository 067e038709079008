"""How evenly packets came: gaps and drift of streams, from the kernel's arrival times. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PACKET_MS = 20.0
_FEWEST = 50


@dataclass(frozen=True, slots=True)
class Pacing:
    """All streams together. Gaps in ms between packets that follow each other by number;
    ``drift_ppm``: the middle stream's clock against ours, positive: slow. ``missing``: the share
    of packets that ought to have come, by time and number (0 to 1)."""

    streams: int
    gap_p50: float
    gap_p99: float
    gap_max: float
    drift_ppm: float
    missing: float


def pacing(streams: Iterable[Sequence[tuple[int, int]]], seconds: float) -> Pacing | None:
    """Of streams as (arrival ns, sequence number), each ``seconds`` long; ``None`` if all empty."""
    gaps: list[NDArray[np.float64]] = []
    drifts: list[float] = []
    came = count = 0
    for stream in streams:
        count += 1
        came += len(stream)
        if len(stream) < _FEWEST:
            continue
        times, numbers = _unwrapped(stream)
        follows = np.diff(numbers) == 1
        gaps.append((np.diff(times) / 1e6)[follows])
        slope = float(np.polyfit(numbers - numbers[0], (times - times[0]) / 1e6, 1)[0])
        drifts.append((slope / PACKET_MS - 1) * 1e6)
    if not gaps:
        return None
    every = np.concatenate(gaps)
    expected = count * seconds * 1000 / PACKET_MS
    return Pacing(
        streams=count,
        gap_p50=float(np.percentile(every, 50)),
        gap_p99=float(np.percentile(every, 99)),
        gap_max=float(every.max()),
        drift_ppm=float(np.median(drifts)),
        missing=max(0.0, 1 - came / expected),
    )


def _unwrapped(
    stream: Sequence[tuple[int, int]],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Arrivals since the first, ns, and numbers without the wrap at 2**16; in order of arrival."""
    table = np.asarray(stream, dtype=np.int64)
    steps = (np.diff(table[:, 1]) + 0x8000) % 0x10000 - 0x8000
    numbers = np.concatenate(([0], np.cumsum(steps)))
    return (table[:, 0] - table[0, 0]).astype(np.float64), numbers.astype(np.int64)
