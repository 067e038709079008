"""The load's process: ``python -m qianmen.bench.load_main``, plans in, results out (JSON lines).

``{"kind": "media", "uri", "local_ip", "sip_port", "calls", "seconds", "ramp_per_s", "pid",
"says": [wav …]}`` or ``{"kind": "setups", "uri", "local_ip", "sip_port", "rate", "seconds",
"pid"}``; ``pid``: whose time to measure, 0 for nobody's; ``sip_port`` 0: any.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from qianmen.bench import g711
from qianmen.bench.figures import percentile
from qianmen.bench.load import QUIET, Load
from qianmen.bench.pacing import pacing
from qianmen.bench.realtime import take_option
from qianmen.citizen import sip
from qianmen.citizen.sounds import load_wav

WARM_S = 3.0
GOODBYE_S = 3.0
ANSWER_S = 40.0
_FRAME = 160
_PAUSE_FRAMES = 300
_TONE_FRAMES = 50


class Busy:
    """Processor time of a process and of this one."""

    def __init__(self, pid: int) -> None:
        self._processes = [psutil.Process(), *([psutil.Process(pid)] if pid else [])]
        self._began = time.monotonic()
        self._before = self._now()

    def _now(self) -> list[float]:
        times = [process.cpu_times() for process in self._processes]
        return [each.user + each.system for each in times]

    def shares(self) -> dict[str, float]:
        """Percent of one core since the start."""
        elapsed = time.monotonic() - self._began
        used = [
            (after - before) / elapsed * 100
            for before, after in zip(self._before, self._now(), strict=True)
        ]
        return {"load_cpu": used[0], **({"cpu": used[1]} if len(used) > 1 else {})}


def media(plan: dict[str, Any]) -> dict[str, Any]:
    """Hold many calls and measure the packets that come."""
    load = Load(
        sip.parse_uri(plan["uri"]), plan["local_ip"], sounds(plan["says"]), plan["sip_port"]
    )
    calls, seconds = int(plan["calls"]), float(plan["seconds"])
    every = max(1, round(500 / float(plan["ramp_per_s"])))
    started = 0
    try:
        for tick in load.ticks(ANSWER_S + calls * every / 500):
            if started < calls and tick % every == 0:
                load.start_call()
                started += 1
            settled = load.tally.answered + load.tally.failed
            if started == calls and settled >= calls:
                break
        _run(load.ticks(WARM_S))
        load.measuring = True
        busy = Busy(int(plan["pid"]))
        _run(load.ticks(seconds))
        shares = busy.shares()
        load.measuring = False
        alive = load.pending
        load.hang_up()
        _run(load.ticks(GOODBYE_S))
        seen = pacing(load.arrivals.values(), seconds)
        return {
            "calls": calls, "answered": load.tally.answered, "alive": alive, **shares,
            "setup_p50_ms": percentile(load.tally.setup_ms, 50),
            "pacing": asdict(seen) if seen else None,
        }  # fmt: skip
    finally:
        load.close()


def setups(plan: dict[str, Any]) -> dict[str, Any]:
    """INVITE, ACK, BYE at a steady rate; a call fails that is not answered and ended in time."""
    load = Load(sip.parse_uri(plan["uri"]), plan["local_ip"], (), plan["sip_port"])
    rate, seconds = float(plan["rate"]), float(plan["seconds"])
    started = 0
    try:
        busy = Busy(int(plan["pid"]))
        for tick in load.ticks(seconds):
            while started < (tick + 1) * rate / 500:
                load.start_call(sound=False)
                started += 1
        shares = busy.shares()
        for _ in load.ticks(GOODBYE_S):
            if not load.pending:
                break
        tally = load.tally
        return {
            "rate": rate, "started": started, "ended": tally.ended, **shares,
            "failed": started - tally.ended,
            "setup_p99_ms": percentile(tally.setup_ms, 99),
        }  # fmt: skip
    finally:
        load.close()


def sounds(paths: Iterable[str]) -> list[list[bytes]]:
    """Each file as A-law payloads with 6 s of quiet after it; without files, a tone that hums."""
    said = []
    for path in paths:
        samples = np.frombuffer(load_wav(Path(path)), dtype="<i2")
        said.append(_payloads(samples) + [QUIET] * _PAUSE_FRAMES)
    time_s = np.arange(_TONE_FRAMES * _FRAME) / 8000
    hum = (3000 * np.sin(2 * np.pi * 300 * time_s)).astype(np.int16)
    return said or [_payloads(hum)]


def _payloads(samples: np.ndarray[tuple[int], np.dtype[np.int16]]) -> list[bytes]:
    data = g711.encode(np.pad(samples, (0, -len(samples) % _FRAME)))
    return [data[start : start + _FRAME] for start in range(0, len(data), _FRAME)]


def _run(ticks: Iterable[int]) -> None:
    for _ in ticks:
        pass


def main() -> int:
    """Do every plan that stands on a line of standard input."""
    take_option(sys.argv[1:])
    for line in sys.stdin:
        plan = json.loads(line)
        result = (media if plan["kind"] == "media" else setups)(plan)
        sys.stdout.write(json.dumps(result) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
