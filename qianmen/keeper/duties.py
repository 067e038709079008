"""All duties of the keeper's, gathered from the modules that define them."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from qianmen.keeper.duty import Duty, Keeping
from qianmen.keeper.watch import Watch


def all_duties(
    watch: Watch,
    registry: CollectorRegistry,  # noqa: ARG001  # for the gauges, which join soon
    keeping: Keeping,  # noqa: ARG001  # as above
) -> tuple[Duty, ...]:
    """The watch's own, and what retention, logs and recordings ask for."""
    return watch.duties()
