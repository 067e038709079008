"""Users of the account in the database: who writes, in which conversation, what they got at once.

Each function is one transaction, synchronous. Whoever answers passively claims the row as whoever
pushes does (:mod:`chat.wechat.ledger`); the claim is a door's, which any other door may take over,
for only what stands behind the cursor is told, under the row's lock.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, func, select
from sqlalchemy.orm import Session

from chat.wechat import quota
from chat.wechat.incoming import CHANNEL, Incoming
from chat.wechat.merging import Place
from chat.wechat.quota import Quota, Rules
from store.engine import reading, writing
from store.locks import one_at_a_time
from store.marks import marks_of
from store.tables import (
    Conversation,
    Turn,
    WechatCitizen,
    WechatMedia,
    WechatReply,
    wechat_identity,
)

PREFIX = f"{CHANNEL}-"
"""What the ids of WeChat's conversations begin with."""
CLAIM = timedelta(seconds=7)
"""A door is done with a request before that."""
QUIET = timedelta(hours=24)
"""Who was silent for so long, and waits for nobody, begins a new conversation."""
LATE = timedelta(seconds=4)
"""A retry so long after the first try stands in for it: that one was cut off."""
DOOR = "door:"
"""What a door's claim begins with; its message's id follows."""


@dataclass(frozen=True, slots=True)
class Known:
    """A request that is written down: whose it is, in which conversation, what was answered.

    ``body`` None: nobody has decided that yet. ``state`` is the conversation's. ``ours``: this is
    the first try, or stands in for it.
    """

    citizen: str
    conversation: str
    state: str
    place: Place
    made_at: datetime
    body: str | None = None
    ours: bool = True


@dataclass(frozen=True, slots=True)
class Unopened:
    """There is no conversation to write it down in: open this one, and come again."""

    conversation: str


def identity_of(incoming: Incoming) -> str:
    """Who the conversation's citizen is."""
    return wechat_identity(incoming.account, incoming.openid)


def enter(engine: Engine, incoming: Incoming, now: datetime, rules: Rules) -> Known | Unopened:
    """Write down that ``incoming`` came, what it allows us to send, and that a door is at work.

    As often as it comes. Raises SQLAlchemyError, OSError (the key of the marks).
    """
    marks = _marks(engine, incoming)
    with writing(engine) as session:
        one_at_a_time(session, f"wechat {marks[0]}")
        row = _row(session, marks)
        reply = session.get(WechatReply, incoming.id)
        if row is not None and reply is not None:
            return _again(session, row, reply, incoming, now)
        talk = _talk(session, row, marks[0], now)
        if isinstance(talk, str):
            return Unopened(talk)
        row = _placed(session, row, marks[0], talk, incoming, now)
        _grant(row, incoming, now, rules, fresh=True)
        _claim(row, incoming, now)
        reply = WechatReply(id=incoming.id, conversation_id=talk.id, body=None, made_at=now)
        session.add(reply)
        if incoming.media:
            session.add(_media(incoming, talk.id, now))
        return _known(row, reply, talk.state)


def _marks(engine: Engine, incoming: Incoming) -> tuple[str, ...]:
    """Under which the citizen may be found; a digest where the engine makes no marks."""
    who = identity_of(incoming)
    return marks_of(engine, who) or (f"d1.{hashlib.sha256(who.encode()).hexdigest()[:40]}",)


def _row(session: Session, marks: tuple[str, ...]) -> WechatCitizen | None:
    wanted = select(WechatCitizen).where(WechatCitizen.openid_mark.in_(marks))
    return session.scalar(wanted.limit(1).with_for_update(key_share=True))


def _again(
    session: Session, row: WechatCitizen, reply: WechatReply, incoming: Incoming, now: datetime
) -> Known:
    talk = session.get(Conversation, reply.conversation_id)
    if reply.body is None:
        _claim(row, incoming, now)
    ours = now - reply.made_at >= LATE
    return _known(row, reply, talk.state if talk else "ended", ours=ours)


def _known(row: WechatCitizen, reply: WechatReply, state: str, *, ours: bool = True) -> Known:
    return Known(
        row.id, reply.conversation_id, state, Place(row.cursor, row.part), reply.made_at,
        reply.body, ours,
    )  # fmt: skip


def _talk(
    session: Session, row: WechatCitizen | None, mark: str, now: datetime
) -> Conversation | str:
    """The conversation that goes on, else the id of the next one.

    The ids follow from the mark, so that several processes open the same one.
    """
    if row is not None:
        talk = session.get(Conversation, row.conversation_id)
        if talk is not None and not _is_over(session, talk, row.cursor, now):
            return talk
    stem = PREFIX + hashlib.sha256(mark.encode()).hexdigest()[:24]
    number = 1
    while (talk := session.get(Conversation, f"{stem}.{number}")) is not None:
        if not _is_over(session, talk, 0, now):
            return talk
        number += 1
    return f"{stem}.{number}"


