"""The committed starter model: whole, unpacked safely, refused when damaged."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from asr.starter.archive import (
    ARCHIVE,
    MANIFEST,
    ModelError,
    ensure_model,
    manifest,
    pack,
    sha256_of,
)

LIMIT_BYTES = 6 * 1024 * 1024


@pytest.fixture
def copied(tmp_path: Path) -> tuple[Path, Path]:
    """A copy of archive and manifest that a test may spoil."""
    archive, description = tmp_path / ARCHIVE.name, tmp_path / MANIFEST.name
    shutil.copy(ARCHIVE, archive)
    shutil.copy(MANIFEST, description)
    return archive, description


def test_manifest_matches_archive() -> None:
    content = manifest()
    assert content["archive"]["sha256"] == sha256_of(ARCHIVE)
    assert content["archive"]["bytes"] == ARCHIVE.stat().st_size <= LIMIT_BYTES


def test_manifest_says_that_the_model_is_not_for_real_callers() -> None:
    assert "NOT fit for real callers" in manifest()["fitness"]


def test_unpacks_to_the_files_of_the_manifest(tmp_path: Path) -> None:
    folder = ensure_model(tmp_path / "models")
    found = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    expected = {name: entry["sha256"] for name, entry in manifest()["files"].items()}
    assert {name: sha256_of(path) for name, path in found.items()} == expected
    assert [p.name for p in (tmp_path / "models").iterdir()] == [folder.name]


def test_unpacking_again_keeps_the_files(tmp_path: Path) -> None:
    folder = ensure_model(tmp_path)
    before = (folder / "am" / "final.mdl").stat().st_mtime_ns
    assert ensure_model(tmp_path) == folder
    assert (folder / "am" / "final.mdl").stat().st_mtime_ns == before


@pytest.mark.parametrize("spoil", [lambda p: p.unlink(), lambda p: p.write_bytes(b"noise")])
def test_a_damaged_copy_is_replaced(tmp_path: Path, spoil: object) -> None:
    folder = ensure_model(tmp_path)
    assert callable(spoil)
    spoil(folder / "conf" / "model.conf")
    again = ensure_model(tmp_path)
    assert again == folder
    content = manifest()["files"]["conf/model.conf"]
    assert sha256_of(again / "conf" / "model.conf") == content["sha256"]
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("missing", [0, 1])
def test_missing_files_have_a_code(tmp_path: Path, copied: tuple[Path, Path], missing: int) -> None:
    copied[missing].unlink()
    with pytest.raises(ModelError) as caught:
        ensure_model(tmp_path / "models", archive=copied[0], manifest_path=copied[1])
    assert caught.value.code == "model_missing"


def test_unwritable_target_has_a_code(tmp_path: Path) -> None:
    target = tmp_path / "a-file"
    target.write_text("in the way")
    with pytest.raises(ModelError) as caught:
        ensure_model(target)
    assert caught.value.code == "model_missing"


@pytest.mark.parametrize("size", [0, 1000, -1])
def test_a_shortened_archive_is_corrupt(
    tmp_path: Path, copied: tuple[Path, Path], size: int
) -> None:
    archive, description = copied
    archive.write_bytes(archive.read_bytes()[:size])
    with pytest.raises(ModelError) as caught:
        ensure_model(tmp_path / "models", archive=archive, manifest_path=description)
    assert caught.value.code == "model_corrupt"
    assert not list((tmp_path / "models").glob("*"))


def test_an_archive_with_other_contents_is_corrupt(
    tmp_path: Path, copied: tuple[Path, Path]
) -> None:
    """The archive's own digest is right, but a file in it is not the manifest's."""
    archive, description = copied
    words = tmp_path / "source" / "graph" / "words.txt"
    words.parent.mkdir(parents=True)
    words.write_text("<eps> 0\n")
    pack(tmp_path / "source", archive)  # of one file: to pack all takes half a minute
    content = json.loads(description.read_text(encoding="utf-8"))
    content["files"] = {"graph/words.txt": content["files"]["graph/words.txt"]}
    content["archive"]["sha256"] = sha256_of(archive)
    description.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ModelError) as caught:
        ensure_model(tmp_path / "models", archive=archive, manifest_path=description)
    assert caught.value.code == "model_corrupt"
    assert not list((tmp_path / "models").iterdir())


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": 3}', '{"files": {"a": 1}}', "\xff{"])
def test_a_broken_manifest_is_corrupt(tmp_path: Path, text: str) -> None:
    description = tmp_path / MANIFEST.name
    description.write_text(text, encoding="latin-1")
    with pytest.raises(ModelError) as caught:
        ensure_model(tmp_path / "models", manifest_path=description)
    assert caught.value.code == "model_corrupt"


def test_packing_the_same_files_gives_the_same_bytes(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "b").write_text("二")
    (folder / "a").write_text("一")
    pack(folder, tmp_path / "one.tar.xz")
    (folder / "a").touch()
    pack(folder, tmp_path / "two.tar.xz")
    assert (tmp_path / "one.tar.xz").read_bytes() == (tmp_path / "two.tar.xz").read_bytes()
