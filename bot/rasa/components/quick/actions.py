"""What goes to the actions and comes from them.

``RemoteAction`` checks its own constant JSON schema again at every call, and sends the whole
history of the conversation with every call, which our actions never read. Here the schema is
checked once, the history stays at home, and what our actions send (slots, a follow-up action and
one response) is seen to be well-formed at a glance; whatever looks otherwise goes through the
schema.
"""

from __future__ import annotations

from typing import Any

import jsonschema
from rasa import __version__
from rasa.core.actions.action import RemoteAction
from rasa.shared.core.trackers import DialogueStateTracker, EventVerbosity

_Mapping = dict[str, Any]


def install() -> None:
    """Take the place of the check and of what is sent."""
    schema = RemoteAction.action_response_format_spec()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)

    def validate(_: RemoteAction, result: _Mapping) -> bool:
        error = None if is_plain(result) else next(validator.iter_errors(result), None)
        if error is not None:
            raise error
        return True

    RemoteAction._validate_action_result = validate
    RemoteAction._action_call_format = call_format


def call_format(
    self: RemoteAction,
    tracker: DialogueStateTracker,
    domain: Any,  # noqa: ARG001  # Rasa's signature
) -> _Mapping:
    """The call of one action: as Rasa's, without the history and the domain."""
    return {
        "next_action": self._name,
        "sender_id": tracker.sender_id,
        "tracker": tracker.current_state(EventVerbosity.NONE),
        "version": __version__,
    }


def is_plain(result: object) -> bool:
    """Whether ``result`` is what our actions send; the schema takes all that is."""
    if not isinstance(result, dict):
        return False
    events, responses = result.get("events"), result.get("responses")
    return (
        isinstance(events, list)
        and isinstance(responses, list)
        and all(map(_is_event, events))
        and all(isinstance(response, dict) for response in responses)
    )


def _is_event(event: object) -> bool:
    if not isinstance(event, dict):
        return False
    if event.get("timestamp", 0) is not None or event.get("metadata") is not None:
        return False
    match event.get("event"):
        case "slot":
            return isinstance(event.get("name"), str) and "value" in event
        case "followup":
            return True
        case _:
            return False
