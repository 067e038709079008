from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianmen.citizen.ear import FRAME_BYTES, Ear, Hearing, level_dbfs

RNG = np.random.default_rng(7)


def silence(seconds: float) -> bytes:
    return bytes(2 * round(seconds * 8000))


def speech(seconds: float, level: int = 3000) -> bytes:
    count = round(seconds * 8000)
    return bytes((RNG.standard_normal(count) * level).clip(-32768, 32767).astype("<i2").tobytes())


def test_a_sentence_is_finished_only_after_the_pause() -> None:
    ear = Ear(Hearing(pause_s=0.9))
    assert ear.feed(silence(0.5) + speech(1.0) + silence(0.88)) == ()
    assert ear.speaking
    (utterance,) = ear.feed(silence(0.04))
    assert [utterance.start_s, utterance.end_s] == pytest.approx([0.5, 1.5])
    assert not ear.speaking


def test_a_short_pause_inside_a_sentence_does_not_end_it() -> None:
    ear = Ear()
    ear.feed(speech(0.5) + silence(0.6) + speech(0.5) + silence(1.0))
    assert [round(u.end_s, 2) for u in ear.utterances] == [1.6]


def test_a_click_is_no_speech() -> None:
    ear = Ear()
    ear.feed(silence(0.2) + speech(0.04) + silence(2.0))
    assert ear.utterances == ()
    assert ear.quiet_s == pytest.approx(2.24)


def test_hum_below_the_level_and_direct_current_are_silence() -> None:
    assert level_dbfs(speech(0.02, level=50)) < -45
    assert level_dbfs(np.full(160, -32768, dtype="<i2").tobytes()) == -120.0
    assert level_dbfs(b"") == -120.0


def test_nothing_heard_is_quiet_from_the_start() -> None:
    ear = Ear()
    ear.feed(silence(3.0))
    assert ear.quiet_s == pytest.approx(3.0)
    assert not ear.speaking


@given(st.lists(st.integers(0, 3 * FRAME_BYTES), max_size=40))
def test_how_the_sound_is_cut_changes_nothing(cuts: list[int]) -> None:
    sound = silence(0.1) + speech(0.3) + silence(1.0) + speech(0.3) + silence(1.0)
    whole, pieces = Ear(), Ear()
    whole.feed(sound)
    position = 0
    for cut in cuts:
        pieces.feed(sound[position : position + cut])
        position += cut
    pieces.feed(sound[position:])
    assert pieces.utterances == whole.utterances
    assert len(whole.utterances) == 2


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 120)), max_size=12))
def test_utterances_stand_in_order_and_inside_what_was_heard(
    pattern: list[tuple[bool, int]],
) -> None:
    ear = Ear()
    for loud, frames in pattern:
        ear.feed(speech(frames * 0.02) if loud else silence(frames * 0.02))
    ends = 0.0
    for utterance in ear.utterances:
        assert ends <= utterance.start_s < utterance.end_s <= ear.heard_s
        ends = utterance.end_s
