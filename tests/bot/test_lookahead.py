"""Looking ahead: the act and the finding together, or one named error."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from bot.conversation import DialogueError
from bot.lookahead import Lookahead
from bot.rasa_client import Parsed
from tests.fakes.exchange import Canned
from turns import wire
from turns.context import Context
from turns.understood import Candidate, Finding

FOUND = Finding("miss", "", (Candidate("gjj.rent", "条件", 0.4),), (), Context("gjj.rent"))


class Policy:
    async def parse(self, text: str) -> Parsed:
        return Parsed("policy", 0.9)


def answering(status: int, body: object) -> Canned:
    return Canned(status, json.dumps(body).encode())


async def test_act_and_finding_come_together(now: datetime) -> None:
    actions = answering(200, wire.dump(FOUND))
    prepared = await Lookahead(Policy(), actions).prepare("那材料呢", Context("gjj.rent"), now)
    assert (prepared.act.act, prepared.found) == ("policy", FOUND)
    ((_, path, asked),) = actions.asked
    assert path == "/search"
    assert (asked["text"], asked["at"]) == ("那材料呢", now.isoformat())


@pytest.mark.parametrize(("status", "body"), [(503, {}), (200, []), (200, {"decision": "shout"})])
async def test_what_is_no_finding_is_one_error(now: datetime, status: int, body: object) -> None:
    with pytest.raises(DialogueError) as caught:
        await Lookahead(Policy(), answering(status, body)).prepare("你好", Context(), now)
    assert caught.value.code == "search_failed"
