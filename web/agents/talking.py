"""What an agent does with a citizen they have: words, the telephone, the order, links."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

import structlog
from sqlalchemy import Engine, select

from bot.errors import ConversationError
from handoff import alarms
from handoff.links import linkage
from handoff.order import deeds
from handoff.queue import service
from handoff.queue.model import CallbackRow, Entry
from store.engine import reading
from store.tables import Turn
from telephony.commands import ControlError
from turns.calls import Verb
from turns.replies import Say
from web import audit
from web.agents import calling, casefile, protocol, suggesting
from web.agents.callview import CallView
from web.agents.casefile import Handoff
from web.agents.errors import DeskError

if TYPE_CHECKING:
    from web.agents.desk import Desk

_log = structlog.get_logger(__name__)
Data = dict[str, Any]
_OPEN = ("connected", "accepted", "wrapup", "done")
_LOOKED_BACK = 200
BACK_S = 60.0
"""How long an agent's telephone may take to hang up, and the caller to be told who has them now."""


async def case_of(desk: Desk, handoff: str, *, supervises: bool = False) -> Handoff:
    """The handoff, if it is this agent's; ``supervises``: a supervisor may act on everybody's.

    Raises :class:`DeskError` ``entry_unknown``, ``not_yours``, ``entry_changed``.
    """
    found = await asyncio.to_thread(casefile.find, desk.parts.engine, handoff)
    if found is None:
        raise DeskError("entry_unknown")
    if found.agent != desk.login and not (supervises and desk.me.supervisor):
        raise DeskError("not_yours")
    if found.state not in _OPEN:
        raise DeskError("entry_changed")
    return found


async def say(desk: Desk, frame: protocol.Say) -> Data:
    """Write to the citizen, in their own window."""
    return await _tell(desk, frame.id, frame.handoff, frame.text)


async def send_answer(desk: Desk, frame: protocol.SendAnswer) -> Data:
    """Send a published answer as it stands now, not as the page had it."""
    parts = desk.parts
    day = parts.now().astimezone(parts.city.zone).date()
    found = await asyncio.to_thread(suggesting.published, parts.engine, frame.answer, day)
    if found is None:
        raise DeskError("answer_unknown")
    text = f"{found['text']}\n（依据：{found['source']}）" if found["source"] else found["text"]
    return await _tell(desk, frame.id, frame.handoff, text, answer=frame.answer)


async def _tell(desk: Desk, id_: str, handoff: str, text: str, answer: str = "") -> Data:
    parts, found = desk.parts, await case_of(desk, handoff)
    if found.is_call:
        raise DeskError("no_chat")
    if found.talk == "ended":
        raise DeskError("citizen_gone")
    if found.state != "connected":
        raise DeskError("entry_changed")
    said = Say(f"agent-{desk.login}-{id_}", text, answer=answer)
    if not await asyncio.to_thread(_stands, parts.engine, found.conversation, said.id):
        await parts.conversations.tell(found.conversation, said, speaker="agent", at=parts.now())
        await asyncio.to_thread(
            audit.note, parts, desk.login, "replied", found.number, reply=said.id, answer=answer
        )
    return {"reply": said.id}


def _stands(engine: Engine, conversation: str, reply: str) -> bool:
    """Whether it was said before: another process may have died between saying and answering."""
    with reading(engine) as session:
        replies = session.scalars(
            select(Turn.reply)
            .where(Turn.conversation_id == conversation, Turn.speaker == "agent")
            .order_by(Turn.seq.desc())
            .limit(_LOOKED_BACK)
        )
        return any(said.get("id") == reply for said in replies)


async def call(desk: Desk, frame: protocol.Call) -> Data:
    """Do something with the call; the telephones audit what came of it, under the same login."""
    found = await case_of(desk, frame.handoff, supervises=True)
    if not found.is_call:
        raise DeskError("no_call")
    verb, target = cast(Verb, frame.verb), frame.target
    if verb == "bridge" and not target:
        target = desk.me.phone
        if not target:
            raise DeskError("phone_missing")
    try:
        state = await calling.order_call(
            desk.parts, found.conversation, verb, target, by=desk.login, id_=frame.id
        )
    except ControlError as error:
        raise DeskError("calls_unavailable" if error.code == "redis_lost" else error.code) from None
    await _handed_on(desk, found, verb, target)
    return {"state": state}


async def _handed_on(desk: Desk, found: Handoff, verb: str, target: str) -> None:
    """A party of ours that has the caller on the telephone has the order by word of mouth."""
    parts = desk.parts
    if verb in ("transfer", "three_way") and parts.city.links.party(target) is not None:
        await asyncio.to_thread(
            linkage.transferred, parts.engine, found.order, target, by=desk.login, now=parts.now()
        )
        _looked(desk, found.id)


async def note(desk: Desk, frame: protocol.Note) -> Data:
    """Write something on the order."""
    parts, found = desk.parts, await case_of(desk, frame.handoff, supervises=True)
    await asyncio.to_thread(
        deeds.do, parts.engine, found.number, "note", by=desk.login, now=parts.now(),
        rules=parts.city.orders, text=frame.text,
    )  # fmt: skip
    await _audit(desk, "order_noted", found.number)
    return await _fresh(desk, found.id)


async def field(desk: Desk, frame: protocol.Field) -> Data:
    """Change a field; the value before it is kept. Refused where somebody changed it meanwhile."""
    parts, found = desk.parts, await case_of(desk, frame.handoff, supervises=True)
    edition = await asyncio.to_thread(
        deeds.edit, parts.engine, found.number, {frame.name: frame.value}, by=desk.login,
        now=parts.now(), edition=frame.edition, rules=parts.city.orders, links=parts.city.links,
    )  # fmt: skip
    await _audit(desk, "order_edited", found.number, fields=[frame.name])
    return {"edition": edition, **await _fresh(desk, found.id)}


