"""Give a citizen their data: one zip with ``citizen.json`` and the recordings (PIPL Art. 45)."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Engine

from config.settings import Settings
from qianmen.personal.contents import contents
from qianmen.personal.deeds import By, note
from qianmen.personal.find import PersonalError, find
from sealing.files import SealedFile, sealed_path
from store.engine import reading
from store.marks import normalised
from store.seal import SealError, keys_of

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Exported:
    """What was given out; ``missing`` recordings could not be read."""

    file: str
    conversations: int = 0
    orders: int = 0
    turns: int = 0
    recordings: int = 0
    attachments: int = 0
    missing: int = 0

    def as_json(self) -> dict[str, Any]:
        """As one JSON object, without any of the data itself."""
        return asdict(self)


def export(
    settings: Settings, engine: Engine, identity: str, target: Path, by: By, now: datetime
) -> Exported:
    """Write everything of ``identity`` to the new file ``target``, readable by its owner only.

    It is whole when it stands there, and only after the audit has its line; a refusal leaves none.

    Raises :class:`PersonalError` ``identity_invalid``, ``export_exists``, ``export_failed``.
    """
    with _reserved(target) as part:
        talks = _talks(engine, identity)
        done = _write(settings, engine, talks, identity, target, part, now)
        note(settings, engine, by, "citizen_exported", identity, now,
             {"conversations": [talk["id"] for talk in talks]})  # fmt: skip
        try:
            part.replace(target)
        except OSError as error:
            raise _failed(target, error) from None
    return done


@contextmanager
def _reserved(target: Path) -> Iterator[Path]:
    """Nobody else's ``target``, empty until the file beside it takes its place; else gone again."""
    part = target.with_name(f".{target.name}.part")
    try:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise PersonalError("export_exists", f"{target} 已经存在，不覆盖") from None
    except OSError as error:
        raise _failed(target, error) from None
    try:
        yield part
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    finally:
        part.unlink(missing_ok=True)


def _failed(target: Path, error: OSError) -> PersonalError:
    return PersonalError("export_failed", f"{target}：{error.strerror}")


def _write(
    settings: Settings,
    engine: Engine,
    talks: list[dict[str, Any]],
    identity: str,
    target: Path,
    part: Path,
    now: datetime,
) -> Exported:
    done = Exported(
        str(target), len(talks), sum(len(talk["orders"]) for talk in talks),
        sum(len(talk["turns"]) for talk in talks),
    )  # fmt: skip
    try:
        part.unlink(missing_ok=True)  # of one that was killed
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w") as archive:
            _recordings(settings, engine, talks, archive, done)
            document = {"identity": normalised(identity), "made_at": now.isoformat(),
                        "conversations": talks}  # fmt: skip
            text = json.dumps(document, ensure_ascii=False, indent=2)
            archive.writestr("citizen.json", text, zipfile.ZIP_DEFLATED)
    except OSError as error:
        raise _failed(target, error) from None
    return done


def _talks(engine: Engine, identity: str) -> list[dict[str, Any]]:
    concerned = find(engine, identity)
    with reading(engine) as session:
        return [contents(session, one) for one in concerned]


def _recordings(
    settings: Settings,
    engine: Engine,
    talks: list[dict[str, Any]],
    archive: zipfile.ZipFile,
    done: Exported,
) -> None:
    files = ((talk, kind) for talk in talks for kind in ("recordings", "attachments"))
    for talk, kind in files:
        for recording in talk.get(kind, ()):
            path = settings.recordings_dir / recording.pop("path")
            recording["file"] = ""
            if recording["deleted_at"]:
                continue
            name = f"{kind}/{path.stem}{path.suffix}"
            try:
                _add(archive, name, path, engine)
            except (OSError, SealError) as error:
                done.missing += 1
                _log.error("recording_unreadable", code=getattr(error, "code", "file_unreadable"))
                continue
            done.recordings += kind == "recordings"
            done.attachments += kind == "attachments"
            recording["file"] = name


def _add(archive: zipfile.ZipFile, name: str, path: Path, engine: Engine) -> None:
    """One recording, opened where it is sealed, never whole in memory."""
    sealed, keys = sealed_path(path), keys_of(engine)
    if not sealed.is_file():
        with path.open("rb") as plain, archive.open(name, "w") as entry:
            shutil.copyfileobj(plain, entry)
        return
    if keys is None:
        raise SealError("data_key_missing", "a sealed recording, but QIANMEN_DATA_KEY is not set")
    with SealedFile(sealed, keys) as file, archive.open(name, "w") as entry:
        for piece in file.read(0, file.size):
            entry.write(piece)
