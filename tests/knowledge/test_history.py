from __future__ import annotations

from knowledge.history import Piece, difference


def test_what_differs_is_told_by_words_and_characters() -> None:
    pieces = difference("最高1200元，每月提取。", "最高1500元，每季度提取。")
    assert pieces == (
        Piece("equal", "最高", "最高"),
        Piece("replace", "1200", "1500"),
        Piece("equal", "元，每", "元，每"),
        Piece("replace", "月", "季度"),
        Piece("equal", "提取。", "提取。"),
    )


def test_both_texts_can_be_read_from_the_pieces() -> None:
    old, new = "第一行\n带身份证ABC", "带户口本\n第二行ABD"
    pieces = difference(old, new)
    assert "".join(piece.old for piece in pieces) == old
    assert "".join(piece.new for piece in pieces) == new
    assert difference("", "") == ()
