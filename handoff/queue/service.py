"""The queue's door: everything that others do with it.

Synchronous, over an engine: from a loop by ``asyncio.to_thread``. Every call is one short
transaction (``dispatch``: a few), safe with any number of processes; doing it again is harmless.
``enter``, ``connect``, ``part`` and ``leave`` work inside the caller's transaction. Whoever calls
tells the bus: ``#queue``, ``#desk:LOGIN``.
"""

from __future__ import annotations

from handoff.queue.callbacks import (
    ask_callback,
    finish_callback,
    is_number,
    open_callbacks,
    take_callback,
)
from handoff.queue.dispatching import dispatch
from handoff.queue.entering import enter
from handoff.queue.estimate import told
from handoff.queue.model import QueueError
from handoff.queue.offers import accept, decline
from handoff.queue.people import attended, desks_of, open_desk, ready, seen, set_status, staffed
from handoff.queue.talks import (
    abandoned,
    connect,
    connected,
    finish,
    give_back,
    leave,
    part,
    phone_failed,
    transfer,
)
from handoff.queue.views import desk_of, overview, places, standing

__all__ = [
    "QueueError",
    "abandoned",
    "accept",
    "ask_callback",
    "attended",
    "connect",
    "connected",
    "decline",
    "desk_of",
    "desks_of",
    "dispatch",
    "enter",
    "finish",
    "finish_callback",
    "give_back",
    "is_number",
    "leave",
    "open_callbacks",
    "open_desk",
    "overview",
    "part",
    "phone_failed",
    "places",
    "ready",
    "seen",
    "set_status",
    "staffed",
    "standing",
    "take_callback",
    "told",
    "transfer",
]
