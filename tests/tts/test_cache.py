from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tts.cache import SoundCache, key

PCM = bytes(range(256)) * 10
NAME = key("您好", "cmn", 165)


def test_what_was_put_is_there_for_the_next_process(tmp_path: Path) -> None:
    SoundCache(tmp_path).put(NAME, PCM)
    assert SoundCache(tmp_path).get(NAME) == PCM
    assert [path.suffix for path in tmp_path.rglob("*.*")] == [".pcm"]


def test_keys_part_words_voice_and_speed() -> None:
    keys = {NAME, key("您好。", "cmn", 165), key("您好", "cmn+f3", 165), key("您好", "cmn", 166)}
    assert len(keys) == 4


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:0],
        lambda data: data[:20],
        lambda data: data[:-1],
        lambda data: data[:100] + b"\xff\xff" + data[102:],
        lambda data: data[:36],
        lambda data: b"RIFF" + data[4:],
    ],
)
def test_a_broken_file_is_no_sound(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    SoundCache(tmp_path).put(NAME, PCM)
    path = SoundCache(tmp_path).path(NAME)
    path.write_bytes(damage(path.read_bytes()))
    cache = SoundCache(tmp_path)
    assert cache.get(NAME) is None
    cache.put(NAME, PCM)
    assert SoundCache(tmp_path).get(NAME) == PCM


def test_a_disk_that_refuses_leaves_the_memory(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    cache = SoundCache(blocked)
    cache.put(NAME, PCM)
    assert cache.get(NAME) == PCM
    assert SoundCache(blocked).get(NAME) is None


def test_memory_is_bounded(tmp_path: Path) -> None:
    cache = SoundCache(tmp_path, memory_bytes=2 * len(PCM))
    for number in range(4):
        cache.put(key(str(number), "cmn", 165), PCM)
    for path in tmp_path.rglob("*.pcm"):
        path.unlink()
    held = [cache.get(key(str(number), "cmn", 165)) is not None for number in range(4)]
    assert held == [False, False, True, True]


def test_what_the_disk_refuses_is_told_by_its_code(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with capture_logs() as logs:
        SoundCache(blocked).put(NAME, PCM)
    assert [line["code"] for line in logs] == ["volume_missing"]
