"""SIPp as a PBX: passwords, registrations and transfers, each case a scenario of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from telephony.line import DialError, Ended, Leg, LegEvent, LineError, LineSettings, Referred
from telephony.sip.line import SipLine
from tests.ports import free_port
from tests.telephony.pbx.pbx import until
from tests.telephony.sipp import Callee, Desk, Sipp
from tests.telephony.test_line import tone
from tests.telephony.virtual import RTP_PORTS

pytestmark = pytest.mark.slow

SETTINGS = LineSettings(
    host="127.0.0.1",
    port=0,
    rtp_ports=RTP_PORTS,
    allowed_peers=("127.0.0.1",),
    user="8001",
    password="secret",
)


@contextlib.asynccontextmanager
async def line_of(
    settings: LineSettings, on_call: Callable[[Leg], Awaitable[None]]
) -> AsyncIterator[SipLine]:
    line = SipLine(settings)
    await line.start(on_call)
    try:
        yield line
    finally:
        await line.stop()
    assert "sip_handler_failed" not in line.counters()


@pytest.fixture
async def pbx(tmp_path: Path) -> AsyncIterator[Sipp]:
    desk = Desk()
    async with line_of(SETTINGS, desk) as line:
        yield Sipp(line, desk, tmp_path)


async def test_callee_asks_password_407(pbx: Sipp) -> None:
    callee = Callee(pbx, "callee_asks_password_407")
    leg = await callee.dial()
    assert await leg.play(tone(100)).done == 100
    await leg.hang_up()
    await callee.ends_well()
    assert pbx.line.counters()["sip_authenticated"] == 2


async def test_callee_asks_password_401(pbx: Sipp) -> None:
    callee = Callee(pbx, "callee_asks_password_401")
    with pytest.raises(DialError) as error:
        await callee.dial()
    assert (error.value.code, error.value.status) == ("busy", 486)
    await callee.ends_well()


async def test_callee_asks_wrong_password_407(pbx: Sipp) -> None:
    callee = Callee(pbx, "callee_asks_wrong_password_407")
    with pytest.raises(DialError) as error:
        await callee.dial()
    assert (error.value.code, error.value.status) == ("rejected", 407)
    await callee.ends_well()


async def registers(case: str, folder: Path) -> None:
    port = free_port()
    settings = replace(SETTINGS, allowed_peers=(), registrar=f"127.0.0.1:{port}")
    async with line_of(settings, Desk()) as line:
        sipp = Sipp(line, Desk(), folder)
        process = await sipp.start(case, port=port)  # until it listens, REGISTER is repeated
        await until(lambda: line.registration == "registered")
        if case == "register_expires":
            await until(lambda: line.counters()["register_done"] == 2)
    await sipp.ends_well(case, process)


async def test_register(tmp_path: Path) -> None:
    """401, 423, 503 with Retry-After, a short expiry: side by side, each waits for real time."""
    cases = ("register_401", "register_423", "register_503", "register_expires")
    await asyncio.gather(*(registers(case, tmp_path) for case in cases))


class Transferring(Desk):
    """Answers, and passes the caller on; keeps how that went."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__()
        self._timeout_s = timeout_s
        self.outcome: int | str | None = None

    async def __call__(self, leg: Leg) -> None:
        await leg.answer()
        if self._timeout_s:
            await asyncio.sleep(0)
            try:
                self.outcome = await leg.refer("sip:2001@192.0.2.1", self._timeout_s)
            except LineError as error:
                self.outcome = error.code
        async for event in leg.events():
            self.events.append(event)


@pytest.mark.parametrize(
    ("case", "timeout_s", "outcome", "events"),
    [
        ("refer_accepted", 20, 200, [100, 180, 200, Ended("transferred")]),
        ("refer_target_busy", 20, 486, [486, Ended("bye")]),
        ("refer_refused", 20, "refer_refused", [Ended("bye")]),
        ("refer_no_notify", 0.3, "refer_timeout", [Ended("bye")]),
        ("refer_of_us", 0, None, [Ended("bye")]),
    ],
)
async def test_refer(
    tmp_path: Path,
    case: str,
    timeout_s: float,
    outcome: int | str | None,
    events: list[int | LegEvent],
) -> None:
    desk = Transferring(timeout_s)
    async with line_of(SETTINGS, desk) as line:
        await Sipp(line, desk, tmp_path).run(case)
        await until(lambda: bool(desk.events) and isinstance(desk.events[-1], Ended))
    told = [event.status if isinstance(event, Referred) else event for event in desk.events]
    assert (desk.outcome, told) == (outcome, events)
