"""What citizens of WeChat have been told, and what they may still be sent. Synchronous.

Whoever tells a citizen anything claims their row first, for a while; every step after that asks
whether the claim still stands, so that a process that was thought dead does no harm. A message is
counted before it is sent, and the cursor moved after: who dies between the two sends that one
message again, and never loses any.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Engine, and_, exists, or_, select
from sqlalchemy.orm import Session

from bot.history import told_after
from bot.joined import SPOKEN
from chat.wechat import quota as quotas
from chat.wechat.merging import Place
from chat.wechat.quota import Quota
from store.engine import reading, writing
from store.locks import FOR_CHANGE
from store.tables import Conversation, Turn, WechatCitizen
from turns.replies import Told

MOST = 40
"""Things told that one look reads; the next look reads on."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One citizen, claimed by ``by``: how far they were told, and what they may be sent.

    ``state`` is the conversation's: bot, waiting, agent or ended. ``tries``: failures in a row.
    """

    citizen: str
    by: str
    openid: str
    conversation: str
    place: Place
    quota: Quota
    state: str
    tries: int = 0

    def __repr__(self) -> str:
        """Nothing that a log could leak."""
        return f"Claim(citizen={self.citizen!r})"


def due(engine: Engine, now: datetime, limit: int) -> tuple[str, ...]:
    """Citizens with something untold whom anything may be sent, the longest waiting first."""
    query = select(WechatCitizen.id).where(_due(now)).order_by(WechatCitizen.changed_at)
    with reading(engine) as session:
        return tuple(session.scalars(query.limit(limit)))


def due_in(engine: Engine, conversation: str, now: datetime) -> str | None:
    """The citizen of that conversation, where something is untold and may be sent now."""
    query = select(WechatCitizen.id).where(WechatCitizen.conversation_id == conversation, _due(now))
    with reading(engine) as session:
        return session.scalar(query)


def _due(now: datetime) -> ColumnElement[bool]:
    told = exists().where(
        Turn.conversation_id == WechatCitizen.conversation_id, Turn.seq > WechatCitizen.cursor,
        Turn.speaker != "citizen", Turn.kind != SPOKEN,
    )  # fmt: skip
    return and_(_open(now), _free(now), WechatCitizen.subscribed, told)


def _open(now: datetime) -> ColumnElement[bool]:
    citizen = WechatCitizen
    return or_(
        and_(citizen.left > 0, citizen.window_until > now),
        and_(citizen.click_left > 0, citizen.click_until > now),
    )


def _free(now: datetime) -> ColumnElement[bool]:
    citizen = WechatCitizen
    return and_(
        or_(
            citizen.claimed_until.is_(None), citizen.claimed_until <= now, citizen.claimed_by == ""
        ),
        or_(citizen.next_at.is_(None), citizen.next_at <= now),
    )


def openid_of(engine: Engine, conversation: str) -> str:
    """Whom to show something in that conversation; '' where nobody follows the account."""
    query = select(WechatCitizen).where(
        WechatCitizen.conversation_id == conversation, WechatCitizen.subscribed
    )
    with reading(engine) as session:
        row = session.scalar(query)
        return row.openid if row is not None else ""


def claim(engine: Engine, citizen: str, by: str, now: datetime, lease: timedelta) -> Claim | None:
    """Claim the citizen for ``lease``; None where somebody else has them, or they have to wait.

    And where there is nobody of that id, or they follow the account no more.
    """
    with writing(engine) as session:
        row = session.get(WechatCitizen, citizen, with_for_update=FOR_CHANGE)
        if row is None or not row.subscribed or (row.next_at is not None and row.next_at > now):
            return None
        taken = row.claimed_by and row.claimed_until is not None and row.claimed_until > now
        if taken and row.claimed_by != by:
            return None
        row.claimed_by, row.claimed_until = by, now + lease
        talk = session.get(Conversation, row.conversation_id)
        return _claim(row, by, talk.state if talk else "ended")


def _claim(row: WechatCitizen, by: str, state: str) -> Claim:
    return Claim(
        row.id, by, row.openid, row.conversation_id, Place(row.cursor, row.part), _quota(row),
        state, row.tries,
    )  # fmt: skip


def _quota(row: WechatCitizen) -> Quota:
    return Quota(row.window_until, row.left, row.click_until, row.click_left)


def _put(row: WechatCitizen, quota: Quota) -> None:
    row.window_until, row.left = quota.window_until, quota.left
    row.click_until, row.click_left = quota.click_until, quota.click_left


def untold(engine: Engine, claimed: Claim) -> tuple[Told, ...]:
    """What the citizen was not, or not wholly, told yet, in order; at most ``MOST``."""
    return told_after(engine, claimed.conversation, claimed.place.cursor)[:MOST]


def _held(session: Session, claimed: Claim) -> WechatCitizen | None:
    """The row, where the claim still stands and is about the same conversation."""
    row = session.get(WechatCitizen, claimed.citizen, with_for_update=FOR_CHANGE)
    if row is None or row.claimed_by != claimed.by:
        return None
    return row if row.conversation_id == claimed.conversation else None


def as_it_stands(engine: Engine, claimed: Claim) -> Claim | None:
    """The claim with what is left now; None where it is lost."""
    with reading(engine) as session:
        row = session.get(WechatCitizen, claimed.citizen)
        if row is None or row.claimed_by != claimed.by:
            return None
        return replace(claimed, quota=_quota(row), place=Place(row.cursor, row.part))


def count(engine: Engine, claimed: Claim, now: datetime, lease: timedelta) -> Claim | None:
    """Count one message before it is sent; None where the claim is lost or nothing is left."""
    with writing(engine) as session:
        row = _held(session, claimed)
        if row is None or not _quota(row).available(now):
            return None
        _put(row, quotas.spent(_quota(row)))
        row.claimed_until = now + lease
        return replace(claimed, quota=_quota(row))


def told(engine: Engine, claimed: Claim, place: Place, now: datetime) -> Claim | None:
    """The citizen was told all up to ``place``; None where the claim is lost."""
    with writing(engine) as session:
        row = _held(session, claimed)
        if row is None:
            return None
        place = max(place, Place(row.cursor, row.part))
        row.cursor, row.part, row.tries, row.changed_at = place.cursor, place.part, 0, now
        return replace(claimed, place=place, quota=_quota(row), tries=0)


def not_sent(engine: Engine, claimed: Claim, before: Quota) -> None:
    """The message that was counted has certainly not been sent; ``before`` was left then."""
    with writing(engine) as session:
        row = _held(session, claimed)
        if row is not None:
            _put(row, quotas.given_back(_quota(row), before))


def refused(engine: Engine, claimed: Claim, code: str, now: datetime, asked: datetime) -> None:
    """The platform says why this citizen cannot be sent anything: until they do something.

    ``asked``: when the message was given to it. What they did since counts, the refusal no more.
    """
    with writing(engine) as session:
        row = _held(session, claimed)
        if row is None or row.changed_at > asked:
            return
        match code:
            case "window_over":
                _put(row, quotas.closed(_quota(row), now))
            case "quota_of_messages":
                _put(row, quotas.exhausted(_quota(row)))
            case "unsubscribed" | "openid_invalid":
                row.subscribed = False
        row.changed_at = now


def release(
    engine: Engine, claimed: Claim, *, next_at: datetime | None = None, failed: bool = False
) -> None:
    """Let go of the citizen; nobody looks at them before ``next_at``."""
    with writing(engine) as session:
        row = session.get(WechatCitizen, claimed.citizen, with_for_update=FOR_CHANGE)
        if row is None or row.claimed_by != claimed.by:
            return
        row.claimed_by, row.claimed_until = "", None
        if row.conversation_id == claimed.conversation:
            row.next_at = next_at
            row.tries += failed
