"""What runs and what is ready, now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from config.settings import Settings
from qianmen.processes import processes
from qianmen.readiness import check
from qianmen.supervise import running


def nothing_runs(report: Mapping[str, Any]) -> bool:
    """Whether a report of :func:`status` tells of no process at all, ours or another's."""
    return not any(row["ready"] or row["pid"] is not None for row in report["processes"])


async def status(settings: Settings) -> dict[str, Any]:
    """``up``: everything is ready. Each process with state, pid, address and readiness."""
    managed = running(settings)
    rows = []
    for item in await check(processes(settings)):
        one = managed.get(item.process.name) if managed else None
        rows.append(
            {
                "name": item.process.name,
                "label": item.process.label,
                "address": item.process.address,
                "state": one.state if one else "UNKNOWN",
                "pid": one.pid if one else None,
                "ready": item.ready,
            }
        )
    return {"up": managed is not None and all(row["ready"] for row in rows), "processes": rows}
