"""One handoff, and who may look at it. Synchronous.

Those are the agent who has the citizen, or had them, or is offered them; and supervisors. All of it
is written down. Where the order is secret (是否保密), ``web.secrecy`` has the last word.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, select

from store.engine import reading
from store.tables import Conversation, HandoffEntry, WorkOrder


@dataclass(frozen=True, slots=True)
class Handoff:
    """An entry of the queue, as far as the desk needs it; ``had``: who gave them on;
    ``talk`` is the conversation's state."""

    id: str
    conversation: str
    order: str
    number: str
    channel: str
    line: str
    state: str
    agent: str
    had: frozenset[str]
    talk: str

    @property
    def is_call(self) -> bool:
        """A voice, not words on a screen."""
        return self.channel == "phone"

    def is_of(self, login: str) -> bool:
        """Whether they have this citizen, or are offered them, or have had them."""
        return login == self.agent or login in self.had


def find(engine: Engine, handoff: str) -> Handoff | None:
    """The handoff of that id."""
    with reading(engine) as session:
        row = session.execute(
            select(HandoffEntry, WorkOrder, Conversation)
            .join(WorkOrder, WorkOrder.id == HandoffEntry.order_id)
            .join(Conversation, Conversation.id == HandoffEntry.conversation_id)
            .where(HandoffEntry.id == handoff)
        ).first()
        if row is None:
            return None
        entry, order, talk = row
        return Handoff(
            id=entry.id, conversation=talk.id, order=order.id, number=order.number,
            channel=talk.channel, line=talk.line, state=entry.state, agent=entry.agent,
            had=_have_had(entry), talk=talk.state,
        )  # fmt: skip


def _have_had(entry: HandoffEntry) -> frozenset[str]:
    """Who has had this citizen: whoever gave them on. Being offered them once is no reason."""
    return frozenset(
        str(one.get("agent", ""))
        for one in entry.tried or ()
        if isinstance(one, dict) and one.get("outcome") == "transferred"
    )
