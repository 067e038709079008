"""What a citizen chose of the options they were offered: a click, or a number for who has none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Engine, select

from bot.actions.words import ordinal
from chat.wechat import menus
from language.normal import for_matching
from store.engine import reading
from store.tables import Turn
from turns.heard import Heard
from turns.replies import Ask, Option
from turns.wire import WireError, load_reply

_NUMBERS = "一二三四五六七八九十"
_NUMBER = re.compile(
    r"(?:我?(?:要|选|选择)|就|第)*(?P<n>10|[1-9]|[一二三四五六七八九十两])(?:个|项|号|条|种)?(?:那个|吧|的)*"
)
_LONGEST_LABEL = menus.LABEL_BYTES
_LONGEST = 12
"""Characters; who writes more, and no option's own words, says something."""


def picked(text: str, options: Sequence[Option]) -> Option | None:
    """The option that ``text`` names, or means by its number: 1, １., 一, 第一个, 选1. Pure."""
    bare = for_matching(text)
    named = next((option for option in options if for_matching(option.label) == bare), None)
    if named is not None and bare:
        return named
    if not options or len(bare) > _LONGEST:
        return None
    found = _NUMBER.fullmatch(bare)
    place = _number(found["n"]) - 1 if found else ordinal(text, len(options))
    return options[place] if place is not None and place < len(options) else None


def _number(text: str) -> int:
    if text.isdecimal():
        return int(text)
    return 2 if text == "两" else _NUMBERS.index(text) + 1


def chosen(engine: Engine, heard: Heard, menu_id: str) -> Heard:
    """``heard``, or the choice that it is: by the line of the ``msgmenu`` that was clicked, or by
    the words or the number of an option of the question that stands. A click brings the option's
    words too, and not everybody's brings its id
    (https://developers.weixin.qq.com/community/develop/article/doc/0006a258ac49883ee1b4885146b413).
    Synchronous; raises SQLAlchemyError.
    """
    if heard.kind != "text" or heard.attachments:
        return heard
    option = menus.chosen(engine, heard.conversation, menu_id) if menu_id else None
    if option is None and len(heard.text) <= _LONGEST_LABEL:
        option = picked(heard.text, offered(engine, heard.conversation))
    return heard if option is None else replace(heard, kind="choice", text=option.value)


def offered(engine: Engine, conversation: str) -> tuple[Option, ...]:
    """The options of the question that was told last and nobody has answered."""
    with reading(engine) as session:
        row = session.scalar(
            select(Turn)
            .where(Turn.conversation_id == conversation)
            .where(Turn.kind.in_(("say", "ask", "text", "choice", "speech")))
            .order_by(Turn.seq.desc())
            .limit(1)
        )
        dumped = row.reply if row is not None and row.kind == "ask" else None
    if not dumped:
        return ()
    try:
        reply = load_reply(dumped)
    except WireError:
        return ()
    return reply.options if isinstance(reply, Ask) else ()
