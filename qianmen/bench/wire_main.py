"""The measuring process: ``python -m qianmen.bench.wire_main``, a plan in, results out (JSON).

The plan on standard input: ``{"uri", "local_ip", "calls": [[wav path, …], …]}``; for each call one
line of JSON on standard output.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np

from qianmen.bench.wire import Caller
from qianmen.citizen import sip
from qianmen.citizen.errors import CitizenError
from qianmen.citizen.exchange import local_address_towards
from qianmen.citizen.sounds import load_wav


def main() -> int:
    """Hold every call of the plan; 1 where one was not answered."""
    plan = json.load(sys.stdin)
    target = sip.parse_uri(plan["uri"])
    local_ip = plan.get("local_ip") or local_address_towards(target)
    for paths in plan["calls"]:
        questions = [np.frombuffer(load_wav(Path(path)), dtype="<i2") for path in paths]
        try:
            call = Caller(target, questions, local_ip).run()
        except CitizenError as error:
            sys.stdout.write(json.dumps({"error": error.code, "text": str(error)}) + "\n")
            return 1
        sys.stdout.write(json.dumps(asdict(call)) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
