"""What citizens sent along is copied, given out, and goes with the conversation that it came in."""

from __future__ import annotations

import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from bot.records import Opening, end_conversation, open_conversation
from chat.attachments import Note, keep
from chat.files import Files
from qianmen.keeper.duty import Keeping
from qianmen.keeper.retention import delete_attachments, retain
from qianmen.personal.deeds import By
from qianmen.personal.erase import erase
from sealing.keys import Key, Keyring
from store.backup import back_up
from store.engine import reading
from store.tables import Attachment

ACCOUNT = "web:0123456789abcdef"


def sent(keeping: Keeping, now: datetime, *, sealed: bool = False) -> Path:
    """A chat with a voice note; where its file lies."""
    open_conversation(keeping.engine, Opening("web-1", "web", "12345", ACCOUNT, now))
    keys = Keyring((Key("aes256", bytes(32)),)) if sealed else None
    files = Files(keeping.settings.recordings_dir, keys)
    kept = keep(keeping.engine, files, "web-1", "h1", "voice", "audio/ogg", b"OggS" + bytes(9), now,
                note=Note("我住建业小区", 0.9, 900))  # fmt: skip
    end_conversation(keeping.engine, "web-1", now)
    return keeping.settings.recordings_dir / f"{kept.path}{'.sealed' if sealed else ''}"


def row(engine: Engine) -> Attachment:
    with reading(engine) as session:
        return session.scalars(select(Attachment)).one()


@pytest.mark.parametrize("sealed", [False, True])
def test_the_rules_delete_it_with_its_conversation(
    keeping: Keeping, now: datetime, *, sealed: bool
) -> None:
    file = sent(keeping, now, sealed=sealed)
    assert file.is_file()
    assert retain(keeping, now).attachments == 0
    later = now + timedelta(days=keeping.city.retention.transcripts_days + 400)
    gone = retain(keeping, later)
    assert (gone.attachments, gone.transcripts, gone.failed) == (1, 1, 0)
    assert not file.exists()
    assert (row(keeping.engine).text, row(keeping.engine).deleted_at) == ("", later)


def test_it_is_erased_on_the_citizens_wish(keeping: Keeping, now: datetime) -> None:
    file = sent(keeping, now)
    done = erase(keeping, ACCOUNT, By("tester", "cli"), now + timedelta(hours=30))
    assert (done.conversations, done.attachments, done.failed) == (1, 1, 0)
    assert not file.exists()
    assert row(keeping.engine).text == ""


def test_a_file_that_is_gone_already_hinders_nothing(keeping: Keeping, now: datetime) -> None:
    sent(keeping, now).unlink()
    assert delete_attachments(keeping, "web-1", now) == (1, 0)
    assert delete_attachments(keeping, "web-1", now) == (0, 0)


@pytest.mark.parametrize("sealed", [False, True])
def test_a_backup_takes_it_along(
    keeping: Keeping, now: datetime, tmp_path: Path, *, sealed: bool
) -> None:
    sent(keeping, now, sealed=sealed)
    target = tmp_path / "backup.tar.gz"
    done = back_up(keeping.engine, target, now=now, recordings=keeping.settings.recordings_dir)
    assert (done.recordings, done.recordings_missing) == (1, 0)


def test_the_citizen_is_given_it(keeping: Keeping, now: datetime, tmp_path: Path) -> None:
    from qianmen.personal.export import export

    sent(keeping, now)
    target = tmp_path / "citizen.zip"
    done = export(keeping.settings, keeping.engine, ACCOUNT, target, By("tester", "cli"), now)
    assert done.attachments == 1
    with zipfile.ZipFile(target) as archive:
        (name,) = [one for one in archive.namelist() if one.startswith("attachments/")]
        assert archive.read(name).startswith(b"OggS")
