"""The order read to somebody who has no screen, and whether they take the caller."""

from __future__ import annotations

import asyncio
from typing import Any

from config.prompts import Prompts
from telephony.party import Party
from turns.orders import OrderBrief

ACCEPT_KEY = "1"
DECIDE_S = 10.0
"""How long after the last word they may think about it."""
_PLACE, _CONTENT = 40, 60  # characters: a sentence, not the whole story
_DESK_PLACE, _DESK_CONTENT = 8, 12


def order_sentence(brief: OrderBrief | None, prompts: Prompts, city: str) -> str:
    """Kind, place, content and the citizen's number in one sentence: no more is anybody's need.

    ``brief`` None: nothing was written down, which is said by saying no more than 来电.
    """
    if brief is None:
        return prompts.fill("brief", city=city, order="来电")
    parts = [brief.kind]
    if brief.where:
        parts.append(f"地点{_short(brief.where, _PLACE)}")
    if brief.what:
        parts.append(_short(brief.what, _CONTENT))
    if brief.phone:
        parts.append(f"来电号码{brief.phone}")
    name = "brief_danger" if brief.urgency == "danger" else "brief"
    return prompts.fill(name, city=city, order="，".join(parts))


def desk_sentence(brief: OrderBrief | None, prompts: Prompts) -> str:
    """What somebody with a screen hears before they are joined: enough to know what it is about.

    The caller waits meanwhile, and all of it stands on the screen.
    """
    if brief is None:
        return prompts.fill("brief_desk", order="来电")
    told = (brief.kind, brief.where[:_DESK_PLACE], brief.what[:_DESK_CONTENT])
    name = "brief_desk_danger" if brief.urgency == "danger" else "brief_desk"
    order = "，".join(part.strip("，。；、 ") for part in told if part)
    return prompts.fill(name, order=order)


def _short(text: str, most: int) -> str:
    text = text.strip("，。；、 ")
    return text if len(text) <= most else text[:most] + "等"


async def accepted(party: Party, sentence: bytes) -> bool:
    """Play ``sentence`` (s16le PCM) to the party; whether they press 1, then or soon after.

    Any other key, silence and hanging up all mean no. The sentence stops at the first key.
    """
    playing = party.leg.play(sentence)
    try:
        while not playing.done.done():
            key = await _key(party, until=playing.done)
            if key:
                return key == ACCEPT_KEY
        async with asyncio.timeout(DECIDE_S):
            return await party.key() == ACCEPT_KEY
    except TimeoutError:
        return False
    finally:
        playing.stop()


async def _key(party: Party, until: asyncio.Future[int]) -> str:
    """The key that is pressed before ``until`` is done, or ''. An ended leg presses 'ended'."""
    pressing = asyncio.create_task(party.key())
    try:
        waiting: set[asyncio.Future[Any]] = {pressing, until}
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        return pressing.result() if pressing.done() else ""
    finally:
        pressing.cancel()


async def heard_out(party: Party, sentence: bytes) -> bool:
    """Play ``sentence`` to its end, or until any key is pressed; whether the leg still lives."""
    playing = party.leg.play(sentence)
    try:
        await _key(party, until=playing.done)
    finally:
        playing.stop()
    return party.leg.ended is None
