"""A conversation's memory read and written with less work.

Rasa writes the whole conversation as JSON after each turn, having read and merged what is stored
first, and makes a tracker of each of its sessions to find out that there is one. Here only the
turn's own events are made JSON and put behind what was read. Events that were read never change
(they are records of what happened), so the text is the one that Rasa would write.

Two turns of one conversation never run at the same time (the lock), so nothing is to be merged.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice
from operator import is_
from typing import Any

from rasa.core.tracker_store import RedisTrackerStore, SerializedTrackerAsText, TrackerStore
from rasa.shared.core.constants import ACTION_SESSION_START_NAME
from rasa.shared.core.events import ActionExecuted, Event
from rasa.shared.core.trackers import (
    DialogueStateTracker,
    get_trackers_for_conversation_sessions,
)

_OURS = "_qianmen_stored"
_HEAD = '{"events": ['


@dataclass(frozen=True, slots=True)
class Stored:
    """What was read of a conversation, and the events that were made of it."""

    text: str
    events: tuple[Event, ...]


def install() -> None:
    """Take the place of Rasa's reading and writing."""
    rasas_deserialise = TrackerStore.deserialise_tracker

    def deserialise(
        self: TrackerStore, sender_id: str, serialised_tracker: str | bytes
    ) -> DialogueStateTracker | None:
        tracker = rasas_deserialise(self, sender_id, serialised_tracker)
        whole = tracker is not None and tracker._max_event_history is None
        if whole and isinstance(serialised_tracker, str):
            setattr(tracker, _OURS, Stored(serialised_tracker, tuple(tracker.events)))
        return tracker

    TrackerStore.deserialise_tracker = deserialise
    SerializedTrackerAsText.serialise_tracker = staticmethod(serialised)
    RedisTrackerStore._retrieve = retrieve
    RedisTrackerStore.save = save


async def retrieve(
    self: RedisTrackerStore, sender_id: str, fetch_all_sessions: bool
) -> DialogueStateTracker | None:
    """The conversation's memory, of its last session unless all are wanted; None: there is none."""
    stored = self.red.get(self.key_prefix + sender_id)
    if stored is None:
        return None
    tracker = self.deserialise_tracker(sender_id, stored)
    if fetch_all_sessions or tracker is None or is_one_session(tracker):
        return tracker
    return get_trackers_for_conversation_sessions(tracker)[-1]


def is_one_session(tracker: DialogueStateTracker) -> bool:
    """Whether no session begins behind the tracker's first event."""
    return not any(
        isinstance(event, ActionExecuted) and event.action_name == ACTION_SESSION_START_NAME
        for event in islice(tracker.events, 1, None)
    )


async def save(
    self: RedisTrackerStore,
    tracker: DialogueStateTracker,
    timeout: float | None = None,  # noqa: ASYNC109  # Rasa's signature: how long it is kept, s
) -> None:
    """Write the conversation's memory."""
    await self.stream_events(tracker)
    key = self.key_prefix + tracker.sender_id
    self.red.set(key, self.serialise_tracker(tracker), ex=timeout or self.record_exp)


def serialised(tracker: DialogueStateTracker) -> str:
    """The JSON that Rasa writes: of what was read, as it was read."""
    stored: Stored | None = getattr(tracker, _OURS, None)
    tail = f'], "name": {json.dumps(tracker.sender_id)}}}'
    if stored is None or not _goes_on(stored, tracker, tail):
        return json.dumps(tracker.as_dialogue().as_dict())
    new = json.dumps([_dump(e) for e in islice(tracker.events, len(stored.events), None)])[1:-1]
    joint = ", " if new else ""
    return f"{stored.text.removesuffix(tail)}{joint}{new}{tail}"


def _goes_on(stored: Stored, tracker: DialogueStateTracker, tail: str) -> bool:
    """Whether ``tracker`` begins with the very events of ``stored``."""
    return (
        bool(stored.events)
        and len(tracker.events) >= len(stored.events)
        and all(map(is_, tracker.events, stored.events))
        and stored.text.startswith(_HEAD)
        and stored.text.endswith(tail)
    )


def _dump(event: Event) -> dict[str, Any]:
    return event.as_dict()