def _is_over(session: Session, talk: Conversation, cursor: int, now: datetime) -> bool:
    """Whether the next message begins another one; not while something is untold."""
    if talk.state == "ended" or talk.erased_at is not None:
        return True
    if talk.state != "bot":
        return False
    said = select(func.max(Turn.at)).where(Turn.conversation_id == talk.id)
    if now - (session.scalar(said) or talk.started_at) < QUIET:
        return False
    untold = select(Turn.seq).where(
        Turn.conversation_id == talk.id, Turn.seq > cursor, Turn.speaker != "citizen",
        Turn.kind.in_(("say", "ask")),
    )  # fmt: skip
    return cursor == 0 or session.scalar(untold.limit(1)) is None


def _placed(
    session: Session, row: WechatCitizen | None, mark: str, talk: Conversation,
    incoming: Incoming, now: datetime,
) -> WechatCitizen:  # fmt: skip
    """The citizen's row, in that conversation."""
    if row is None:
        row = WechatCitizen(
            id=secrets.token_hex(12), openid_mark=mark, openid=incoming.openid,
            account=incoming.account, conversation_id=talk.id, cursor=0, part=0, left=0,
            click_left=0, tries=0, claimed_by="", changed_at=now,
        )  # fmt: skip
        session.add(row)
    elif row.conversation_id != talk.id:
        row.conversation_id, row.cursor, row.part = talk.id, 0, 0
    row.subscribed, row.changed_at, row.next_at = True, now, None
    return row


def _grant(
    row: WechatCitizen, incoming: Incoming, now: datetime, rules: Rules, *, fresh: bool = False
) -> None:
    if incoming.deed is None:
        return
    before = Quota(row.window_until, row.left, row.click_until, row.click_left)
    after = quota.granted(before, incoming.deed, incoming.at, now, rules, fresh=fresh)
    row.window_until, row.left = after.window_until, after.left
    row.click_until, row.click_left = after.click_until, after.click_left


def _claim(row: WechatCitizen, incoming: Incoming, now: datetime) -> None:
    """Nobody pushes what may be answered at once; who is pushing goes on."""
    if not is_pushed(row, now):
        row.claimed_by, row.claimed_until = f"{DOOR}{incoming.id}", now + CLAIM


def is_pushed(row: WechatCitizen, now: datetime) -> bool:
    """Whether somebody pushes to the citizen just now."""
    free = row.claimed_until is None or row.claimed_until <= now
    return bool(row.claimed_by) and not row.claimed_by.startswith(DOOR) and not free


def _media(incoming: Incoming, conversation: str, now: datetime) -> WechatMedia:
    return WechatMedia(
        id=incoming.id, conversation_id=conversation, kind=incoming.media,
        media_id=incoming.media_id, format=incoming.format, next_at=now, at=incoming.at,
    )  # fmt: skip


def touch(engine: Engine, incoming: Incoming, now: datetime, rules: Rules) -> None:
    """Note what a deed allows of who is known already; an unsubscription. Nobody else is noted."""
    marks = _marks(engine, incoming)
    with writing(engine) as session:
        row = _row(session, marks)
        if row is None:
            return
        _grant(row, incoming, now, rules)
        if incoming.event == "unsubscribe":
            row.subscribed, row.changed_at = False, now


def is_answered(engine: Engine, conversation: str, heard: str) -> bool:
    """Whether something was told in answer to ``heard``."""
    wanted = select(Turn.seq).where(
        Turn.conversation_id == conversation, Turn.in_reply_to == heard, Turn.speaker != "citizen"
    )
    with reading(engine) as session:
        return session.scalar(wanted.limit(1)) is not None


def is_new(engine: Engine, conversation: str) -> bool:
    """Whether nothing stands in the conversation but its greeting."""
    wanted = select(Turn.seq).where(Turn.conversation_id == conversation)
    with reading(engine) as session:
        return len(session.scalars(wanted.limit(2)).all()) < 2


def forget_replies(engine: Engine, before: datetime) -> int:
    """Delete what retries would get that can come no more; how many."""
    with writing(engine) as session:
        old = session.scalars(select(WechatReply.id).where(WechatReply.made_at < before)).all()
        session.execute(delete(WechatReply).where(WechatReply.id.in_(old)))
    return len(old)
