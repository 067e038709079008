"""What citizens sent, on disk: sealed once there is a key, gone where no row names it."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from prometheus_client import CollectorRegistry

from chat.attachments import keep
from chat.files import FOLDER, Files
from qianmen.keeper.attachments import delete_rowless, seal_plain
from qianmen.keeper.duties import all_duties
from qianmen.keeper.duty import Keeping
from qianmen.keeper.watch import Watch
from sealing.keys import keyring
from store.engine import writing
from store.tables import Attachment
from tests.fakes.orders import CHAT

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
KEY = "qk1.aes256.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"


def with_key(keeping: Keeping) -> Keeping:
    settings = keeping.settings.model_copy(update={"data_key": KEY})
    return Keeping(settings, keeping.city, keeping.engine)


def kept(keeping: Keeping, heard: str) -> Path:
    """A photo that a citizen sent; its plain path."""
    files = Files(keeping.settings.recordings_dir)
    found = keep(keeping.engine, files, CHAT, heard, "photo", "image/jpeg", b"a photo", NOW)
    return keeping.settings.recordings_dir / found.path


def aged(path: Path, days: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_bytes(b"a photo")
    moment = (NOW - timedelta(days=days)).timestamp()
    os.utime(path, (moment, moment))
    return path


def test_what_was_kept_before_there_was_a_key_is_sealed(keeping: Keeping) -> None:
    photo = kept(keeping, "m1")
    broken_off = aged(photo.with_name("other.jpg.part"), 0)
    assert seal_plain(keeping) == 0
    assert seal_plain(with_key(keeping)) == 1
    assert not photo.exists()
    assert broken_off.exists()
    files = Files(keeping.settings.recordings_dir, keyring(KEY))
    assert files.read(str(photo.relative_to(keeping.settings.recordings_dir))) == b"a photo"
    assert seal_plain(with_key(keeping)) == 0


def test_a_file_that_no_row_names_goes_after_a_week(keeping: Keeping) -> None:
    folder = keeping.settings.recordings_dir / FOLDER / "ab"
    left = [
        aged(kept(keeping, "m1"), 99), aged(folder / "young.jpg", 6.9),
        aged(folder / "young.jpg.part", 0.5),
        aged(keeping.settings.recordings_dir / "2026" / "call.flac", 99),
    ]  # fmt: skip
    erased = aged(kept(keeping, "m2"), 8)
    with writing(keeping.engine) as session:  # its file could not be deleted then
        session.get_one(Attachment, erased.stem).deleted_at = NOW
    gone = [
        erased, aged(folder / "crashed.jpg", 7.1), aged(folder / "crashed.voice.sealed", 7.1),
        aged(folder / "c.jpg.part", 1.1), aged(folder / "c.jpg.sealed.part", 1.1),
    ]  # fmt: skip
    assert delete_rowless(keeping, NOW, dry_run=True) == len(gone)
    assert all(path.exists() for path in gone)
    assert delete_rowless(keeping, NOW) == len(gone)
    assert not any(path.exists() for path in gone)
    assert all(path.exists() for path in left)


def test_a_sealed_file_keeps_its_row(keeping: Keeping) -> None:
    photo = kept(keeping, "m1")
    seal_plain(with_key(keeping))
    sealed = aged(photo.with_name(f"{photo.name}.sealed"), 99)
    assert delete_rowless(keeping, NOW) == 0
    assert sealed.exists()


def test_the_keeper_does_both(keeping: Keeping) -> None:
    names = [duty.name for duty in all_duties(Watch(keeping.settings, CollectorRegistry()))]
    assert {"attachments_seal", "attachments_rowless"} <= set(names)
    assert len(names) == len(set(names))
