"""How long citizens who chat wait for the first reply, beside Rasa's own REST channel."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from config.settings import Settings
from qianmen.bench.crowd import Asker, Begin, front_door, open_loop, saturated, thinking
from qianmen.bench.figures import Figure, Figures, spread
from qianmen.bench.idle import SOCKETS, idle_sockets
from qianmen.bench.questions import CHAT
from qianmen.bench.stalled import wechat_stalled
from qianmen.citizen.chat import open_chat

GOAL_P95_MS = 60
GOAL_ADDED_MS = 10
GOAL_CROWD_MS = 250
GOAL_OPEN_LOOP_MS = 150
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
    added: list[float] = []
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
                    alone = await peer.say(text)
                    theirs += alone
                    if alone and line.first_words_s:
                        added.append(ours[-1] - alone[0])
                await line.leave()
    return summary(ours, theirs, empty, added)


@dataclass(frozen=True, slots=True)
class ChatPlan:
    """What is measured: ``turns`` of one citizen; a crowd of ``citizens`` who think ``think_s``;
    ``rate`` turns a second for ``seconds``; ``sockets`` that idle, ``wechat`` citizens whose bot
    stalls. 0 leaves a part out.
    """

    turns: int = 60
    citizens: int = 50
    think_s: float = 2.0
    rate: float = 50.0
    seconds: float = 30.0
    sockets: int = SOCKETS
    wechat: int = 20


async def run_all(settings: Settings, plan: ChatPlan) -> Figures:
    """Everything of ``plan``, one after the other. Raises ``CitizenError`` as :func:`run_chat`."""
    figures: list[Figure] = []
    peers: list[Figure] = []
    alone = await run_chat(settings, plan.turns)
    figures += alone.figures
    peers += alone.peers
    ours = front_door(settings.web_address)
    async with httpx.AsyncClient(
        base_url=settings.rasa_address, timeout=60.0, trust_env=False,
        limits=httpx.Limits(max_connections=None),
    ) as http:  # fmt: skip
        for begin, name, into in ((ours, "chat", figures), (rasa_alone(http), "Rasa REST", peers)):
            into += await _crowds(begin, name, plan, ours=name == "chat")
    if plan.sockets:
        figures += await idle_sockets(settings, plan.sockets)
    if plan.wechat:
        figures += await wechat_stalled(settings, plan.wechat)
    return Figures(tuple(figures), tuple(peers))


async def _crowds(begin: Begin, name: str, plan: ChatPlan, *, ours: bool) -> list[Figure]:
    figures: list[Figure] = []
    if plan.citizens:
        told = await thinking(begin, plan.citizens, plan.think_s)
        goals = {95: f"≤ {GOAL_CROWD_MS}"} if ours else {}
        figures += spread(f"{name} {plan.citizens} citizens", told.ms, (50, 95), goals)
        figures.append(Figure(f"{name} {plan.citizens} citizens: turns lost", told.lost, ""))
    if plan.rate and plan.seconds:
        rate = f"{plan.rate:g} turns/s"
        told = await open_loop(begin, plan.rate, plan.seconds)
        goals = {95: f"≤ {GOAL_OPEN_LOOP_MS}"} if ours else {}
        figures += spread(f"{name} {rate}", told.ms, (50, 95, 99), goals)
        figures.append(Figure(f"{name} {rate}: turns lost", told.lost, "", "0" if ours else ""))
        most = await saturated(begin, max(plan.citizens, 1), plan.seconds / 2)
        figures.append(Figure(f"{name} saturation", round(most, 1), "turns/s"))
    return figures


def rasa_alone(http: httpx.AsyncClient) -> Begin:
    """Conversations with Rasa's own REST channel."""

    class Alone:
        def __init__(self) -> None:
            self._peer = RestPeer(http)

        async def ask(self, text: str) -> float | None:
            took = await self._peer.say(text)
            return took[0] if took else None

    @asynccontextmanager
    async def begin() -> AsyncIterator[Asker]:
        yield Alone()

    return begin


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


def summary(
    ours: list[float], theirs: list[float], empty: int = 0, added: Sequence[float] = ()
) -> Figures:
    """The figures of times in ms; ``empty``: turns without a word in reply; ``added``: what each
    turn took longer than Rasa alone took for the same words right after.
    """
    figures = [
        Figure("chat turns", len(ours) + empty, ""),
        *spread("chat first reply", ours, (50, 95), {95: f"≤ {GOAL_P95_MS}"}),
        *spread("front door adds to Rasa", added, (50,), {50: f"≤ {GOAL_ADDED_MS}"}),
        Figure("chat turns without words", empty, ""),
    ]
    peers = (Figure("Rasa REST turns answered", len(theirs), ""),
             *spread("Rasa REST reply", theirs, (50, 95)))  # fmt: skip
    return Figures(tuple(figures), peers if theirs else ())
