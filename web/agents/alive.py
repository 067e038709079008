"""How long a desk may be silent, and how its session is kept alive by what its agent does.

A WebSocket cannot set a cookie after its handshake. So the desk gives its page a ticket whenever
the agent has done something; the page posts it, and gets its cookie dated anew. Nothing that a page
does by itself makes a ticket.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from itsdangerous import BadData

from chat.signing import serializer
from web.sessions import StaffSession

GONE_S = 30.0
"""A page that has sent nothing for so long is closed."""
TICKET_EVERY = timedelta(minutes=1)
TICKET_LASTS = timedelta(minutes=2)
CLOSED = {"not_signed_in": 4401, "idle": 4401, "right_missing": 4403, "form_expired": 4403,
          "password_must_change": 4403, "taken_over": 4409}  # fmt: skip
"""WebSocket close codes (4000 to 4999 are for applications, RFC 6455, 7.4.2)."""
_SALT = "qianmen.desk.alive"


def ticket(session: StaffSession, key: str, now: datetime) -> str:
    """Says that whoever has this session did something at ``now``."""
    return str(serializer(key, _SALT, now).dumps(session.nonce))


def fits(given: str, session: StaffSession, key: str, now: datetime) -> bool:
    """Whether the ticket is of this session, and fresh."""
    try:
        lasts = int(TICKET_LASTS.total_seconds())
        nonce = serializer(key, _SALT, now).loads(given, max_age=lasts)
    except BadData:
        return False
    return bool(nonce == session.nonce)
