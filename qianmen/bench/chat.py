"""How long a citizen who chats waits for the first reply, beside Rasa's own REST channel."""

from __future__ import annotations

import secrets
import time

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
            sender = f"bench-{secrets.token_hex(8)}"
            async with open_chat(base_url or settings.web_address) as line:
                for text in CHAT[: turns - len(ours) - empty]:
                    await line.say(text)
                    if line.first_words_s:
                        ours.append(line.first_words_s * 1000)
                    else:
                        empty += 1
                    theirs += await _rest(rasa, sender, text)
                await line.leave()
    return summary(ours, theirs, empty)


async def _rest(rasa: httpx.AsyncClient, sender: str, text: str) -> list[float]:
    """What Rasa alone takes for the same sentence, ms; nothing where it does not answer."""
    began = time.perf_counter()
    try:
        answer = await rasa.post(_REST, json={"sender": sender, "message": text})
    except httpx.HTTPError:
        return []
    took = (time.perf_counter() - began) * 1000
    if answer.status_code != httpx.codes.OK or answer.json() == []:
        return []
    return [took]


def summary(ours: list[float], theirs: list[float], empty: int = 0) -> Figures:
    """The figures of times in ms; ``empty``: turns without a word in reply."""
    figures = [
        Figure("chat turns", len(ours) + empty, ""),
        *spread("chat first reply", ours, (50, 95), {95: f"≤ {GOAL_P95_MS}"}),
        Figure("chat turns without words", empty, ""),
    ]
    return Figures(tuple(figures), spread("Rasa REST reply", theirs, (50, 95)))
