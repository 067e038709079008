"""What is read of a line: two real lines on the loopback, and a collector on one."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import REGISTRY, CollectorRegistry

from config.metrics import exposition
from telephony import metrics
from telephony.line import DialError, Ended, Leg, LineSettings
from telephony.metrics import LineCollector
from telephony.sip.line import SipLine
from tests.telephony.virtual import RTP_PORTS

LOOPBACK = LineSettings(host="127.0.0.1", port=0, rtp_ports=RTP_PORTS)


async def test_calls_and_packets_are_read_of_the_line() -> None:
    heard = asyncio.Event()
    answering, calling = SipLine(LOOPBACK), SipLine(LOOPBACK)
    registry = CollectorRegistry()
    registry.register(LineCollector(answering))

    async def on_call(leg: Leg) -> None:
        if leg.dialled == "busy":
            await leg.reject(486)
            return
        await leg.answer()
        leg.on_audio(lambda frame: heard.set() if frame.at_ms > 200 else None)
        async for _ in leg.events():
            pass

    def value(name: str, **labels: str) -> float:
        return registry.get_sample_value(name, labels) or 0.0

    await answering.start(on_call)
    await calling.start(on_call)
    try:
        port = answering.address[1]
        with pytest.raises(DialError):
            await calling.dial(f"sip:busy@127.0.0.1:{port}", "13900139000")
        leg = await calling.dial(f"sip:12345@127.0.0.1:{port}", "13900139000")
        async with asyncio.timeout(60):
            await heard.wait()
        assert value("qianmen_legs_active") == 1
        received = value("qianmen_rtp_packets_total", outcome="received")
        assert received > 5
        await leg.hang_up()
        async with asyncio.timeout(60):
            while answering.legs():  # noqa: ASYNC110  # the other line's BYE gives no event here
                await asyncio.sleep(0.01)
        assert value("qianmen_rtp_packets_total", outcome="received") >= received, "kept after"
        assert value("qianmen_calls_offered_total") == 2
        assert value("qianmen_calls_refused_total", status="486") == 1
        assert "13900139000" not in exposition(registry)[0].decode()
    finally:
        await calling.stop()
        await answering.stop()


@pytest.mark.parametrize(
    ("how", "by"), [("bye", "caller"), ("hung_up", "us"), ("media_timeout", "network")]
)
def test_by_whose_doing_a_call_ended(how: str, by: str) -> None:
    labels = {"by": by, "cause": how}
    before = REGISTRY.get_sample_value("qianmen_calls_ended_total", labels) or 0
    metrics.call_over(Ended(how), 60.0)  # type: ignore[arg-type]  # one of its causes
    assert REGISTRY.get_sample_value("qianmen_calls_ended_total", labels) == before + 1
