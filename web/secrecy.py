"""是否保密: who may see who reported. Whoever need not know reads 保密 instead.

The city's rules name the roles that may; an agent may while the order is theirs, was theirs, waits
in the pool where they could be offered it, or while they call its citizen back. Another system
needs the right ``see_secret``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement, and_, or_, select, true
from sqlalchemy.orm import Session

from config.links import CALLER_FIELDS as CALLER_FIELDS
from config.orders import OrderRules
from handoff.order.veiled import veils
from handoff.repeats import Earlier
from handoff.veil import Veil
from store.tables import Callback, Conversation, HandoffEntry, WorkOrder
from web.accounts import Member
from web.rights import Right

HIDDEN = "保密"
_POOL = ("waiting", "offered")


def sees_all(member: Member, rules: OrderRules) -> bool:
    """Whether ``member`` sees who reported whatever the order."""
    if member.roles:
        return rules.may_see_caller(secret=True, roles=member.roles)
    return Right.SEE_SECRET in member.rights


def open_to(member: Member, rules: OrderRules) -> ColumnElement[bool]:
    """The orders of which ``member`` may see who reported, as a condition."""
    if sees_all(member, rules):
        return true()
    plain = WorkOrder.secret.is_(False)
    return or_(plain, _own(member.login)) if rules.secrecy.own and member.roles else plain


def knows(session: Session, order: str, member: Member, rules: OrderRules) -> bool:
    """Whether ``member`` may see who reported the order of that id."""
    asked = select(WorkOrder.id).where(WorkOrder.id == order, open_to(member, rules))
    return session.scalar(asked) is not None


def knows_conversation(
    session: Session, conversation: str, member: Member, rules: OrderRules
) -> bool:
    """Whether ``member`` may read and hear a conversation: all its orders are open to them."""
    closed = select(WorkOrder.id).where(
        WorkOrder.conversation_id == conversation, ~open_to(member, rules)
    )
    return session.scalar(closed.limit(1)) is None


def known_to(
    session: Session, found: Sequence[Earlier], open_: Collection[str]
) -> tuple[Earlier, ...]:
    """Of ``found`` what may be shown where only the orders ``open_`` (ids) may tell who reported.

    Orders of the same place stay, behind their veil; those of the same person would name them.
    """
    closed = veils(session, [one.order for one in found if one.order not in open_])
    return tuple(
        _behind(closed[one.order], one) if one.order in closed else one
        for one in found
        if one.order in open_ or one.why == "place"
    )


def _behind(veil: Veil, one: Earlier) -> Earlier:
    return replace(one, title=veil.over(one.title), summary=veil.over(one.summary))


def _own(login: str) -> ColumnElement[bool]:
    """Theirs, once theirs, theirs to call back, or in the pool: nobody's yet."""
    called = select(Callback.order_id).where(Callback.agent == login)
    handled = select(HandoffEntry.order_id).where(HandoffEntry.agent == login)
    pool = (
        select(HandoffEntry.order_id)
        .join(Conversation, Conversation.id == HandoffEntry.conversation_id)
        .where(HandoffEntry.state.in_(_POOL), Conversation.state != "ended")
    )
    nobodys = and_(WorkOrder.agent == "", WorkOrder.id.in_(pool))
    mine = WorkOrder.id.in_(handled) | WorkOrder.id.in_(called)
    return or_(WorkOrder.agent == login, mine, nobodys)
