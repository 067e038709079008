"""Pages where the city set a key: recordings in pieces, and what a search still finds."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from sealing.files import seal_file
from store.marks import Marker
from store.seal import keys_of, seal_from
from tests.fakes.office import Office
from tests.fakes.orders import PHONE, RECORDING
from tests.web.conftest import Desk
from tests.web.test_orders_pages import find
from web.sealed import RangeError, part_wanted

KEY = "qk1.sm4.AAECAwQFBgcICQoLDA0ODw"


@pytest.fixture
def engine(engine: Engine) -> Engine:
    """As ``open_store`` opens it."""
    engine.dialect.seal = seal_from(KEY)  # type: ignore[attr-defined]  # where store.types finds it
    engine.dialect.marker = Marker(KEY, lambda: "secret")  # type: ignore[attr-defined]  # as above
    return engine


@pytest.fixture
def wav(office: Office, day: tuple[str, str]) -> bytes:
    """The call's recording before it was sealed."""
    (plain,) = office.settings.recordings_dir.rglob("*.wav")
    sound = plain.read_bytes()
    ring = keys_of(office.engine)
    assert ring is not None
    seal_file(plain, ring)
    return sound


def test_a_sealed_recording_is_played_from_any_place(desk: Desk, wav: bytes) -> None:
    whole = desk.get(f"/recordings/{RECORDING}")
    assert (whole.status_code, whole.headers["content-type"]) == (200, "audio/wav")
    assert whole.content == wav
    assert whole.headers["accept-ranges"] == "bytes"
    assert int(whole.headers["content-length"]) == len(wav)
    for asked, start, end in (
        ("bytes=1000-1999", 1000, 2000),
        ("bytes=65530-65545", 65530, 65546),
        (f"bytes={len(wav) - 5}-", len(wav) - 5, len(wav)),
        ("bytes=-7", len(wav) - 7, len(wav)),
        ("bytes=10-99999999", 10, len(wav)),
    ):
        part = desk.get(f"/recordings/{RECORDING}", headers={"range": asked})
        assert part.status_code == 206
        assert part.headers["content-range"] == f"bytes {start}-{end - 1}/{len(wav)}"
        assert part.content == wav[start:end]
    beyond = desk.get(f"/recordings/{RECORDING}", headers={"range": "bytes=99999999-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(wav)}")


def test_another_file_since_is_given_whole(desk: Desk, wav: bytes) -> None:
    tag = desk.get(f"/recordings/{RECORDING}").headers["etag"]
    asked = {"range": "bytes=0-9", "if-range": tag}
    assert desk.get(f"/recordings/{RECORDING}", headers=asked).status_code == 206
    asked["if-range"] = '"other"'
    assert desk.get(f"/recordings/{RECORDING}", headers=asked).status_code == 200


def test_a_damaged_or_foreign_recording_has_a_code(desk: Desk, wav: bytes) -> None:
    (sealed,) = desk.office.settings.recordings_dir.rglob("*.sealed")
    content = sealed.read_bytes()
    sealed.write_bytes(content[:-1])
    answer = desk.get(f"/recordings/{RECORDING}")
    assert answer.status_code == 503
    assert "已经损坏" in answer.text
    sealed.write_bytes(content)
    desk.office.engine.dialect.seal = None  # type: ignore[attr-defined]  # started without the key
    # Even signing in reads nothing personal: the recording is what cannot be opened.
    answer = desk.get(f"/recordings/{RECORDING}")
    assert answer.status_code == 503
    assert "没有设置密钥" in answer.text


def test_no_link_leads_out_of_the_folder(desk: Desk, wav: bytes, tmp_path: Path) -> None:
    (sealed,) = desk.office.settings.recordings_dir.rglob("*.sealed")
    elsewhere = tmp_path / "elsewhere.sealed"
    sealed.rename(elsewhere)
    sealed.symlink_to(elsewhere)
    assert desk.get(f"/recordings/{RECORDING}").status_code == 404


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("烧烤", 1),
        ("139-1234 5678", 1),
        ("+8613912345678", 1),
        ("1391234567", 0),  # only the whole number
        ("12345", 0),  # nothing of a sealed value by chance
        ("%", 0),
        ("qs1", 0),
    ],
)
def test_what_a_search_finds(desk: Desk, day: tuple[str, str], search: str, found: int) -> None:
    assert len(find(desk, search=search)) == found


def test_part_of_a_number_is_found_and_the_page_says_how_to_search(
    desk: Desk, day: tuple[str, str]
) -> None:
    assert find(desk, search=day[0]) == [day[0]]
    assert "完整的电话" in desk.get("/orders").text
    assert PHONE in desk.get(f"/orders/{day[0]}").text


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(header=st.one_of(st.none(), st.text(max_size=30), st.from_regex(r"bytes=\d{0,4}-\d{0,4}")),
       size=st.integers(0, 5000))  # fmt: skip
def test_any_range_header_is_a_part_the_whole_or_refused(header: str | None, size: int) -> None:
    try:
        part = part_wanted(header, size)
    except RangeError:
        return
    assert part is None or 0 <= part[0] < part[1] <= size
