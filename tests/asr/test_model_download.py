"""Downloads: continued, refused, cut, lied to."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from asr.models import disk, download
from asr.models.download import Patience, Wanted
from asr.models.errors import ModelError
from asr.models.part import Part
from tests.asr.model_town import sha256
from tests.fakes.file_server import PATH, FileServer

CONTENT = bytes(range(256)) * 2000
HALF = len(CONTENT) // 2
BRISK = Patience(connect_s=5, silence_s=5, pause_s=0, attempts=2)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def part(tmp_path: Path) -> Iterator[Part]:
    with Part(tmp_path / "archive.zip") as part:
        yield part


def get(
    server: FileServer, part: Part, *, size: int | None = len(CONTENT), known: bool = True,
    patience: Patience = BRISK,
) -> list[int]:  # fmt: skip
    """Download; the counts of bytes that were told on the way."""
    told: list[int] = []
    wanted = Wanted(server.url + PATH, size, sha256(CONTENT) if known else None, 10**7)
    download.download(wanted, part, lambda done, _total: told.append(done), patience)
    return told


def test_a_whole_file_is_digested_on_the_way(part: Part) -> None:
    with FileServer(CONTENT).serving() as server:
        told = get(server, part)
    assert part.path.read_bytes() == CONTENT
    assert part.sha256 == sha256(CONTENT)
    assert told[-1] == len(CONTENT)
    assert told == sorted(told)


def test_a_cut_connection_is_taken_up_where_it_broke_off(part: Part) -> None:
    with FileServer(CONTENT, break_after=HALF).serving() as server:
        get(server, part)
    assert [ranged for _, ranged, _ in server.asked] == [None, f"bytes={HALF}-"]
    assert server.asked[1][2] == '"one"'
    assert part.sha256 == sha256(CONTENT)


def test_another_run_takes_up_what_an_earlier_one_left(tmp_path: Path) -> None:
    weak = FileServer(CONTENT, break_after=HALF, breaks=99, ranges=False)
    with weak.serving() as server:
        with Part(tmp_path / "archive.zip") as part, pytest.raises(ModelError) as caught:
            get(server, part)
        assert caught.value.code == "model_truncated"
        server.ranges, server.breaks = True, 0
        with Part(tmp_path / "archive.zip") as again:
            assert again.kept == HALF
            get(server, again)
            assert again.sha256 == sha256(CONTENT)
    assert server.asked[-1][1] == f"bytes={HALF}-"


def test_a_server_without_ranges_is_read_from_the_start(part: Part) -> None:
    with FileServer(CONTENT, break_after=HALF, ranges=False).serving() as server:
        get(server, part)
    assert part.sha256 == sha256(CONTENT)
    assert len(server.asked) == 2


def test_a_file_that_changed_meanwhile_is_read_from_the_start(part: Part) -> None:
    old = FileServer(CONTENT[::-1], break_after=HALF, breaks=99, ranges=False)
    with old.serving() as server:
        with pytest.raises(ModelError):
            get(server, part, size=None, known=False)
        server.content, server.etag, server.break_after, server.ranges = (
            CONTENT,
            '"two"',
            None,
            True,
        )
        get(server, part, size=None, known=False)
    assert server.asked[-1][1:] == (f"bytes={HALF}-", '"one"')
    assert part.sha256 == sha256(CONTENT)


def test_without_a_mark_or_a_checksum_nothing_is_continued(part: Part) -> None:
    with FileServer(CONTENT, break_after=HALF, etag="").serving() as server:
        get(server, part, size=None, known=False)
    assert [ranged for _, ranged, _ in server.asked] == [None, None]
    assert part.sha256 == sha256(CONTENT)


def test_another_mirror_continues_where_a_checksum_protects(tmp_path: Path) -> None:
    path = tmp_path / "archive.zip"
    path.write_bytes(CONTENT[:HALF])
    with FileServer(CONTENT).serving() as server, Part(path) as part:
        get(server, part)
    assert server.asked == [(PATH, f"bytes={HALF}-", None)]
    assert part.sha256 == sha256(CONTENT)


def test_a_file_that_is_already_whole_is_not_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "archive.zip"
    path.write_bytes(CONTENT)
    with FileServer(CONTENT).serving() as server, Part(path) as part:
        get(server, part)
    assert not server.asked


def test_nothing_left_to_serve_means_whole(tmp_path: Path) -> None:
    """Status 416, where the size was not known beforehand."""
    path = tmp_path / "archive.zip"
    path.write_bytes(CONTENT)
    with FileServer(CONTENT).serving() as server, Part(path) as part:
        get(server, part, size=None)
    assert part.sha256 == sha256(CONTENT)


def test_more_than_the_server_has_is_thrown_away(tmp_path: Path) -> None:
    path = tmp_path / "archive.zip"
    path.write_bytes(CONTENT + b"more")
    with FileServer(CONTENT).serving() as server, Part(path) as part:
        get(server, part)
    assert part.sha256 == sha256(CONTENT)


def test_a_range_that_was_not_asked_for_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "archive.zip"
    path.write_bytes(CONTENT[:HALF])
    with FileServer(CONTENT, wrong_range=True).serving() as server, Part(path) as part:
        get(server, part)
    assert [ranged for _, ranged, _ in server.asked] == [f"bytes={HALF}-", None]
    assert part.sha256 == sha256(CONTENT)


def test_redirects_are_followed_but_not_for_ever(part: Part) -> None:
    with FileServer(CONTENT, redirects=2).serving() as server:
        get(server, part)
        assert part.sha256 == sha256(CONTENT)
        part.begin()
        server.redirects = 30
        with pytest.raises(ModelError) as caught:
            get(server, part)
    assert caught.value.code == "model_unreachable"


@pytest.mark.parametrize("status", [403, 404, 500, 503])
def test_a_refusal_is_named_and_says_what_to_do(part: Part, status: int) -> None:
    with (
        FileServer(CONTENT, status=status).serving() as server,
        pytest.raises(ModelError) as caught,
    ):
        get(server, part)
    assert caught.value.code == "model_unreachable"
    assert f"HTTP {status}" in str(caught.value)
    assert "--from" in str(caught.value)


@pytest.mark.parametrize("server", [FileServer(b"<html>sign in"), FileServer(CONTENT + b"x")])
def test_a_file_of_another_size_is_refused_before_it_is_taken(
    part: Part, server: FileServer
) -> None:
    with server.serving(), pytest.raises(ModelError) as caught:
        get(server, part)
    assert caught.value.code == "model_checksum"
    assert part.size == 0


def test_more_than_was_said_is_cut_off(part: Part) -> None:
    with (
        FileServer(CONTENT + b"x" * 10**6, sized=False).serving() as server,
        pytest.raises(ModelError) as caught,
    ):
        get(server, part)
    assert caught.value.code == "model_checksum"


def test_an_unsized_answer_that_ends_too_early_is_truncated(part: Part) -> None:
    short = FileServer(CONTENT[:HALF], sized=False, ranges=False)
    with short.serving() as server, pytest.raises(ModelError) as caught:
        get(server, part)
    assert caught.value.code == "model_truncated"


def test_a_length_that_is_a_lie_is_truncated(part: Part) -> None:
    lying = FileServer(CONTENT[:HALF], declared=len(CONTENT), ranges=False)
    with lying.serving() as server, pytest.raises(ModelError) as caught:
        get(server, part)
    assert caught.value.code == "model_truncated"


def test_a_server_that_falls_silent_is_given_up(part: Part) -> None:
    stalling = FileServer(CONTENT, stall=True, ranges=False)
    with stalling.serving() as server, pytest.raises(ModelError) as caught:
        get(server, part, patience=Patience(5, 0.05, 0, 1))
    assert caught.value.code == "model_truncated"


def test_nobody_there_no_name_no_proxy(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{probe.getsockname()[1]}"
        for url in (closed, "http://no-such-host.invalid", "http://[::bad", "https://127.0.0.1:1"):
            with pytest.raises(ModelError) as caught:
                get(FileServer(CONTENT, url=url), part)
            assert caught.value.code == "model_unreachable"
        monkeypatch.setenv("HTTP_PROXY", closed)
        with FileServer(CONTENT).serving() as server, pytest.raises(ModelError) as caught:
            get(server, part)
        assert caught.value.code == "model_unreachable"
        assert not server.asked


def test_a_full_disk_is_named_before_and_on_the_way(
    part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FileServer(CONTENT).serving() as server:
        monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=0))
        with pytest.raises(ModelError) as caught:
            get(server, part)
        assert caught.value.code == "model_space"
    with pytest.raises(ModelError) as caught, disk.writing(part.path.parent):
        raise OSError(28, "No space left on device")
    assert caught.value.code == "model_space"


def test_what_is_there_survives_a_note_that_does_not(tmp_path: Path) -> None:
    path = tmp_path / "archive.zip"
    path.write_bytes(CONTENT[:HALF])
    path.with_suffix(".json").write_text("[")
    with FileServer(CONTENT).serving() as server, Part(path) as part:
        get(server, part, size=None, known=False)
    assert part.sha256 == sha256(CONTENT)
    assert server.asked == [(PATH, None, None)]
