"""The independent callers against our own line engine, where a listening agent takes the call."""

from __future__ import annotations

from pathlib import Path

import pytest

from qianmen.agent_phone import AgentPhone, agent_phone
from tests.scenarios.callers import baresip_call, needs_baresip, needs_sipp, sipp_call
from tests.scenarios.said import ASKS

pytestmark = pytest.mark.slow


def spoken_s(phone: AgentPhone) -> float:
    (call,) = phone.calls
    return sum(utterance.end_s - utterance.start_s for utterance in call.heard)


@needs_sipp
async def test_sipp_plays_a_recording_to_whoever_answers(tmp_path: Path) -> None:
    async with agent_phone(0) as phone:
        host, port = phone.address
        made = await sipp_call(host, port, [ASKS], tmp_path, wait_s=1.0, gap_s=2.0)
        await phone.calls[0].over.wait()
    assert made.code == 0, made.output
    assert made.call_id.startswith("recorded-1-")
    assert phone.calls[0].ended == "bye"
    assert spoken_s(phone) > 1.0


@needs_baresip
async def test_baresip_is_heard_and_hears(tmp_path: Path) -> None:
    async with agent_phone(0) as phone:
        host, port = phone.address
        made = await baresip_call(host, port, [ASKS], tmp_path, wait_s=1.0, gap_s=2.0)
        await phone.calls[0].over.wait()
    assert made.code == 0, made.output
    assert (phone.calls[0].caller, phone.calls[0].ended) == (made.caller, "bye")
    assert spoken_s(phone) > 1.0
    assert made.heard
