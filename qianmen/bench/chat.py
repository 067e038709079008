"""How long a citizen who chats waits for the first reply, beside Rasa's own REST channel."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from typing import Any

import httpx

from config.settings import Settings
from qianmen.bench.figures import Figure, Figures, spread
from qianmen.bench.questions import CHAT
from qianmen.citizen.chat import open_chat

GOAL_P95_MS = 150
_REST = "/webhooks/rest/webhook"


async def run_chat(
    settings: Settings, turns: int = 60, *, base_url: str = "", rasa_url: str = ""
) -> Figures:
    """Chat with a running front door until ``turns`` answers came, six a conversation.

    Every sentence is said to Rasa's REST channel too, right after, so that both stand in the same
    weather. Addresses are this machine's unless given. Raises ``CitizenError`` where the front
    door does not answer; a peer that does not is left out.
    """
    ours: list[float] = []
    theirs: list[float] = []
    empty = 0
    async with httpx.AsyncClient(
        base_url=rasa_url or settings.rasa_address, timeout=20.0, trust_env=False
    ) as rasa:
        while len(ours) + empty < turns:
            peer = RestPeer(rasa)
            async with open_chat(base_url or settings.web_address) as line:
                for text in CHAT[: turns - len(ours) - empty]:
                    await line.say(text)
                    if line.first_words_s:
                        ours.append(line.first_words_s * 1000)
                    else:
                        empty += 1
                    theirs += await peer.say(text)
                await line.leave()
    return summary(ours, theirs, empty)


class RestPeer:
    """One conversation with Rasa alone: the same model and actions, no record, no page."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._sender = f"bench-{secrets.token_hex(8)}"
        self._context: dict[str, Any] = {}
        self._count = 0

    async def say(self, text: str) -> list[float]:
        """What Rasa takes for ``text``, ms; nothing where it gives no answer.

        The actions need to know when something was said and what the talk is about, so the
        metadata that the conversation core would send goes along.
        """
        self._count += 1
        metadata = {
            "heard": f"{self._sender}.{self._count}", "at": datetime.now(UTC).isoformat(),
            "channel": "web", "context": self._context,
        }  # fmt: skip
        body = {"sender": self._sender, "message": text, "metadata": metadata}
        began = time.perf_counter()
        try:
            answer = await self._http.post(_REST, json=body)
            messages = answer.json() if answer.status_code == httpx.codes.OK else []
        except (httpx.HTTPError, ValueError):
            return []
        took = (time.perf_counter() - began) * 1000
        if not isinstance(messages, list) or not messages:
            return []
        outcome = messages[0].get("custom", {}) if isinstance(messages[0], dict) else {}
        self._context = outcome.get("context", {}) if isinstance(outcome, dict) else {}
        return [took]


def summary(ours: list[float], theirs: list[float], empty: int = 0) -> Figures:
    """The figures of times in ms; ``empty``: turns without a word in reply."""
    figures = [
        Figure("chat turns", len(ours) + empty, ""),
        *spread("chat first reply", ours, (50, 95), {95: f"≤ {GOAL_P95_MS}"}),
        Figure("chat turns without words", empty, ""),
    ]
    peers = (Figure("Rasa REST turns answered", len(theirs), ""),
             *spread("Rasa REST reply", theirs, (50, 95)))  # fmt: skip
    return Figures(tuple(figures), peers if theirs else ())
