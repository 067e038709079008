"""Nothing is looked for in a message where no slot is filled from messages.

After each message Rasa checks every slot's mappings, one by one, for what they take from it. Ours
are all ``custom`` without an action of their own: only our actions fill them, so that nothing
comes of it. A domain with any other mapping, or with an action that checks what was found, goes
Rasa's way.
"""

from __future__ import annotations

from typing import Any

from rasa.core.actions.action import ActionExtractSlots
from rasa.shared.core.constants import ACTION_VALIDATE_SLOT_MAPPINGS, DEFAULT_SLOT_NAMES
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event

_UNTOUCHED = {"type": "custom"}


def install() -> None:
    """Take the place of the search where it can find nothing."""
    rasas_run = ActionExtractSlots.run

    async def run(
        self: ActionExtractSlots, output_channel: Any, nlg: Any, tracker: Any, domain: Domain
    ) -> list[Event]:
        if finds_nothing(domain):
            return []
        return list(await rasas_run(self, output_channel, nlg, tracker, domain))

    ActionExtractSlots.run = run


def finds_nothing(domain: Domain) -> bool:
    """Whether no slot of ``domain`` is filled from what is said."""
    return ACTION_VALIDATE_SLOT_MAPPINGS not in domain.user_actions and all(
        mapping == _UNTOUCHED
        for slot in domain.slots
        if slot.name not in DEFAULT_SLOT_NAMES
        for mapping in slot.mappings
    )
