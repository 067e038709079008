"""Several things told, merged into the few messages that are left. Pure.

What was told stands in order, each with the cursor behind it; what does not fit is neither dropped
nor shortened: a place (cursor and characters) says where the next messages go on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from chat.wechat import menus
from chat.wechat.messages import TEXT_BYTES, Message, News, Text, size
from chat.wechat.splitting import cut, cut_anywhere, links
from turns.replies import Ask, Option, Say, Told

GAP = "\n\n"
"""Between two things told that share a message."""
CARD_TITLE = 32
"""Characters of a card's title; a longer one is cut off by the telephone."""
CARD_TEXT = 120
"""What is told beside a link is a card's text up to so many characters."""
_GO_ON = re.compile("(?:请)?(?:继续|接着|往下|更多|还有呢|下一页)(?:看|说|讲|发)?(?:吧|呀|啊)?")
_LITTLE = 60
"""Bytes: a smaller rest of a message is not begun with the next thing told."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """How far a citizen has been told: all up to ``cursor``, and ``part`` characters of the next.

    The characters are those of :attr:`Piece.lines`.
    """

    cursor: int = 0
    part: int = 0


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing told, ending at ``cursor``; ``text`` '' has nothing to show."""

    cursor: int
    text: str = ""
    options: tuple[Option, ...] = ()

    @property
    def lines(self) -> str:
        """As a plain text, with its options numbered."""
        numbered = (f"{n}. {option.label}" for n, option in enumerate(self.options, 1))
        return "\n".join((self.text, *numbered)).strip()


