"""What goes wrong at the platform, as it is told to."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field


@dataclass
class Faults:
    """``errors``: errcodes that the next sends get in turn. ``down``: connections are cut.

    ``stall_s``: every answer of the API comes so late. ``server_errors``: so many of the next
    calls get HTTP 502.
    """

    errors: deque[int] = field(default_factory=deque)
    down: bool = False
    stall_s: float = 0.0
    server_errors: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def next_error(self) -> int:
        """The errcode for this send; 0: none."""
        with self._lock:
            return self.errors.popleft() if self.errors else 0

    def breaks(self) -> bool:
        """Whether this call gets 502."""
        with self._lock:
            broken = self.server_errors > 0
            self.server_errors -= broken
        return broken
