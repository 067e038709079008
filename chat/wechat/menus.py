"""Options as things to click (``msgmenu``), and what a click means when it comes back.

A click comes back as a text message with the option's label and ``bizmsgmenuid``, the id that we
gave it: the number of the turn that asked, and the option's place in it. So nothing is kept for it,
and a click on an old menu still means what it meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine

from chat.wechat.messages import Choice, Menu, size
from config.wechat import Button
from store.engine import reading
from store.tables import Turn
from turns.replies import Ask, Option
from turns.wire import WireError, load_reply

if TYPE_CHECKING:
    from chat.wechat.merging import Piece

HEAD_BYTES = 1024
"""Of the words above a menu. The platform names no limit; half a text's is well inside."""
HEAD = "请选择："
"""Above a menu whose question was told before."""
MOST = 10
LABEL_BYTES = 60
_PLACES = 2
_LONGEST_ID = 16


def possible(text: str, options: Sequence[Option]) -> bool:
    """Whether these options can be a menu; the words before them can always be told apart."""
    labels = all(0 < size(option.label) <= LABEL_BYTES for option in options)
    return bool(text) and 0 < len(options) <= MOST and labels


def menu(head: str, piece: Piece) -> Menu:
    """The menu of a question with ``head`` above it."""
    choices = (
        Choice(menu_id(piece.cursor, n), option.label) for n, option in enumerate(piece.options)
    )
    return Menu(head, tuple(choices))


def menu_id(cursor: int, index: int) -> str:
    """The id of the option at ``index`` (from 0) of the question at ``cursor``; digits only."""
    return f"{cursor}{index:0{_PLACES}d}"


def account_menu(buttons: Sequence[Button]) -> dict[str, Any]:
    """The account's own menu (自定义菜单) as the platform takes it."""
    return {"button": [_button(button) for button in buttons]}


def _button(button: Button) -> dict[str, Any]:
    if button.buttons:
        return {"name": button.name, "sub_button": [_button(each) for each in button.buttons]}
    if button.url:
        return {"type": "view", "name": button.name, "url": button.url}
    return {"type": "click", "name": button.name, "key": button.key}


def chosen(engine: Engine, conversation: str, clicked: str) -> Option | None:
    """What a click on ``clicked`` in this conversation means; None where it is none of ours.

    Synchronous. The value of what is returned is a ``Heard`` of kind ``choice``.
    """
    if not (clicked.isascii() and clicked.isdigit() and _PLACES < len(clicked) <= _LONGEST_ID):
        return None
    cursor, index = int(clicked[:-_PLACES]), int(clicked[-_PLACES:])
    if cursor >= 2**31:  # beyond PostgreSQL's integers
        return None
    with reading(engine) as session:
        turn = session.get(Turn, cursor)
        if turn is None or turn.conversation_id != conversation or turn.speaker == "citizen":
            return None
        dumped = turn.reply
    try:
        reply = load_reply(dumped)
    except WireError:
        return None
    if not isinstance(reply, Ask) or index >= len(reply.options):
        return None
    return reply.options[index]
