"""Archives unpacked: good ones, and what a hostile or damaged one may hold."""

from __future__ import annotations

import contextlib
import io
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.models.errors import ModelError
from asr.models.unpack import unpack
from tests.asr.model_town import sha256

LIMIT = 10**6
Filling = Callable[[zipfile.ZipFile], None]


def packed(fill: Filling, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", compression) as archive:
        fill(archive)
    return data.getvalue()


def refused(data: bytes, folder: Path, limit: int = LIMIT) -> ModelError:
    with pytest.raises(ModelError) as caught:
        unpack(io.BytesIO(data), folder / "model", limit)
    return caught.value


def entry(name: str, content: bytes = b"x") -> Filling:
    def fill(archive: zipfile.ZipFile) -> None:
        archive.writestr(name, content)

    return fill


def link(archive: zipfile.ZipFile) -> None:
    info = zipfile.ZipInfo("model/link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive.writestr(info, "/etc/passwd")


def doubled(archive: zipfile.ZipFile) -> None:
    archive.writestr("a/b", b"1")
    with pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("a/b", b"2")


def clashing(archive: zipfile.ZipFile) -> None:
    archive.writestr("a", b"a file")
    archive.writestr("a/b", b"below it")


def many(archive: zipfile.ZipFile) -> None:
    for number in range(1001):
        archive.writestr(str(number), b"")


def test_the_folder_around_everything_is_left_out(tmp_path: Path) -> None:
    def fill(archive: zipfile.ZipFile) -> None:
        archive.mkdir("name-0.22")
        archive.writestr("name-0.22/am/final.mdl", b"sound")
        archive.writestr("name-0.22/README", b"read")

    files = unpack(io.BytesIO(packed(fill)), tmp_path / "model", LIMIT)
    assert (tmp_path / "model" / "am" / "final.mdl").read_bytes() == b"sound"
    assert {name: about.sha256 for name, about in files.items()} == {
        "am/final.mdl": sha256(b"sound"),
        "README": sha256(b"read"),
    }


@pytest.mark.parametrize(
    "name", ["../out", "a/../../out", "/out", "C:/out", "a\\..\\out", "..", "a/../../../../../out"]
)
def test_names_that_lead_outside_are_refused(tmp_path: Path, name: str) -> None:
    assert refused(packed(entry(name)), tmp_path).code == "model_corrupt"
    assert list(tmp_path.rglob("out")) == []


@pytest.mark.parametrize("fill", [link, doubled, clashing, many, lambda archive: None])
def test_what_no_model_holds_is_refused(tmp_path: Path, fill: Filling) -> None:
    assert refused(packed(fill), tmp_path).code == "model_corrupt"


def test_a_bomb_is_refused_before_and_a_liar_on_the_way(tmp_path: Path) -> None:
    bomb = packed(entry("model/zeros", bytes(2 * LIMIT)))
    assert len(bomb) < LIMIT // 100
    assert refused(bomb, tmp_path).code == "model_corrupt"
    told = bomb.replace((2 * LIMIT).to_bytes(4, "little"), (9).to_bytes(4, "little"))
    assert refused(told, tmp_path).code == "model_corrupt"
    written = tmp_path / "model" / "model" / "zeros"
    assert not written.exists() or written.stat().st_size <= LIMIT


@pytest.mark.parametrize("size", [0, 10, -30, -1])
def test_a_shortened_archive_is_corrupt(tmp_path: Path, size: int) -> None:
    data = packed(entry("a/b", bytes(range(256)) * 99), zipfile.ZIP_STORED)
    assert refused(data[:size], tmp_path).code == "model_corrupt"


def test_a_flipped_byte_is_corrupt(tmp_path: Path) -> None:
    data = bytearray(packed(entry("a/b", bytes(range(256)) * 99), zipfile.ZIP_STORED))
    data[1000] ^= 1
    assert refused(bytes(data), tmp_path).code == "model_corrupt"


def test_a_place_that_cannot_be_written_has_a_code(tmp_path: Path) -> None:
    (tmp_path / "in-the-way").write_text("a file")
    with pytest.raises(ModelError) as caught:
        unpack(io.BytesIO(packed(entry("a"))), tmp_path / "in-the-way" / "model", LIMIT)
    assert caught.value.code == "model_unwritable"


GOOD = packed(entry("model/file", b"0123456789" * 20))


def test_an_entry_without_a_name_is_refused(tmp_path: Path) -> None:
    nameless = GOOD.replace(b"model/file", b"\0" * 10)
    assert refused(nameless, tmp_path).code == "model_corrupt"


@given(at=st.integers(0, len(GOOD) - 1), value=st.integers(0, 255))
def test_any_damage_is_a_model_error(
    tmp_path_factory: pytest.TempPathFactory, at: int, value: int
) -> None:
    data = bytearray(GOOD)
    data[at] = value
    folder = tmp_path_factory.mktemp("damage") / "model"
    with contextlib.suppress(ModelError):
        unpack(io.BytesIO(bytes(data)), folder, LIMIT)
