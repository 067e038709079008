"""What the queue keeps of a citizen is found, given out and erased with the rest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from config.queue import QueueRules
from handoff.queue import service
from qianmen.keeper.duty import Keeping
from qianmen.keeper.facts import talk_facts
from qianmen.personal.contents import contents
from qianmen.personal.deeds import By
from qianmen.personal.erase import erase
from qianmen.personal.find import find
from store.engine import reading, writing
from store.tables import Callback, Conversation, HandoffEntry, WorkOrder
from tests.fakes.orders import CHAT
from tests.qianmen.personal.conftest import fill

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
RULES = QueueRules()
OTHER = "13700001111"


def test_who_asked_to_be_called_back_is_found_and_erased(keeping: Keeping) -> None:
    fill(keeping, NOW)
    assert service.ask_callback(keeping.engine, CHAT, OTHER, NOW, RULES)
    with writing(keeping.engine) as session:
        session.scalars(select(HandoffEntry)).first().note = "他说白天打"  # type: ignore[union-attr]  # there is one
        assert talk_facts(session, [session.get_one(Conversation, CHAT)])[0].waiting
    (one,) = find(keeping.engine, OTHER)
    assert (one.conversation, one.relation) == (CHAT, "told")
    with reading(keeping.engine) as session:
        known = contents(
            session, find(keeping.engine, session.get_one(Conversation, CHAT).citizen)[0]
        )
    assert [row["phone"] for row in known["callbacks"]] == [OTHER]
    with writing(keeping.engine) as session:
        for order in session.scalars(select(WorkOrder)):
            order.state = "办结"
    later = NOW + timedelta(days=2)
    erase(keeping, OTHER, By("王芳", "root"), later, orders="all")
    with reading(keeping.engine) as session:
        row = session.scalars(select(Callback)).one()
        assert (row.phone, row.mark, row.note) == ("", "", "")
        entry = session.get_one(HandoffEntry, row.handoff_id)
        assert entry.note == ""
