"""What a volume says, as a code."""

from __future__ import annotations

import errno

import pytest

from config.volumefaults import volume_fault


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "disk_full"),
        (errno.EDQUOT, "disk_full"),
        (errno.EROFS, "volume_readonly"),
        (errno.EACCES, "volume_readonly"),
        (errno.ENOTDIR, "volume_missing"),
        (errno.EIO, "other"),
        (None, "other"),
    ],
)
def test_each_has_its_code(number: int | None, code: str) -> None:
    assert volume_fault(number, "other") == code
