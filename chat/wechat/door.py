"""The front door of an Official Account: a message is written down, heard, and answered in time.

The platform waits five seconds and asks three times. So every step ends at its time: what is
written down but not answered by then is acknowledged with ``success``, and whoever pushes tells the
answer later. A retry finds what its message was answered, in whatever process.

What cannot be written down is tried again for as long as the platform waits; then the citizen is
told, by a reply, that it may not have arrived. No error is answered: after one the platform asks
again within the same second (https://tb.rustfisher.com/2021/08/03/NestJS/mp-wx-http-status-code),
tells the citizen that the account is out of order, and soon pushes nothing at all for a minute
(MarkFail, https://developers.weixin.qq.com/doc/service/guide/dev/api/warn_guide.html).
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from sqlalchemy import Engine
from structlog.contextvars import bound_contextvars

from bot.errors import ConversationError
from chat.limits import SESSION_RATE, Limiter
from chat.wechat import citizens, metrics, opening, scenes
from chat.wechat.choosing import chosen
from chat.wechat.citizens import Known, Unopened
from chat.wechat.deciding import EVERYTHING, Decision, decide
from chat.wechat.incoming import CHANNEL, Incoming, heard_of
from chat.wechat.merging import Style, wants_more
from chat.wechat.messages import Text
from chat.wechat.opening import Account
from chat.wechat.passive import answer, dumped, loaded
from chat.wechat.quota import Rules
from chat.wechat.standing import Core, closing, told_standing
from chat.wechat.steps import NotWrittenError, Steps
from config.city import City
from turns.heard import Heard
from turns.replies import Ask, Handoff, Option, Reply, Say, Told
from turns.trace import trace_of

WRITTEN_S = 4.4
"""What is not written down so long after it came is given up; who sent it is told so."""
ANSWERED_S = 4.8
"""By then the platform has its answer; 0.2 s are for the way there."""
_RECENT = 20_000
"""Messages that this process remembers: their retries are no flood."""
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered: the body, and its type."""

    body: bytes
    media_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds from a request's coming; ``reply_s``: so long an answer is waited for."""

    reply_s: float = 4.0
    written_s: float = WRITTEN_S
    answered_s: float = ANSWERED_S


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class WechatDoor:
    """One account's, in one process; ``line`` is the number of the city's line it belongs to.

    ``questions`` gives quick questions for who comes; ``fetch`` begins to fetch what was sent.
    ``wake`` begins to push what was not told at once; ``late`` shows who waits that it comes.
    """

    account: Account
    core: Core
    engine: Engine
    city: City
    line: str = ""
    rules: Rules = field(default_factory=Rules)
    times: Times = field(default_factory=Times)
    questions: Callable[[], tuple[str, ...]] = tuple
    fetch: Callable[[], None] = lambda: None
    wake: Callable[[str], None] = lambda _: None
    late: Callable[[str], None] = lambda _: None
    limiter: Limiter = field(default_factory=lambda: Limiter(SESSION_RATE))
    now: Callable[[], datetime] = _now
    clock: Callable[[], float] = time.monotonic
    _steps: Steps = field(init=False)
    _recent: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def __post_init__(self) -> None:
        self._steps = Steps(self.clock)

    def check(self, query: Mapping[str, str]) -> Answer:
        """The platform's check of our address. Raises :class:`IncomingError`."""
        return Answer(opening.echo(self.account, query, self.now().timestamp()).encode("ascii"))

    async def receive(self, query: Mapping[str, str], body: bytes) -> Answer:
        """Take one request and answer it within ``answered_s``.

        Raises :class:`IncomingError` for what is none of the platform's.
        """
        came_s = self.clock()
        incoming, way = opening.opened(self.account, query, body, self.now().timestamp())
        metrics.received.labels(scenes.label(incoming)).inc()
        with bound_contextvars(trace=trace_of(CHANNEL, incoming.id)):
            if scenes.is_talk(incoming):
                found, how, at_s = await self._taken(incoming, came_s)
            else:
                found, how, at_s = "", await self._noted(incoming, came_s), 0
        metrics.answered.labels(how).inc()
        metrics.answer_seconds.observe(self.clock() - came_s)
        message = loaded(found)
        type_ = "application/json" if way.format == "json" else "text/xml; charset=utf-8"
        made = answer(message, incoming.openid, incoming.account, at_s, way)
        return Answer(made) if message is None else Answer(made, type_)

    async def settled(self) -> None:
        """Wait for what goes on behind answers that were given."""
        await self._steps.settled()

    async def _taken(self, incoming: Incoming, came_s: float) -> tuple[str, str, int]:
        """What to answer, how that came about, and when it was made (s)."""
        if not self._may(incoming):
            slow = Text(self.city.prompts.fill("slow_down"))
            return dumped(slow), "too_fast", int(self.now().timestamp())
        try:
            until_s = came_s + self.times.written_s
            known = await self._steps.again_by(until_s, lambda: self._written(incoming))
        except NotWrittenError as error:
            metrics.refused.labels(error.code).inc()
            lost = Text(self.city.prompts.fill("wechat_not_kept"))
            return dumped(lost), "not_written", int(self.now().timestamp())
        made_s = int(known.made_at.timestamp())
        if known.body is not None:
            return known.body, "repeat", made_s
        upto = await self._told(known, incoming, came_s + self.times.reply_s)
        body = await self._decided(known, incoming, upto, came_s + self.times.answered_s)
        self.wake(known.conversation)
        if upto is None and known.state == "bot":
            self.late(known.conversation)
        return body, "passive" if body else "success", made_s

    async def _noted(self, incoming: Incoming, came_s: float) -> str:
        """What nobody is answered: one that is lost does less harm than asking again."""
        try:
            await self._steps.by(came_s + self.times.written_s, self._touch(incoming))
        except NotWrittenError as error:
            metrics.refused.labels(error.code).inc()
            return "not_written"
        return "event"

    def _may(self, incoming: Incoming) -> bool:
        """Whether its citizen is not too fast; a retry is no fault of theirs."""
        known = incoming.id in self._recent
        if not known and not self.limiter.allow(incoming.openid, self.clock()):
            return False
        self._recent[incoming.id] = None
        if len(self._recent) > _RECENT:
            self._recent.popitem(last=False)
        return True

    async def _touch(self, incoming: Incoming) -> None:
        await asyncio.to_thread(citizens.touch, self.engine, incoming, self.now(), self.rules)

    # Written down

    async def _written(self, incoming: Incoming) -> Known:
        """The message in the database, heard by the core; as often as it comes."""
        known = await self._entered(incoming)
        if known.body is not None:
            return known
        if incoming.kind == "event":
            if known.ours:  # telling twice is telling twice; hearing twice is hearing once
                await self._event(incoming, known)
        elif not _goes_on(incoming, known):
            heard = heard_of(incoming, self.line, known.conversation)
            await self._hear(incoming, heard)
        if incoming.media:
            self.fetch()
        return known

    async def _entered(self, incoming: Incoming) -> Known:
        for _ in range(_ROUNDS):
            found = await asyncio.to_thread(
                citizens.enter, self.engine, incoming, self.now(), self.rules
            )
            if isinstance(found, Known):
                return found
            await self._open(incoming, found)
        raise ConversationError("conversation_unknown", "the conversation is over at once")

    async def _open(self, incoming: Incoming, found: Unopened) -> None:
        scene = scenes.scene_of(self.city, incoming)
        await self.core.open(
            found.conversation, channel=CHANNEL, line=self.line,
            citizen=citizens.identity_of(incoming), at=self.now(), region=scene.region,
        )  # fmt: skip

    async def _hear(self, incoming: Incoming, heard: Heard | None) -> None:
        if heard is None:
            return
        if incoming.kind == "text":
            heard = await asyncio.to_thread(chosen, self.engine, heard, incoming.menu_id)
        heard = replace(heard, at=min(heard.at, self.now()))  # their clock may be ahead of ours
        with bound_contextvars(conversation=heard.conversation):
            await self.core.hear(heard)

    async def _event(self, incoming: Incoming, known: Known) -> None:
        """Who follows, scans or opens the menu: what that stands for, else a welcome."""
        await asyncio.to_thread(scenes.note, self.engine, self.city, incoming, known.conversation)
        text = scenes.words_of(self.city, incoming)
        if text:
            said = scenes.heard_as(incoming, self.line, known.conversation, text)
            await self._hear(incoming, said)
        elif not await asyncio.to_thread(
            citizens.is_answered, self.engine, known.conversation, incoming.id
        ):
            welcome = await asyncio.to_thread(self._welcome, incoming, known)
            if welcome:
                await self.core.tell(
                    known.conversation, *welcome, speaker="bot", at=self.now(), to=incoming.id
                )

    def _welcome(self, incoming: Incoming, known: Known) -> tuple[Reply, ...]:
        """The greeting, unless they had it just now, and what may be asked."""
        if known.state != "bot":
            return ()
        replies: list[Reply] = []
        if not citizens.is_new(self.engine, known.conversation):
            text = self.city.prompts.fill("greeting_chat", city=self.city.name)
            replies.append(Say(f"{incoming.id}.greeting", text))
        options = tuple(Option(one, one) for one in self.questions())
        if options:
            ask = self.city.prompts.fill("wechat_ask")
            replies.append(Ask(f"{incoming.id}.ask", ask, options, "choice"))
        return tuple(replies)

    # Answered

    async def _told(self, known: Known, incoming: Incoming, until_s: float) -> int | None:
        """The cursor behind the whole answer to the message; None where it is not there in time."""
        if known.state == "agent":  # a person answers in their own time
            return None
        if known.ours and scenes.is_welcome(self.city, incoming):  # told before we came here
            return EVERYTHING
        if _goes_on(incoming, known):
            return EVERYTHING
        try:
            async with asyncio.timeout(max(0.0, until_s - self.clock())):
                replies = self.core.replies(known.conversation, known.place.cursor)
                async with closing(replies):
                    return await self._answer(known, incoming, replies)
        except (TimeoutError, ConversationError):
            return None

    async def _answer(
        self, known: Known, incoming: Incoming, replies: AsyncIterator[Told]
    ) -> int | None:
        handed = False
        async for told in replies:
            if told.in_reply_to != incoming.id:
                continue
            handed = handed or isinstance(told.reply, Handoff)
            if told.last:
                waits = handed and known.ours and await told_standing(
                    self.core, self.city.prompts, known.conversation, incoming.id, self.now()
                )  # fmt: skip
                return EVERYTHING if waits else told.cursor
        return None

    async def _decided(
        self, known: Known, incoming: Incoming, upto: int | None, until_s: float
    ) -> str:
        """What this message is answered for good. Without the database it is ``success``: the
        message stands there, and its answer is pushed.
        """
        style = Style(menus=False, cards=True, pick=self.city.prompts.wechat_pick)
        decision = Decision(known, incoming.id, upto, self.now(), style)
        try:
            return await self._steps.by(until_s, asyncio.to_thread(decide, self.engine, decision))
        except NotWrittenError as error:
            metrics.undecided.labels(error.code).inc()
            return decision.give_up()


def _goes_on(incoming: Incoming, known: Known) -> bool:
    """Whether the citizen only wants the rest of what was told them in part."""
    return incoming.kind == "text" and known.place.part > 0 and wants_more(incoming.text)
