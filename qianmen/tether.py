"""Run a program that ends when its parent does: ``python -m qianmen.tether PROGRAM ARG…``.

A process manager that is killed outright cannot stop its children; the kernel can
(``prctl(PR_SET_PDEATHSIG)``, kept over ``exec``). Elsewhere than on Linux it only executes.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def tie_to_parent() -> None:
    """Ask the kernel for SIGTERM when the parent of this process ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


if __name__ == "__main__":
    tie_to_parent()
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606  # that is what it is for
