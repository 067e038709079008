"""Photos and voice notes over HTTP, on the real app and both databases."""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from sqlalchemy import Engine, select

from chat import attachments, uploads
from chat.limits import Limits
from chat.pictures import LONGEST_SIDE, PictureError, redrawn
from chat.voice import Recognised, VoiceError
from config.city import City
from sealing.keys import Key, Keyring
from store.engine import reading
from store.tables import Attachment, Turn
from tests.chat.test_socket import Browser
from tests.chat.voicenotes import note
from tests.fakes.office import Office


def photo(width: int = 60, height: int = 40, kind: str = "JPEG", mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif[0x0112] = 6  # held upright
    Image.new(mode, (width, height), "red").save(out, kind, exif=exif)
    return out.getvalue()


def begun(client: TestClient) -> Browser:
    page = Browser()
    with page.on(client):
        pass
    return page


def send(
    client: TestClient, page: Browser, data: bytes, kind: str = "photo", known: str = "message1",
    **headers: str,
) -> tuple[int, dict[str, object]]:  # fmt: skip
    answer = client.post(
        f"/chat/attachment?kind={kind}&id={known}", content=data,
        headers={"X-Chat-Session": page.session, **headers},
    )  # fmt: skip
    return answer.status_code, answer.json()


def test_a_photo_is_kept_without_what_the_camera_wrote(client: TestClient, office: Office) -> None:
    page = begun(client)
    status, told = send(client, page, photo())
    assert (status, told["kind"], told["media_type"]) == (200, "photo", "image/jpeg")
    got = client.get(
        f"/chat/attachment/{told['attachment']}", headers={"X-Chat-Session": page.session}
    )
    assert got.status_code == 200
    assert b"SecretCamera" not in got.content
    with Image.open(io.BytesIO(got.content)) as kept:
        assert kept.size == (40, 60)  # as it was held
    with page.on(client) as history:
        mine = next(turn for turn in history["turns"] if turn["id"] == "message1")
        if office.city.prompts.file_kept not in page.texts:
            assert page.answer("message1") == office.city.prompts.file_kept
    assert mine["attachments"] == [{"id": told["attachment"], "kind": "photo", "text": ""}]


def test_the_same_photo_again_is_one_message(client: TestClient, office: Office) -> None:
    page = begun(client)
    first, again = send(client, page, photo()), send(client, page, photo())
    assert first == again
    with reading(office.engine) as session:
        assert len(session.scalars(select(Attachment)).all()) == 1
        assert len(session.scalars(select(Turn).where(Turn.heard == "message1")).all()) == 1
    assert len([path for path in office.settings.recordings_dir.rglob("*") if path.is_file()]) == 1


def test_of_what_came_twice_at_once_one_file_is_left(
    client: TestClient, office: Office, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    page = begun(client)
    _, told = send(client, page, photo())
    real, asked = attachments.kept_of, []

    def not_yet(engine: Engine, conversation: str, heard: str) -> attachments.Kept | None:
        asked.append(heard)
        return real(engine, conversation, heard) if len(asked) > 1 else None

    monkeypatch.setattr(attachments, "kept_of", not_yet)
    with reading(office.engine) as session:
        talk = session.scalars(select(Attachment.conversation_id)).one()
    door = office.app.state.site.door
    late = attachments.keep(
        office.engine, door.files, talk, "message1", "photo", "image/jpeg", photo(), now
    )
    assert late.id == told["attachment"]
    assert len([path for path in office.settings.recordings_dir.rglob("*") if path.is_file()]) == 1


def test_nobody_else_sees_it(client: TestClient) -> None:
    page, stranger = begun(client), begun(client)
    _, told = send(client, page, photo())
    for token in (stranger.session, "", "forged"):
        got = client.get(
            f"/chat/attachment/{told['attachment']}", headers={"X-Chat-Session": token}
        )
        assert got.status_code == 404
    path = f"/attachments/{told['attachment']}"
    assert client.get(path, follow_redirects=False).status_code in (302, 303, 401)


def test_a_voice_note_is_what_was_said_in_it(
    client: TestClient, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def said(url: str, pcm: bytes) -> Recognised:
        assert url == office.settings.asr_address
        assert 31000 < len(pcm) < 33000
        return Recognised("公积金怎么取", 0.9)

    monkeypatch.setattr(uploads, "recognise", said)
    page = begun(client)
    status, told = send(client, page, note(), kind="voice")
    assert status == 200
    assert (told["text"], told["confidence"], told["media_type"]) == (
        "公积金怎么取", 0.9, "audio/webm",
    )  # fmt: skip
    with page.on(client):
        if "听到：公积金怎么取" not in page.texts:
            assert page.answer("message1") == "听到：公积金怎么取"
    with reading(office.engine) as session:
        turn = session.scalars(select(Turn).where(Turn.heard == "message1")).one()
        assert (turn.kind, turn.confidence) == ("speech", 0.9)


def test_what_was_hardly_understood_is_asked_again(
    client: TestClient, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def said(_url: str, _pcm: bytes) -> Recognised:
        return Recognised("公鸡近", 0.3)

    monkeypatch.setattr(uploads, "recognise", said)
    page = begun(client)
    assert send(client, page, note(), kind="voice")[0] == 200
    with page.on(client):
        if office.city.prompts.miss not in page.texts:
            assert page.answer("message1") == office.city.prompts.miss
    assert office.dialogue.asked == []


@pytest.mark.parametrize(
    ("data", "kind", "status", "code"),
    [
        (b"", "photo", 415, "kind_unknown"),
        (b"<svg onload=alert(1)>", "photo", 415, "kind_unknown"),
        (b"\0\0\0\x24ftypheic" + bytes(40), "photo", 415, "picture_heic"),
        (photo()[:80], "photo", 422, "picture_broken"),
        (b"\x89PNG\r\n\x1a\n" + bytes(99), "photo", 422, "picture_broken"),
        (bytes(10 * 1024 * 1024 + 1), "photo", 413, "too_big"),
        (b"x" * 50, "voice", 415, "kind_unknown"),
        (note(seconds=0.1), "voice", 422, "sound_empty"),
        (bytes(2 * 1024 * 1024 + 1), "voice", 413, "too_big"),
    ],
)
def test_what_cannot_be_kept_is_said_in_a_sentence(
    client: TestClient, office: Office, data: bytes, kind: str, status: int, code: str
) -> None:
    page = begun(client)
    got, told = send(client, page, data, kind=kind)
    assert (got, told["code"], told["retry"]) == (status, code, False)
    assert str(told["text"]).endswith(("。", "！"))
    with reading(office.engine) as session:
        assert session.scalars(select(Attachment)).all() == []
        assert session.scalars(select(Turn).where(Turn.speaker == "citizen")).all() == []


def test_a_recogniser_that_is_gone_loses_nothing(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(_url: str, _pcm: bytes) -> Recognised:
        raise VoiceError("asr_unreachable", "nobody")

    monkeypatch.setattr(uploads, "recognise", gone)
    status, told = send(client, begun(client), note(), kind="voice")
    assert (status, told["code"], told["retry"]) == (503, "asr_unreachable", True)


def test_who_may_not_send(client: TestClient) -> None:
    page = begun(client)
    assert send(client, Browser(), photo())[1]["code"] == "session_missing"
    assert send(client, page, photo(), known="x")[1]["code"] == "frame_malformed"
    status, told = send(client, page, photo(), Origin="https://evil.example")
    assert (status, told["code"]) == (403, "origin_refused")
    other = client.post("/chat/attachment?kind=program&id=message1", content=b"x")
    assert other.status_code == 422


def test_too_many_files_are_answered_politely(
    tmp_path: Path, engine: Engine, city: City, now: datetime
) -> None:
    office = Office(tmp_path, engine, city, lambda: now, limits=Limits())
    with TestClient(office.app) as client:
        page = begun(client)
        answers = [send(client, page, b"x", known=f"message{n}") for n in range(12)]
    assert [status for status, _ in answers].count(429) >= 1
    told = answers[-1][1]
    assert told["code"] == "too_fast"
    assert int(str(told["retry_after_s"])) >= 1


def test_with_a_key_nothing_lies_open_on_the_disk(
    tmp_path: Path, engine: Engine, city: City, now: datetime
) -> None:
    from chat.attachments import keep, kept_of
    from chat.files import Files

    files = Files(tmp_path, Keyring((Key("aes256", bytes(32)),)))
    office = Office(tmp_path, engine, city, lambda: now)
    with TestClient(office.app) as client:
        begun(client)
    with reading(engine) as session:
        name = session.scalars(select(Turn.conversation_id)).first() or ""
    kept = keep(engine, files, name, "h1", "photo", "image/jpeg", b"\xff\xd8\xffpixels", now)
    (path,) = (tmp_path / "attachments").rglob("*.*")
    assert path.name.endswith(".jpg.sealed")
    assert b"pixels" not in path.read_bytes()
    assert files.read(kept.path) == b"\xff\xd8\xffpixels"
    assert kept_of(engine, name, "h1") == kept
    assert files.read("../../etc/passwd") is None


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "RGBA"), ("PNG", "P"), ("WEBP", "RGB")])
def test_every_picture_becomes_a_plain_jpeg(kind: str, mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (LONGEST_SIDE + 10, 20)).save(out, kind)
    with Image.open(io.BytesIO(redrawn(out.getvalue()))) as made:
        assert (made.format, made.mode, max(made.size)) == ("JPEG", "RGB", LONGEST_SIDE)


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    out = io.BytesIO()
    Image.new("1", (9000, 9000)).save(out, "PNG")
    assert len(out.getvalue()) < 100_000
    with pytest.raises(PictureError) as caught:
        redrawn(out.getvalue())
    assert caught.value.code == "picture_too_large"
