"""Callers by SIPp: what they do that is odd, late, lost or wrong."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Literal

import pytest

from telephony.line import Ended, Held, Leg, LineError, LineSettings, Resumed
from telephony.sip.line import SipLine
from tests.telephony.lossy import Lossy, Rule
from tests.telephony.sipp import Desk, Ear, Sipp
from tests.telephony.virtual import RTP_PORTS

pytestmark = pytest.mark.slow

SETTINGS = LineSettings(host="127.0.0.1", port=0, rtp_ports=RTP_PORTS)


class Holder(Desk):
    """A desk that does something of its own once the call is answered."""

    def __init__(self, does: Callable[[Leg], Awaitable[None]]) -> None:
        super().__init__()
        self._does = does

    async def __call__(self, leg: Leg) -> None:
        await leg.ring()
        await leg.answer()
        await self._does(leg)
        async for event in leg.events():
            self.events.append(event)


Open = Callable[..., Awaitable[Sipp]]


@pytest.fixture
async def open_line(tmp_path: Path) -> AsyncIterator[Open]:
    lines: list[SipLine] = []

    async def open_with(desk: Desk | None = None, settings: LineSettings = SETTINGS) -> Sipp:
        line = SipLine(settings)
        desk = desk or Desk()
        await line.start(desk)
        lines.append(line)
        return Sipp(line, desk, tmp_path)

    yield open_with
    for line in lines:
        await line.stop()
        assert line.legs() == ()
        assert "sip_handler_failed" not in line.counters()
        assert "media_tick_failed" not in line.counters()


@pytest.mark.parametrize(
    "case",
    [
        "ack_twice",
        "audio_and_video",
        "bye_before_ack",
        "cancel_after_answer",
        "odd_spaces_and_cases",
        "many_vias_and_routes",
        "methods_within_dialog",
        "multipart_body",
        "old_cseq",
        "options_within_dialog",
        "reinvite_only_g729",
        "reply_to_rport",
        "session_interval_too_small",
        "session_timer_refreshed",
        "tag_of_the_bye",
        "tel_uri_compact_headers",
        "update_without_offer",
        "wrong_tag",
    ],
)
async def test_call_goes_through(open_line: Open, case: str) -> None:
    sipp = await open_line()
    await sipp.run(case)
    assert sipp.desk.calls == 1
    assert sipp.desk.events == [Ended("bye")]


@pytest.mark.parametrize("case", ["unknown_method", "lower_case_method", "message_too_large"])
async def test_request_is_refused(open_line: Open, case: str) -> None:
    sipp = await open_line()
    await sipp.run(case)
    assert sipp.desk.calls == 0


async def test_bye_before_answer(open_line: Open) -> None:
    sipp = await open_line()
    sipp.desk.answers = False
    await sipp.run("bye_before_answer")
    assert sipp.desk.events == [Ended("bye")]


async def test_media_level_address(open_line: Open) -> None:
    sipp = await open_line()
    with Ear() as ear:
        await sipp.run("media_level_address", rtp_port=ear.port)
        assert ear.packets() >= 15


async def test_gbk_display_name(open_line: Open) -> None:
    names: list[str] = []

    async def note(leg: Leg) -> None:
        names.append(leg.display_name)

    sipp = await open_line(Holder(note))
    await sipp.run("gbk_display_name")
    assert names == ["王小明"]


async def test_update_with_offer(open_line: Open) -> None:
    sipp = await open_line()
    await sipp.run("update_with_offer")
    assert [type(event) for event in sipp.desk.events] == [Held, Resumed, Ended]


@pytest.mark.parametrize("case", ["hold_by_us", "glare_491_to_us"])
async def test_hold_by_us(open_line: Open, case: str) -> None:
    async def hold(leg: Leg) -> None:
        await leg.hold()
        if case == "hold_by_us":
            await leg.resume()

    sipp = await open_line(Holder(hold))
    await sipp.run(case)
    assert sipp.desk.events == [Ended("bye")]


@pytest.mark.parametrize(
    ("case", "code"), [("hold_by_us_refused", "refused"), ("glare_491_to_them", "ended")]
)
async def test_hold_by_us_that_fails(open_line: Open, case: str, code: str) -> None:
    async def hold(leg: Leg) -> None:
        with pytest.raises(LineError) as error:
            await leg.hold()
        assert error.value.code == code

    sipp = await open_line(Holder(hold))
    await sipp.run(case)
    assert sipp.desk.events == [Ended("bye")]


@pytest.mark.parametrize("status", [486, 503])
async def test_full_line(open_line: Open, status: Literal[486, 503]) -> None:
    sipp = await open_line(settings=dataclasses.replace(SETTINGS, max_calls=1, full_status=status))
    other = await open_line()
    first = await other.line.dial(f"sip:12345@127.0.0.1:{sipp.line.address[1]}")
    await sipp.run(f"full_line_{status}")
    assert sipp.line.counters()[f"calls_refused_{status}"] == 1
    await first.hang_up()


async def test_invite_while_draining(open_line: Open) -> None:
    sipp = await open_line()
    assert sipp.line._agent is not None
    sipp.line._agent.draining = True
    await sipp.run("invite_while_draining")


async def test_call_outlives_draining(open_line: Open) -> None:
    drained: list[asyncio.Task[None]] = []

    async def drain(_: Leg) -> None:
        drained.append(asyncio.create_task(sipp.line.stop(drain_s=10)))

    sipp = await open_line(Holder(drain))
    await sipp.run("call_outlives_draining")
    await drained[0]
    assert sipp.desk.events == [Ended("bye")]


async def test_dead_call(open_line: Open) -> None:
    sipp = await open_line(settings=dataclasses.replace(SETTINGS, dead_after_s=0.5))
    await sipp.run("dead_call")
    assert sipp.desk.events == [Ended("media_timeout")]


async def test_muted_caller(open_line: Open) -> None:
    sipp = await open_line(settings=dataclasses.replace(SETTINGS, dead_after_s=0.3))
    await sipp.run("muted_caller")
    assert sipp.desk.events == [Ended("bye")]


def carries(start: bytes, cseq: bytes = b"") -> Rule:
    """The messages that begin and are numbered so."""
    return lambda data: data.startswith(start) and cseq in data


@pytest.mark.parametrize(
    "lost",
    [
        pytest.param(carries(b"INVITE"), id="invite"),
        pytest.param(carries(b"SIP/2.0 100"), id="trying"),
        pytest.param(carries(b"SIP/2.0 200", b"1 INVITE"), id="200_of_invite"),
        pytest.param(carries(b"ACK"), id="ack"),
        pytest.param(carries(b"BYE"), id="bye"),
        pytest.param(carries(b"SIP/2.0 200", b"2 BYE"), id="200_of_bye"),
    ],
)
async def test_lost_packet(open_line: Open, lost: Rule) -> None:
    sipp = await open_line()
    async with Lossy(sipp.line.address, lose=lost) as way:
        await sipp.ends_well("lossy_call", await sipp.start("lossy_call", through=way.address))
    assert way.lost == 1
    assert sipp.desk.calls == 1
    assert sipp.desk.events == [Ended("bye")]


async def test_every_packet_twice(open_line: Open) -> None:
    sipp = await open_line()
    async with Lossy(sipp.line.address, twice=True) as way:
        await sipp.ends_well("lossy_call", await sipp.start("lossy_call", through=way.address))
    assert sipp.desk.calls == 1
    assert sipp.desk.events == [Ended("bye")]
    assert sipp.line.counters()["sip_retransmitted_request"] >= 2


async def test_ack_overtaken_by_everything(open_line: Open) -> None:
    sipp = await open_line()
    async with Lossy(sipp.line.address, late=carries(b"ACK")) as way:
        await sipp.ends_well("lossy_call", await sipp.start("lossy_call", through=way.address))
    assert sipp.desk.events == [Ended("bye")]


@pytest.mark.parametrize("late", [b"SIP/2.0 200", b"SIP/2.0 487"])
@pytest.mark.parametrize(
    ("case", "ended"),
    [("bye_before_answer", Ended("bye")), ("cancel_while_ringing", Ended("cancel", 487))],
)
async def test_two_answers_in_either_order(
    open_line: Open, case: str, ended: Ended, late: bytes
) -> None:
    sipp = await open_line()
    sipp.desk.answers = False
    async with Lossy(sipp.line.address, late=carries(late)) as way:
        await sipp.ends_well(case, await sipp.start(case, through=way.address))
    assert sipp.desk.events == [ended]
