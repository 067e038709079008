"""The behaviour table's scenarios against the stock pyVoIP line: what it does not do is listed.

The list is the truth of today: a gap that closes, or a new one, fails the test. Left out are
the scenarios that take longer than it is worth: that a 200 without ACK is neither repeated nor
followed by a BYE, that silence is never noticed.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from pathlib import Path

import pytest

from telephony.line import Leg, LineError, LineSettings
from telephony.pyvoip.line import PyvoipLine
from telephony.rtp.g711 import PCMA
from telephony.sip.message import Request, parse_message
from tests.ports import free_port
from tests.telephony.pbx.pbx import until
from tests.telephony.sipp import SCENARIOS
from tests.telephony.test_line import tone
from tests.telephony.virtual import reply_to

pytestmark = pytest.mark.slow

KEPT = {"basic_call_pcma_media", "hung_up_by_us"}
GAPS = {
    "bye_of_unknown_dialog": "200 where 481 is right",
    "cancel_while_ringing": "200 to the CANCEL, but no 487: it goes on ringing",
    "content_length_too_long": "no reply",
    "hold_and_resume": "sendrecv in the answer where recvonly is right: it talks on",
    "info_digits": "the INFO gets no reply",
    "no_sdp": "180, then nothing",
    "only_g729": "180 and 486 where 488 is right",
    "options": "no reply",
    "record_route": "Record-Route does not come back",
    "require_100rel": "ignored where 420 is right",
    "retransmitted_invite": "no 100, and 180 as to a new call",
}
PATIENCE_S = 6
KEPT_PATIENCE_S = 60
"""What is kept ends by itself, however busy the machine; only gaps wait their patience out."""


class Registrar(asyncio.DatagramProtocol):
    """Takes every REGISTER, until SIPp needs the port."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.DatagramTransport = transport  # type: ignore[assignment]  # it is

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        message = parse_message(data)
        if isinstance(message, Request):
            reply = reply_to(message, 200, extra=f"Contact: {message.first('contact')}\r\n")
            self.transport.sendto(reply.encode(), addr)


async def registrar(port: int) -> Registrar:
    _, found = await asyncio.get_running_loop().create_datagram_endpoint(
        Registrar, local_addr=("127.0.0.1", port)
    )
    return found


async def keeps(case: str, folder: Path) -> bool:
    """Whether the telephone passes ``case``. pyVoIP answers to its PBX only: SIPp is that."""
    port = free_port()
    taking = await registrar(port)
    line = PyvoipLine(
        LineSettings(
            host="127.0.0.1", port=0, rtp_ports=(26000, 26999),
            registrar=f"127.0.0.1:{port}", user="12345",
        )
    )  # fmt: skip

    async def on_call(leg: Leg) -> None:
        if case == "cancel_while_ringing":
            await asyncio.sleep(PATIENCE_S)
        with contextlib.suppress(LineError):
            await leg.answer()
        leg.play(tone(2000))
        if case == "hung_up_by_us":
            await asyncio.sleep(0.2)
            return
        async for _ in leg.events():
            pass

    await line.start(on_call)
    await until(lambda: line.registration == "registered")
    taking.transport.close()
    await asyncio.sleep(0)  # the port is closed by the loop's next turn
    passed = await scenario(case, folder, port, line.address[1])
    taking = await registrar(port)
    await line.stop()
    taking.transport.close()
    return passed


async def scenario(case: str, folder: Path, port: int, to: int) -> bool:
    patience = KEPT_PATIENCE_S if case in KEPT else PATIENCE_S
    process = await asyncio.create_subprocess_exec(
        "sipp", f"127.0.0.1:{to}", "-sf", str(SCENARIOS / f"{case}.xml"), "-m", "1",
        "-i", "127.0.0.1", "-p", str(port), "-mp", str(free_port()), "-key", "rtp_port", "9",
        "-nostdin", "-timeout", str(patience), "-timeout_error", cwd=folder,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(patience + 4):
            return await process.wait() == 0
    except TimeoutError:
        process.kill()
        await process.wait()
        return False


async def test_the_gaps_are_those_that_are_listed(tmp_path: Path) -> None:
    if shutil.which("sipp") is None:
        pytest.skip("SIPp missing: install the Debian package sip-tester")
    (tmp_path / "tone.alaw").write_bytes(PCMA.encode(tone(1000)))
    kept: set[str] = set()
    for cases in (sorted(KEPT), sorted(GAPS)):  # the ones that count are not crowded
        outcomes = await asyncio.gather(*(keeps(case, tmp_path) for case in cases))
        kept |= {case for case, passed in zip(cases, outcomes, strict=True) if passed}
    assert kept == KEPT
