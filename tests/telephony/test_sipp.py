"""SIPp as the other side: each case is a scenario in ``tests/scenarios/sipp``, named after it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from telephony.line import (
    DialError,
    Digit,
    Ended,
    Held,
    LineSettings,
    Resumed,
)
from telephony.rtp.g711 import PCMA, loudness
from telephony.sip.line import SipLine
from tests.telephony.sipp import Callee, Desk, Ear, Sipp
from tests.telephony.test_line import rubbish, tone
from tests.telephony.virtual import RTP_PORTS

pytestmark = pytest.mark.slow


@pytest.fixture
async def sipp(tmp_path: Path) -> AsyncIterator[Sipp]:
    desk = Desk()
    line = SipLine(LineSettings(host="127.0.0.1", port=0, rtp_ports=RTP_PORTS))
    await line.start(desk)
    yield Sipp(line, desk, tmp_path)
    await line.stop()
    assert "sip_handler_failed" not in line.counters()
    assert "media_tick_failed" not in line.counters()


async def test_basic_call_pcma_media(sipp: Sipp, tmp_path: Path) -> None:
    (tmp_path / "tone.alaw").write_bytes(PCMA.encode(tone(1000)))
    await sipp.run("basic_call_pcma_media")
    assert sum(loudness(frame.pcm) > 1000 for frame in sipp.desk.heard) >= 40
    assert sipp.desk.events == [Ended("bye")]


async def test_call_amid_rubbish(sipp: Sipp, tmp_path: Path) -> None:
    (tmp_path / "tone.alaw").write_bytes(PCMA.encode(tone(1000)))
    process = await sipp.start("basic_call_pcma_media")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        while process.returncode is None:
            for junk in rubbish():
                stranger.sendto(junk, sipp.line.address)
                stranger.sendto(junk, ("127.0.0.1", RTP_PORTS[0]))
            await asyncio.sleep(0.05)
    await sipp.ends_well("basic_call_pcma_media", process)
    assert sum(loudness(frame.pcm) > 1000 for frame in sipp.desk.heard) >= 40
    assert sipp.desk.events == [Ended("bye")]
    assert sipp.line.counters()["sip_malformed"] > 0


@pytest.mark.parametrize(
    "case",
    [
        "options",
        "bye_of_unknown_dialog",
        "content_length_too_long",
        "only_g729",
        "require_100rel",
        "record_route",
    ],
)
async def test_answered_as_the_table_says(sipp: Sipp, case: str) -> None:
    await sipp.run(case)


async def test_options_while_draining(sipp: Sipp) -> None:
    sipp.line._agent.draining = True  # type: ignore[union-attr]  # started
    await sipp.run("options_while_draining")


async def test_hung_up_by_us(sipp: Sipp) -> None:
    sipp.desk.hangs_up = True
    await sipp.run("hung_up_by_us")
    assert sipp.desk.events == [Ended("hung_up")]


async def test_cancel_while_ringing(sipp: Sipp) -> None:
    sipp.desk.answers = False
    await sipp.run("cancel_while_ringing")
    assert sipp.desk.events == [Ended("cancel", 487)]


async def test_retransmitted_invite(sipp: Sipp) -> None:
    await sipp.run("retransmitted_invite")
    assert sipp.desk.calls == 1
    assert sipp.line.counters()["sip_retransmitted_request"] == 1


async def test_no_ack(sipp: Sipp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telephony.sip.timers.GIVE_UP_S", 2.0)
    await sipp.run("no_ack")
    assert sipp.desk.events == [Ended("ack_timeout")]


async def test_info_digits(sipp: Sipp) -> None:
    await sipp.run("info_digits")
    assert [event.key for event in sipp.desk.events if isinstance(event, Digit)] == ["5"]


async def test_no_sdp(sipp: Sipp) -> None:
    with Ear() as ear:
        await sipp.run("no_sdp", rtp_port=ear.port)
        assert ear.packets() >= 15


async def test_hold_and_resume(sipp: Sipp) -> None:
    with Ear() as ear:
        await sipp.run("hold_and_resume", rtp_port=ear.port)
        held, resumed, ended = sipp.desk.events
        assert (type(held), type(resumed), ended) == (Held, Resumed, Ended("bye"))
        assert isinstance(held, Held)
        assert isinstance(resumed, Resumed)
        in_hold = (resumed.at_ms - held.at_ms) // 20
        ticks = len(sipp.desk.heard)
        # One packet for every tick outside the hold, none within.
        assert abs(ear.packets() - (ticks - in_hold)) <= 2


async def test_callee_answers(sipp: Sipp) -> None:
    callee = Callee(sipp, "callee_answers")
    leg = await callee.dial()
    assert await leg.play(tone(200)).done == 200
    await leg.hang_up()
    await callee.ends_well()


async def test_callee_hangs_up(sipp: Sipp) -> None:
    callee = Callee(sipp, "callee_hangs_up")
    leg = await callee.dial()
    assert [event async for event in leg.events()] == [Ended("bye")]
    await callee.ends_well()


@pytest.mark.parametrize(
    ("case", "code"), [("callee_busy", "busy"), ("callee_declines", "rejected")]
)
async def test_callee_refuses(sipp: Sipp, case: str, code: str) -> None:
    callee = Callee(sipp, case)
    with pytest.raises(DialError) as error:
        await callee.dial()
    assert error.value.code == code
    await callee.ends_well()


async def test_callee_rings_until_cancel(sipp: Sipp) -> None:
    callee = Callee(sipp, "callee_rings_until_cancel")
    with pytest.raises(DialError) as error:
        await callee.dial(timeout_s=3)
    assert error.value.code == "no_answer"
    await callee.ends_well()
