"""The first administrator, and who may sign in."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from handoff.staff import Act, create_first_administrator
from store.engine import reading, writing
from store.tables import Audit, Staff
from tests.web.conftest import PASSWORD, audits
from web.accounts import SignInError, sign_in, sign_out, signed_in
from web.sessions import StaffSession

KEY = "a key that only tests know"


def act(now: datetime) -> Act:
    return Act("system", now, KEY)


def test_the_first_administrator_gets_a_password_once(engine: Engine, now: datetime) -> None:
    password = create_first_administrator(engine, act(now))
    assert password is not None
    assert len(password.replace("-", "")) == 16
    assert create_first_administrator(engine, act(now)) is None
    member = sign_in(engine, "admin", password, now=now, key=KEY)
    assert (member.login, member.roles) == ("admin", ("administrator", "supervisor"))
    with reading(engine) as session:
        (row,) = session.scalars(select(Staff))
        assert row.password_hash.startswith("$argon2id$")
        assert password not in row.password_hash


def test_two_installations_have_different_passwords(engine: Engine, now: datetime) -> None:
    first = create_first_administrator(engine, act(now))
    with writing(engine) as session:
        session.delete(session.scalars(select(Staff)).one())
    assert create_first_administrator(engine, act(now)) != first


@pytest.mark.parametrize(
    ("login", "password"),
    [("li", "wrong"), ("li", ""), ("nobody", PASSWORD), ("", ""), ("li' --", PASSWORD),
     ("x" * 5000, "y" * 5000), ("li", PASSWORD + "\x00")],
)  # fmt: skip
def test_a_wrong_sign_in_is_refused(
    engine: Engine, now: datetime, staff: str, login: str, password: str
) -> None:
    with pytest.raises(SignInError):
        sign_in(engine, login, password, now=now, key=KEY)


def test_five_wrong_tries_lock_even_the_right_password(
    engine: Engine, now: datetime, staff: str
) -> None:
    for _ in range(5):
        with pytest.raises(SignInError):
            sign_in(engine, staff, "wrong", now=now, key=KEY)
    with pytest.raises(SignInError):
        sign_in(engine, staff, PASSWORD, now=now + timedelta(minutes=14), key=KEY)
    assert audits(engine, "sign_in_refused") == [(staff, "staff")]
    assert len(audits(engine, "sign_in_failed")) == 5  # the refused one says so itself
    later = now + timedelta(minutes=15)
    assert sign_in(engine, staff, PASSWORD, now=later, key=KEY).login == staff


def test_a_success_forgets_the_wrong_tries(engine: Engine, now: datetime, staff: str) -> None:
    for _ in range(2):
        for _ in range(4):
            with pytest.raises(SignInError):
                sign_in(engine, staff, "wrong", now=now, key=KEY)
        assert sign_in(engine, staff, PASSWORD, now=now, key=KEY).login == staff


def test_somebody_switched_off_may_not_sign_in_and_is_out_at_once(
    engine: Engine, now: datetime, staff: str
) -> None:
    member = sign_in(engine, staff, PASSWORD, now=now, key=KEY)
    with writing(engine) as session:
        session.scalars(select(Staff)).one().active = False
    assert signed_in(engine, StaffSession(member.id, "n1", now)) is None
    with pytest.raises(SignInError):
        sign_in(engine, staff, PASSWORD, now=now, key=KEY)


def test_signing_out_ends_that_session_only(engine: Engine, now: datetime, staff: str) -> None:
    member = sign_in(engine, staff, PASSWORD, now=now, key=KEY)
    sign_out(engine, member, "n1", act(now))
    assert signed_in(engine, StaffSession(member.id, "n1", now)) is None
    assert signed_in(engine, StaffSession(member.id, "n2", now)) == member


def test_a_password_typed_as_login_is_not_written_down(engine: Engine, now: datetime) -> None:
    with pytest.raises(SignInError):
        sign_in(engine, "my secret password", "", now=now, key=KEY)
    with reading(engine) as session:
        rows = session.scalars(select(Audit).order_by(Audit.id)).all()
    assert [row.action for row in rows] == ["sign_in_tried", "sign_in_failed"]
    assert all("secret" not in repr(row.__dict__) for row in rows)
    assert all(row.actor.startswith("unknown:") for row in rows)
