"""From an identity of the single sign-on to a member of the staff.

Somebody is known by the identity that an administrator linked, or that made their account. An
account is made only for who brings a role of ours; nothing is linked by a login's mere likeness,
and who is switched off here stays out.
"""

from __future__ import annotations

import secrets

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from handoff.passwords import hash_password
from handoff.profile import Profile, StaffError
from handoff.staff import Act, add_from_sign_on
from store import audit
from store.engine import writing
from store.tables import Staff
from web.accounts import Member, member_of
from web.oidc import Identity, SignOnError

ACTOR = "single-sign-on"


def take_identity(engine: Engine, identity: Identity, act: Act) -> Member:
    """The member behind an identity; raises :class:`web.oidc.SignOnError` ``sign_on_unknown``.

    A refusal is written down as well.
    """
    unusable = hash_password(secrets.token_urlsafe(32))
    with writing(engine) as session:
        row = session.scalar(select(Staff).where(Staff.subject == identity.subject))
        row = row or _new(session, identity, act)
        if row is None or not row.active:
            _note(session, act, row.login if row else ACTOR, "sign_on_refused")
            row = None
        else:
            if row.must_change:  # the password another gave is of no use any more
                row.password_hash, row.must_change = unusable, False
            _note(session, act, row.login, "sign_on")
    if row is None:
        raise SignOnError("sign_on_unknown", "nobody of the staff")
    return member_of(row)


def _new(session: Session, identity: Identity, act: Act) -> Staff | None:
    if not identity.roles:
        return None
    profile = Profile(identity.name, identity.roles)
    try:
        return add_from_sign_on(session, act, identity.login, profile, identity.subject)
    except StaffError:
        return None  # the login is taken or unusable: an administrator links or adds them


def _note(session: Session, act: Act, actor: str, action: str) -> None:
    audit.write(session, act.key, at=act.at, actor=actor, action=action, target="staff")
