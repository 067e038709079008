"""Whatever is told, in whatever few messages: none too long, nothing lost, nothing out of order."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from chat.wechat.merging import (
    Outgoing,
    Piece,
    Place,
    Style,
    card_of,
    pack,
    pieces_of,
    silent,
)
from chat.wechat.messages import Menu, Message, News, Text, size
from turns.replies import Ask, Bye, Handoff, Option, Say, Told

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
MORE = "\n（回复“继续”看余下的内容）"
STYLE = Style(more=MORE)
START = Place()
LONG = "提取住房公积金需要本人身份证原件、购房合同和首付款发票。" * 60


def shown(message: Message) -> str:
    match message:
        case Text(content):
            return content
        case News(title, url, description):
            return f"{title}{description}{url}"
        case Menu(head, choices, tail):
            numbered = "".join(f"{n}. {choice.content}" for n, choice in enumerate(choices, 1))
            return f"{head}{numbered}{tail}"
        case _:
            raise AssertionError


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


def whole(pieces: tuple[Piece, ...]) -> str:
    return squeezed("".join(piece.lines for piece in pieces))


def texts(plan: tuple[Outgoing, ...]) -> list[str]:
    return [shown(outgoing.message) for outgoing in plan]


def test_what_is_short_shares_a_message() -> None:
    pieces = (Piece(3, "您好。"), Piece(5, "需要身份证。"))
    plan = pack(pieces, 5, START, STYLE)
    assert texts(plan) == ["您好。\n\n需要身份证。"]
    assert plan[-1].place == Place(5)


def test_a_long_answer_is_cut_behind_a_sentence() -> None:
    plan = pack((Piece(7, LONG),), 5, START, STYLE)
    assert len(plan) == 3
    assert all(text.endswith("。") and size(text) <= 2048 for text in texts(plan))
    assert "".join(texts(plan)) == LONG
    assert [outgoing.place for outgoing in plan][-1] == Place(7)


def test_what_does_not_fit_is_said_to_follow_and_follows() -> None:
    pieces = (Piece(7, LONG), Piece(8, "还有别的问题吗？"))
    (first,) = pack(pieces, 1, START, STYLE)
    assert shown(first.message).endswith(MORE)
    assert first.place.cursor == 0
    rest = pack(pieces, 5, first.place, STYLE)
    told = shown(first.message).removesuffix(MORE) + "".join(texts(rest))
    assert squeezed(told) == whole(pieces)


def test_things_told_stay_whole_where_messages_are_left() -> None:
    one, two = "甲。" * 300, "乙。" * 300
    assert texts(pack((Piece(1, one), Piece(2, two)), 2, START, STYLE)) == [one, two]
    long = ("丙。" * 600, "丁。" * 200)
    tight = pack((Piece(1, long[0]), Piece(2, long[1])), 3, START, STYLE)
    assert len(tight) == 3


def test_the_question_at_the_end_is_a_menu() -> None:
    options = (Option("购房提取", "buy"), Option("租房提取", "rent"))
    pieces = (Piece(4, "公积金有几种提取。"), Piece(6, "您问的是哪一种？", options), Piece(7))
    (only,) = pack(pieces, 5, START, STYLE)
    assert isinstance(only.message, Menu)
    assert only.message.head == "公积金有几种提取。\n\n您问的是哪一种？"
    assert [(c.id, c.content) for c in only.message.choices] == [
        ("600", "购房提取"), ("601", "租房提取"),
    ]  # fmt: skip
    assert only.place == Place(7)


def test_without_menus_options_are_numbered() -> None:
    options = (Option("购房提取", "buy"), Option("租房提取", "rent"))
    plain = Style(menus=False, pick="回复数字选择。")
    (only,) = pack((Piece(6, "哪一种？", options),), 5, START, plain)
    assert only.message == Text("哪一种？\n1. 购房提取\n2. 租房提取\n回复数字选择。")


def test_a_question_asked_before_is_no_menu_any_more() -> None:
    options = (Option("是", "是"),)
    (only,) = pack((Piece(1, "对吗？", options), Piece(2, "好的。")), 5, START, STYLE)
    assert only.message == Text("对吗？\n1. 是\n\n好的。")


def test_a_question_too_long_for_a_menu_is_told_before_it() -> None:
    options = (Option("购房", "buy"),)
    pieces = (Piece(6, "这是很长的问题。" * 60, options),)
    plan = pack(pieces, 5, START, STYLE)
    assert isinstance(plan[-1].message, Menu)
    assert plan[-1].message.head == "请选择："
    rest = pack(pieces, 5, plan[0].place, STYLE)  # it died between the two
    assert shown(rest[0].message).strip() == "1. 购房"


def test_a_link_is_a_card() -> None:
    card = card_of("办事指南：https://12345.example.gov.cn/a?b=1&c=2")
    assert card == News("办事指南", "https://12345.example.gov.cn/a?b=1&c=2")
    assert card_of("没有链接的话。") is None
    assert card_of("一个 https://a.cn 两个 https://b.cn") is None
    assert card_of("https://a.cn") is None
    assert card_of("长" * 200 + "https://a.cn") is None
    (only,) = pack((Piece(1, "办事指南：https://a.example.cn/x"),), 5, START, STYLE)
    assert isinstance(only.message, News)
    (plain,) = pack((Piece(1, "办事指南：https://a.example.cn/x"),), 5, START, Style(cards=False))
    assert isinstance(plain.message, Text)


def test_what_is_not_shown_moves_the_cursor_only() -> None:
    told = (
        Told(4, "c", "bot", Handoff("h", "asked"), NOON),
        Told(5, "c", "bot", Bye("b"), NOON),
    )
    pieces = pieces_of(told)
    assert pack(pieces, 5, START, STYLE) == ()
    assert silent(pieces, START) == Place(5)
    more = pieces_of((*told, Told(6, "c", "bot", Say("s", "您好"), NOON)))
    assert silent(more, START) == Place(5)


def test_nothing_is_sent_where_nothing_is_left() -> None:
    assert pack((Piece(1, "您好"),), 0, START, STYLE) == ()
    assert pack((), 5, START, STYLE) == ()


def test_the_last_message_says_what_to_do() -> None:
    (only,) = pack((Piece(1, "坐席：您好。"),), 1, START, Style(last="\n请回复。"))
    assert only.message == Text("坐席：您好。\n请回复。")


def test_options_come_from_the_question() -> None:
    ask = Ask("a", "哪个？", (Option("一", "1"),))
    assert pieces_of((Told(9, "c", "bot", ask, NOON),)) == (Piece(9, "哪个？", ask.options),)


_CHARACTERS = st.one_of(
    st.sampled_from("的一是。！？，；\n 12ab…：“”👨‍👩‍👧👍🏽🇨🇳é"),
    st.characters(exclude_categories=("Cs", "Cc")),
)
_WORDS = st.one_of(
    st.text(_CHARACTERS, max_size=40),
    st.text("公积金提取。，", min_size=300, max_size=1500),
    st.sampled_from(["见 https://12345.example.gov.cn/guide?x=" + "9" * 50, "好的。", LONG]),
)
_OPTIONS = st.lists(
    st.sampled_from(["购房提取", "租房提取", "转人工", "项" * 15, "长" * 40]), max_size=12
)


@st.composite
def _pieces(draw: st.DrawFn) -> tuple[Piece, ...]:
    found, cursor = [], 0
    for text in draw(st.lists(_WORDS, max_size=6)):
        cursor += draw(st.integers(1, 3))
        labels = draw(_OPTIONS) if text.strip() else []
        options = tuple(Option(label, label) for label in labels)
        found.append(Piece(cursor, text.strip(), options))
    return tuple(found)


@settings(deadline=None)
@given(_pieces(), st.lists(st.integers(0, 6), min_size=1, max_size=8), st.booleans(), st.booleans())
def test_nothing_is_lost_and_no_message_too_long(
    pieces: tuple[Piece, ...], budgets: list[int], menus: bool, cards: bool
) -> None:
    style = Style(menus=menus, cards=cards, more=MORE)
    place, told = START, ""
    for budget in [*budgets, *[100] * 2]:
        left = tuple(piece for piece in pieces if piece.cursor > place.cursor)
        plan = pack(left, budget, place, style)
        assert len(plan) <= budget
        places = [outgoing.place for outgoing in plan]
        assert places == sorted(set(places)), "each message leads further"
        for outgoing in plan:
            said = shown(outgoing.message)
            assert squeezed(said)
            assert size(said) <= 2048
            told += said.removesuffix(MORE).replace("请选择：", "")
        place = places[-1] if places else silent(left, place)
    expected, said = whole(pieces), squeezed(told)
    if not cards:
        assert said == expected
    else:  # a card leaves out the marks between its words and its link
        letters = re.compile(r"[^\w]")
        assert letters.sub("", said) == letters.sub("", expected)
    assert not pieces or place.cursor == pieces[-1].cursor
