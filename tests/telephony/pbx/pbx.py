"""Debian's Kamailio as a PBX with passwords: a registrar that we did not write."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from telephony.line import LineSettings
from tests.ports import free_port
from tests.telephony.virtual import RTP_PORTS, request

HOST = "127.0.2.1"
READY_S = 60.0


class Pbx:
    """``extension`` gives the settings of a line that is one of its telephones."""

    def __init__(self, port: int) -> None:
        self.port = port

    def extension(self, user: str, password: str = "secret", port: int = 0) -> LineSettings:
        return LineSettings(
            host="127.0.0.1",
            port=port,
            rtp_ports=RTP_PORTS,
            registrar=f"{HOST}:{self.port}",
            user=user,
            password=password,
        )


async def until(done: Callable[[], bool], wait_s: float = READY_S) -> None:
    """Return once ``done``: what is waited for lies in other programs and threads."""
    async with asyncio.timeout(wait_s):
        while not done():  # noqa: ASYNC110  # see above
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def kamailio(folder: Path, algorithm: str = "MD5") -> AsyncIterator[Pbx]:
    """The PBX, until the end of the block."""
    if shutil.which("kamailio") is None:
        pytest.skip("kamailio missing: install the Debian package kamailio")
    port = free_port()
    told = folder / "kamailio.log"
    with told.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            "kamailio", "-DD", "-E", "-m", "16", "-M", "4", "-Y", str(folder),
            "-f", str(Path(__file__).with_name("kamailio.cfg")),
            "-A", f"LISTEN_UDP=udp:{HOST}:{port}", "-A", f'ALGORITHM="{algorithm}"',
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        await _answers(port, process, told)
        yield Pbx(port)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def said(told: Path) -> str:
    return told.read_text(errors="replace")[-2000:]


async def _answers(port: int, process: asyncio.subprocess.Process, told: Path) -> None:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.bind(("127.0.0.1", 0))
        async with asyncio.timeout(READY_S):
            while True:
                assert process.returncode is None, said(told)
                sock.sendto(request("OPTIONS", branch="z9hG4bKready").encode(), (HOST, port))
                with contextlib.suppress(TimeoutError, OSError):
                    async with asyncio.timeout(0.2):
                        if b"200 OK" in await loop.sock_recv(sock, 4096):
                            return
