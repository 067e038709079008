"""What the command line says to people: on standard error, so that --json stays clean."""

from __future__ import annotations

import json
import sys
from typing import Any


def say(text: str) -> None:
    """One line of progress."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def print_json(value: Any) -> None:
    """The one JSON document of a command, on standard output."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")
    sys.stdout.flush()
