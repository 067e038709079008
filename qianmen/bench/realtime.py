"""Scheduling before everything else, so that a busy machine is not what is measured."""

from __future__ import annotations

import os
import sys

OPTION = "--realtime"
_PRIORITY = 10


def take_option(arguments: list[str]) -> list[str]:
    """``arguments`` without the option; where it was there, this process is real-time from now on.

    Its threads are too. Ends the process where that is not permitted.
    """
    if OPTION not in arguments:
        return arguments
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(_PRIORITY))
    except OSError as error:
        sys.exit(f"real-time priority: {error.strerror}")
    return [each for each in arguments if each != OPTION]
