"""The rows of a turn's two transactions, without the ORM's unit of work.

Every turn goes through here, so statements are made once, rows are changed without being read, and
what the ORM would do for objects that live on is left out: it took half of a turn's time.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from sqlalchemy import (
    BindParameter,
    Connection,
    Insert,
    Row,
    Select,
    Table,
    Update,
    bindparam,
    exists,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Session

from bot.joined import SPOKEN
from store.locks import FOR_CHANGE
from store.tables import Conversation, Turn
from turns import wire
from turns.replies import Told

_TALKS, _TURNS = cast(Table, Conversation.__table__), cast(Table, Turn.__table__)
_OF: BindParameter[str] = bindparam("of_conversation")
_HEARD: BindParameter[str] = bindparam("of_heard")
_LATELY = 8


def _claimed() -> Any:
    return exists().where(_TURNS.c.conversation_id == _OF, _TURNS.c.answer_by.is_not(None))


def _last_told() -> Any:
    told = _TURNS.alias()
    return (
        select(told.c.seq)
        .where(told.c.conversation_id == _OF)
        .where(told.c.speaker != "citizen", told.c.kind != SPOKEN)
        .order_by(told.c.seq.desc())
        .limit(1)
        .scalar_subquery()
    )


def _of_turn(column: str) -> Any:
    own = _TURNS.alias()
    found = select(own.c[column]).where(own.c.conversation_id == _OF, own.c.heard == _HEARD)
    return found.scalar_subquery().label(column)


_FIND_TALK: Select[Any] = select(_TALKS, _claimed().label("claimed")).where(_TALKS.c.id == _OF)
_HOLD: Select[Any] = (
    select(_TALKS.c.id).where(_TALKS.c.id == _OF).with_for_update(**FOR_CHANGE)  # type: ignore[arg-type]  # a dict of its keywords
)
_FIND_LATELY: Select[Any] = (
    select(*(_TURNS.c[name] for name in
             ("speaker", "kind", "heard", "in_reply_to", "decision", "reply")))
    .where(_TURNS.c.conversation_id == _OF)
    .order_by(_TURNS.c.seq.desc())
    .limit(_LATELY)
)  # fmt: skip
_FIND_TURN: Select[Any] = select(
    _last_told().label("after"), _of_turn("answerer"), _of_turn("timings")
)
_ADD_TURN: Insert = insert(_TURNS)
_CHANGE_TURN: Update = update(_TURNS).where(
    _TURNS.c.conversation_id == _OF, _TURNS.c.heard == _HEARD
)
_CHANGE_TALK: Update = update(_TALKS).where(_TALKS.c.id == _OF)


def lately(session: Session, conversation: str) -> tuple[list[Row[Any]], bool]:
    """The latest few turns, newest first; whether these are all."""
    of = {"of_conversation": conversation}
    rows = list(session.connection().execute(_FIND_LATELY, of))
    return rows, len(rows) < _LATELY


def locked(session: Session, conversation: str) -> Conversation | None:
    """The conversation, for this transaction alone.

    What is written to one conversation is committed in the order of its ``seq``: readers go on
    behind the last one they saw, and would never see one that was numbered before and committed
    after it.
    """
    return session.get(Conversation, conversation, with_for_update=FOR_CHANGE)


def hold(session: Session, conversation: str) -> Connection:
    """The transaction's connection, with the conversation for this transaction alone.

    As :func:`locked`, for who need not read it: SQLite's writers stand in line anyway.
    """
    connection = session.connection()
    if connection.dialect.name != "sqlite":
        connection.execute(_HOLD, {"of_conversation": conversation})
    return connection


def find_talk(connection: Connection, conversation: str) -> Row[Any] | None:
    """The conversation's row, and whether a turn of it is ``claimed``: waits for an answer. None
    where there is none.

    Whoever must know what others do holds it first: only what is asked after that sees all of it.
    """
    return connection.execute(_FIND_TALK, {"of_conversation": conversation}).first()


def find_turn(connection: Connection, conversation: str, heard: str) -> Row[Any]:
    """``after``: the cursor of what was told last; a turn's ``answerer`` and ``timings``, None for
    no such turn.
    """
    of = {"of_conversation": conversation, "of_heard": heard}
    return connection.execute(_FIND_TURN, of).one()


def add_turn(connection: Connection, values: dict[str, Any]) -> int:
    """Add a turn; its ``seq``."""
    key = connection.execute(_ADD_TURN, values).inserted_primary_key
    assert key is not None  # noqa: S101  # one row was added, which mypy cannot see
    return int(key[0])


def add_told(connection: Connection, told: Told) -> Told:
    """Add what is told; it as it stands there, with its cursor."""
    values = {
        "conversation_id": told.conversation, "speaker": told.speaker, "kind": told.reply.type,
        "in_reply_to": told.in_reply_to, "last": told.last, "at": told.at,
        "text": getattr(told.reply, "text", ""), "reply": wire.dump(told.reply),
    }  # fmt: skip
    return replace(told, cursor=add_turn(connection, values))


def change_turn(
    connection: Connection, conversation: str, heard: str, changes: dict[str, Any]
) -> None:
    """Change a citizen's turn, where there is something to change."""
    if changes:
        of = {"of_conversation": conversation, "of_heard": heard}
        connection.execute(_CHANGE_TURN, of | changes)


def change_talk(connection: Connection, conversation: str, changes: dict[str, Any]) -> None:
    """Change the conversation, where there is something to change."""
    if changes:
        connection.execute(_CHANGE_TALK, {"of_conversation": conversation} | changes)
