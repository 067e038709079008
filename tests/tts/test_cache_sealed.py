"""Rendered sentences where the city set a key."""

from __future__ import annotations

from pathlib import Path

from sealing.keys import keyring, new_key
from tts.cache import SoundCache, key

PCM = b"\x01\x02" * 500
NAME = key("电话幺三八，对吗？", "cmn", 165)


def test_neither_sound_nor_words_can_be_told_from_the_file(tmp_path: Path) -> None:
    keys = keyring(new_key())
    SoundCache(tmp_path, keys=keys).put(NAME, PCM)
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    assert PCM[:16] not in file.read_bytes()
    assert NAME not in str(file)
    assert SoundCache(tmp_path, keys=keys).get(NAME) == PCM


def test_another_key_and_a_damaged_file_are_misses(tmp_path: Path) -> None:
    keys = keyring(new_key())
    cache = SoundCache(tmp_path, keys=keys)
    cache.put(NAME, PCM)
    assert SoundCache(tmp_path, keys=keyring(new_key())).get(NAME) is None
    assert SoundCache(tmp_path).get(NAME) is None
    file = cache.path(NAME)
    file.write_bytes(file.read_bytes()[:-1])
    assert SoundCache(tmp_path, keys=keys).get(NAME) is None