async def confirm(desk: Desk, frame: protocol.Confirm) -> Data:
    """The agent has asked, and the field is right."""
    parts, found = desk.parts, await case_of(desk, frame.handoff, supervises=True)
    edition = await asyncio.to_thread(
        deeds.confirm, parts.engine, found.number, frame.name, desk.login, parts.now()
    )
    await _audit(desk, "order_confirmed", found.number, fields=[frame.name])
    return {"edition": edition, **await _fresh(desk, found.id)}


async def link(desk: Desk, frame: protocol.Link) -> Data:
    """Send the order to a party at once; the order shows when it has acknowledged."""
    parts, found = desk.parts, await case_of(desk, frame.handoff, supervises=True)
    state = await asyncio.to_thread(
        linkage.push, parts.engine, found.order, frame.party, by=desk.login, now=parts.now(),
        rules=parts.city.links,
    )  # fmt: skip
    if not state:
        raise DeskError("party_unknown")
    await _audit(desk, "order_linked", found.number, party=frame.party)
    desk.floor.tell("#courier")
    return {"state": state, **await _fresh(desk, found.id)}


async def back(desk: Desk, frame: protocol.Back) -> Data:
    """The bot has the citizen again, and says at once what the word asks it to, if it can.

    ``answered``: it can. Looked up first: who gives somebody back hears whether that was any use.
    """
    parts, found = desk.parts, await case_of(desk, frame.handoff)
    answer = None
    if frame.word and found.state == "connected":
        answer = await suggesting.answer_to(parts, found.conversation, frame.word)
    entry: Entry = await asyncio.to_thread(
        service.give_back, parts.engine, frame.handoff, desk.login, frame.word, parts.now()
    )
    await _audit(desk, "handoff_given_back", found.id)
    if found.state == "connected":
        await parted(desk, found, frame.id, given_back=True)
        if answer is not None:
            desk.floor.spawn(_bot_goes_on(desk, found, frame, answer))
    parts.conversations.standing_changed(entry.conversation)
    desk.floor.tell()
    return {"answered": answer is not None}


async def parted(desk: Desk, found: Handoff, id_: str, *, given_back: bool = False) -> None:
    """The agent has left the citizen, who is told what comes now."""
    parts = desk.parts
    if found.is_call:
        desk.floor.spawn(calling.part(parts, found.conversation, desk.login, f"{id_}-part"))
    else:
        await parts.conversations.person_done(
            found.conversation, parts.now(), given_back=given_back
        )


async def _bot_goes_on(
    desk: Desk, found: Handoff, frame: protocol.Back, answer: Mapping[str, Any]
) -> None:
    """Say it once the bot is heard: whom a caller leaves hangs up, and they are told so first."""
    parts, feed = desk.parts, desk.floor.feed
    if found.is_call and feed is not None:
        view = await feed.until(found.conversation, _bot_has_them, BACK_S)
        if view is None or view.stage == "ended":
            _log.info("bot_not_told", code="caller_gone" if view else "no_answer_from_phone")
            return
    said = Say(f"back-{desk.login}-{frame.id}", answer["text"], answer["speech"],
               answer=answer["answer"])  # fmt: skip
    try:
        await parts.conversations.tell(found.conversation, said, speaker="bot", at=parts.now())
    except ConversationError as error:
        _log.error("bot_not_told", code=error.code)


def _bot_has_them(view: CallView) -> bool:
    return view.stage in ("bot", "ended")


async def alarm_seen(desk: Desk, frame: protocol.AlarmSeen) -> Data:
    """The alarm is closed for everybody; who closed it is kept."""
    parts = desk.parts
    await asyncio.to_thread(alarms.seen, parts.engine, frame.alarm, desk.login, parts.now())
    await _audit(desk, "alarm_seen", str(frame.alarm))
    desk.floor.tell("#wall")
    return {}


async def callback(desk: Desk, frame: protocol.Callback) -> Data:
    """Take a call-back, or say what came of it."""
    parts = desk.parts
    row: CallbackRow
    if frame.verb == "take":
        row = await asyncio.to_thread(
            service.take_callback, parts.engine, frame.callback, desk.login, parts.now()
        )
    else:
        row = await asyncio.to_thread(
            service.finish_callback, parts.engine, frame.callback, desk.login,
            frame.verb == "done", frame.note, parts.now(), parts.city.queue,
        )  # fmt: skip
    await _audit(desk, f"callback_{frame.verb}", str(frame.callback))
    desk.floor.tell()
    phone = row.phone if row.state == "taken" and row.agent == desk.login else ""
    return {"state": row.state, "phone": phone}


async def _fresh(desk: Desk, handoff: str) -> Data:
    """The order is shown again at once, here and wherever else it is looked at."""
    _looked(desk, handoff)
    if desk.watching is not None and desk.watching.handoff == handoff:
        await desk.watching.show_order()
    return {}


def _looked(desk: Desk, handoff: str) -> None:
    desk.floor.tell()
    if desk.watching is not None and desk.watching.handoff == handoff:
        desk.parts.bus.tell(desk.watching.conversation)


async def _audit(desk: Desk, action: str, target: str, **data: Any) -> None:
    await asyncio.to_thread(audit.note, desk.parts, desk.login, action, target, **data)


WORKS: Mapping[type, Any] = MappingProxyType({
    protocol.Say: say,
    protocol.SendAnswer: send_answer,
    protocol.Call: call,
    protocol.Note: note,
    protocol.Field: field,
    protocol.Confirm: confirm,
    protocol.Link: link,
    protocol.Back: back,
    protocol.AlarmSeen: alarm_seen,
    protocol.Callback: callback,
})  # fmt: skip
