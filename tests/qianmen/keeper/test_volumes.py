"""Volumes: full, low, read-only, missing."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path

import pytest

from qianmen.keeper.volumes import Volume, judge, look_at, write_errno

GIB = 1024**3
ROOMY = Volume("data", Path("/data"), 100 * GIB, 60 * GIB, 1_000_000, 900_000)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({}, ""),
        ({"free": 4 * GIB}, "disk_low"),
        ({"free": 200 * 1024**2}, "disk_full"),
        ({"free": 0}, "disk_full"),
        ({"total": GIB, "free": GIB // 2}, ""),  # a small volume, half empty
        ({"total": GIB, "free": GIB // 20}, "disk_low"),
        ({"total": GIB, "free": GIB // 200}, "disk_full"),
        ({"free_inodes": 5_000}, "disk_low"),
        ({"inodes": 0, "free_inodes": 0}, ""),  # a file system that counts none
        ({"write_errno": errno.ENOSPC}, "disk_full"),
        ({"write_errno": errno.EROFS}, "volume_readonly"),
        ({"write_errno": errno.EACCES}, "volume_readonly"),
        ({"write_errno": errno.ENOTDIR}, "volume_missing"),
        ({"write_errno": errno.EIO}, "volume_error"),
    ],
)
def test_what_is_seen_has_a_code(changed: dict[str, int], code: str) -> None:
    assert judge(replace(ROOMY, **changed)) == code  # type: ignore[arg-type]  # ints only, as said


def test_a_real_folder_is_measured_and_nothing_is_left(tmp_path: Path) -> None:
    volume = look_at("data", tmp_path / "not" / "there" / "yet")
    assert 0 < volume.free <= volume.total
    assert volume.write_errno == 0
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_place_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    assert judge(look_at("data", tmp_path / "data")) == "volume_missing"


def test_a_volume_that_nobody_can_write_to_is_named() -> None:
    assert write_errno(Path("/proc")) != 0
    assert write_errno(Path("/dev/full")) != 0
