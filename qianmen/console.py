"""What the command line prints: results on standard output, all else on standard error.

With ``--json`` the one document is the result: nothing else is on standard output.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def say(text: str) -> None:
    """One line of progress, a hint or an error, on standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def show(text: str) -> None:
    """One line of the result for people, on standard output."""
    _out(f"{text}\n")


def print_json(value: Any) -> None:
    """The one JSON document of a command, on standard output."""
    _out(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def _out(text: str) -> None:
    """Write; where the reader has left (``| head``), the command goes on to its end unheard."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())  # also what is still buffered, at the exit
        os.close(nowhere)
