"""Questions about one's own orders, and the code that joins two chats, before the dialogue.

我的工单202611220001办得怎么样了: the telephone number is asked for, unless the caller's own, or
this chat's, or one joined with it, is known to be the order's.
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict

from sqlalchemy import Engine

from bot import joining, progress
from bot.ledger import Ledger
from bot.parts import Parts
from bot.progress import Progress
from language.telephone import phone
from store.engine import reading
from turns.heard import Heard
from turns.replies import Ask, Reply, Say

ASKED_PHONE = re.compile(r"\.progress\.(\d{8,20})$")
"""The end of the id of our question for the telephone number; it names the order."""
_NUMBER = re.compile(r"(?<!\d)(20\d{10,18})(?!\d)")
_ABOUT = re.compile("工单|单号|编号|诉求|投诉|反映|进度|进展|办得|办到|办好|怎么样|处理|结果")
_OWN = re.compile(
    "(?:我|之前|上次|昨天|前天)[^，。？]{0,8}(?:工单|投诉|诉求|反映)[^，。？]{0,12}"
    "(?:怎么样|进度|进展|结果|办得|办到|办好|处理)"
)
_TRIES, _AGAIN_S, _KEPT = 5, 600.0, 10_000
Known = tuple[str, str]


class Tries:
    """So many tries in so many seconds for each key; the least used are forgotten."""

    def __init__(self) -> None:
        self._tries: OrderedDict[str, list[float]] = OrderedDict()

    def allow(self, key: str, now_s: float) -> bool:
        """Note one more try, unless there were too many."""
        tries = [at for at in self._tries.pop(key, []) if now_s - at < _AGAIN_S]
        allowed = len(tries) < _TRIES
        self._tries[key] = [*tries, now_s] if allowed else tries
        while len(self._tries) > _KEPT:
            self._tries.popitem(last=False)
        return allowed


class Telling:
    """Answers what needs no dialogue but the citizen's own record."""

    def __init__(self, parts: Parts, ledger: Ledger) -> None:
        self._parts, self._ledger = parts, ledger
        self._tries = Tries()

    async def answer(self, heard: Heard, question: str, citizen: str) -> Known | None:
        """Tell it, where the turn asks for such a thing; ``question``: what was asked before it,
        ``citizen``: the caller's number.
        """
        code = joining.code_given(heard.text) if heard.kind in ("text", "speech") else ""
        if code:
            return await self._join(heard, code)
        asked = ASKED_PHONE.search(question)
        number = asked[1] if asked else ""
        if asked and (told := phone(heard.text)):
            return await self._progress(heard, number, told)
        found = _NUMBER.search(heard.text)
        if found and (_ABOUT.search(heard.text) or found[1] == heard.text.strip("。？?，, ")):
            return await self._first(heard, found[1], citizen)
        if _OWN.search(heard.text):
            return await self._own(heard)
        return None

    async def _first(self, heard: Heard, number: str, citizen: str) -> Known:
        """Whose order it is may be known already."""
        known: Progress | None = await self._ledger.call(
            _known, heard.conversation, number, citizen if heard.channel == "phone" else ""
        )
        if known is not None:
            return await self._tell(heard, self._words(known))
        text = self._parts.city.prompts.progress_phone
        ask = Ask(f"{heard.id}.progress.{number}", text, expects="digits")
        await self._ledger.reply(heard, ask)
        return "status", "talk"

    async def _own(self, heard: Heard) -> Known | None:
        """What this chat, or one joined with it, led to; None where that is nothing."""
        orders: tuple[Progress, ...] = await self._ledger.call(_own_orders, heard.conversation)
        if not orders:
            return None
        return await self._tell(heard, *map(self._words, orders[:3]))

    async def _progress(self, heard: Heard, number: str, told: str) -> Known:
        found: Progress | None = None
        if self._may(heard, number):
            found = await self._ledger.call(progress.progress_of, number, told)
        unknown = self._parts.city.prompts.progress_unknown
        return await self._tell(heard, self._words(found) if found else unknown)

    async def _join(self, heard: Heard, code: str) -> Known:
        prompts = self._parts.city.prompts
        joined = self._may(heard, "code") and await self._ledger.call(
            joining.join, heard.conversation, code, self._parts.now()
        )
        return await self._tell(heard, prompts.link_joined if joined else prompts.link_unknown)

    def _may(self, heard: Heard, what: str) -> bool:
        """Nobody finds a number, or a code, by trying."""
        now_s = time.monotonic()
        keys = (f"talk {heard.conversation}", *((f"order {what}",) if what != "code" else ()))
        return all(self._tries.allow(key, now_s) for key in keys)

    def _words(self, found: Progress) -> str:
        city = self._parts.city
        return progress.words(city.prompts, found, city.zone)

    async def _tell(self, heard: Heard, *texts: str) -> Known:
        told: list[Reply] = [Say(f"{heard.id}.{n}", text) for n, text in enumerate(texts)]
        await self._ledger.reply(heard, *told)
        return "status", "talk"


def _known(engine: Engine, conversation: str, number: str, caller: str) -> Progress | None:
    if caller and (found := progress.progress_of(engine, number, caller)):
        return found
    with reading(engine) as session:
        own = progress.orders_of(session, joining.joined_with(session, conversation))
        return progress.own_progress(session, number) if number in own else None


def _own_orders(engine: Engine, conversation: str) -> tuple[Progress, ...]:
    with reading(engine) as session:
        numbers = progress.orders_of(session, joining.joined_with(session, conversation))
        found = (progress.own_progress(session, number) for number in numbers)
        return tuple(one for one in found if one is not None)
