"""Who may do what: one table from roles to rights. Pure.

Least privilege: whoever writes answers need not see citizens, and whoever manages accounts and
reads the audit sees no orders either, unless they are also something else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum


class Right(StrEnum):
    """What a route may ask for."""

    SEE_ORDERS = "see_orders"
    """Orders, conversations and transcripts: citizens' personal data."""
    SEE_SECRET = "see_secret"  # noqa: S105  # a right, no password
    """Who reported (是否保密), also in orders that are not one's own."""
    CHANGE_ORDERS = "change_orders"
    """Take a step in an order's life, edit and confirm its fields."""
    CREATE_ORDERS = "create_orders"
    """Write a new order without a conversation: another system's."""
    SUPERVISE = "supervise"
    """督办, 提级, deciding disputes; acknowledging alarms on the wall."""
    EXPORT_ORDERS = "export_orders"
    """Take lists of orders along, personal data masked."""
    EXPORT_PERSONAL = "export_personal"
    """The same, names and numbers included."""
    SEE_WALL = "see_wall"
    """The supervisor's wall; everybody who sees orders may see a small one."""
    HEAR_RECORDINGS = "hear_recordings"
    REPLY = "reply"
    TAKE_HANDOFFS = "take_handoffs"
    """The agent's desk: citizens who want a person are offered to its owner."""
    MANAGE_STAFF = "manage_staff"
    SEE_AUDIT = "see_audit"
    SEE_KNOWLEDGE = "see_knowledge"
    EDIT_KNOWLEDGE = "edit_knowledge"
    APPROVE_KNOWLEDGE = "approve_knowledge"
    """Approve what somebody else wrote, publish it, take it back."""


_DESK = frozenset({
    Right.SEE_ORDERS, Right.CHANGE_ORDERS, Right.EXPORT_ORDERS, Right.HEAR_RECORDINGS, Right.REPLY,
    Right.TAKE_HANDOFFS,
})  # fmt: skip
_LEADING = frozenset({
    Right.SEE_SECRET, Right.CREATE_ORDERS, Right.SUPERVISE, Right.EXPORT_PERSONAL, Right.SEE_WALL,
})  # fmt: skip

_EDITOR = frozenset({Right.SEE_KNOWLEDGE, Right.EDIT_KNOWLEDGE})

RIGHTS: Mapping[str, frozenset[Right]] = {
    "agent": _DESK,
    "editor": _EDITOR,
    "approver": _EDITOR | {Right.APPROVE_KNOWLEDGE},
    "supervisor": _DESK | _LEADING | {Right.SEE_AUDIT, Right.SEE_KNOWLEDGE},
    "administrator": frozenset({Right.MANAGE_STAFF, Right.SEE_AUDIT}),
}


def rights_of(roles: Iterable[str]) -> frozenset[Right]:
    """All that somebody with these roles may do; an unknown role gives nothing."""
    return frozenset().union(*(RIGHTS.get(role, frozenset()) for role in roles))
