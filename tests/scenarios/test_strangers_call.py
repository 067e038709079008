"""Callers that we did not write reach the front door: SIPp and Debian's baresip."""

from __future__ import annotations

from pathlib import Path

import pytest

from store.tables import Conversation, Turn
from tests.scenarios.callers import baresip_call, needs_baresip, needs_sipp, sipp_call
from tests.scenarios.front_door import FrontDoor
from tests.scenarios.said import ASKS
from turns.ids import conversation_of_call

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def turns(door: FrontDoor, conversation: str) -> list[Turn]:
    return door.rows(Turn, Turn.conversation_id == conversation)


@needs_sipp
async def test_sipp_is_answered(front_door: FrontDoor, tmp_path: Path) -> None:
    made = await sipp_call("127.0.0.1", front_door.settings.sip_port, [ASKS], tmp_path, gap_s=12)
    assert made.code == 0, made.output
    told = [turn.text for turn in turns(front_door, conversation_of_call(made.call_id))]
    assert any("公积金" in text for text in told[2:]), told


@needs_baresip
async def test_baresip_is_answered_and_hears_it(front_door: FrontDoor, tmp_path: Path) -> None:
    made = await baresip_call("127.0.0.1", front_door.settings.sip_port, [ASKS], tmp_path, gap_s=12)
    assert made.code == 0, made.output
    (conversation,) = front_door.rows(Conversation, Conversation.citizen == made.caller)
    told = [turn.text for turn in turns(front_door, conversation.id)]
    assert any("公积金" in text for text in told[2:]), told
    assert len(made.heard) >= 2
