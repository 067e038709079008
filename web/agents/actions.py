"""What an agent asks for, done once: each action becomes a ``done`` or a ``refused`` frame."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.errors import ConversationError
from handoff.order.model import OrderError
from handoff.queue import service
from handoff.queue.model import Entry, QueueError
from sealing.errors import SealError
from store.faults import fault_of
from telephony.commands import ControlError
from web import audit
from web.agents import calling, casefile, frames, protocol, talking
from web.agents.errors import TEXTS, DeskError
from web.agents.protocol import Action

if TYPE_CHECKING:
    from web.agents.desk import Desk

_log = structlog.get_logger(__name__)
Data = dict[str, Any]
Work = Callable[["Desk", Any], Awaitable[Data]]


def slow(frame: Action) -> bool:
    """Whether it may ring somebody's telephone: other actions do not wait for it."""
    return isinstance(frame, protocol.Call)


async def work_of(desk: Desk, frame: Action) -> dict[str, Any]:
    """Do it; the frame that answers it, whatever happens."""
    try:
        return frames.done(frame.id, await _WORKS[type(frame)](desk, frame))
    except DeskError as error:
        return frames.refused(DeskError(error.code, frame.id, error.text))
    except (QueueError, ControlError) as error:
        return frames.refused(DeskError(error.code, frame.id))
    except OrderError as error:
        return await _order_refused(desk, frame, error)
    except (SQLAlchemyError, ConversationError, SealError) as error:
        code = "store_down" if isinstance(error, SQLAlchemyError) else error.code
        fault = fault_of(error) if isinstance(error, SQLAlchemyError) else ""
        _log.error("desk_action_failed", action=type(frame).__name__, code=code, fault=fault)
        return {**frames.refused(DeskError("store_down", frame.id)), "retry": True}
    except Exception as error:  # noqa: BLE001  # whatever breaks, the page is told
        _log.error("desk_action_failed", action=type(frame).__name__, code="internal",
                   kind=type(error).__name__)  # fmt: skip
        return {**frames.refused(DeskError("internal", frame.id)), "retry": True}


async def _order_refused(desk: Desk, frame: Action, error: OrderError) -> dict[str, Any]:
    """The order stands otherwise than the page knew: it is shown as it is."""
    code = "entry_changed" if error.code == "order_changed" else error.code
    text = TEXTS[code] if code in TEXTS else str(error)
    watching = desk.watching
    if watching is not None and watching.handoff == getattr(frame, "handoff", ""):
        await watching.show_order()
    return frames.refused(DeskError(code, frame.id, text))


# The queue


async def _status(desk: Desk, frame: protocol.Status) -> Data:
    parts = desk.parts
    await asyncio.to_thread(
        service.set_status, parts.engine, desk.login, frame.value, parts.now(), parts.city.queue,
        reason=frame.reason,
    )  # fmt: skip
    told = {"reason": frame.reason} if frame.reason else {}
    await note(desk, "agent_status", f"staff:{desk.login}", status=frame.value, **told)
    desk.floor.tell()
    return {"status": frame.value}


async def _accept(desk: Desk, frame: protocol.Accept) -> Data:
    parts = desk.parts
    offered = desk.floor.board.offers.get(desk.login)
    is_call = offered is not None and offered.channel == "phone"
    if is_call and not desk.me.phone:
        raise DeskError("phone_missing")
    entry: Entry = await asyncio.to_thread(
        service.accept, parts.engine, frame.offer, desk.login, parts.now(), parts.city.queue
    )
    await note(desk, "handoff_accepted", entry.handoff)
    parts.conversations.standing_changed(entry.conversation)
    desk.floor.tell()
    if entry.is_call and entry.state == "accepted":
        desk.floor.spawn(calling.bridge(desk.floor, entry, desk.login, desk.me.phone))
    return {"handoff": entry.handoff, "state": entry.state}


async def _decline(desk: Desk, frame: protocol.Decline) -> Data:
    parts = desk.parts
    await asyncio.to_thread(service.decline, parts.engine, frame.offer, desk.login, parts.now())
    await note(desk, "handoff_declined", frame.offer)
    desk.floor.tell()
    return {}


async def _transfer(desk: Desk, frame: protocol.Transfer) -> Data:
    parts = desk.parts
    entry: Entry = await asyncio.to_thread(
        service.transfer, parts.engine, frame.handoff, desk.login, to_agent=frame.agent,
        to_skill=frame.skill, note=frame.note, now=parts.now(), rules=parts.city.queue,
    )  # fmt: skip
    await note(desk, "handoff_transferred", frame.handoff, to=frame.agent, skill=frame.skill)
    parts.conversations.standing_changed(entry.conversation)
    desk.floor.tell()
    if entry.is_call:  # they wait with music; who takes them next is rung then
        desk.floor.spawn(calling.part(parts, entry.conversation, desk.login, f"{frame.id}-part"))
    return {}


async def _finish(desk: Desk, frame: protocol.Finish) -> Data:
    parts = desk.parts
    found = await asyncio.to_thread(casefile.find, parts.engine, frame.handoff)
    entry: Entry = await asyncio.to_thread(
        service.finish, parts.engine, frame.handoff, desk.login, frame.result, frame.note,
        parts.now(), parts.city.queue,
    )  # fmt: skip
    await note(desk, "handoff_finished", frame.handoff, result=frame.result)
    if found is not None and found.state == "connected":
        await talking.parted(desk, found, frame.id)
    parts.conversations.standing_changed(entry.conversation)
    desk.floor.tell()
    return {"state": entry.state}


async def _ready(desk: Desk, _frame: protocol.Ready) -> Data:
    parts = desk.parts
    await asyncio.to_thread(service.ready, parts.engine, desk.login, parts.now())
    desk.floor.tell()
    return {}


async def note(desk: Desk, action: str, target: str, **data: Any) -> None:
    """Write down what was done: codes, logins and ids, never what was said."""
    await asyncio.to_thread(audit.note, desk.parts, desk.login, action, target, **data)


_WORKS: Mapping[type, Work] = MappingProxyType({
    protocol.Status: _status,
    protocol.Accept: _accept,
    protocol.Decline: _decline,
    protocol.Transfer: _transfer,
    protocol.Finish: _finish,
    protocol.Ready: _ready,
    **talking.WORKS,
})  # fmt: skip
