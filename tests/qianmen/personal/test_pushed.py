"""Somebody whose matter 110 gave us is found and erased like any other citizen."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from config.links import Party
from handoff.classify import rules_of
from handoff.links.inbound import pushed
from qianmen.keeper.duty import Keeping
from qianmen.personal.deeds import By
from qianmen.personal.erase import erase
from store.engine import reading
from store.tables import Linkage
from tests.qianmen.personal.test_erase import bytes_of, close

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
PHONE, NAME, WHAT = "13712349876", "赵铁柱", "路灯不亮看不见路"


def test_what_110_gave_us_of_a_citizen_is_erased(keeping: Keeping) -> None:
    police = Party(name="110", label="公安110", url="http://far.test/110", pushes=True)
    said = {"type": "order.push", "id": "m1", "reference": "JJ-7", "what": WHAT, "name": NAME,
            "phone": PHONE}  # fmt: skip
    taken = pushed(
        keeping.engine, rules_of(keeping.city), police, json.dumps(said).encode(), 1, NOW
    )
    secrets = [text.encode() for text in (PHONE, NAME, WHAT)]
    close(keeping)
    assert all(secret in bytes_of(keeping.settings.data_dir) for secret in secrets)
    done = erase(keeping, PHONE, By("王芳", "root"), NOW + timedelta(days=2), orders="closed")
    assert done.orders == [taken.number]
    left = bytes_of(keeping.settings.data_dir)
    assert not [secret for secret in secrets if secret in left]
    with reading(keeping.engine) as session:
        assert session.scalars(select(Linkage)).one().reference == "JJ-7"
