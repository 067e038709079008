"""Ports for programs that are told theirs before they take it, kept from everybody else meanwhile.

A port found by binding 0 and letting go may be given to the next who binds 0, or connects: with
several test sessions side by side it sometimes is. These lie below what the system gives away
(``net.ipv4.ip_local_port_range``), and each test session has a block of its own. Each is followed
by one that nobody is given: baresip takes the next one too, for TLS, and ends if it cannot.
"""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from contextlib import ExitStack
from functools import cache
from itertools import cycle
from pathlib import Path

_FIRST, _BLOCK, _BLOCKS = 10_000, 480, 20
_ROOM = 8
"""baresip takes the port after its own for TLS, SIPp some after that of its sound."""
_KINDS = (socket.SOCK_STREAM, socket.SOCK_DGRAM)


def free_port() -> int:
    """A port that nobody has, for TCP or UDP, on any address."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Ports that nobody has, nor the ``_ROOM`` that begins with each; all different."""
    found: list[int] = []
    for _ in range(_BLOCK):
        if len(found) == count:
            return found
        port = next(_own())
        if port not in found and all(_is_free(port + after) for after in range(_ROOM)):
            found.append(port)
    raise AssertionError(f"fewer than {count} of {_BLOCK} ports are free")


@cache
def _own() -> cycle[int]:
    """This process's block: its lock is held until the process ends."""
    folder = Path(tempfile.gettempdir()) / f"qianmen-test-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    for number in range(_BLOCKS):
        lock = os.open(folder / str(number), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        start = _FIRST + number * _BLOCK
        return cycle(range(start, start + _BLOCK, _ROOM))
    raise AssertionError(f"{_BLOCKS} test sessions have every block of ports")


def _is_free(port: int) -> bool:
    with ExitStack() as stack:
        for kind in _KINDS:
            probe = stack.enter_context(socket.socket(socket.AF_INET, kind))
            try:
                probe.bind(("", port))
            except OSError:
                return False
    return True
