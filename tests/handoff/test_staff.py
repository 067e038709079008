"""Accounts of the staff: what may be stored, and what ends with what."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from handoff import staff
from handoff.profile import Profile, StaffError
from handoff.staff import Act, Person
from store.audit import verify
from store.engine import reading, writing
from store.tables import Audit, Staff

KEY = "a key that only tests know"
LI = Profile("李敏", ("agent",), "sip:801@10.0.0.5", ("公积金",), 2)


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staff, "hash_password", lambda password: f"hash of {len(password)}")


@pytest.fixture
def act(now: datetime) -> Act:
    return Act("admin", now, KEY)


@pytest.fixture
def admin(engine: Engine, act: Act) -> str:
    assert staff.create_first_administrator(engine, act)
    return staff.ADMINISTRATOR


def row_of(engine: Engine, login: str) -> Staff:
    with reading(engine) as session:
        return session.scalars(select(Staff).where(Staff.login == login)).one()


def noted(engine: Engine) -> list[tuple[str, str]]:
    with reading(engine) as session:
        assert verify(session, KEY) is None
        rows = session.scalars(select(Audit).order_by(Audit.id))
        return [(row.action, row.object) for row in rows]


def test_somebody_is_added_once(engine: Engine, act: Act) -> None:
    password = staff.add_staff(engine, act, "li", LI)
    assert len(password.replace("-", "")) == 16
    with pytest.raises(StaffError) as caught:
        staff.add_staff(engine, act, "li", LI)
    assert caught.value.code == "login_taken"
    assert staff.list_staff(engine) == (Person("li", LI, True, True, "", act.at),)
    assert noted(engine) == [("staff_added", "staff:li")]


@pytest.mark.parametrize(
    ("login", "change", "code"),
    [("", {}, "login_invalid"), ("x", {}, "login_invalid"), ("Li", {}, "login_invalid"),
     ("li min", {}, "login_invalid"), ("李敏", {}, "login_invalid"), ("-li", {}, "login_invalid"),
     ("li\n", {}, "login_invalid"), ("x" * 65, {}, "login_invalid"), ("bot", {}, "login_invalid"),
     ("system", {}, "login_invalid"), ("new", {}, "login_invalid"),
     ("li", {"roles": ()}, "role_missing"), ("li", {"roles": ("boss",)}, "role_unknown"),
     ("li", {"name": " "}, "name_invalid"), ("li", {"name": "李" * 51}, "name_invalid"),
     ("li", {"name": "a\x00"}, "name_invalid"), ("li", {"phone_uri": "801"}, "phone_invalid"),
     ("li", {"phone_uri": "sip:a@b\r\nX: y"}, "phone_invalid"),
     ("li", {"phone_uri": "sip:" + "a" * 200 + "@b"}, "phone_invalid"),
     ("li", {"skills": ("",)}, "skill_invalid"), ("li", {"capacity": -1}, "capacity_invalid"),
     ("li", {"capacity": 21}, "capacity_invalid")],
)  # fmt: skip
def test_what_cannot_be_stored_is_named(
    engine: Engine, act: Act, login: str, change: dict[str, Any], code: str
) -> None:
    values: dict[str, Any] = {"name": "李敏", "roles": ("agent",), **change}
    with pytest.raises(StaffError) as caught:
        staff.add_staff(engine, act, login, Profile(**values))
    assert caught.value.code == code
    assert staff.list_staff(engine) == ()


def test_switching_off_ends_sessions_and_a_new_password_too(
    engine: Engine, act: Act, admin: str, now: datetime
) -> None:
    staff.add_staff(engine, act, "li", LI)
    assert row_of(engine, "li").valid_from is None
    assert not staff.set_active(engine, act, "li", active=False).active
    assert row_of(engine, "li").valid_from == now
    assert staff.set_active(engine, act, "li", active=True).active
    later = Act("li", now + timedelta(hours=1), KEY)
    staff.change_own_password(engine, later, "four words of mine")
    assert (row_of(engine, "li").valid_from, row_of(engine, "li").must_change) == (later.at, False)
    last = Act("admin", now + timedelta(hours=2), KEY)
    staff.reset_password(engine, last, "li", "another good one")
    assert (row_of(engine, "li").valid_from, row_of(engine, "li").must_change) == (last.at, True)
    staff.end_sessions(engine, Act("li", now + timedelta(hours=3), KEY))
    assert row_of(engine, "li").valid_from == now + timedelta(hours=3)
    assert [action for action, _ in noted(engine)] == [
        "staff_added", "staff_added", "staff_disabled", "staff_enabled", "password_changed",
        "password_reset", "sessions_ended",
    ]  # fmt: skip


def test_doing_it_twice_changes_nothing(engine: Engine, act: Act, admin: str) -> None:
    staff.add_staff(engine, act, "li", LI)
    before = noted(engine)
    staff.set_active(engine, act, "li", active=True)
    staff.set_profile(engine, act, "li", LI)
    assert noted(engine) == before


def test_the_last_administrator_stays(engine: Engine, act: Act, admin: str) -> None:
    staff.add_staff(engine, act, "li", LI)
    changes: tuple[Callable[[], object], ...] = (
        lambda: staff.set_active(engine, act, admin, active=False),
        lambda: staff.set_profile(engine, act, admin, Profile("管理员", ("supervisor",))),
    )
    for change in changes:
        with pytest.raises(StaffError) as caught:
            change()
        assert caught.value.code == "last_administrator"
    staff.add_staff(engine, act, "wang", Profile("王芳", ("administrator",)))
    staff.set_active(engine, act, admin, active=False)
    with pytest.raises(StaffError):
        staff.set_active(engine, act, "wang", active=False)


def test_two_administrators_cannot_switch_each_other_off(
    engine: Engine, act: Act, admin: str
) -> None:
    staff.add_staff(engine, act, "wang", Profile("王芳", ("administrator",)))
    gate = threading.Barrier(2)
    failures: list[str] = []

    def switch_off(login: str) -> None:
        gate.wait()
        try:
            staff.set_active(engine, act, login, active=False)
        except StaffError as error:
            failures.append(error.code)

    threads = [threading.Thread(target=switch_off, args=(name,)) for name in (admin, "wang")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == ["last_administrator"]
    assert sum(person.active for person in staff.list_staff(engine)) == 1


def test_a_changed_role_says_what_it_was(engine: Engine, act: Act) -> None:
    staff.add_staff(engine, act, "li", LI)
    staff.set_profile(engine, act, "li", Profile("李敏", ("supervisor", "agent"), capacity=2))
    with reading(engine) as session:
        line = session.scalars(select(Audit).order_by(Audit.id.desc())).first()
    assert line is not None
    assert line.data == {"changed": ["roles", "phone_uri", "skills"], "former": ["agent"],
                         "roles": ["supervisor", "agent"]}  # fmt: skip


@pytest.mark.parametrize("login", ["nobody", "", "a\x00b", "\ud800", "x" * 5000])
def test_an_unknown_login_is_said(engine: Engine, act: Act, login: str) -> None:
    changes: tuple[Callable[[], object], ...] = (
        lambda: staff.get_staff(engine, login),
        lambda: staff.set_active(engine, act, login, active=False),
        lambda: staff.set_profile(engine, act, login, LI),
        lambda: staff.reset_password(engine, act, login),
        lambda: staff.link(engine, act, login, "https://a#1"),
    )
    for change in changes:
        with pytest.raises(StaffError) as caught:
            change()
        assert caught.value.code == "staff_unknown"


def test_a_weak_password_is_refused_everywhere(engine: Engine, act: Act, admin: str) -> None:
    changes: tuple[Callable[[], object], ...] = (
        lambda: staff.add_staff(engine, act, "li", LI, "1234567890"),
        lambda: staff.reset_password(engine, act, admin, "1234567890"),
        lambda: staff.change_own_password(engine, act, "1234567890"),
    )
    for change in changes:
        with pytest.raises(StaffError) as caught:
            change()
        assert caught.value.code == "password_weak"


def test_an_identity_belongs_to_one(engine: Engine, act: Act) -> None:
    staff.add_staff(engine, act, "li", LI)
    staff.add_staff(engine, act, "wang", LI)
    assert staff.link(engine, act, "li", " https://sso.example#42 ").subject == (
        "https://sso.example#42"
    )
    with pytest.raises(StaffError) as caught:
        staff.link(engine, act, "wang", "https://sso.example#42")
    assert caught.value.code == "subject_taken"
    for wrong in ("42", "https://sso.example#", "#42", "https://a#" + "4" * 500, "ftp://a#1"):
        with pytest.raises(StaffError) as caught:
            staff.link(engine, act, "wang", wrong)
        assert caught.value.code == "subject_invalid"
    assert staff.link(engine, act, "li", "").subject == ""
    with writing(engine) as session:
        assert session.scalars(select(Staff.subject)).all() == [None, None]
