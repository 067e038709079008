"""Callees by SIPp: how our own calls fare."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from telephony.line import DialError, Ended, Leg, LineSettings
from telephony.sip.line import SipLine
from tests.telephony.lossy import Lossy
from tests.telephony.sipp import Callee, Desk, Sipp
from tests.telephony.virtual import RTP_PORTS

pytestmark = pytest.mark.slow


@pytest.fixture
async def sipp(tmp_path: Path) -> AsyncIterator[Sipp]:
    desk = Desk()
    line = SipLine(LineSettings(host="127.0.0.1", port=0, rtp_ports=RTP_PORTS))
    await line.start(desk)
    yield Sipp(line, desk, tmp_path)
    await line.stop()
    assert line.legs() == ()
    assert "sip_handler_failed" not in line.counters()


@pytest.mark.parametrize(
    ("case", "code", "status"),
    [
        ("callee_answers_g729", "rejected", 488),
        ("callee_broken_500", "unreachable", 500),
        ("callee_busy_everywhere_600", "busy", 600),
        ("callee_moved_302", "rejected", 302),
        ("callee_not_found_404", "rejected", 404),
        ("callee_overloaded_503", "unreachable", 503),
        ("callee_unavailable_480", "no_answer", 480),
    ],
)
async def test_callee_does_not_take_the_call(sipp: Sipp, case: str, code: str, status: int) -> None:
    callee = Callee(sipp, case)
    with pytest.raises(DialError) as error:
        await callee.dial()
    assert (error.value.code, error.value.status) == (code, status)
    await callee.ends_well()


@pytest.mark.parametrize(
    "case",
    [
        "callee_sends_late_180",
        "callee_wants_longer_session",
    ],
)
async def test_call_goes_through(sipp: Sipp, case: str) -> None:
    callee = Callee(sipp, case)
    leg = await callee.dial()
    await leg.hang_up()
    await callee.ends_well()
    assert leg.ended == Ended("hung_up")


async def test_callee_misses_our_ack(sipp: Sipp) -> None:
    callee = Callee(sipp, "callee_misses_our_ack")
    leg = await callee.dial()
    # Time for the repeated 200: what we play meanwhile.
    assert await leg.play(bytes(8000)).done == 500
    await leg.hang_up()
    await callee.ends_well()


@pytest.mark.parametrize("case", ["callee_early_media_then_answers", "callee_reliable_183"])
async def test_sound_before_the_answer(sipp: Sipp, case: str) -> None:
    early: list[Leg] = []
    callee = Callee(sipp, case)
    leg = await callee.dial(on_early=early.append)
    assert early == [leg]
    await leg.hang_up()
    await callee.ends_well()


async def test_callee_early_media_then_busy(sipp: Sipp) -> None:
    early: list[Leg] = []
    callee = Callee(sipp, "callee_early_media_then_busy")
    with pytest.raises(DialError) as error:
        await callee.dial(on_early=early.append)
    assert error.value.code == "busy"
    assert early[0].ended == Ended("rejected", 486)
    await callee.ends_well()


@pytest.mark.parametrize("case", ["callee_183_then_cancel", "callee_answer_crosses_cancel"])
async def test_we_give_up(sipp: Sipp, case: str) -> None:
    callee = Callee(sipp, case)
    with pytest.raises(DialError) as error:
        await callee.dial(timeout_s=1.5)
    assert error.value.code == "no_answer"
    await callee.ends_well()


async def test_callee_never_answers(sipp: Sipp) -> None:
    callee = Callee(sipp, "callee_never_answers")
    with pytest.raises(DialError) as error:
        await callee.dial(timeout_s=1.2)
    assert error.value.code == "no_answer"
    await callee.ends_well()


async def test_callee_held_by_us(sipp: Sipp) -> None:
    callee = Callee(sipp, "callee_held_by_us")
    leg = await callee.dial()
    await leg.hold()
    await leg.resume()
    await leg.hang_up()
    await callee.ends_well()


async def test_our_first_invite_is_lost(sipp: Sipp) -> None:
    callee = Callee(sipp, "callee_answers")
    lossy = Lossy(callee.address, lose=lambda data: data.startswith(b"INVITE"))
    async with lossy as way:
        leg = await callee.dial(through=way.address)
        await leg.hang_up()
        await callee.ends_well()
    assert way.lost == 1
