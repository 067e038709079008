"""A file of questions: read whole, or refused with file and line."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.city import City
from config.errors import ConfigError
from qianmen.ask import Question, read_batch, read_now


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_in_their_order_with_what_they_leave_out(tmp_path: Path) -> None:
    path = write(tmp_path / "q.tsv", 'text\tconversation\tturn\n怎么取\tc1\t2\n"引号\n')
    assert read_batch(path) == (
        Question(0, "怎么取", "c1", 2),
        Question(1, '"引号'),
    )


def test_a_byte_order_mark_of_a_spreadsheet_is_no_part_of_the_name(tmp_path: Path) -> None:
    path = tmp_path / "q.tsv"
    path.write_bytes("\ufefftext\tchannel\n你好\tphone\n".encode())
    assert read_batch(path)[0].channel == "phone"


@pytest.mark.parametrize(
    ("text", "place"),
    [("", ":1:"), ("question\n你好\n", ":1:"), ("text\tturn\na\tx\n", ":2: turn")],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_batch(write(tmp_path / "q.tsv", text))
    assert place in str(caught.value)
    assert caught.value.code == "batch_invalid"


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read_batch(tmp_path / "none.tsv")
    assert caught.value.code == "batch_unreadable"


def test_a_moment_without_a_zone_is_the_citys(city: City) -> None:
    assert read_now("2026-11-20T12:00", city).astimezone(UTC) == datetime(
        2026, 11, 20, 4, tzinfo=UTC
    )
    with pytest.raises(ConfigError, match="ISO 8601"):
        read_now("明天", city)
