"""The text the starter model learns from, and the words and numbers in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from asr.starter.archive import ensure_model, manifest
from asr.starter.lexicon import level_one_readings, pronunciations
from asr.starter.numbers import say_digits, say_number
from asr.starter.phones import phones_of
from asr.starter.text import (
    fresh_sentences,
    hanzi_only,
    held_out_sentences,
    matters,
    reserved_sentences,
    text_digest,
    training_sentences,
)


def test_training_text_holds_no_held_out_or_reserved_sentence() -> None:
    kept_out = {*held_out_sentences(), *fresh_sentences(), *reserved_sentences()}
    assert len(held_out_sentences()) >= 150
    assert "那要带什么材料" in kept_out
    assert kept_out.isdisjoint(training_sentences())


def test_training_text_is_large_unique_and_hanzi_only() -> None:
    sentences = training_sentences()
    assert len(sentences) == len(set(sentences)) > 10_000
    assert all(sentence == hanzi_only(sentence) for sentence in sentences)


def test_the_committed_model_was_made_from_this_text() -> None:
    content = manifest()["text"]
    assert content["training_sha256"] == text_digest(training_sentences())
    assert content["held_out_sha256"] == text_digest(held_out_sentences())


def test_every_matter_is_asked_about() -> None:
    everything = "\n".join(training_sentences())
    assert len(matters()) == 44
    assert all(any(noun in everything for noun in matter.nouns) for matter in matters())


def test_every_level_one_character_can_be_said(tmp_path: Path) -> None:
    words_file = ensure_model(tmp_path) / "graph" / "words.txt"
    known = {line.split()[0] for line in words_file.read_text(encoding="utf-8").splitlines()}
    characters = level_one_readings()
    assert len(characters) == 3500
    assert set(characters) <= known
    assert all(pronunciations(character) for character in characters)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "零"), (10, "十"), (12, "十二"), (20, "二十"), (101, "一百零一"), (110, "一百一十"),
        (2300, "两千三百"), (10_500, "一万零五百"), (20_000, "两万"), (1010, "一千零一十"),
        (130_000, "十三万"),
    ],
)  # fmt: skip
def test_numbers_are_said_as_people_say_them(number: int, words: str) -> None:
    assert say_number(number) == words


def test_telephone_digits_use_yao() -> None:
    assert say_digits("13800138000") == "幺三八零零幺三八零零零"


@pytest.mark.parametrize(
    ("syllable", "phones"),
    [
        ("yue", ("ve",)), ("zhi", ("zh", "ir")), ("si", ("s", "ih")), ("you", ("iou",)),
        ("gui", ("g", "uei")), ("nv", ("n", "v")), ("xiong", ("x", "iong")), ("er", ("er",)),
        ("weng", ("u", "eng")), ("jun", ("j", "vn")),
    ],
)  # fmt: skip
def test_syllables_are_initials_and_finals(syllable: str, phones: tuple[str, ...]) -> None:
    assert phones_of(syllable) == phones


@pytest.mark.parametrize("syllable", ["", "x", "hello", "公"])
def test_what_is_no_syllable_is_refused(syllable: str) -> None:
    with pytest.raises(ValueError, match="no Mandarin syllable"):
        phones_of(syllable)


def test_a_character_of_two_readings_has_two_pronunciations() -> None:
    ways = [way for way, _ in pronunciations("还")]
    assert set(ways) == {("h", "ai"), ("h", "uan")}
