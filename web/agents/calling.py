"""The telephones behind a desk: the agent's own rings, and what is done with a call.

Ringing goes on without the page that wanted it: a socket that dies while the agent's telephone
rings loses no caller. Where it came to nothing, the queue offers the citizen to the next.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import SQLAlchemyError

from handoff.queue import service
from handoff.queue.model import Entry, QueueError
from store.faults import fault_of
from telephony.commands import ControlError
from turns.calls import Verb
from web.agents import frames
from web.agents.callview import CallView
from web.agents.parts import DeskParts

if TYPE_CHECKING:
    from web.agents.floor import Floor

RING_S = 60.0
_log = structlog.get_logger(__name__)
_RETRY_S = 0.5
_TRIES = 5


async def bridge(floor: Floor, entry: Entry, login: str, phone: str) -> None:
    """Ring the agent's telephone and join it with the caller who was accepted."""
    parts = floor.parts
    try:
        await _ring(parts, entry, login, phone)
    except ControlError as error:
        _log.info("agent_phone_failed", code=error.code, conversation=entry.conversation)
        await _failed(floor, entry, login, error.code)
        return
    code = await _kept(
        lambda: service.connected(parts.engine, entry.handoff, parts.now(), agent=login)
    )
    if code == "entry_changed":  # somebody else has the citizen, or they are gone
        await part(parts, entry.conversation, login, f"accept-{entry.offer}-part")
    parts.conversations.standing_changed(entry.conversation)
    floor.tell()


async def _ring(parts: DeskParts, entry: Entry, login: str, phone: str) -> None:
    """Raises :class:`ControlError`.

    The command's id names the offer: accepted again, the telephone does not ring again. A caller
    whom somebody has already (who gives them on) is taken over from them.
    """
    if parts.control is None:
        raise ControlError("redis_lost")
    id_ = f"accept-{entry.offer}"
    try:
        await parts.control.command(
            entry.conversation, "bridge", phone, by=login, id_=id_, timeout_s=RING_S
        )
    except ControlError as error:
        if error.code != "in_progress":
            raise
        await parts.control.command(
            entry.conversation, "transfer", phone, by=login, id_=f"{id_}-over", timeout_s=RING_S
        )


async def _failed(floor: Floor, entry: Entry, login: str, cause: str) -> None:
    """The next agent is asked, and this one told why."""
    parts = floor.parts
    await _kept(
        lambda: service.phone_failed(
            parts.engine, entry.handoff, cause, parts.now(), parts.city.queue
        ),
    )
    parts.conversations.standing_changed(entry.conversation)
    floor.tell()
    desk = floor.desks.get(login)
    if desk is not None:
        frame = frames.call(entry.handoff, "failed", "target", cause, CallView())
        await desk.page.send(frame)


async def _kept(work: Callable[[], object]) -> str:
    """Write it down, a few times over while the database is away: two people talk meanwhile.

    '' where it stands, else the queue's code, or ``store_down``.
    """
    for again in range(_TRIES):
        try:
            await asyncio.to_thread(work)
        except QueueError as error:  # the citizen has left, or the queue gave up waiting
            _log.info("call_not_kept", code=error.code)
            return error.code
        except SQLAlchemyError as error:
            _log.error("call_not_kept", code="store_down", fault=fault_of(error), again=again)
            await asyncio.sleep(_RETRY_S * 2**again)
        else:
            return ""
    return "store_down"


async def order_call(
    parts: DeskParts, conversation: str, verb: Verb, target: str, *, by: str, id_: str
) -> str:
    """Do something with a call; the state it led to. Raises :class:`ControlError`."""
    if parts.control is None:
        raise ControlError("redis_lost")
    event = await parts.control.command(conversation, verb, target, by=by, id_=id_)
    return event.state


async def part(parts: DeskParts, conversation: str, login: str, id_: str) -> None:
    """Hang up the agent's telephone; the caller goes where the queue says. There may be no call."""
    with contextlib.suppress(ControlError):
        await order_call(parts, conversation, "hangup", "target", by=login, id_=id_)
