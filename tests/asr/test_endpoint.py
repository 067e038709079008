from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.endpoint import (
    LONGEST_TURN_S,
    Ended,
    Endpoint,
    Signal,
    Started,
    Stopped,
)
from asr.pace import FORGIVEN_TURNS, LONGEST_S
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
        ("yes_no", "是的", 0.28, 0.38),
        ("yes_no", "是不是要下雨", 0.45, 0.6),
        ("digits", "一三八", 0.85, 1.0),
        ("digits", "一三八零零一三八零零零", 0.28, 0.38),
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
    for _ in range(3):
        play(machine, 1.0, 0.9)
        machine.partial("公积金的事")
        assert ends(play(machine, 1.2, 0.0)) == []
    play(machine, 1.0, 0.9)
    assert silence_to_end(machine) is not None


def test_who_goes_on_after_a_cut_off_is_told() -> None:
    machine = spoken("open", "我想问")
    (first,) = ends(play(machine, 1.2, 0.0))
    told = play(machine, 1.0, 0.9) + play(machine, 3.0, 0.0)
    assert not first.continues
    assert [s.continues for s in told if isinstance(s, Started | Ended)] == [True, True]
    assert not any(s.continues for s in play(machine, 1.0, 0.9) if isinstance(s, Started))


def test_what_was_not_the_caller_teaches_nothing() -> None:
    machine = spoken("open", "租房")
    play(machine, 1.0, 0.0)
    (echo,) = play(machine, 0.5, 0.9)
    assert isinstance(echo, Started)
    assert echo.continues
    machine.forget()
    assert not machine.speaking
    assert machine.pace.cut_off_s == 0
    (caller,) = play(machine, 0.3, 0.9)
    assert isinstance(caller, Started)
    assert caller.continues  # the caller may still go on
    assert machine.pace.cut_off_s > 0


def test_a_cut_off_is_forgiven_when_the_caller_speaks_without_pauses() -> None:
    machine = spoken("open", "我想问")
    play(machine, 1.0, 0.0)
    for _ in range(FORGIVEN_TURNS + 1):
        play(machine, 1.0, 0.9)
        machine.partial("公积金的事")
        assert ends(play(machine, 4.0, 0.0))
    play(machine, 1.0, 0.9)
    waited = silence_to_end(machine)
    assert waited is not None
    assert waited < 1.0


def test_pauses_inside_turns_teach_the_caller_s_pace() -> None:
    machine = spoken("open", "我家")
    for _ in range(4):
        assert ends(play(machine, 0.5, 0.0)) == []
        play(machine, 0.5, 0.9)
        machine.partial("我家楼下")
    play(machine, 0.4, 0.9)
    waited = silence_to_end(machine)
    assert waited is not None
    assert 0.7 < waited < 0.85


def test_words_that_the_dialogue_can_answer_end_the_turn_sooner() -> None:
    machine = spoken("open", "租房怎么提取公积金")
    machine.complete("租房怎么提取公积金")
    waited = silence_to_end(machine)
    assert waited is not None
    assert 0.28 <= waited <= 0.38


@pytest.mark.parametrize("text", ["租房怎么提取", "租房怎么提取公积金要什么"])
def test_words_that_changed_since_are_not_complete(text: str) -> None:
    machine = spoken("open", "租房怎么提取公积金")
    machine.complete("租房怎么提取公积金")
    machine.partial(text)
    play(machine, 0.4, 0.9)
    waited = silence_to_end(machine)
    assert waited is not None
    assert waited >= 0.5


def test_words_that_promise_more_are_never_complete() -> None:
    machine = spoken("open", "我想问租房然后")
    machine.complete("我想问租房然后")
    waited = silence_to_end(machine)
    assert waited is not None
    assert waited >= 0.85


def test_words_that_still_move_hold_the_turn() -> None:
    machine = spoken("open", "租房")
    for text in ("租房提", "租房提取", "租房提取公"):
        assert ends(play(machine, 0.18, 0.0)) == []
        machine.partial(text)
    waited = silence_to_end(machine)
    assert waited is not None
    assert waited >= 0.2


def test_weak_syllables_go_on_with_a_turn_but_open_none() -> None:
    assert play(Endpoint(), 1.0, 0.25) == []
    machine = spoken("open", "租房")
    play(machine, 0.4, 0.0)
    assert ends(play(machine, 1.0, 0.25)) == []


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


_doings = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.integers(1, 60),
        st.sampled_from(["", "是的", "租房", "因为"]),
        st.sampled_from(["", "complete", "forget", "yes_no", "digits"]),
    ),
    max_size=30,
)


@given(_doings, st.sampled_from(["open", "yes_no", "digits", "address", "choice"]))
def test_any_sound_gives_well_formed_turns(
    stretches: list[tuple[float, int, str, str]], expects: Expects
) -> None:
    machine = Endpoint(expects=expects)
    told: list[Signal | None] = []
    for voice, windows, text, doing in stretches:
        machine.partial(text)
        if doing == "complete":
            machine.complete(text)
        elif doing == "forget":
            machine.forget()
            told.append(None)
        elif doing:
            machine.expect(doing)  # type: ignore[arg-type]  # drawn from the expected ones
        told += play(machine, windows * WINDOW_S, voice)
    told += play(machine, LONGEST_S + 0.5, 0.0)
    assert not machine.speaking
    speaking = in_turn = continues = False
    last = 0.0
    for signal in told:
        match signal:
            case None:
                speaking = in_turn = False
            case Started():
                assert not speaking
                assert not in_turn or signal.continues == continues
                assert last <= signal.at <= machine.now
                speaking = in_turn = True
                continues = signal.continues
            case Stopped():
                assert speaking
                speaking = False
            case Ended(start, end, decided):
                assert in_turn
                assert not speaking
                assert signal.continues == continues
                assert last <= start < end <= decided <= machine.now
                assert decided - end >= 0.28 or decided - start >= LONGEST_TURN_S
                in_turn, last = False, end
    assert not in_turn
    assert 0 <= machine.pace.patience <= LONGEST_S
