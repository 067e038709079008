"""Rows and files deleted by rule, on both databases."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from config.secret import secret_key
from qianmen.keeper import retention
from qianmen.keeper.duty import Keeping
from qianmen.keeper.recordings import delete_orphans, seal_left
from qianmen.keeper.retention import DUTIES, retain
from sealing.files import seal_file
from sealing.keys import keyring
from store import audit
from store.engine import reading, writing
from store.tables import Audit, Conversation, HandoffEntry, Recording, Turn, WorkOrder
from tests.fakes.orders import CALL, CHAT, RECORDING

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
KEY = "qk1.aes256.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"


def after(days: float) -> datetime:
    return NOW + timedelta(days=days)


def close(keeping: Keeping) -> None:
    with writing(keeping.engine) as session:
        for entry in session.scalars(select(HandoffEntry)):
            entry.state = "done"
        for order in session.scalars(select(WorkOrder)):
            order.state = "办结"
        for talk in session.scalars(select(Conversation)):
            talk.state, talk.ended_at = "ended", NOW


def texts(keeping: Keeping, conversation: str) -> str:
    with reading(keeping.engine) as session:
        wanted = select(Turn.text).where(Turn.conversation_id == conversation)
        return "".join(session.scalars(wanted))


def test_each_at_its_time(keeping: Keeping) -> None:
    close(keeping)
    assert retain(keeping, after(100)).recordings == 0
    first = retain(keeping, after(181))
    assert (first.recordings, first.transcripts, first.orders) == (1, 0, 0)
    assert not list(keeping.settings.recordings_dir.rglob("*.wav"))
    assert "烧烤摊" in texts(keeping, CALL)
    second = retain(keeping, after(366))
    assert (second.recordings, second.transcripts, second.orders) == (0, 9, 0)
    assert texts(keeping, CALL) == texts(keeping, CHAT) == ""
    with reading(keeping.engine) as session:
        assert session.get_one(Recording, RECORDING).deleted_at == after(181)
        assert session.get_one(Conversation, CALL).citizen == ""
        assert all(session.scalars(select(WorkOrder.title)))
    third = retain(keeping, after(3651))
    assert (third.recordings, third.transcripts, third.orders) == (0, 0, 9)
    with reading(keeping.engine) as session:
        assert set(session.scalars(select(WorkOrder.title))) == {""}
        assert len(session.scalars(select(WorkOrder.number)).all()) == 9
    assert retain(keeping, after(3652)).orders == 0


def test_open_orders_hold_their_conversation(keeping: Keeping) -> None:
    gone = retain(keeping, after(5000))
    assert (gone.recordings, gone.transcripts, gone.orders) == (0, 0, 0)
    assert "烧烤摊" in texts(keeping, CALL)


def test_a_dry_run_counts_the_same_and_touches_nothing(keeping: Keeping) -> None:
    close(keeping)
    tried = retain(keeping, after(400), dry_run=True)
    assert (tried.recordings, tried.transcripts) == (1, 9)
    assert "烧烤摊" in texts(keeping, CALL)
    assert retain(keeping, after(400)).as_json() == tried.as_json()


def test_a_file_that_cannot_be_deleted_is_counted_and_tried_again(
    keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    close(keeping)

    def refuse(folder: Path, path: str) -> None:
        raise OSError(30, "Read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr("qianmen.keeper.retention.delete_files", refuse)
        gone = retain(keeping, after(400))
    assert (gone.recordings, gone.failed, gone.transcripts) == (0, 1, 9)
    again = retain(keeping, after(401))
    assert (again.recordings, again.failed) == (1, 0)


def test_old_audit_lines_go_and_the_rest_still_holds(keeping: Keeping) -> None:
    key = secret_key(keeping.settings)
    for day in (0, 10, 1000):
        with writing(keeping.engine) as session:
            audit.write(session, key, at=after(day), actor="li", action="order_viewed")
    assert retain(keeping, after(1106)).audit_lines == 2
    with reading(keeping.engine) as session:
        actions = session.scalars(select(Audit.action).order_by(Audit.id)).all()
        assert actions == ["order_viewed", audit.DELETED]
        assert audit.verify(session, key) is None


def test_rendered_sentences_have_their_time(keeping: Keeping) -> None:
    folder = keeping.settings.speech_dir / "ab"
    folder.mkdir(parents=True)
    for name, days in (("old.pcm", 8), ("young.pcm", 6)):
        (folder / name).write_bytes(b"sound")
        moment = (NOW - timedelta(days=days)).timestamp()
        os.utime(folder / name, (moment, moment))
    assert retain(keeping, NOW, dry_run=True).sentences == 1
    assert retain(keeping, NOW).sentences == 1
    assert [file.name for file in folder.iterdir()] == ["young.pcm"]


def test_rendered_sentences_have_their_room(
    keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "SPEECH_BYTES", 10)
    folder = keeping.settings.speech_dir / "ab"
    folder.mkdir(parents=True)
    for name, days in (("oldest", 3), ("older", 2), ("young", 1)):
        (folder / name).write_bytes(b"sound")
        moment = (NOW - timedelta(days=days)).timestamp()
        os.utime(folder / name, (moment, moment))
    assert retain(keeping, NOW, dry_run=True).sentences == 1
    assert retain(keeping, NOW).sentences == 1
    assert sorted(file.name for file in folder.iterdir()) == ["older", "young"]


def test_the_duty_waits_for_a_sure_clock() -> None:
    assert all(duty.deletes for duty in DUTIES)


@pytest.fixture
def sealing(keeping: Keeping) -> Keeping:
    settings = keeping.settings.model_copy(update={"data_key": KEY})
    return Keeping(settings, keeping.city, keeping.engine)


def aged(path: Path, days: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_bytes(b"sound")
    moment = (NOW - timedelta(days=days)).timestamp()
    os.utime(path, (moment, moment))
    return path


def test_what_a_crash_left_plain_is_sealed(sealing: Keeping) -> None:
    folder = sealing.settings.recordings_dir
    (done,) = folder.rglob("*.wav")
    aged(done, 0.1)
    running = aged(folder / "2026" / "running.wav", 0.001)
    no_row_yet = aged(folder / "2026" / "young.wav", 0.5)
    crashed = aged(folder / "2026" / "crashed.wav", 1.1)
    assert seal_left(sealing, NOW) == 2
    assert running.exists()
    assert no_row_yet.exists()
    assert not crashed.exists()
    assert sorted(path.name for path in folder.rglob("*.sealed")) == [
        "crashed.wav.sealed", "rec-7f3a.wav.sealed",
    ]  # fmt: skip
    assert seal_left(sealing, NOW) == 0


def test_sealed_recordings_are_deleted_as_well(sealing: Keeping) -> None:
    close(sealing)
    (wav,) = sealing.settings.recordings_dir.rglob("*.wav")
    ring = keyring(KEY)
    assert ring is not None
    sealed = seal_file(wav, ring)
    assert retain(sealing, after(181)).recordings == 1
    assert not sealed.exists()


def test_files_of_no_conversation(keeping: Keeping) -> None:
    folder = keeping.settings.recordings_dir
    (known,) = folder.rglob("*.wav")
    aged(known, 9999)
    kept = [known, aged(folder / "2026/young.wav", 179), aged(folder / "2026/notes.txt", 9999)]
    gone = [aged(folder / "2026/old.wav", 181), aged(folder / "old.wav.sealed", 181),
            aged(folder / "x.wav.sealed.part", 2)]  # fmt: skip
    assert delete_orphans(keeping, NOW, dry_run=True) == 3
    assert all(path.exists() for path in gone)
    assert delete_orphans(keeping, NOW) == 3
    assert all(path.exists() for path in kept)
    assert not any(path.exists() for path in gone)


def test_no_path_leads_out_of_the_folder(keeping: Keeping, tmp_path: Path) -> None:
    close(keeping)
    precious = tmp_path / "precious.wav"
    precious.write_bytes(b"not a recording")
    with writing(keeping.engine) as session:
        session.get_one(Recording, RECORDING).path = str(precious)
    retain(keeping, after(181))
    assert precious.exists()
