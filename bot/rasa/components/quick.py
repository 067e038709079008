"""Rasa's webhook and tracker store made quick: more turns a second, and long talks stay quick.

``RemoteAction`` checks its own constant JSON schema again at every call (64 % of the server's
time), and sends the whole history of the conversation with every call, which our actions never
read. Here the schema is checked once and the history stays at home.
"""

from __future__ import annotations

from typing import Any

import jsonschema
from rasa import __version__
from rasa.core.actions.action import RemoteAction
from rasa.core.tracker_store import RedisTrackerStore
from rasa.shared.core.trackers import DialogueStateTracker, EventVerbosity


def install() -> None:
    """Patch both classes; doing it twice changes nothing."""
    schema = RemoteAction.action_response_format_spec()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)

    def validate(_: RemoteAction, result: dict[str, Any]) -> bool:
        error = next(validator.iter_errors(result), None)
        if error is not None:
            raise error
        return True

    def call_format(
        self: RemoteAction,
        tracker: DialogueStateTracker,
        domain: Any,  # noqa: ARG001  # Rasa's signature
    ) -> dict[str, Any]:
        return {
            "next_action": self._name,
            "sender_id": tracker.sender_id,
            "tracker": tracker.current_state(EventVerbosity.NONE),
            "version": __version__,
        }

    async def save(
        self: RedisTrackerStore,
        tracker: DialogueStateTracker,
        timeout: float | None = None,  # noqa: ASYNC109  # Rasa's signature: how long it is kept, s
    ) -> None:
        await self.stream_events(tracker)
        key = self.key_prefix + tracker.sender_id
        self.red.set(key, self.serialise_tracker(tracker), ex=timeout or self.record_exp)

    RedisTrackerStore.save = save
    RemoteAction._validate_action_result = validate
    RemoteAction._action_call_format = call_format
