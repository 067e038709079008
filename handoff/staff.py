"""The staff: who there is, what they may be, and the first administrator who makes all others.

Whatever ends somebody's right to be here (switched off, a new password) ends their sessions too:
those begun before ``valid_from`` are void.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from handoff.passwords import hash_password, make_password, weakness
from handoff.profile import Profile, StaffError, check_login, check_profile, check_subject
from store import audit
from store.engine import reading, writing
from store.locks import one_at_a_time
from store.tables import Staff

ADMINISTRATOR = "admin"
"""The first one's login."""


@dataclass(frozen=True, slots=True)
class Act:
    """Who does it (a login, ``command-line``, ``system``), when, and the key of the audit."""

    by: str
    at: datetime
    key: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the staff. ``subject``: their identity at the single sign-on, or ''."""

    login: str
    profile: Profile
    active: bool
    must_change: bool
    subject: str
    created_at: datetime


def create_first_administrator(engine: Engine, act: Act) -> str | None:
    """Make ``admin`` where there is no staff yet; the password, this once, else None.

    A supervisor as well: a small city's first person looks after the orders too.
    """
    password = make_password()
    profile = Profile("管理员", ("administrator", "supervisor"))
    with writing(engine) as session:
        one_at_a_time(session, "first administrator")
        if session.scalar(select(Staff.id).limit(1)) is not None:
            return None
        _insert(session, act, ADMINISTRATOR, profile, hash_password(password))
    return password


def add_staff(
    engine: Engine, act: Act, login: str, profile: Profile, password: str | None = None
) -> str:
    """Add somebody; the password, ours unless one is given. It must be changed at first sign-in.

    Raises :class:`StaffError`.
    """
    check_login(login)
    check_profile(profile)
    password = _good(password, login)
    hashed = hash_password(password)
    with writing(engine) as session:
        _insert(session, act, login, profile, hashed)
    return password


def list_staff(engine: Engine) -> tuple[Person, ...]:
    """Everybody, by login; who is switched off comes last."""
    with reading(engine) as session:
        rows = session.scalars(select(Staff).order_by(Staff.active.desc(), Staff.login))
        return tuple(person_of(row) for row in rows)


def get_staff(engine: Engine, login: str) -> Person:
    """One person; raises :class:`StaffError` ``staff_unknown``."""
    with reading(engine) as session:
        return person_of(_known(session, login))


def set_active(engine: Engine, act: Act, login: str, *, active: bool) -> Person:
    """Switch somebody off (their sessions end at once) or on again.

    Raises :class:`StaffError` ``staff_unknown``, ``last_administrator``.
    """
    with writing(engine) as session:
        row = _known(session, login)
        if row.active != active:
            if not active:
                _check_other_administrator(session, row)
                row.valid_from = act.at
            row.active = active
            _note(session, act, "staff_enabled" if active else "staff_disabled", row)
        return person_of(row)


def set_profile(engine: Engine, act: Act, login: str, profile: Profile) -> Person:
    """Change name, roles, phone, skills, capacity; raises :class:`StaffError`."""
    check_profile(profile)
    with writing(engine) as session:
        row = _known(session, login)
        if "administrator" not in profile.roles:
            _check_other_administrator(session, row)
        before = _values(person_of(row).profile)
        after = _values(profile)
        changed = [name for name in after if after[name] != before[name]]
        if changed:
            _fill(row, profile)
            data: dict[str, Any] = {"changed": changed}
            if "roles" in changed:
                data |= {"roles": after["roles"], "former": before["roles"]}
            _note(session, act, "staff_changed", row, **data)
        return person_of(row)


def reset_password(engine: Engine, act: Act, login: str, password: str | None = None) -> str:
    """Give somebody a new password, ours unless one is given; it must be changed at sign-in.

    Ends their sessions and a lock after failures. Raises :class:`StaffError`.
    """
    password = _good(password, login)
    hashed = hash_password(password)
    with writing(engine) as session:
        row = _known(session, login)
        row.password_hash, row.must_change, row.valid_from = hashed, True, act.at
        _note(session, act, "password_reset", row)
    return password


def change_own_password(engine: Engine, act: Act, password: str) -> None:
    """The new password of ``act.by``, chosen by themselves; ends all their sessions.

    Whoever calls has checked the one before. Raises :class:`StaffError` ``password_weak``.
    """
    check_password(password, act.by)
    hashed = hash_password(password)
    with writing(engine) as session:
        row = _known(session, act.by)
        row.password_hash, row.must_change, row.valid_from = hashed, False, act.at
        _note(session, act, "password_changed", row)


def end_sessions(engine: Engine, act: Act) -> None:
    """End all sessions that ``act.by`` began before ``act.at``."""
    with writing(engine) as session:
        row = _known(session, act.by)
        row.valid_from = act.at
        _note(session, act, "sessions_ended", row)


def link(engine: Engine, act: Act, login: str, subject: str) -> Person:
    """Tie somebody to an identity (``issuer#sub``) at the single sign-on; '' unties.

    Raises :class:`StaffError` ``staff_unknown``, ``subject_invalid``, ``subject_taken``.
    """
    subject = subject.strip()
    if subject:
        check_subject(subject)
    with writing(engine) as session:
        row = _known(session, login)
        other = session.scalar(select(Staff.login).where(Staff.subject == subject))
        if subject and other not in (None, login):
            raise StaffError("subject_taken", f"这个身份已经属于 {other}")
        row.subject = subject or None
        row.valid_from = act.at
        _note(session, act, "staff_linked" if subject else "staff_unlinked", row)
        return person_of(row)


def add_from_sign_on(
    session: Session, act: Act, login: str, profile: Profile, subject: str
) -> Staff:
    """Add whom the single sign-on vouches for, without a password. The caller has checked them.

    Raises :class:`StaffError` ``login_invalid``, ``login_taken``, and of the profile.
    """
    check_login(login)
    check_profile(profile)
    row = _insert(session, act, login, profile, hash_password(secrets.token_urlsafe(32)))
    row.must_change, row.subject = False, subject
    return row


def check_password(password: str, login: str, places: Sequence[str] = ()) -> None:
    """Raise :class:`StaffError` ``password_weak``; ``places`` as in :func:`weakness`."""
    wrong = weakness(password, login, places)
    if wrong:
        raise StaffError("password_weak", wrong)


def person_of(row: Staff) -> Person:
    """The person of a row."""
    profile = Profile(
        name=row.name,
        roles=tuple(str(role) for role in row.roles),
        phone_uri=row.phone_uri,
        skills=tuple(str(skill) for skill in row.skills),
        capacity=row.capacity,
    )
    return Person(row.login, profile, row.active, row.must_change, row.subject or "",
                  row.created_at)  # fmt: skip


def _good(password: str | None, login: str) -> str:
    if password is None:
        return make_password()
    check_password(password, login)
    return password


def _insert(session: Session, act: Act, login: str, profile: Profile, hashed: str) -> Staff:
    taken = StaffError("login_taken", f"登录名 {login} 已经有人用了")
    if _find(session, login) is not None:
        raise taken
    row = Staff(login=login, password_hash=hashed, must_change=True, created_at=act.at)
    _fill(row, profile)
    session.add(row)
    try:
        session.flush()
    except IntegrityError:  # somebody was faster
        raise taken from None
    _note(session, act, "staff_added", row, roles=list(profile.roles))
    return row


def _fill(row: Staff, profile: Profile) -> None:
    for name, value in _values(profile).items():
        setattr(row, name, value)


def _values(profile: Profile) -> dict[str, Any]:
    return {
        "name": profile.name.strip(),
        "roles": _once(profile.roles),
        "phone_uri": profile.phone_uri,
        "skills": _once(profile.skills),
        "capacity": profile.capacity,
    }


def _once(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(word.strip() for word in words))


def _find(session: Session, login: str) -> Staff | None:
    return session.scalar(select(Staff).where(Staff.login == login))


def _known(session: Session, login: str) -> Staff:
    row = _find(session, login) if login.isprintable() else None
    if row is None:
        raise StaffError("staff_unknown", f"没有登录名 {login[:64]!r}")
    return row


def _check_other_administrator(session: Session, row: Staff) -> None:
    """Somebody must stay who can let others in. Locks: two must not switch each other off."""
    if not row.active or "administrator" not in row.roles:
        return
    active: Sequence[Staff] = session.scalars(
        select(Staff).where(Staff.active).order_by(Staff.id).with_for_update()
    ).all()
    if not any("administrator" in other.roles for other in active if other.id != row.id):
        raise StaffError("last_administrator", "这是最后一位管理员，停用以后就没有人能管理账号了")


def _note(session: Session, act: Act, action: str, row: Staff, **data: Any) -> None:
    audit.write(session, act.key, at=act.at, actor=act.by, action=action,
                target=f"staff:{row.login}", data=data)  # fmt: skip
