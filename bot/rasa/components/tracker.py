"""Rasa's memory in Redis, sealed with the city's key: it holds every word of a conversation."""

from __future__ import annotations

import os
from typing import Any

import structlog
from rasa.core.tracker_store import RedisTrackerStore
from rasa.shared.core.trackers import DialogueStateTracker

from bot.rasa.launch import data_key
from sealing.errors import SealError
from sealing.keys import keyring
from sealing.words import WordSeal

_log = structlog.get_logger(__name__)


class SealedTrackerStore(RedisTrackerStore):
    """As Rasa's own; what it serialises is sealed, bound to the conversation.

    The key comes from the environment or its secret's file. A tracker from before there was a key
    is read as it is; one that cannot be opened is as if it were not there: the conversation goes on
    with a fresh memory.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        ring = keyring(data_key(os.environ))
        if ring is None:
            raise SealError("data_key_missing", "QIANMEN_DATA_KEY is not set")
        self._seal = WordSeal(ring, "tracker")
        super().__init__(*args, **kwargs)

    def serialise_tracker(self, tracker: DialogueStateTracker) -> str:
        """The tracker as sealed text."""
        return self._seal.seal(RedisTrackerStore.serialise_tracker(tracker), tracker.sender_id)

    def deserialise_tracker(
        self, sender_id: str, serialised_tracker: str | bytes
    ) -> DialogueStateTracker | None:
        """The tracker; a fresh one where it cannot be opened."""
        stored = serialised_tracker
        text = stored.decode("utf-8", "replace") if isinstance(stored, bytes) else stored
        try:
            opened = self._seal.open(text, sender_id)
        except SealError as error:
            _log.error("tracker_not_opened", exception=error.code)
            return self.init_tracker(sender_id)
        return super().deserialise_tracker(sender_id, opened)
