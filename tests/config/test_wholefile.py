from __future__ import annotations

from pathlib import Path

import pytest

from config.wholefile import write_whole


def test_what_is_written_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "note"
    write_whole(path, b"one")
    write_whole(path, "二".encode())
    assert path.read_text("utf-8") == "二"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_what_cannot_be_put_in_place_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "note"
    (path / "inside").mkdir(parents=True)
    with pytest.raises(OSError):
        write_whole(path, b"one")
    assert list(tmp_path.iterdir()) == [path]
