"""What there is: every known model and its state, and one model looked at thoroughly."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from asr.models.catalogue import STARTER, Entry, load_catalogue
from asr.models.check import Problem, check
from asr.models.errors import ModelError
from asr.models.seal import read_seal
from asr.models.shelf import chosen, find, in_use, installed, sealed_name, starter_folder
from asr.recogniser import RecogniserError
from asr.starter import archive
from asr.vosk_local import model_rate, try_model
from config.settings import Settings


@dataclass(frozen=True, slots=True)
class Listed:
    """One model: what the catalogue says, and what stands on this machine.

    ``bytes`` is the archive's size; ``intact`` is None where nothing is installed.
    """

    name: str
    title: str
    licence: str
    language: str
    sample_rate: int
    bytes: int | None
    sha256: str | None
    good_for: str
    published: tuple[dict[str, Any], ...] = ()
    published_source: str = ""
    url: str = ""
    folder: str | None = None
    intact: bool | None = None
    in_use: bool = False


@dataclass(frozen=True, slots=True)
class Verified:
    """What a thorough look at one model found; ``ok`` when nothing.

    ``checksum``: ``known`` (the archive was the catalogue's), ``unknown`` (nobody told one
    beforehand; ``archive_sha256`` is what was computed) or ``none`` (not installed by us: only
    structure and loading could be seen).
    """

    name: str
    folder: str
    checksum: str
    archive_sha256: str | None
    sample_rate: int
    problems: tuple[Problem, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {**asdict(self), "ok": self.ok}


def list_models(settings: Settings) -> list[Listed]:
    """Every known model, the starter first. Raises ConfigError for a broken ``models.yaml``."""
    used = in_use(settings)
    rows = [_starter(settings, used)]
    rows += [_listed(settings, entry, used) for entry in load_catalogue(settings).values()]
    if used and not any(row.in_use for row in rows):
        rows.append(_own(used))
    return rows


def _starter(settings: Settings, used: Path | None) -> Listed:
    about = archive.manifest()
    folder: str
    intact: bool | None
    fresh = about["measured"]["fresh_sentences_held_out_voices"]["cer_percent"]
    folder, intact = "", None
    try:
        folder, intact = str(starter_folder(settings)), True
    except ModelError as error:
        intact = False if error.code == "model_corrupt" else None
    return Listed(
        STARTER, "随附的入门模型", "GPL-3.0-or-later", "zh-CN", 8000,
        int(about["archive"]["bytes"]), str(about["archive"]["sha256"]),
        "只认合成语音：试用和测试整条路，不能给真实市民用",
        ({"cer_percent": fresh, "test": "合成语音、没见过的句子和声音"},),
        "asr/starter/manifest.json", "", folder or None, intact,
        bool(folder) and used == Path(folder).resolve(),
    )  # fmt: skip


def _listed(settings: Settings, entry: Entry, used: Path | None) -> Listed:
    folder = installed(settings, entry.name)
    return Listed(
        entry.name, entry.title, entry.licence, entry.language, entry.sample_rate, entry.bytes,
        entry.sha256, entry.good_for, tuple(each.model_dump() for each in entry.published),
        entry.published_source, entry.url,
        str(folder) if folder else None,
        None if folder is None else not check(folder),
        folder is not None and used == folder.resolve(),
    )  # fmt: skip


def _own(folder: Path) -> Listed:
    """A model of the city's that MODEL names by its folder."""
    return Listed(
        sealed_name(folder), "MODEL 指定的模型", "未注明", "未注明", model_rate(folder), None, None,
        "", folder=str(folder), intact=not check(folder), in_use=True,
    )  # fmt: skip


def verify_models(settings: Settings, name: str = "") -> list[Verified]:
    """Look thoroughly at the model ``name`` (a name or a folder), or at all that are there.

    Every file is digested and the model is loaded in a process of its own. Not to be called inside
    an event loop. Raises `ModelError` for what is not there.
    """
    if name:
        return [_verify(find(settings, name), name)]
    folders = {STARTER: starter_folder(settings)}
    for entry in load_catalogue(settings):
        if found := installed(settings, entry):
            folders[entry] = found
    if not settings.asr_url:
        used = chosen(settings)
        if used.resolve() not in {folder.resolve() for folder in folders.values()}:
            folders[sealed_name(used)] = used
    return [_verify(folder, name) for name, folder in folders.items()]


def _verify(folder: Path, name: str) -> Verified:
    seal = read_seal(folder)
    known = name == STARTER or (seal is not None and seal.verified)
    digest = seal.archive_sha256 if seal else None
    if name == STARTER:
        digest = archive.sha256_of(archive.ARCHIVE)
    return Verified(
        name,
        str(folder),
        "known" if known else "unknown" if seal else "none",
        digest,
        model_rate(folder),
        check(folder, thorough=True) or _tried(folder) or _archived(name),
    )


def _tried(folder: Path) -> tuple[Problem, ...]:
    try:
        asyncio.run(try_model(folder, model_rate(folder)))
    except RecogniserError as error:
        return (Problem(error.code, str(error)),)
    return ()


def _archived(name: str) -> tuple[Problem, ...]:
    """The starter's archive against its manifest; its unpacked files were compared to be found."""
    if name != STARTER:
        return ()
    if archive.sha256_of(archive.ARCHIVE) != archive.manifest()["archive"]["sha256"]:
        return (Problem("model_checksum", "asr/starter/model.tar.xz 和它的清单对不上"),)
    return ()
