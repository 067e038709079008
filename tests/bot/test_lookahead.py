"""Looking ahead: the act and the finding together, or one named error."""

from __future__ import annotations

import json
from datetime import datetime

import httpx
import pytest

from bot.conversation import DialogueError
from bot.lookahead import Lookahead
from bot.rasa_client import Parsed
from turns import wire
from turns.context import Context
from turns.understood import Candidate, Finding

FOUND = Finding("miss", "", (Candidate("gjj.rent", "条件", 0.4),), (), Context("gjj.rent"))


class Policy:
    async def parse(self, text: str) -> Parsed:
        return Parsed("policy", 0.9)


def lookahead(status: int, body: object, asked: list[dict[str, object]]) -> Lookahead:
    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content))
        return httpx.Response(status, json=body)

    client = httpx.AsyncClient(base_url="http://actions", transport=httpx.MockTransport(answer))
    return Lookahead(Policy(), client)


async def test_act_and_finding_come_together(now: datetime) -> None:
    asked: list[dict[str, object]] = []
    ahead = lookahead(200, wire.dump(FOUND), asked)
    prepared = await ahead.prepare("那材料呢", Context("gjj.rent"), now)
    assert (prepared.act.act, prepared.found) == ("policy", FOUND)
    assert asked[0]["text"] == "那材料呢"
    assert asked[0]["at"] == now.isoformat()


@pytest.mark.parametrize(("status", "body"), [(503, {}), (200, []), (200, {"decision": "shout"})])
async def test_what_is_no_finding_is_one_error(now: datetime, status: int, body: object) -> None:
    with pytest.raises(DialogueError) as caught:
        await lookahead(status, body, []).prepare("你好", Context(), now)
    assert caught.value.code == "search_failed"
