from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.endpoint import (
    LONGEST_PATIENCE_S,
    LONGEST_TURN_S,
    Ended,
    Endpoint,
    Signal,
    Started,
    Stopped,
)
from turns.replies import Expects

WINDOW_S = 0.032


def play(machine: Endpoint, seconds: float, voice: float) -> list[Signal]:
    told: list[Signal] = []
    for _ in range(round(seconds / WINDOW_S)):
        told += machine.hear(WINDOW_S, voice)
    return told


def ends(told: list[Signal]) -> list[Ended]:
    return [signal for signal in told if isinstance(signal, Ended)]


def silence_to_end(machine: Endpoint, longest_s: float = 3.0) -> float | None:
    """Seconds of silence after which the turn ends."""
    for step in range(round(longest_s / WINDOW_S)):
        if ends(machine.hear(WINDOW_S, 0.0)):
            return (step + 1) * WINDOW_S
    return None


def spoken(expects: Expects, text: str, *, rest_s: float = 0.5) -> Endpoint:
    """A machine that heard a second of speech whose words have been at rest."""
    machine = Endpoint(expects=expects)
    play(machine, 1.0 - rest_s, 0.9)
    machine.partial(text)
    play(machine, rest_s, 0.9)
    return machine


def test_a_turn_is_started_stopped_and_ended() -> None:
    machine = Endpoint()
    assert play(machine, 1.0, 0.02) == []
    told = play(machine, 1.0, 0.9)
    machine.partial("租房怎么提取公积金")
    told += play(machine, 1.0, 0.02)
    assert [type(signal) for signal in told] == [Started, Stopped, Ended]
    started, stopped, ended = told
    assert isinstance(started, Started)
    assert isinstance(stopped, Stopped)
    assert isinstance(ended, Ended)
    assert started.at == pytest.approx(1.0, abs=0.05)
    assert stopped.at == pytest.approx(2.0, abs=0.05)
    assert (ended.start, ended.end) == (started.at, stopped.at)
    assert 0.5 <= ended.decided - ended.end <= 0.6
    assert not machine.speaking


def test_a_click_is_not_speech() -> None:
    machine = Endpoint()
    assert play(machine, 0.064, 0.99) == []
    assert play(machine, 2.0, 0.01) == []


def test_a_click_in_the_silence_does_not_hold_the_turn() -> None:
    machine = spoken("open", "租房")
    told = play(machine, 0.4, 0.0) + play(machine, 0.032, 0.99)
    assert ends(told) == []
    assert silence_to_end(machine, 0.2) is not None


def test_speech_that_goes_on_is_told_again_and_one_turn() -> None:
    machine = spoken("open", "租房")
    told = play(machine, 0.4, 0.0) + play(machine, 0.5, 0.9)
    assert [type(signal) for signal in told] == [Stopped, Started]
    assert len(ends(play(machine, 1.0, 0.0))) == 1


def test_probabilities_between_the_thresholds_keep_what_was() -> None:
    machine = Endpoint()
    assert play(machine, 1.0, 0.4) == []
    assert play(machine, 0.5, 0.9)
    assert play(machine, 2.0, 0.4) == []
    assert machine.speaking


@pytest.mark.parametrize(
    ("expects", "text", "least", "most"),
    [
        ("open", "租房怎么提取公积金", 0.5, 0.65),
        ("open", "我想投诉因为", 0.85, 1.0),
        ("open", "", 0.75, 0.9),
        ("yes_no", "是的", 0.3, 0.42),
        ("yes_no", "是不是要下雨", 0.45, 0.6),
        ("digits", "一三八", 0.85, 1.0),
        ("digits", "一三八零零一三八零零零", 0.3, 0.42),
        ("address", "建业小区九号楼", 0.75, 0.9),
    ],
)
def test_patience_follows_what_is_expected(
    expects: Expects, text: str, least: float, most: float
) -> None:
    waited = silence_to_end(spoken(expects, text))
    assert waited is not None
    assert least <= waited <= most


def test_words_still_moving_do_not_satisfy() -> None:
    machine = Endpoint(expects="yes_no")
    play(machine, 1.0, 0.9)
    play(machine, 0.3, 0.0)
    machine.partial("是的")  # at rest these words would end the turn now
    waited = silence_to_end(machine)
    assert waited is not None
    assert waited >= 0.19


def test_a_cut_off_makes_patient_for_the_rest_of_the_call() -> None:
    machine = spoken("open", "我想问")
    assert len(ends(play(machine, 1.2, 0.0))) == 1  # the caller only paused
    play(machine, 1.0, 0.9)
    machine.partial("公积金的事")
    assert ends(play(machine, 1.2, 0.0)) == []
    play(machine, 1.0, 0.9)
    assert silence_to_end(machine) is not None


def test_an_answer_after_a_prompt_is_no_cut_off() -> None:
    machine = spoken("open", "租房")
    play(machine, 4.0, 0.0)
    play(machine, 1.0, 0.9)
    machine.partial("材料")
    waited = silence_to_end(machine)
    assert waited is not None
    assert waited < 0.65


def test_grammar_phrases_satisfy_unless_a_longer_one_begins_so() -> None:
    phrases = frozenset({"材料", "地点", "地点在哪里"})
    for text, quick in (("材料", True), ("地点", False), ("地点在哪里", True)):
        machine = Endpoint()
        machine.expect("choice", phrases)
        play(machine, 0.5, 0.9)
        machine.partial(text)
        play(machine, 0.5, 0.9)
        waited = silence_to_end(machine)
        assert waited is not None
        assert (waited < 0.45) is quick


def test_unbroken_voice_is_cut_at_last() -> None:
    machine = Endpoint()
    told = ends(play(machine, LONGEST_TURN_S + 1, 0.9))
    assert len(told) == 1


def test_forget_drops_the_turn() -> None:
    machine = spoken("open", "租房")
    machine.forget()
    assert not machine.speaking
    assert play(machine, 2.0, 0.0) == []


def test_time_never_stands_still() -> None:
    with pytest.raises(ValueError, match="forward"):
        Endpoint().hear(0.0, 0.5)


_voices = st.lists(
    st.tuples(st.floats(0, 1), st.integers(1, 60), st.sampled_from(["", "是的", "租房", "因为"])),
    max_size=30,
)


@given(_voices, st.sampled_from(["open", "yes_no", "digits", "address", "choice"]))
def test_any_sound_gives_well_formed_turns(
    stretches: list[tuple[float, int, str]], expects: Expects
) -> None:
    machine = Endpoint(expects=expects)
    told: list[Signal] = []
    for voice, windows, text in stretches:
        machine.partial(text)
        told += play(machine, windows * WINDOW_S, voice)
    told += play(machine, LONGEST_PATIENCE_S + 0.1, 0.0)
    assert not machine.speaking
    speaking = in_turn = False
    last_end = 0.0
    for signal in told:
        match signal:
            case Started():
                assert not speaking
                speaking = in_turn = True
            case Stopped():
                assert speaking
                speaking = False
            case Ended(start, end, decided):
                assert in_turn
                assert not speaking
                assert last_end <= start < end <= decided <= machine.now
                assert decided - end >= 0.3 or decided - start >= LONGEST_TURN_S
                in_turn, last_end = False, end
    assert not in_turn
