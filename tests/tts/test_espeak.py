from __future__ import annotations

import re

import numpy as np
import pytest
from numpy.typing import NDArray

from tts.errors import TtsError
from tts.espeak import SAMPLE_RATE, Voice, espeak
from tts.level import LEVEL_DBFS, levelled
from tts.pronunciation import numbered_pinyin
from tts.say import synthesise


def seconds(pcm: bytes) -> float:
    return len(pcm) / 2 / SAMPLE_RATE


def samples(pcm: bytes) -> NDArray[np.float64]:
    return np.frombuffer(pcm, "<i2").astype(np.float64)


def spectrum(sound: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean magnitudes in 65 bands."""
    frames = sound[: len(sound) // 128 * 128].reshape(-1, 128)
    return np.asarray(np.abs(np.fft.rfft(frames)).mean(axis=0))


def test_a_sentence_takes_a_sentence_s_time() -> None:
    assert 1.0 < seconds(synthesise("租房提取公积金")) < 3.0


def test_speed_and_commas_show_in_the_time() -> None:
    plain = seconds(synthesise("您好请讲您的问题"))
    assert seconds(synthesise("您好请讲您的问题", speed=250)) < 0.8 * plain
    assert seconds(synthesise("您好，请讲，您的问题")) > plain + 0.15


def test_the_same_words_sound_the_same_whatever_was_said_before() -> None:
    first = samples(synthesise("您好"))
    synthesise("租房提取公积金", voice="cmn+f3", speed=220, pitch=70)
    again = samples(synthesise("您好"))
    assert abs(len(first) - len(again)) < 16  # espeak-ng flutters at random, as voices do
    assert np.corrcoef(spectrum(first), spectrum(again))[0, 1] > 0.9


def test_voices_differ() -> None:
    assert synthesise("您好") != synthesise("您好", voice="cmn+f3")


@pytest.mark.parametrize("name", ["", "en", "cmn+", "cmn+nobody", "cmn+../f3", "cmn f3"])
def test_unknown_voices_are_refused(name: str) -> None:
    with pytest.raises(TtsError) as caught:
        Voice(name)
    assert caught.value.code == "tts_voice"


@pytest.mark.parametrize(("speed", "pitch"), [(10, 50), (1000, 50), (160, -1), (160, 200)])
def test_impossible_manners_are_refused(speed: int, pitch: int) -> None:
    with pytest.raises(TtsError):
        Voice("cmn", speed, pitch)


@pytest.mark.parametrize("text", ["", "，。", " ", "…"])
def test_a_text_without_words_is_an_error(text: str) -> None:
    with pytest.raises(TtsError) as caught:
        espeak().speak(text, Voice())
    assert caught.value.code == "tts_failed"


def test_syllables_espeak_does_not_know_of_itself_are_spoken_in_mandarin() -> None:
    assert re.fullmatch("[jqx]ong[1-5]( [jqx]ong[1-5])*", numbered_pinyin("穷熊窘"))
    english = espeak().speak("A B C", Voice())
    assert len(espeak().speak("穷熊窘", Voice())) != len(english)


def test_level_and_silence_are_even() -> None:
    said = samples(synthesise("租房提取公积金"))
    frames = said[: len(said) // 80 * 80].reshape(-1, 80)
    power = (frames**2).mean(axis=1)
    loud = power > power.max() / 10**4
    level = 10 * np.log10(power[loud].mean() / 32768**2)
    assert level == pytest.approx(LEVEL_DBFS, abs=1.0)
    assert int(np.argmax(loud)) <= 3
    assert np.abs(said).max() < 32767


@pytest.mark.parametrize("gain", [0.02, 0.3, 1.0])
def test_whatever_the_level_it_becomes_the_same(gain: float) -> None:
    time = np.arange(8000) / 8000
    tone = (gain * 30000 * np.sin(2 * np.pi * 300 * time)).astype(np.int16)
    padded = np.concatenate([np.zeros(4000, np.int16), tone, np.zeros(4000, np.int16)])
    result = levelled(padded, 8000).astype(float)
    assert len(result) == pytest.approx(8000 + 160 + 960, abs=80)
    assert np.sqrt((result[160:8160] ** 2).mean()) == pytest.approx(
        32768 * 10 ** (LEVEL_DBFS / 20), rel=0.03
    )


@pytest.mark.parametrize("length", [0, 1, 79, 8000])
def test_silence_stays_silence(length: int) -> None:
    assert not levelled(np.zeros(length, np.int16), 8000).any()
