"""The city's own recordings: found, read, brought to the house's level, said; and wrong ones."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from tests.tts.test_manner import level
from tts import recordings as module
from tts.level import HOUSE_DBFS
from tts.recordings import Problem, RecordingError, Recordings, load_recordings, read_sound
from tts.speaker import Speaker
from tts.stretch import stretched
from turns.manner import Manner

PROMPTS = {
    "bye": "好的，再见。",
    "order_done": "已经登记好了，工单号{number}，工作人员会联系您。还有别的事吗？",
    "in_city": "在市区：{text}",
    "silence": "您好，我在听。",
}


def voice(seconds: float = 1.0, rate: int = 8000, hertz: float = 300.0) -> NDArray[np.float64]:
    """A tone between silences, at −12 dBFS."""
    wave: NDArray[np.float64] = 0.35 * np.sin(
        2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate
    )
    rest = np.zeros(rate // 2)
    return np.concatenate([rest, wave, rest])


def put(
    folder: Path, name: str, sound: NDArray[np.float64] | None = None, rate: int = 8000
) -> Path:
    folder.mkdir(exist_ok=True)
    soundfile.write(folder / name, voice() if sound is None else sound, rate)
    return folder / name


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg"])
@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
def test_any_sound_becomes_telephone_sound(
    tmp_path: Path, name: str, rate: int, channels: int
) -> None:
    sound = np.stack([voice(rate=rate)] * channels, axis=1)
    pcm = read_sound(put(tmp_path, name, sound, rate))
    assert len(pcm) / 16000 == pytest.approx(1.14, abs=0.08)  # the silences are trimmed
    assert level(pcm) == pytest.approx(HOUSE_DBFS, abs=0.5)


def test_opus_too(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.opus", voice(rate=48000), 48000, format="OGG", subtype="OPUS")
    assert len(read_sound(tmp_path / "a.opus")) / 16000 == pytest.approx(1.14, abs=0.08)


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "unreadable"), (b"RIFF" * 9, "unreadable"), (b"\xff" * 99, "unreadable")],
)
def test_what_is_no_sound(tmp_path: Path, content: bytes, code: str) -> None:
    file = tmp_path / "a.wav"
    file.write_bytes(content)
    with pytest.raises(RecordingError) as caught:
        read_sound(file)
    assert caught.value.code == code


def test_silence_and_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RecordingError) as caught:
        read_sound(put(tmp_path, "a.wav", np.zeros(8000)))
    assert caught.value.code == "silent"
    monkeypatch.setattr(module, "LONGEST_S", 0.5)
    with pytest.raises(RecordingError) as caught:
        read_sound(put(tmp_path, "b.wav"))
    assert caught.value.code == "too_long"


def test_a_prompt_by_its_name_and_an_answer_by_its_words(tmp_path: Path) -> None:
    put(tmp_path, "bye.wav")
    put(tmp_path, "租房材料.wav", voice(2))
    (tmp_path / "租房材料.txt").write_text("带身份证，\n结了婚的再带结婚证。\n", encoding="utf-8")
    found = load_recordings(tmp_path, PROMPTS)
    assert found.problems == ()
    assert found.sound("好的，再见。") == found.sound("好的,再见") is not None
    assert found.sound("带身份证，结了婚的再带结婚证。") is not None
    assert found.sound("带身份证。") is None
    assert found.pieces("好的，再见。") == ["好的，再见。"]
    assert found.pieces("别的话。") is None


def test_a_prompt_with_braces_in_pieces(tmp_path: Path) -> None:
    put(tmp_path, "order_done.1.wav")
    put(tmp_path, "order_done.2.wav")
    found = load_recordings(tmp_path, PROMPTS)
    assert found.problems == ()
    assert found.pieces("已经登记好了，工单号20260318000123，工作人员会联系您。还有别的事吗？") == [
        "已经登记好了，工单号", "20260318000123", "，工作人员会联系您。还有别的事吗？"
    ]  # fmt: skip
    assert found.pieces("已经登记好了。") is None


def test_what_is_wrong_is_named_and_not_said(tmp_path: Path) -> None:
    (tmp_path / "bye.wav").write_bytes(b"no sound")
    put(tmp_path, "nobody.wav")
    put(tmp_path, "order_done.3.wav")
    put(tmp_path, "order_done.wav")
    put(tmp_path, "silence.wav")
    (tmp_path / "silence.txt").write_text("您好，请讲。", encoding="utf-8")
    put(tmp_path, "x.wav")
    (tmp_path / "x.txt").write_bytes(b"\xff\xfe\xfa")
    found = load_recordings(tmp_path, PROMPTS)
    assert found.sounds == {}
    assert set(found.problems) == {
        Problem("bye.wav", "unreadable"), Problem("nobody.wav", "unknown"),
        Problem("order_done.3.wav", "unknown"), Problem("order_done.wav", "unknown"),
        Problem("silence.wav", "stale"), Problem("x.wav", "unreadable"),
    }  # fmt: skip


def test_older_than_the_prompts_it_is_doubted_but_said(tmp_path: Path) -> None:
    file = put(tmp_path, "bye.wav")
    os.utime(file, (100, 100))
    found = load_recordings(tmp_path, PROMPTS, 200.0)
    assert found.problems == (Problem("bye.wav", "perhaps_stale"),)
    assert found.sound("好的，再见。")
    (tmp_path / "bye.txt").write_text("好的，再见。", encoding="utf-8")
    assert load_recordings(tmp_path, PROMPTS, 200.0).problems == ()


def test_the_same_words_twice(tmp_path: Path) -> None:
    put(tmp_path, "a.wav")
    put(tmp_path, "b.wav", voice(2))
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("您好", encoding="utf-8")
    found = load_recordings(tmp_path, PROMPTS)
    assert found.problems == (Problem("b.wav", "twice"),)


def test_no_folder_is_no_recordings(tmp_path: Path) -> None:
    assert load_recordings(tmp_path / "nothing", PROMPTS) == Recordings()


async def test_the_speaker_says_them(tmp_path: Path) -> None:
    put(tmp_path / "r", "order_done.1.wav")
    put(tmp_path / "r", "in_city.1.wav")
    put(tmp_path / "r", "a.wav", voice(2))
    (tmp_path / "r" / "a.txt").write_text("带身份证。要本人来。", encoding="utf-8")
    found = load_recordings(tmp_path / "r", PROMPTS)
    async with Speaker(tmp_path / "cache", recordings=found) as speaker:
        text = "已经登记好了，工单号20260318000123，工作人员会联系您。还有别的事吗？"
        parts = speaker.parts(text)
        assert parts[0] == "已经登记好了，工单号"
        assert "".join(parts) == text
        assert await speaker.render(parts[0]) == found.sound(parts[0])
        assert len(await speaker.render(parts[1])) > 16000  # the number is synthesised
        # a recorded answer behind a recorded piece
        assert speaker.parts("在市区：带身份证。要本人来。") == ["在市区：", "带身份证。要本人来。"]
        assert await speaker.kept("带身份证。要本人来。")
        slow = await speaker.render("带身份证。要本人来。", Manner(0.8, 6.0))
        plain = await speaker.render("带身份证。要本人来。")
        assert len(slow) / len(plain) == pytest.approx(1.25, abs=0.02)
        assert level(slow) - level(plain) == pytest.approx(6.0, abs=1.0)
        assert (
            await speaker.render("带身份证。要本人来。", Manner(0.8, 6.0)) == slow
        )  # from the cache


@pytest.mark.parametrize("rate", [0.64, 0.8, 1.25])
def test_stretched_sound_keeps_its_pitch(rate: float) -> None:
    tone = np.rint(8000 * np.sin(2 * np.pi * 200 * np.arange(16000) / 8000)).astype("<i2")
    slow = np.frombuffer(stretched(tone.tobytes(), rate), "<i2").astype(float)
    assert len(slow) / len(tone) == pytest.approx(1 / rate, abs=0.02)
    spectrum = np.abs(np.fft.rfft(slow[2000:10000]))
    assert np.fft.rfftfreq(8000, 1 / 8000)[spectrum.argmax()] == pytest.approx(200, abs=3)
    middle = slow[1000:-1000]
    assert np.sqrt((middle**2).mean()) == pytest.approx(8000 / np.sqrt(2), rel=0.1)


@pytest.mark.parametrize("pcm", [b"", b"\1\0", b"\0\0" * 300, b"\xff\x7f" * 2000])
def test_any_sound_can_be_stretched(pcm: bytes) -> None:
    assert len(stretched(pcm, 0.8)) % 2 == 0
