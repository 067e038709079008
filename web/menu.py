"""Which pages somebody finds in the menu, and where they start. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from web.accounts import Member
from web.rights import Right

ACCOUNT = "/staff/account"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; everything below ``path`` belongs to it."""

    path: str
    label: str
    right: Right


DESK = "/desk"
MENU = (
    Entry(DESK, "坐席台", Right.TAKE_HANDOFFS),
    Entry("/orders", "工单", Right.SEE_ORDERS),
    Entry("/wall", "大屏", Right.SEE_WALL),
    Entry("/knowledge", "知识", Right.SEE_KNOWLEDGE),
    Entry("/staff/people", "人员", Right.MANAGE_STAFF),
    Entry("/staff/audit", "操作记录", Right.SEE_AUDIT),
)


def menu_of(member: Member | None) -> tuple[Entry, ...]:
    """What the member may open; nothing before the password is their own."""
    if member is None or member.must_change:
        return ()
    return tuple(entry for entry in MENU if entry.right in member.rights)


def start_of(member: Member) -> str:
    """Where to go after signing in: the desk is for those whose work it is."""
    entries = [one for one in menu_of(member) if one.path != DESK or "agent" in member.roles]
    return entries[0].path if entries else ACCOUNT
