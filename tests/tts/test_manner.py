"""Slower and louder, with the real synthesiser process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from tts.level import HOUSE_DBFS, PEAK_DBFS, louder
from tts.speaker import Speaker
from turns.manner import PLAIN, Manner

TEXTS = (
    "带身份证、银行卡，结了婚的再带结婚证。",
    "公积金连续交满三个月，您和爱人在缴存城市都没有自己的房子，就能提出来付房租。",
)


@pytest.fixture
async def speaker(tmp_path: Path) -> AsyncIterator[Speaker]:
    async with Speaker(tmp_path) as speaker:
        yield speaker


def level(pcm: bytes) -> float:
    """dBFS of what is not silence."""
    samples = np.frombuffer(pcm, "<i2").astype(float) / 32768
    power = (samples[: len(samples) // 80 * 80].reshape(-1, 80) ** 2).mean(axis=1)
    return float(10 * np.log10(power[power > power.max() * 1e-4].mean()))


def peak(pcm: bytes) -> float:
    return float(20 * np.log10(np.abs(np.frombuffer(pcm, "<i2").astype(float)).max() / 32768))


@pytest.mark.parametrize("text", TEXTS)
async def test_slower_takes_a_quarter_longer(speaker: Speaker, text: str) -> None:
    slow = PLAIN.adjusted("slower")
    plain, once, twice = [
        len(await speaker.render(text, manner)) for manner in (PLAIN, slow, slow.adjusted("slower"))
    ]
    assert 1.18 <= once / plain <= 1.28
    assert 1.18 <= twice / once <= 1.3


@pytest.mark.parametrize("text", TEXTS)
async def test_louder_is_6_db_and_never_clipped(speaker: Speaker, text: str) -> None:
    loud = PLAIN.adjusted("louder")
    plain = await speaker.render(text)
    assert level(plain) == pytest.approx(HOUSE_DBFS, abs=0.5)
    for manner, gain, within in ((loud, 6.0, 0.3), (loud.adjusted("louder"), 12.0, 1.3)):
        sound = await speaker.render(text, manner)
        assert len(sound) == len(plain)
        assert level(sound) - level(plain) == pytest.approx(gain, abs=within)
        assert peak(sound) <= PEAK_DBFS + 0.01
    softer = await speaker.render(text, PLAIN.adjusted("softer"))
    assert level(softer) - level(plain) == pytest.approx(-6.0, abs=0.2)


async def test_the_slowest_that_can_be_spoken(tmp_path: Path) -> None:
    async with Speaker(tmp_path, speed=85) as speaker:
        assert await speaker.render("您好", Manner(0.64))


def test_steps_end_somewhere() -> None:
    manner = PLAIN
    for _ in range(5):
        manner = manner.adjusted("slower").adjusted("louder")
    assert manner == Manner(0.64, 12.0)
    assert manner.adjusted("faster").adjusted("faster").rate == 1.0
    for _ in range(5):
        manner = manner.adjusted("faster").adjusted("softer")
    assert manner == Manner(1.25, -6.0)


@pytest.mark.parametrize("pcm", [b"", b"\0\0" * 200, b"\1\0", b"\xff\x7f" * 3, b"\0\x80" * 801])
def test_any_sound_can_be_made_louder(pcm: bytes) -> None:
    assert len(louder(pcm, 12.0)) == len(pcm)
