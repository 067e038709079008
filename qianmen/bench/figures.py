"""Figures of a measurement: plain values with their unit and goal. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value; ``goal`` '' where there is none."""

    name: str
    value: float
    unit: str = "ms"
    goal: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured, and what a peer did in the same run."""

    figures: tuple[Figure, ...]
    peers: tuple[Figure, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {
            "figures": [asdict(figure) for figure in self.figures],
            "peers": [asdict(figure) for figure in self.peers],
        }


def percentile(values: Iterable[float], share: float) -> float:
    """The value below which ``share`` (0 to 100) lies, linear between neighbours; nan if none."""
    known = np.asarray(list(values), dtype=np.float64)
    return float(np.percentile(known, share)) if known.size else float("nan")


def spread(
    name: str,
    values: Sequence[float],
    shares: Sequence[int] = (50, 95, 99),
    goals: dict[int, str] | None = None,
) -> tuple[Figure, ...]:
    """Percentiles of ``values`` (ms) as figures; nothing where nothing was measured."""
    if not values:
        return ()
    return tuple(
        Figure(f"{name} p{share}", round(percentile(values, share), 1), "ms",
               (goals or {}).get(share, ""))
        for share in shares
    )  # fmt: skip