@dataclass(frozen=True, slots=True)
class Style:
    """How to send. ``menus``, ``cards``: whether such may be sent; ``more``: what a message ends
    with where something is left for later ('' nothing); ``last``: what the last message says where
    it says all; ``pick``: what stands under numbered options. ``limit``: bytes of a text.
    """

    menus: bool = True
    cards: bool = True
    more: str = ""
    last: str = ""
    pick: str = ""
    limit: int = TEXT_BYTES


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message, and how far the citizen has been told once it is there."""

    message: Message
    place: Place


def pieces_of(told: Iterable[Told]) -> tuple[Piece, ...]:
    """What of the record is shown; what is not still moves the cursor on."""
    return tuple(_piece(item) for item in told)


def _piece(item: Told) -> Piece:
    match item.reply:
        case Say(text=text):
            return Piece(item.cursor, text.strip())
        case Ask(text=text, options=options):
            return Piece(item.cursor, text.strip(), options)
        case _:  # a hand-over's sentence and number stand in the Say before it
            return Piece(item.cursor)


def wants_more(text: str) -> bool:
    """Whether who was told that more follows wants it now: 继续."""
    return bool(_GO_ON.fullmatch(text.strip(" 。！!.~～“”\"'")))


def pack(
    pieces: Sequence[Piece], budget: int, start: Place, style: Style
) -> tuple[Outgoing, ...]:  # fmt: skip
    """At most ``budget`` messages that tell ``pieces`` from ``start`` on, in order.

    All of it where that is possible, each thing told in one piece if it can be. Empty where
    ``budget`` is 0 or nothing is to be shown; see :func:`silent` for the cursor then.
    """
    start = silent(pieces, start)
    shown = _shown(pieces, start)
    if budget <= 0 or not shown:
        return ()
    ends = pieces[-1].cursor
    for tight in (False, True):
        found = list(_Packing(shown, start, style, tight=tight).messages())
        if len(found) <= budget:
            return _with_end(_with_card(found, shown, start, style), ends)
    room = style.limit - size(style.more)
    found = list(_Packing(shown, start, style, tight=True, last=(budget, room)).messages())[:budget]
    found[-1] = _more(found[-1], style)
    return tuple(found)


def _shown(pieces: Sequence[Piece], start: Place) -> list[tuple[int, Piece]]:
    """What is to be shown, each with the cursor that stands right before it."""
    before, found = start.cursor, []
    for piece in pieces:
        if piece.cursor > start.cursor:
            if piece.lines:
                found.append((before, piece))
            before = piece.cursor
    return found


def silent(pieces: Sequence[Piece], start: Place) -> Place:
    """Where the cursor may go at once: behind what has nothing to show."""
    place = start
    for piece in pieces:
        told = place.part if place.part and piece.cursor > place.cursor else 0
        if len(piece.lines) > told:
            break
        place = Place(piece.cursor)
    return place


class _Packing:
    """One way through the pieces; ``last``: the number of a message with less room, and its room"""

    def __init__(
        self, pieces: Sequence[tuple[int, Piece]], start: Place, style: Style, *, tight: bool,
        last: tuple[int, int] = (0, 0),
    ) -> None:  # fmt: skip
        self._pieces = pieces
        self._start = start
        self._style = style
        self._tight = tight
        self._last = last
        self._text = ""
        self._place = start
        self._made = 0

    def messages(self) -> Iterator[Outgoing]:
        end = self._pieces[-1][1]
        for n, (before, piece) in enumerate(self._pieces):
            skip = self._start.part if n == 0 else 0
            if piece is end and self._is_menu(piece, skip):
                yield from self._menu(piece, before, skip)
                return
            yield from self._add(_numbered(piece, self._style)[skip:], piece.cursor, before, skip)
        if self._text:
            yield self._flush()

    def _is_menu(self, piece: Piece, skip: int) -> bool:
        fits = menus.possible(piece.text[skip:], piece.options)
        return self._style.menus and fits and skip <= len(piece.text)

    def _menu(self, piece: Piece, before: int, skip: int) -> Iterator[Outgoing]:
        text = piece.text[skip:]
        joined = f"{self._text}{GAP}{text}" if self._text else text
        if size(joined) > menus.HEAD_BYTES and self._text:
            yield self._flush()
            joined = text
        if size(joined) > menus.HEAD_BYTES:  # a question that long is told before its options
            yield from self._add(text, piece.cursor, before, skip)
            self._place = Place(before, len(piece.text))
            if self._text:
                yield self._flush()
            joined = menus.HEAD
        self._made += 1
        yield Outgoing(menus.menu(joined, piece), Place(piece.cursor))

    def _add(self, text: str, cursor: int, before: int, told: int) -> Iterator[Outgoing]:
        """Put ``text`` into messages; ``told`` characters of its piece came before it."""
        while text:
            gap = GAP if self._text else ""
            room = self._room() - size(self._text) - size(gap)
            if size(text) <= room:
                self._text += gap + text
                self._place = Place(cursor)
                return
            if self._text and (not self._tight or room < _LITTLE):
                yield self._flush()
                continue
            taken = cut(text, room) if self._text else cut_anywhere(text, room)
            if taken:
                self._text += gap + text[:taken].rstrip()
                text, told = text[taken:], told + taken
                self._place = Place(before, told)
            yield self._flush()

    def _room(self) -> int:
        number, room = self._last
        return room if number and self._made + 1 == number else self._style.limit

    def _flush(self) -> Outgoing:
        self._made += 1
        text, self._text = self._text, ""
        return Outgoing(Text(text), self._place)


def _numbered(piece: Piece, style: Style) -> str:
    return f"{piece.lines}\n{style.pick}" if piece.options and style.pick else piece.lines


def _more(outgoing: Outgoing, style: Style) -> Outgoing:
    """The last message of those that do not tell all says so."""
    match outgoing.message:
        case Text(content) if style.more:
            return replace(outgoing, message=Text(content + style.more))
        case _:
            return outgoing


def _with_end(found: list[Outgoing], ends: int) -> tuple[Outgoing, ...]:
    """What follows with nothing to show has been told with the last message."""
    return (*found[:-1], replace(found[-1], place=Place(ends)))


def _with_card(
    found: list[Outgoing], shown: Sequence[tuple[int, Piece]], start: Place, style: Style
) -> list[Outgoing]:
    """A short answer that is about one link is a card; and the last words where there are any."""
    only = shown[0][1] if len(shown) == 1 and not start.part else None
    card = card_of(only.text) if only and style.cards and not only.options else None
    if card is not None:
        found = [Outgoing(card, found[-1].place)]
    if style.last and isinstance(found[-1].message, Text):
        said = found[-1].message.content + style.last
        if size(said) <= style.limit:
            found = [*found[:-1], replace(found[-1], message=Text(said))]
    return found


def card_of(text: str) -> News | None:
    """The card for a text that says little beside one link; None where it is another text."""
    found = links(text)
    if len(found) != 1 or "<a " in text:
        return None
    words = text.replace(found[0], "").strip(" \n：:，,（）()<>")
    if not words or len(words) > CARD_TEXT:
        return None
    first = cut(words, size(words[:CARD_TITLE]))
    title = words[:first].strip(" \n：:，,。；")
    return News(title, found[0], words[first:].strip()) if title else None
