"""The measuring process: ``python -m qianmen.bench.wire_main``, a plan in, results out (JSON).

The plan on standard input: ``{"uri", "local_ip", "calls": [[wav path, …], …], "at_once",
"barge_in_s"}``, the last two optional: how many calls are held at the same time (1), and when each
answer is interrupted (never). One line of JSON on standard output for each call as it ends.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from qianmen.bench.wire import Caller
from qianmen.citizen import sip
from qianmen.citizen.errors import CitizenError
from qianmen.citizen.exchange import local_address_towards
from qianmen.citizen.sounds import load_wav


def main() -> int:
    """Hold the calls of the plan; 1, and no more of them, once one was not answered."""
    plan = json.load(sys.stdin)
    for result in _calls(plan):
        sys.stdout.write(json.dumps(result) + "\n")
        sys.stdout.flush()
        if "error" in result:
            return 1
    return 0


def _calls(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    at_once = int(plan.get("at_once", 1))
    if at_once == 1:
        yield from (_call(plan, paths) for paths in plan["calls"])
        return
    with ThreadPoolExecutor(at_once) as threads:
        running = [threads.submit(_call, plan, paths) for paths in plan["calls"]]
        try:
            yield from (call.result() for call in as_completed(running))
        finally:
            threads.shutdown(cancel_futures=True)


def _call(plan: dict[str, Any], paths: list[str]) -> dict[str, Any]:
    target = sip.parse_uri(plan["uri"])
    local_ip = plan.get("local_ip") or local_address_towards(target)
    questions = [np.frombuffer(load_wav(Path(path)), dtype="<i2") for path in paths]
    try:
        return asdict(Caller(target, questions, local_ip, barge_in_s=plan.get("barge_in_s")).run())
    except CitizenError as error:
        return {"error": error.code, "text": str(error)}


if __name__ == "__main__":
    sys.exit(main())
