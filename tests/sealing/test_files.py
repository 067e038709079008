from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealing.errors import SealError
from sealing.files import SealedFile, key_of, reseal_file, seal_file, sealed_path, sealed_pieces
from sealing.keys import Key, Keyring

OLD, NEW = Key("aes256", b"o" * 32), Key("sm4", b"n" * 16)
HEADER = 48
CHUNK = 32


def sealed(path: Path, data: bytes, key: Key = OLD, chunk: int = CHUNK) -> Path:
    path.write_bytes(b"".join(sealed_pieces(io.BytesIO(data), key, chunk)))
    return path


def opened(path: Path, *keys: Key) -> bytes:
    with SealedFile(path, Keyring(keys or (OLD,))) as file:
        return b"".join(file.read(0, file.size))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sealed")


@pytest.mark.parametrize("key", [OLD, NEW])
@given(data=st.binary(max_size=4 * CHUNK), start=st.integers(-3, 140), end=st.integers(0, 140))
def test_any_part_of_any_file(folder: Path, key: Key, data: bytes, start: int, end: int) -> None:
    path = sealed(folder / "any", data, key)
    with SealedFile(path, Keyring((key,))) as file:
        assert file.size == len(data)
        assert b"".join(file.read(start, end)) == data[max(0, start) : end]


@given(data=st.binary(max_size=3 * CHUNK), bit=st.integers(min_value=0))
def test_any_changed_bit_is_noticed(folder: Path, data: bytes, bit: int) -> None:
    path = sealed(folder / "bit", data)
    content = bytearray(path.read_bytes())
    bit %= 8 * len(content)
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
    with pytest.raises(SealError) as caught:
        opened(path)
    assert caught.value.code in ("sealed_broken", "data_key_wrong")


@given(data=st.binary(max_size=200))
def test_rubbish_is_our_own_error(folder: Path, data: bytes) -> None:
    path = folder / "rubbish"
    for content in (data, b"QMSEAL1\n" + data):
        path.write_bytes(content)
        with pytest.raises(SealError):
            opened(path)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_cut_anywhere_is_noticed_at_once(tmp_path: Path, size: int) -> None:
    path = sealed(tmp_path / "cut", b"x" * size)
    content = path.read_bytes()
    for end in range(len(content)):
        path.write_bytes(content[:end])
        with pytest.raises(SealError) as caught:
            SealedFile(path, Keyring((OLD,)))
        assert caught.value.code == "sealed_broken"


def test_chunks_that_changed_places_are_noticed(tmp_path: Path) -> None:
    path = sealed(tmp_path / "order", bytes(range(4 * CHUNK)))
    content, one = path.read_bytes(), CHUNK + 16
    first, second = content[HEADER : HEADER + one], content[HEADER + one : HEADER + 2 * one]
    path.write_bytes(content[:HEADER] + second + first + content[HEADER + 2 * one :])
    with pytest.raises(SealError) as caught:
        opened(path)
    assert caught.value.code == "sealed_broken"


def test_a_file_is_sealed_in_its_place(tmp_path: Path) -> None:
    plain = tmp_path / "a.wav"
    plain.write_bytes(b"sound" * 50_000)
    target = seal_file(plain, Keyring((OLD, NEW)))
    assert target == sealed_path(plain) == tmp_path / "a.wav.sealed"
    assert list(tmp_path.iterdir()) == [target]
    assert opened(target) == b"sound" * 50_000
    assert b"sound" not in target.read_bytes()
    assert key_of(target) == OLD.id


def test_a_full_disk_leaves_the_plain_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = tmp_path / "a.wav"
    plain.write_bytes(b"sound")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sealing.files.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        seal_file(plain, Keyring((OLD,)))
    assert list(tmp_path.iterdir()) == [plain]


def test_a_new_key_takes_over_a_file(tmp_path: Path) -> None:
    path = sealed(tmp_path / "a.sealed", b"sound" * 40_000)
    both = Keyring((NEW, OLD))
    assert reseal_file(path, both)
    assert not reseal_file(path, both)
    assert opened(path, NEW) == b"sound" * 40_000
    with pytest.raises(SealError) as caught:
        opened(path, OLD)
    assert caught.value.code == "data_key_wrong"
