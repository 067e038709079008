"""How much silence ends a turn, by what is expected and what was said."""

from __future__ import annotations

from asr.patience import COMPLETE_S, SATISFIED_S, SILENCE_S, Answering, patience


def test_a_narrow_answer_is_never_waited_for_longer() -> None:
    said = Answering("yes_no", "是的", 0.3)
    assert patience(said, pace_s=0.9, cut_off_s=1.8) == SATISFIED_S


def test_one_digit_is_no_whole_number() -> None:
    said = Answering("digits", "一", 1.0, frozenset("零一幺二"))
    assert patience(said) == SILENCE_S["digits"]


def test_who_was_cut_off_is_waited_for_though_the_dialogue_has_an_answer() -> None:
    said = Answering("open", "租房怎么提取公积金", 0.5, complete=True)
    assert patience(said) == COMPLETE_S
    assert patience(said, pace_s=0.7) == COMPLETE_S
    assert patience(said, pace_s=1.8, cut_off_s=1.8) == 1.8


def test_a_slow_speaker_s_pace_counts_where_nothing_is_known() -> None:
    said = Answering("open", "我家楼下", 0.5)
    assert patience(said, pace_s=0.8) == 0.8
    assert patience(said) == SILENCE_S["open"]
