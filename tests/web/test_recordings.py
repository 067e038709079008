"""Recordings: in pieces, written down, and nothing else from the disk."""

from __future__ import annotations

import pytest

from store.engine import writing
from store.tables import Recording
from tests.fakes.orders import RECORDING
from tests.web.conftest import Clock, Desk, audits


def test_a_recording_is_played_from_any_place(desk: Desk, day: tuple[str, str]) -> None:
    whole = desk.get(f"/recordings/{RECORDING}")
    assert (whole.status_code, whole.headers["content-type"]) == (200, "audio/wav")
    assert whole.headers["accept-ranges"] == "bytes"
    part = desk.get(f"/recordings/{RECORDING}", headers={"range": "bytes=1000-1999"})
    assert part.status_code == 206
    assert part.headers["content-range"] == f"bytes 1000-1999/{len(whole.content)}"
    assert part.content == whole.content[1000:2000]
    beyond = desk.get(f"/recordings/{RECORDING}", headers={"range": "bytes=99999999-"})
    assert beyond.status_code == 416


def test_listening_is_written_down_once_a_viewing(
    desk: Desk, day: tuple[str, str], clock: Clock
) -> None:
    for start in (0, 1000, 2000):
        desk.get(f"/recordings/{RECORDING}", headers={"range": f"bytes={start}-"})
    assert audits(desk.office.engine, "recording_played") == [("li", RECORDING)]
    clock.advance(minutes=11)
    desk.get(f"/recordings/{RECORDING}")
    assert len(audits(desk.office.engine, "recording_played")) == 2


@pytest.mark.parametrize(
    "path", ["../test.sqlite3", "../../../../../../etc/passwd", "/etc/passwd", "link.wav", "", ".",
             "missing.wav"],
)  # fmt: skip
def test_nothing_outside_the_folder_is_given_out(
    desk: Desk, day: tuple[str, str], path: str
) -> None:
    folder = desk.office.settings.recordings_dir
    (folder / "link.wav").symlink_to("/etc/passwd")
    with writing(desk.office.engine) as session:
        session.get_one(Recording, RECORDING).path = path
    answer = desk.get(f"/recordings/{RECORDING}")
    assert answer.status_code == 404
    assert "root:" not in answer.text


def test_a_path_kept_whole_is_fine_inside_the_folder(desk: Desk, day: tuple[str, str]) -> None:
    folder = desk.office.settings.recordings_dir
    with writing(desk.office.engine) as session:
        row = session.get_one(Recording, RECORDING)
        row.path = str((folder / row.path).resolve())
    assert desk.get(f"/recordings/{RECORDING}").status_code == 200


@pytest.mark.parametrize("name", ["nobody", "..%2f..%2fetc%2fpasswd", "%00", "a" * 3000])
def test_an_unknown_recording_is_not_found(desk: Desk, name: str) -> None:
    assert desk.get(f"/recordings/{name}").status_code == 404
