"""Whose rows they are, also where the number is sealed."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from sealing.keys import new_key
from store.engine import reading, writing
from store.marks import Marker, marks_of, normalised
from store.tables import Conversation, WorkOrder, WorkOrderField


@pytest.mark.parametrize(
    ("told", "known"),
    [
        ("13912345678", "13912345678"),
        ("+86 139-1234-5678", "13912345678"),
        ("0086 13912345678", "13912345678"),
        ("8613912345678", "13912345678"),
        ("013912345678", "13912345678"),
        ("１３９ １２３４ ５６７８", "13912345678"),
        ("sip:+8613912345678@10.0.0.1;user=phone", "13912345678"),
        ("tel:+86-10-8888-8888", "01088888888"),
        ("(010) 8888 8888", "01088888888"),
        ("+86 0475 8231234", "04758231234"),
        ("0475-8231234", "04758231234"),
        ("110", "110"),
        ("+1 212 555 0100", "+12125550100"),
        ("", ""),
        (" anonymous ", ""),
        ("Restricted", ""),
        ("oLVPpjqs9BhvzwPj5A-vTYAX3GLc", "oLVPpjqs9BhvzwPj5A-vTYAX3GLc"),
        ("web:5d", "web:5d"),
    ],
)
def test_one_spelling_for_each_citizen(told: str, known: str) -> None:
    assert normalised(told) == known


@given(st.text(max_size=40))
def test_any_text_is_normalised_once_and_for_all(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)


def test_the_data_key_decides_and_older_marks_are_still_looked_for() -> None:
    old, new = new_key(), new_key("sm4")
    plain, first = Marker("", lambda: "secret"), Marker(old, lambda: "secret")
    later = Marker(f"{new} {old}", lambda: "secret")
    marks = [marker.mark("13912345678") for marker in (plain, first, later)]
    assert len(set(marks)) == 3
    assert set(marks) == set(later.candidates("+86 139 1234 5678"))
    assert plain.mark("13912345678") != Marker("", lambda: "another").mark("13912345678")
    assert later.mark("") == later.mark("anonymous") == ""
    assert later.candidates("") == ()


def test_a_secret_that_cannot_be_read_costs_the_mark_not_the_row() -> None:
    def unreadable() -> str:
        raise PermissionError(13, "Permission denied")

    assert Marker("", unreadable).mark("13912345678") == ""
    assert Marker(new_key(), unreadable).mark("13912345678") != ""


def test_rows_are_marked_however_they_are_written(engine: Engine, now: datetime) -> None:
    engine.dialect.marker = Marker("", lambda: "secret")  # type: ignore[attr-defined]  # as open_store
    with writing(engine) as session:
        session.add(Conversation(id="c", channel="phone", citizen="+8613912345678", started_at=now))
        session.flush()
        session.add(
            WorkOrder(id="o", key="k", number="1", conversation_id="c", channel="phone",
                      kind="投诉", urgency="normal", title="t", created_at=now)
        )  # fmt: skip
        session.flush()
        session.add_all(
            WorkOrderField(order_id="o", name=name, value="13500001111", at=now)
            for name in ("phone", "what")
        )
    with writing(engine) as session:
        talk = session.get_one(Conversation, "c")
        assert talk.citizen_mark in marks_of(engine, "13912345678")
        phone, what = session.query(WorkOrderField).order_by(WorkOrderField.name.desc())
        if phone.name != "phone":
            phone, what = what, phone
        assert (phone.mark in marks_of(engine, "135 0000 1111"), what.mark) == (True, "")
        phone.value = "13600002222"  # corrected
        talk.citizen = ""
    with reading(engine) as session:
        assert session.get_one(Conversation, "c").citizen_mark == ""
        marked = session.query(WorkOrderField.mark).where(WorkOrderField.name == "phone").scalar()
        assert marked in marks_of(engine, "13600002222")
