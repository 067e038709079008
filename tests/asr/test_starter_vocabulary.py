"""How sentences are cut into words; needs jieba, which only rebuilding the model installs."""

from __future__ import annotations

import pytest

pytest.importorskip("jieba", reason="in requirements/starter.txt, not in main.txt")

from asr.starter.vocabulary import known_words, random_phrases, segment


def test_numbers_are_cut_into_characters_and_words_kept() -> None:
    assert segment("九号楼三单元") == ["九", "号", "楼", "三", "单元"]
    assert segment("幺三八零零") == list("幺三八零零")
    assert "公积金" in segment("我的公积金有多少")


def test_a_grammar_phrase_has_known_words_only() -> None:
    assert known_words("公积金蟑螂", frozenset({"公积金", "螂"})) == ["公积金", "螂"]


def test_random_phrases_are_reproducible() -> None:
    assert random_phrases(5, 1) == random_phrases(5, 1) != random_phrases(5, 2)
