"""Another synthesiser behind a command: a real program, and programs that misbehave."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.tts.test_manner import level
from tts.command import REST_S, CommandVoice
from tts.errors import TtsError
from tts.level import HOUSE_DBFS
from tts.speaker import Speaker, names_of
from turns.manner import Manner

PROGRAM = """
import sys, wave
text = sys.stdin.buffer.read().decode()
with open(sys.argv[1], 'a', encoding='utf-8') as log:
    log.write(text + chr(10))
if '坏' in text:
    sys.exit(1)
import array, math
wave_form = [int(9000 * math.sin(n / 12)) for n in range(4410) for _ in (0, 1)] * 5
with wave.open(sys.stdout.buffer, 'wb') as out:
    out.setnchannels(2); out.setsampwidth(2); out.setframerate(22050)
    out.writeframes(array.array('h', wave_form).tobytes())
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    file = tmp_path / "voice of the city.py"
    file.write_text(PROGRAM, encoding="utf-8")
    return file


def command_of(program: Path) -> tuple[str, ...]:
    return (sys.executable, str(program), str(program.with_suffix(".log")))


def asked(program: Path) -> list[str]:
    return program.with_suffix(".log").read_text(encoding="utf-8").split()


async def test_its_voice_is_said_kept_and_levelled(tmp_path: Path, program: Path) -> None:
    command = shlex.join(command_of(program))
    async with Speaker(tmp_path / "cache", command=command) as speaker:
        sound = await speaker.render("共3个。")
        assert len(sound) / 16000 == pytest.approx(1.0, abs=0.1)
        assert level(sound) == pytest.approx(HOUSE_DBFS, abs=0.5)
        assert await speaker.render("共3个。") == sound
        assert asked(program) == ["共三个。"]
        slow = await speaker.render("共3个。", Manner(0.8))
        assert len(slow) / len(sound) == pytest.approx(1.25, abs=0.03)
        assert await speaker.kept("共3个。")
        assert speaker.cached("共3个。") == sound
    names = {file.stem for file in (tmp_path / "cache").rglob("*.pcm")}
    assert names < names_of("共3个。", "cmn", 165, command)


async def test_while_it_fails_the_built_in_voice_speaks(tmp_path: Path, program: Path) -> None:
    command = shlex.join(command_of(program))
    async with Speaker(tmp_path / "cache", command=command) as speaker:
        assert len(await speaker.render("坏了。")) > 4000
        assert len(await speaker.render("您好，请讲，请问您有什么事。")) > 20000  # it rests
        assert asked(program) == ["坏了。"]
        assert not await speaker.kept("坏了。")


@pytest.mark.parametrize(
    "words",
    ["import sys; sys.exit(3)", "print('no sound')", "import time; time.sleep(60)", "pass"],
)
def test_a_command_that_is_no_synthesiser(words: str) -> None:
    voice = CommandVoice((sys.executable, "-c", words), timeout_s=2)
    with pytest.raises(TtsError) as caught:
        voice.speak("您好")
    assert caught.value.code == "tts_command"


def test_after_a_rest_it_is_tried_again(program: Path) -> None:
    now = 0.0
    voice = CommandVoice(command_of(program), clock=lambda: now)
    for _ in range(2):
        with pytest.raises(TtsError):
            voice.speak("坏")
    assert asked(program) == ["坏"]
    now = REST_S
    assert np.abs(voice.speak("好")).max() > 5000


def test_a_command_that_is_not_there() -> None:
    with pytest.raises(TtsError) as caught:
        CommandVoice(("/nowhere/voice",)).speak("您好")
    assert caught.value.code == "tts_command"
